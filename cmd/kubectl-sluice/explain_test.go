package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnExplanationHasALineForEachThing holds what the pages' examples have no case of: a role, faults, a standby.
func TestAnExplanationHasALineForEachThing(t *testing.T) {
	url := answering(t, http.StatusOK, "application/json", `{
		"namespace": "ns", "name": "p", "standing": "backoff", "application": "flink/orders", "applicationFrom": "label app", "role": "taskmanager",
		"queue": "root.a", "decidedBy": "root.a from annotation sluice.dev/queue", "faults": ["one thing", "another"],
		"reason": "SchedulerError", "message": "refused", "since": "2026-01-01T00:00:00Z", "attempts": 2, "until": "2026-01-01T00:00:04Z"
	}`)
	out, _, err := client("", "explain", "pod", "ns/p", "--server", url)
	require.NoError(t, err)
	require.Equal(t, ""+
		"Pod:         ns/p\n"+
		"Standing:    backoff (its bind was refused or its volumes could not be prepared; it is tried again later)\n"+
		"Application: flink/orders (label app)\n"+
		"Role:        taskmanager\n"+
		"Queue:       root.a\n"+
		"Decided by:  root.a from annotation sluice.dev/queue\n"+
		"Reason:      SchedulerError\n"+
		"Message:     refused\n"+
		"Waits since: 2026-01-01T00:00:00Z, tried 2 times\n"+
		"Next try:    2026-01-01T00:00:04Z\n"+
		"Fault:       one thing\n"+
		"Fault:       another\n"+
		"Note:        this Sluice stands by; the leader may have decided already\n", out)
}

const kubeconfig = `
apiVersion: v1
kind: Config
contexts: [{name: here, context: {cluster: c, user: u, namespace: mine}}, {name: there, context: {cluster: c, user: u, namespace: other}}]
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u}]
current-context: here
`

// TestTheNamespaceIsThatOfTheKubeconfig where none is given.
func TestTheNamespaceIsThatOfTheKubeconfig(t *testing.T) {
	t.Setenv("KUBECONFIG", write(t, "config", kubeconfig))
	_, name, err := podNamed("", "a/p")
	require.NoError(t, err)
	require.Equal(t, "p", name)
	namespace, _, err := podNamed("", "p")
	require.NoError(t, err)
	require.Equal(t, "mine", namespace)
	for arg, want := range map[string]string{"orders": "mine", "rt/flink/orders": "rt"} {
		namespace, _, err = new(explaining).named("group", arg)
		require.NoError(t, err)
		require.Equal(t, want, namespace)
	}

	t.Setenv("KUBECONFIG", write(t, "config", "contexts: nonsense"))
	_, _, err = podNamed("", "p")
	require.ErrorContains(t, err, "no namespace is given, and the kubeconfig's cannot be read")
	namespace, _, err = podNamed("b", "p")
	require.NoError(t, err)
	require.Equal(t, "b", namespace, "then nothing is read")

	t.Setenv("KUBECONFIG", "/nowhere/config")
	namespace, _, err = podNamed("", "p")
	require.NoError(t, err)
	require.Equal(t, "default", namespace)
}

// TestAPodIsNamedInEitherWay: as kubectl names it, or as it is shown.
func TestAPodIsNamedInEitherWay(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		_, _ = w.Write([]byte(`{}`))
	}))
	defer s.Close()
	for _, args := range [][]string{{"ns/p"}, {"-n", "ns", "p"}, {"p", "--namespace", "ns"}} {
		_, _, err := client("", append([]string{"explain", "pod", "--server", s.URL}, args...)...)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"/api/v1/pods/ns/p", "/api/v1/pods/ns/p", "/api/v1/pods/ns/p"}, asked)
}
