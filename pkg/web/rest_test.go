package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// forest is a tree with a leaf, a dynamic queue, and a draining one.
func forest(context.Context) (api.Queues, error) {
	none := map[string]api.Resource{}
	return api.Queues{
		Leading: true, Configuration: "0123456789ab", Capacity: map[string]string{"cpu": "48", "memory": "192Gi"},
		Queue: api.Queue{Name: "root", Pods: 3, PendingPods: 1, RunningApps: 2, Resources: none, Queues: []api.Queue{
			{Name: "root.legacy", Leaf: true, Draining: true, Resources: none},
			{Name: "root.prod", Leaf: true, MaxApps: 10, Resources: map[string]api.Resource{
				"cpu": {Guaranteed: "24", Max: "32", Weight: 1, Used: "1500m", Pending: "0", Fair: "1500m"},
			}},
			{Name: "root.teams", Resources: none, Queues: []api.Queue{
				{Name: "root.teams.shop", Leaf: true, Dynamic: true, Resources: none},
				{Name: "root.teams.a/b#c", Leaf: true, Dynamic: true, Resources: none},
			}},
		}},
	}, nil
}

func noPod(_ context.Context, namespace, name string) (api.Pod, bool, error) {
	return api.Pod{Leading: true, Namespace: namespace, Name: name, UID: "u", Standing: "bound", Node: "n"}, name == "known", nil
}

// ask gets a page of the API and decodes it.
func ask[T any](t *testing.T, url string) (status int, value T) {
	t.Helper()
	a := request(t, http.MethodGet, url)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
	require.NoError(t, json.Unmarshal([]byte(a.body), &value), a.body)
	return a.status, value
}

func TestTreeOfQueues(t *testing.T) {
	base := serve(t, Parts{Queues: forest}, usualLimits())
	want, _ := forest(t.Context())
	for _, path := range []string{"/api/v1/queues", "/api/v1/queues/", "/api/v1/queues/root", "/api/v1/queues/ROOT"} {
		status, got := ask[api.Queues](t, base+path)
		require.Equal(t, 200, status)
		require.Equal(t, want, got, path)
	}
	for path, name := range map[string]string{
		"root.prod": "root.prod", "root.Teams": "root.teams", "root.teams.shop": "root.teams.shop", "root.teams.a%2Fb%23c": "root.teams.a/b#c",
	} {
		status, got := ask[api.Queues](t, base+"/api/v1/queues/"+path)
		require.Equal(t, 200, status)
		require.Equal(t, name, got.Queue.Name)
		require.Equal(t, want.Capacity, got.Capacity)
	}
}

// TestWordsOfTheAPI holds the names of the fields, for clients go by them.
func TestWordsOfTheAPI(t *testing.T) {
	base := serve(t, Parts{Queues: forest}, usualLimits())
	_, body := get(t, base+"/api/v1/queues/root.prod")
	require.Equal(t, `{
  "leading": true,
  "configuration": "0123456789ab",
  "capacity": {
    "cpu": "48",
    "memory": "192Gi"
  },
  "queue": {
    "name": "root.prod",
    "leaf": true,
    "dynamic": false,
    "draining": false,
    "pods": 0,
    "pendingPods": 0,
    "runningApps": 0,
    "maxApps": 10,
    "resources": {
      "cpu": {
        "guaranteed": "24",
        "max": "32",
        "weight": 1,
        "used": "1500m",
        "pending": "0",
        "fair": "1500m"
      }
    }
  }
}
`, body)
}

func TestQueuesThatAreNotThere(t *testing.T) {
	base := serve(t, Parts{Queues: forest}, usualLimits())
	for path, want := range map[string]string{
		"root.prodd":        `there is no queue "root.prodd"; did you mean root.prod? Below root there are: root.legacy, root.prod, root.teams`,
		"prod":              `there is no queue "prod"; did you mean root.prod? Below root there are: root.legacy, root.prod, root.teams`,
		"teams.shop":        `there is no queue "teams.shop"; did you mean root.teams.shop? Below root there are: root.legacy, root.prod, root.teams`,
		"root.teams.shap.x": `there is no queue "root.teams.shap.x"; did you mean root.teams.shop? Below root.teams there are: root.teams.shop, root.teams.a/b#c`,
		"root.teamsters":    `there is no queue "root.teamsters"; below root there are: root.legacy, root.prod, root.teams`,
		"root.prod.x":       `there is no queue "root.prod.x"; below root.prod there are none`,
		"rootless":          `there is no queue "rootless"; below root there are: root.legacy, root.prod, root.teams`,
		"root.":             `there is no queue "root."; below root there are: root.legacy, root.prod, root.teams`,
	} {
		status, got := ask[api.Error](t, base+"/api/v1/queues/"+path)
		require.Equal(t, 404, status, path)
		require.Equal(t, want, got.Error)
	}
}

func TestManyQueuesAreNotAllNamed(t *testing.T) {
	root := api.Queue{Name: "root"}
	for i := range 30 {
		root.Queues = append(root.Queues, api.Queue{Name: fmt.Sprintf("root.q%02d", i)})
	}
	_, err := find(&root, "root.x")
	require.ErrorContains(t, err, "root.q00, root.q01, ")
	require.ErrorContains(t, err, ", root.q19 and 10 more")
	require.NotContains(t, err.Error(), "root.q20")
}

