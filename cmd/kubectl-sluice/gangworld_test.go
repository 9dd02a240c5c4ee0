package main

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/app/gang"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// tellJobs tells what the FlinkDeployments of a file say of groups.
func (w *world) tellJobs(file string) {
	w.Helper()
	text, err := os.ReadFile("testdata/" + file)
	require.NoError(w, err)
	sources, reader := gang.NewSources(), &gang.Reader{Schedulers: []string{"sluice"}}
	for _, document := range splitYAML(string(text)) {
		u := &unstructured.Unstructured{}
		require.NoError(w, yaml.Unmarshal([]byte(document), &u.Object))
		for _, change := range sources.Set(reader.Read(u)) {
			w.tell(core.GroupSet{Group: change.Fact})
		}
	}
}

func splitYAML(text string) (documents []string) {
	start := 0
	for i := 0; i+5 <= len(text); i++ {
		if text[i:i+5] == "\n---\n" {
			documents = append(documents, text[start:i])
			start = i + 5
		}
	}
	return append(documents, text[start:])
}

// addManager creates the JobManager of a native Flink job.
func (w *world) addManager(namespace, job string) {
	p := &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: job + "-7d9c5", UID: types.UID("uid-of-jm-" + job), CreationTimestamp: metav1.NewTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
			Labels: map[string]string{"app": job, "component": app.JobManager, "type": "flink-native-kubernetes"},
		},
		Spec: v1.PodSpec{
			SchedulerName: "sluice",
			Containers:    []v1.Container{{Name: "flink-main-container", Resources: v1.ResourceRequirements{Requests: list("cpu", "1", "memory", "2Gi")}}},
		},
	}
	w.mu.Lock()
	w.pods[p.UID] = p
	w.mu.Unlock()
	w.tell(factOf(p))
}

// makeReady tells that the bound pod of that UID is ready.
func (w *world) makeReady(uid types.UID, node string) {
	w.mu.Lock()
	p := w.pods[uid].DeepCopy()
	w.mu.Unlock()
	p.Spec.NodeName = node
	now := metav1.NewTime(time.Now())
	p.Status.Conditions = []v1.PodCondition{
		{Type: v1.PodScheduled, Status: v1.ConditionTrue, LastTransitionTime: now}, {Type: v1.PodReady, Status: v1.ConditionTrue, LastTransitionTime: now},
	}
	w.tell(factOf(p))
}

// stand hands on what was told and waits until groups stand as they should.
func (w *world) stand(want map[string]string) {
	w.Helper()
	w.inbox.Put(w.told...)
	w.told = nil
	require.Eventually(w, func() bool {
		all, err := w.queries.Groups(w.Context())
		require.NoError(w, err)
		got := map[string]string{}
		for _, g := range all.Groups {
			got[g.Namespace+"/"+g.ID] = g.Standing
		}
		return len(got) == len(want) && !slices.ContainsFunc(all.Groups, func(g api.Group) bool { return want[g.Namespace+"/"+g.ID] != g.Standing })
	}, 10*time.Second, 20*time.Millisecond)
}

// gangWorld has a Flink job for whose TaskManagers room is kept, one that waits for that room, one too large for any node, and pods of which one is missing.
func gangWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.tell(core.Lead{On: true})
	w.addNode("cpu-1", "8", "32Gi", "0")
	w.addNode("cpu-2", "8", "32Gi", "0")
	w.setQueues("queues.yaml")
	w.tellJobs("jobs.yaml")
	w.addManager("rt", "orders")
	w.stand(map[string]string{"rt/flink/orders": "begun", "rt/flink/clicks": "empty", "lab/flink/model": "empty"})
	orders, known, err := w.queries.Pod(t.Context(), "rt", "orders-7d9c5")
	require.NoError(t, err)
	require.True(t, known)
	w.makeReady("uid-of-jm-orders", orders.Node)
	w.addManager("rt", "clicks")
	w.addMembers("jobs", "etl", 2, 3)
	w.stand(map[string]string{"rt/flink/orders": "begun", "rt/flink/clicks": "parked", "lab/flink/model": "empty", "jobs/group/etl": "gathering"})
	return w
}

// addMembers creates pods that say themselves of how many they are.
func (w *world) addMembers(namespace, name string, n, least int) {
	w.addPods(namespace+"/"+name, "root.prod", "eve", n, "cpu", "1", "memory", "1Gi")
	w.told = w.told[:len(w.told)-n]
	for i := range n {
		p := w.pods[types.UID(fmt.Sprintf("uid-of-%s-%d", name, i))]
		p.Annotations["sluice.dev/group"], p.Annotations["sluice.dev/min-members"] = name, fmt.Sprint(least)
		w.tell(factOf(p))
	}
}
