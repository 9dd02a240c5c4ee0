package kube

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

func TestBindNamesThePodByItsUID(t *testing.T) {
	c, saw := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		reply(w, 201, &metav1.Status{Status: metav1.StatusSuccess})
	})
	require.Equal(t, Answer{}, c.Bind(within(t), core.Bind{Pod: podRef("a"), Node: "n1"}))
	require.Len(t, saw(), 1)
	r := saw()[0]
	require.Equal(t, "POST /api/v1/namespaces/default/pods/a/binding", r.method+" "+r.path)
	require.Equal(t, protobuf, r.contentType)
	require.Equal(t, "sluice/test", r.agent)
	var b v1.Binding
	decode(t, r.body, &b)
	require.EqualValues(t, "uid-a", b.UID)
	require.Equal(t, v1.ObjectReference{Kind: "Node", Name: "n1"}, b.Target)
}

func TestAnswersAreJudged(t *testing.T) {
	pods := schema.GroupResource{Resource: "pods"}
	terminating := apierrors.NewForbidden(pods, "a", errors.New("namespace is being deleted"))
	terminating.ErrStatus.Details.Causes = []metav1.StatusCause{{Type: v1.NamespaceTerminatingCause}}
	plain := func(code int, retryAfter string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if retryAfter != "" {
				w.Header().Set("Retry-After", retryAfter)
			}
			http.Error(w, "plain text", code)
		}
	}
	for name, c := range map[string]struct {
		server  http.HandlerFunc
		verdict Verdict
		after   time.Duration
	}{
		"404":                         {status(apierrors.NewNotFound(pods, "a")), Gone, 0},
		"409":                         {status(apierrors.NewConflict(pods, "a", errors.New("already assigned"))), Conflict, 0},
		"409 without a body":          {plain(409, ""), Conflict, 0},
		"403":                         {status(apierrors.NewForbidden(pods, "a", errors.New("no rights"))), Refused, 0},
		"403, namespace terminating":  {status(terminating), Gone, 0},
		"422":                         {status(apierrors.NewInvalid(schema.GroupKind{Kind: "Pod"}, "a", nil)), Refused, 0},
		"400":                         {status(apierrors.NewBadRequest("bad")), Refused, 0},
		"401":                         {status(apierrors.NewUnauthorized("expired")), Busy, 0},
		"408":                         {plain(408, ""), Unknown, 0},
		"429 from the handler":        {status(apierrors.NewTooManyRequests("slow down", 3)), Busy, 3 * time.Second},
		"429 from the front":          {plain(429, "7"), Busy, 7 * time.Second},
		"429 without a time":          {plain(429, ""), Busy, 0},
		"500":                         {status(apierrors.NewInternalError(errors.New("etcd"))), Unknown, 0},
		"500 with a time":             {status(apierrors.NewServerTimeout(pods, "create", 3)), Unknown, 3 * time.Second},
		"503 with a time":             {plain(503, "5"), Unknown, 5 * time.Second},
		"504":                         {status(apierrors.NewTimeoutError("too slow", 0)), Unknown, 0},
		"the connection is cut":       {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, Unknown, 0},
		"the answer is no kubernetes": {plain(502, ""), Unknown, 0},
	} {
		t.Run(name, func(t *testing.T) {
			client, saw := serve(t, c.server)
			a := client.Bind(within(t), core.Bind{Pod: podRef("a"), Node: "n1"})
			require.Equal(t, c.verdict, a.Verdict, "%v", a.Err)
			require.Equal(t, c.after, a.After)
			require.Error(t, a.Err)
			require.Len(t, saw(), 1, "a write is never repeated here")
		})
	}
}

func TestNobodyListening(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := l.Addr().String()
	require.NoError(t, l.Close())
	c, err := connect(&rest.Config{Host: "http://" + address}, Access{QPS: -1})
	require.NoError(t, err)
	a := c.Bind(within(t), core.Bind{Pod: podRef("a")})
	require.Equal(t, Busy, a.Verdict, "it cannot have been carried out: %v", a.Err)
}

func TestATimeoutLeavesItUnknown(t *testing.T) {
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(release) })
	c, err := connect(&rest.Config{Host: server.URL, Timeout: 50 * time.Millisecond}, Access{QPS: -1})
	require.NoError(t, err)
	require.Equal(t, Unknown, c.Bind(within(t), core.Bind{Pod: podRef("a")}).Verdict)
}

func TestLook(t *testing.T) {
	var answer http.HandlerFunc
	c, saw := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	look := func() Sight {
		s, a := c.Look(within(t), podRef("a"))
		require.Equal(t, Answer{}, a)
		return s
	}
	there := func(p *v1.Pod) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, p) }
	}
	answer = there(pod("a", "uid-a", ""))
	require.Equal(t, Sight{Exists: true}, look())
	require.Empty(t, saw()[0].query, "no resourceVersion: the store is asked, not a cache")
	answer = there(pod("a", "uid-a", "n1"))
	require.Equal(t, Sight{Exists: true, Node: "n1"}, look())
	answer = there(pod("a", "another", "n1"))
	require.Equal(t, Sight{}, look())
	answer = status(apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "a"))
	require.Equal(t, Sight{}, look())
	ended := pod("a", "uid-a", "n1")
	ended.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	ended.Status = v1.PodStatus{Phase: v1.PodFailed, Reason: "OutOfcpu"}
	answer = there(ended)
	require.Equal(t, Sight{Exists: true, Node: "n1", Deleting: true, Failed: "OutOfcpu"}, look())
	answer = status(apierrors.NewInternalError(errors.New("etcd")))
	_, a := c.Look(within(t), podRef("a"))
	require.Equal(t, Unknown, a.Verdict)
}