func TestPods(t *testing.T) {
	base := serve(t, Parts{Pod: noPod}, usualLimits())
	status, got := ask[api.Pod](t, base+"/api/v1/pods/jobs/known")
	require.Equal(t, 200, status)
	require.Equal(t, api.Pod{Leading: true, Namespace: "jobs", Name: "known", UID: "u", Standing: "bound", Node: "n"}, got)
	status, fault := ask[api.Error](t, base+"/api/v1/pods/jobs/unheard-of")
	require.Equal(t, 404, status)
	require.Equal(t, `no pod "unheard-of" is known in namespace "jobs"; pods that have ended are forgotten`, fault.Error)
}

func TestOtherPathsBelowTheAPI(t *testing.T) {
	base := serve(t, Parts{Queues: forest, Pod: noPod}, usualLimits())
	for _, path := range []string{"/api/", "/api/v1", "/api/v2/queues", "/api/v1/pods", "/api/v1/pods/jobs", "/api/v1/pods/a/b/c", "/api/v1/queue"} {
		status, fault := ask[api.Error](t, base+path)
		require.Equal(t, 404, status, path)
		require.Equal(t, fmt.Sprintf("there is no %q here; there are: /api/v1/queues, /api/v1/queues/{path}, /api/v1/pods/{namespace}/{name}", path),
			fault.Error)
	}
	base = serve(t, Parts{}, usualLimits())
	for _, path := range []string{"/api/v1/queues", "/api/v1/pods/a/b"} {
		status, _ := ask[api.Error](t, base+path)
		require.Equal(t, 404, status)
	}
}

func TestTheAPICanOnlyBeRead(t *testing.T) {
	base := serve(t, Parts{Queues: forest, Pod: noPod}, usualLimits())
	for _, path := range []string{"/api/v1/queues", "/api/v1/queues/root", "/api/v1/pods/a/known", "/api/none"} {
		for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions} {
			a := request(t, method, base+path)
			require.Equal(t, 405, a.status)
			require.Equal(t, "GET, HEAD", a.header.Get("Allow"))
			require.Equal(t, fmt.Sprintf("{\n  \"error\": \"the API can only be read: use GET instead of \\\"%s\\\"\"\n}\n", method), a.body)
		}
	}
	head := request(t, http.MethodHead, base+"/api/v1/queues")
	require.Equal(t, 200, head.status)
	require.Empty(t, head.body)
}

func TestTheAPIAnswersOnlyTheSameMachine(t *testing.T) {
	h := handler(Parts{Queues: forest, Pod: noPod}, usualLimits())
	for from, want := range map[string]int{
		"127.0.0.1:4711": 200, "[::1]:4711": 200, "[::ffff:127.0.0.1]:4711": 200,
		"10.0.0.7:4711": 403, "[fe80::1%eth0]:4711": 403, "[::ffff:10.0.0.7]:4711": 403, "": 403, "@": 403,
	} {
		for _, path := range []string{"/api/v1/queues", "/api/v1/queues/root.prod", "/api/v1/queues/none", "/api/v1/pods/a/known", "/api/v1/none"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr = from
			r.Header.Set("X-Forwarded-For", "127.0.0.1")
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if want != http.StatusForbidden {
				require.NotEqual(t, http.StatusForbidden, w.Code)
				continue
			}
			require.Equal(t, want, w.Code, "%s from %q", path, from)
			require.Contains(t, w.Body.String(), `"error": "the API answers callers on the same machine only, until it can check who calls; `)
		}
	}
}

func TestASlowLoopGives503(t *testing.T) {
	l := usualLimits()
	l.question = 30 * time.Millisecond
	hang := make(chan struct{})
	base := serve(t, Parts{
		Queues: func(ctx context.Context) (api.Queues, error) { // heeds its context, as it should
			<-ctx.Done()
			return api.Queues{}, fmt.Errorf("wait for the loop: %w", ctx.Err())
		},
		Pod: func(context.Context, string, string) (api.Pod, bool, error) { // does not
			<-hang
			return api.Pod{}, true, nil
		},
	}, l)
	const slow = "there was no answer within 30ms: the loop is busy or stuck (see /livez?verbose)"
	a := request(t, http.MethodGet, base+"/api/v1/queues")
	require.Equal(t, "1", a.header.Get("Retry-After"))
	for range askedAtOnce {
		status, fault := ask[api.Error](t, base+"/api/v1/pods/a/b")
		require.Equal(t, 503, status)
		require.Equal(t, slow, fault.Error)
	}
	status, fault := ask[api.Error](t, base+"/api/v1/queues")
	require.Equal(t, 503, status)
	require.Equal(t, "4 questions are being answered already; try again in a moment", fault.Error)
	status, _ = get(t, base+"/livez")
	require.Equal(t, 200, status)

	close(hang)
	require.Eventually(t, func() bool {
		status, fault := ask[api.Error](t, base+"/api/v1/queues")
		return status == 503 && fault.Error == slow
	}, 10*time.Second, time.Millisecond, "the slots are free again")
}

func TestQuestionsThatFail(t *testing.T) {
	base := serve(t, Parts{
		Queues: func(context.Context) (api.Queues, error) { return api.Queues{}, errors.New("the loop\nhas ended") },
		Pod:    func(context.Context, string, string) (api.Pod, bool, error) { panic("index out of range") },
	}, usualLimits())
	for path, want := range map[string]string{"queues": "the loop has ended", "queues/root": "the loop has ended", "pods/a/b": "panic: index out of range"} {
		status, fault := ask[api.Error](t, base+"/api/v1/"+path)
		require.Equal(t, 500, status)
		require.Equal(t, "there is no answer: "+want, fault.Error)
	}
}
