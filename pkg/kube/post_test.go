package kube

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// What an API server below a path gets is what client-go would send: the same address and headers.
func TestPostsAreAddressedAsClientGoDoes(t *testing.T) {
	var got []*http.Request
	root := serverURL(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r)
		reply(w, http.StatusCreated, &metav1.Status{Status: metav1.StatusSuccess})
	})
	c, err := connect(&rest.Config{Host: root + "/clusters/one", BearerToken: "secret"}, Access{Agent: "sluice/test", QPS: -1})
	require.NoError(t, err)
	require.Equal(t, Answer{}, c.Bind(within(t), core.Bind{Pod: podRef("a"), Node: "n1"}))
	require.NoError(t, c.core.RESTClient().Post().Namespace("default").Resource("pods").Name("a").SubResource("binding").
		Body(&metav1.DeleteOptions{}).Do(within(t)).Error())
	require.Len(t, got, 2)
	ours, theirs := got[0], got[1]
	require.Equal(t, "/clusters/one/api/v1/namespaces/default/pods/a/binding", ours.URL.Path)
	require.Equal(t, theirs.URL.Path, ours.URL.Path)
	for _, name := range []string{"Content-Type", "Accept", "User-Agent", "Authorization"} {
		require.Equal(t, theirs.Header.Values(name), ours.Header.Values(name), name)
	}
}

// The configured limit of requests holds for posts.
func TestPostsKeepTheLimit(t *testing.T) {
	root := serverURL(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) })
	c, err := connect(&rest.Config{Host: root}, Access{QPS: 0.001, Burst: 1})
	require.NoError(t, err)
	require.Equal(t, Done, c.Bind(within(t), core.Bind{Pod: podRef("a"), Node: "n1"}).Verdict)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	require.Equal(t, Unknown, c.Bind(ctx, core.Bind{Pod: podRef("b"), Node: "n1"}).Verdict, "it may not be sent for a long time")
}

// A redirect is no success: nothing was created.
func TestARedirectIsNoSuccess(t *testing.T) {
	root := serverURL(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusMultipleChoices) })
	c, err := connect(&rest.Config{Host: root}, Access{QPS: -1})
	require.NoError(t, err)
	require.Equal(t, Unknown, c.Bind(within(t), core.Bind{Pod: podRef("a"), Node: "n1"}).Verdict)
}