func TestConditionPatch(t *testing.T) {
	c, saw := serve(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, pod("a", "uid-a", "")) })
	a := c.Condition(within(t), core.Condition{
		Pod: podRef("a"), Reason: core.ReasonUnschedulable, Message: "0/1 nodes are available: 1 Insufficient cpu.",
		ObservedGeneration: 3, Since: time.Unix(1_800_000_000, 0),
	})
	require.Equal(t, Answer{}, a)
	r := saw()[0]
	require.Equal(t, "PATCH /api/v1/namespaces/default/pods/a/status", r.method+" "+r.path)
	require.Equal(t, "application/strategic-merge-patch+json", r.contentType)
	require.JSONEq(t, `{"metadata": {"uid": "uid-a"}, "status": {"conditions": [{"type": "PodScheduled", "status": "False",
		"observedGeneration": 3, "lastTransitionTime": "2027-01-15T08:00:00Z", "reason": "Unschedulable",
		"message": "0/1 nodes are available: 1 Insufficient cpu."}]}}`, string(r.body))
	var p v1.Pod
	require.NoError(t, json.Unmarshal(r.body, &p), "it has the form of a pod")
	require.NotContains(t, string(r.body), "nominatedNodeName", "what others say there stays")
}

// TestANominationIsWrittenWithItsCondition, and so is its end.
func TestANominationIsWrittenWithItsCondition(t *testing.T) {
	c, saw := serve(t, func(w http.ResponseWriter, _ *http.Request) { reply(w, 200, pod("a", "uid-a", "")) })
	for _, node := range []string{"n1", ""} {
		require.Equal(t, Done, c.Condition(within(t), core.Condition{Pod: podRef("a"), Reason: core.ReasonPreparing, Nominates: true, Nominated: node}).Verdict)
	}
	require.Contains(t, string(saw()[0].body), `"nominatedNodeName":"n1"`)
	require.Contains(t, string(saw()[1].body), `"nominatedNodeName":""`)
}

func TestAnnounce(t *testing.T) {
	var answer http.HandlerFunc
	c, saw := serve(t, func(w http.ResponseWriter, r *http.Request) { answer(w, r) })
	answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(201) }
	r := c.Reporter("sluice", "host_1")
	n := Notice{
		Announce: core.Announce{
			Pod: podRef("a"), Type: core.TypeNormal, Reason: core.EventScheduled, Action: core.ActionBinding,
			Note: "Successfully assigned default/a to n1",
		},
		At: time.Unix(1_800_000_000, 123_456_000), Serial: 1,
	}
	require.Equal(t, Done, r.Announce(within(t), n).Verdict)
	require.Equal(t, "POST /apis/events.k8s.io/v1/namespaces/default/events", saw()[0].method+" "+saw()[0].path)
	require.Equal(t, protobuf, saw()[0].contentType)
	var e eventsv1.Event
	decode(t, saw()[0].body, &e)
	require.Equal(t, n.Note, e.Note)
	require.Equal(t, "sluice", e.ReportingController)
	require.Equal(t, "host_1", e.ReportingInstance)
	require.Equal(t, v1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: "default", Name: "a", UID: "uid-a"}, e.Regarding)
	require.True(t, e.EventTime.Time.Equal(n.At))

	answer = status(apierrors.NewAlreadyExists(schema.GroupResource{Resource: "events"}, "x"))
	require.Equal(t, Done, r.Announce(within(t), n).Verdict, "it had been written, and the answer was lost")
	var again eventsv1.Event
	decode(t, saw()[1].body, &again)
	require.Equal(t, e.Name, again.Name)

	n.Kind = "ConfigMap"
	require.Equal(t, Done, r.Announce(within(t), n).Verdict)
	decode(t, saw()[2].body, &e)
	require.Equal(t, v1.ObjectReference{APIVersion: "v1", Kind: "ConfigMap", Namespace: "default", Name: "a", UID: "uid-a"}, e.Regarding)
	n.APIVersion, n.Kind = "flink.apache.org/v1beta1", "FlinkDeployment"
	require.Equal(t, "flink.apache.org/v1beta1", r.event(n).Regarding.APIVersion)
}

func TestEventNamesAreUniqueAndValid(t *testing.T) {
	c, _ := serve(t, func(http.ResponseWriter, *http.Request) {})
	one, other := c.Reporter("sluice", "host_1"), c.Reporter("sluice", strings.Repeat("ä", 300))
	require.LessOrEqual(t, len(other.instance), maxInstance)
	names := map[string]bool{}
	for _, r := range []*Reporter{one, other} {
		for _, name := range []string{"a", strings.Repeat("a.", 126) + "a", strings.Repeat("-.", 100)} {
			for serial := range uint64(100) {
				n := Notice{Announce: core.Announce{Pod: podRef("a" + name)}, At: time.Unix(1, 0), Serial: serial}
				n.Pod.Name = "a" + name
				e := r.event(n)
				require.False(t, names[e.Name], e.Name)
				names[e.Name] = true
				require.Empty(t, validation.IsDNS1123Subdomain(e.Name), e.Name)
			}
		}
	}
}

func TestNotesAreCutAtACharacter(t *testing.T) {
	require.Equal(t, "short", cut("short", 1024, " ..."))
	for shift := range 4 {
		s := strings.Repeat("x", shift) + strings.Repeat("日", 1000)
		short := cut(s, 1024, " ...")
		require.LessOrEqual(t, len(short), 1024)
		require.Greater(t, len(short), 1017)
		require.True(t, strings.HasSuffix(short, "日 ..."), fmt.Sprintf("%q", short[1000:]))
	}
	require.Len(t, cut(strings.Repeat("x", 1025), 1024, " ..."), 1024)
}
