package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/run"
	"github.com/sluice-scheduler/sluice/pkg/web"
)

// world is a real core behind a real web server, without an API server: all binds succeed.
type world struct {
	*testing.T
	inbox   *run.Inbox
	loop    *run.Loop
	queries *run.Queries
	url     string

	// told is what the core hears of when it settles: all in one step, so that it decides alike each time.
	told []core.Event

	mu   sync.Mutex
	pods map[types.UID]*v1.Pod
}

// newWorld starts one that holds nothing, and ends it after the test.
func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, inbox: run.NewInbox(), pods: map[types.UID]*v1.Pod{}}
	c := core.New(core.Config{})
	log := slog.New(slog.DiscardHandler)
	w.loop = run.NewLoop(run.LoopConfig{
		Decider: c, Reporter: c, Inbox: w.inbox, Out: w.carryOut, Metrics: run.NewMetrics("sluice", "test"), Log: log,
	})
	w.queries = run.NewQueries(w.loop, c)
	server, err := web.Listen("127.0.0.1:0", web.Parts{Queues: w.queries.Queues, Pod: w.queries.Pod, Groups: w.queries.Groups, Group: w.queries.Group, Log: log})
	require.NoError(t, err)
	w.url = "http://" + server.Address()
	ctx, cancel := context.WithCancel(t.Context())
	var parts sync.WaitGroup
	parts.Go(func() { _ = w.loop.Run(ctx) })
	parts.Go(func() { _ = server.Serve(ctx) })
	t.Cleanup(func() { cancel(); parts.Wait() })
	t.Setenv(serverVariable, w.url)
	return w
}

// carryOut binds as an API server would.
func (w *world) carryOut(effects []core.Effect) {
	for _, e := range effects {
		if b, ok := e.(core.Bind); ok {
			w.mu.Lock()
			p := w.pods[b.Pod.UID].DeepCopy()
			w.mu.Unlock()
			p.Spec.NodeName = b.Node
			w.inbox.Put(factOf(p), core.BindDone{UID: b.Pod.UID, Node: b.Node, Outcome: core.Bound})
		}
	}
}

func (w *world) tell(e core.Event) { w.told = append(w.told, e) }

// settle hands on what was told and waits until as many pods are bound.
func (w *world) settle(bound int) {
	w.Helper()
	w.inbox.Put(w.told...)
	w.told = nil
	require.Eventually(w, func() bool {
		require.NoError(w, w.loop.Sync(w.Context()))
		s := w.loop.Stats()
		return s.Assumed == 0 && s.Ready == 0 && s.Pods-s.Parked-s.HeldBack-s.Gated == bound
	}, 10*time.Second, time.Millisecond)
}

func (w *world) setQueues(file string) {
	w.Helper()
	loaded, err := queues.Load("testdata/" + file)
	require.NoError(w, err)
	w.tell(core.QueuesSet{Tree: loaded.Tree})
}

func (w *world) addNode(name, cpu, memory, gpus string) {
	n := &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID(name)},
		Status:     v1.NodeStatus{Allocatable: list("cpu", cpu, "memory", memory, "nvidia.com/gpu", gpus, "pods", "110")},
	}
	w.tell(core.NodeSet{Node: cluster.ReadNode(n)})
}

// addPods creates pods of an application, named after it: "namespace/application", "queue" (may be empty), "user".
func (w *world) addPods(of, queue, user string, n int, amounts ...string) {
	namespace, application, _ := strings.Cut(of, "/")
	for i := range n {
		p := &v1.Pod{
			ObjectMeta: metav1.ObjectMeta{
				Namespace: namespace, Name: fmt.Sprintf("%s-%d", application, i), UID: types.UID(fmt.Sprintf("uid-of-%s-%d", application, i)),
				CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
				Labels:            map[string]string{app.AppName: application}, Annotations: map[string]string{app.UserAnnotation: user},
			},
			Spec: v1.PodSpec{
				SchedulerName: "sluice",
				Containers:    []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: list(amounts...)}}},
			},
		}
		if queue != "" {
			p.Labels[app.QueueName] = queue
		}
		w.mu.Lock()
		w.pods[p.UID] = p
		w.mu.Unlock()
		w.tell(factOf(p))
	}
}

func factOf(p *v1.Pod) core.Event {
	fact := cluster.ReadPod(p, "sluice")
	claim := app.Identify(p, true)
	fact.Claim = &claim
	return core.PodSet{Pod: fact}
}

func list(amounts ...string) v1.ResourceList {
	l := v1.ResourceList{}
	for i := 0; i+1 < len(amounts); i += 2 {
		l[v1.ResourceName(amounts[i])] = resource.MustParse(amounts[i+1])
	}
	return l
}

// busyWorld has a tree with all that can be shown: a leaf at work, one with a pod too large, a user at his limit, a queue that a rule made, and one
// that is no longer configured.
func busyWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.tell(core.Lead{On: true})
	w.addNode("cpu-1", "16", "64Gi", "0")
	w.addNode("cpu-2", "16", "64Gi", "0")
	w.addNode("gpu-1", "16", "64Gi", "4")
	w.setQueues("before.yaml")
	w.addPods("old/nightly", "root.legacy", "bob", 1, "cpu", "2", "memory", "4Gi")
	w.settle(1)
	w.setQueues("queues.yaml")
	w.addPods("shop/cart", "", "eve", 2, "cpu", "250m", "memory", "1Gi")
	w.addPods("jobs/etl", "root.prod", "eve", 4, "cpu", "2500m", "memory", "10Gi")
	w.addPods("jobs/report", "root.prod", "eve", 1, "cpu", "20", "memory", "16Gi")
	w.addPods("lab/jupyter", "root.research.notebooks", "ann", 3, "cpu", "1", "memory", "1500Mi")
	w.addPods("lab/resnet", "root.research.training", "ann", 4, "cpu", "1", "memory", "8Gi", "nvidia.com/gpu", "1")
	w.settle(12)
	return w
}
