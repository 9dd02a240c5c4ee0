package integration

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// queuesInMap is the configuration of a Sluice whose queues are in the ConfigMap that deploy/base/rbac.yaml lets it read.
const queuesInMap = quickElection + "queues: {configMap: {name: sluice-queues}}\n"

// setQueues writes the ConfigMap of the queues, and removes it after the test.
func (s *scene) setQueues(text string) {
	s.Helper()
	maps := s.client.CoreV1().ConfigMaps("sluice-system")
	m := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "sluice-queues"}, Data: map[string]string{"queues.yaml": text}}
	_, err := maps.Update(s.ctx, m, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = maps.Create(s.ctx, m, metav1.CreateOptions{})
	}
	require.NoError(s, err)
}

// dropQueues removes the ConfigMap, if it is there.
func (s *scene) dropQueues() {
	err := s.client.CoreV1().ConfigMaps("sluice-system").Delete(context.Background(), "sluice-queues", metav1.DeleteOptions{})
	if !apierrors.IsNotFound(err) {
		require.NoError(s, err)
	}
}

// capped is a tree with a queue that may hold so many CPUs, and one that is free.
func capped(cpus string) string {
	return "queues:\n- name: capped\n  resources: {max: {cpu: " + cpus + "}}\n- name: free\n"
}

// inQueue names the pod's queue.
func inQueue(name string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Labels = map[string]string{"sluice.dev/queue": name} }
}

// awaitQueuesEvent waits for an event on the ConfigMap that has all the parts.
func (s *scene) awaitQueuesEvent(kind, reason string, parts ...string) {
	s.Helper()
	s.awaitEvent("ConfigMap", "sluice-queues", "", kind, reason, parts...)
}

// awaitEvent waits for an event in Sluice's namespace that regards the object of this name and UID (empty: any) and has all the parts.
func (s *scene) awaitEvent(of, name string, uid types.UID, kind, reason string, parts ...string) {
	s.Helper()
	s.eventually("the "+of+" has an event "+reason+" "+strings.Join(parts, ", "), func() error {
		list, err := s.client.CoreV1().Events("sluice-system").List(s.ctx, metav1.ListOptions{FieldSelector: "involvedObject.kind=" + of})
		if err != nil {
			return err
		}
		said := []string{}
		for _, e := range list.Items {
			if e.Type == kind && e.Reason == reason && e.InvolvedObject.Name == name && (uid == "" || e.InvolvedObject.UID == uid) && holds(e.Message, parts) {
				return nil
			}
			said = append(said, e.Reason+": "+e.Message)
		}
		return fmt.Errorf("it has %q", said)
	})
}

func holds(text string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(text, p) {
			return false
		}
	}
	return true
}

// hash is that of the queues in force, from the dump.
func (i *instance) hash() string {
	i.scene.Helper()
	_, rest, ok := strings.Cut(i.dump(), "# queues: hash ")
	require.True(i.scene, ok)
	hash, _, _ := strings.Cut(rest, "\n")
	return hash
}

// heldBack asks of every pod but those named that it runs, and of these that they are held back.
func heldBack(names ...string) func(*corev1.Pod) error {
	asks := map[string]func(*corev1.Pod) error{}
	for _, name := range names {
		asks[name] = func(p *corev1.Pod) error {
			if c := scheduled(p); p.Spec.NodeName != "" || c.Reason != "QuotaExceeded" {
				return fmt.Errorf("on node %q it says %s: %s", p.Spec.NodeName, c.Reason, c.Message)
			}
			return nil
		}
	}
	return byName(asks)
}

// TestQueuesInAConfigMap lets the queues come late, broken, whole, larger, broken again, away, and smaller than what runs.
func TestQueuesInAConfigMap(t *testing.T) {
	s := newScene(t, "queues")
	_, err := shared.InstallSluice(s.ctx) // the namespace and the rights, should this test come first
	require.NoError(s, err)
	s.dropQueues()
	t.Cleanup(s.dropQueues)
	s.simulate(simnode.Group{Count: 3}, simnode.Options{})
	o := s.observe(false)
	sluice := s.sluice(options{config: queuesInMap, noWait: true})

	// Missing, then broken: nothing is decided, and that is said.
	sluice.logged("none are in force yet, so nothing is decided: there is no ConfigMap sluice-system/sluice-queues")
	s.create(pod("a", inQueue("root.capped"), cpu("1")))
	notReady := func(why string) {
		s.Helper()
		s.eventually("not ready, for "+why, func() error {
			_, err := sluice.page("/readyz")
			if err == nil || !strings.Contains(err.Error(), why) {
				return fmt.Errorf("it says %w", err)
			}
			return nil
		})
	}
	notReady("no queues are in force, so nothing is decided: there is no ConfigMap")
	s.setQueues("queues:\n- name: capped\n  wieght: 2\n")
	notReady("sluice-queues/queues.yaml:3:3: queues[0].wieght: unknown key; did you mean weight?")
	s.awaitQueuesEvent("Warning", "QueuesRefused", "Nothing is decided", "queues[0].wieght: unknown key")
	require.Zero(s, sluice.metric("sluice_leader"))
	require.Empty(s, o.all()["a"].Spec.NodeName)

	// Whole: a second pod fits, a third is held back.
	s.setQueues(capped("2"))
	require.NoError(s, sluice.WaitReady(s.ctx))
	sluice.awaitLeading()
	s.awaitQueuesEvent("Normal", "QueuesApplied", sluice.hash())
	s.create(pod("b", inQueue("root.capped"), cpu("1")))
	o.awaitPods(2, "two run", runs)
	s.create(pod("c", inQueue("root.capped"), cpu("1")))
	o.awaitPods(3, "the third is held back", heldBack("c"))

	// Larger, while it waits.
	s.setQueues(capped("3"))
	o.awaitPods(3, "all run", runs)
	sluice.awaitMetric(1, "sluice_config_reloads_total", `source="queues"`, `result="applied"`)

	// Broken: what is in force stays.
	hash := sluice.hash()
	s.setQueues("queues:\n- name: capped\n  resources: {max: {cpu: lots}}\n")
	s.awaitQueuesEvent("Warning", "QueuesRefused", "In force stay: 3 queues, hash "+hash, "queues.yaml:3:26: queues[0].resources.max.cpu")
	sluice.awaitMetric(1, "sluice_config_faulty", `source="queues"`)
	require.Equal(s, hash, sluice.hash())
	s.create(pod("d", inQueue("root.capped"), cpu("1")), pod("e", inQueue("root.free"), cpu("1")))
	o.awaitPods(5, "the old max holds", heldBack("d"))

	// Away: it stays, too.
	s.dropQueues()
	sluice.logged("those in force stay: ConfigMap sluice-system/sluice-queues was deleted")
	require.Equal(s, hash, sluice.hash())

	// Smaller than what runs: nothing is evicted, and nothing starts until there is less.
	s.setQueues(capped("1"))
	sluice.awaitMetric(0, "sluice_config_faulty", `source="queues"`)
	sluice.awaitMetric(1, "sluice_queues_info", fmt.Sprintf("hash=%q", sluice.hash()))
	s.remove("a")
	s.remove("b")
	o.awaitPods(3, "one runs on", heldBack("d"))
	s.remove("c")
	o.awaitPods(2, "its room is the next one's", runs)
	_, err = sluice.page("/readyz")
	require.NoError(s, err)

	rebuilt := s.sluice(options{config: queuesInMap})
	s.sameAs(sluice, rebuilt)
	s.setQueues("nonsense")
	rebuilt.logged("the queues are refused; those in force stay") // a standby knows too
	require.EqualValues(s, 1, rebuilt.metric("sluice_config_faulty", `source="queues"`))
}

// awaitDump waits until the dump has a line that begins so.
func (i *instance) awaitDump(line string) {
	i.scene.Helper()
	i.scene.eventually("the dump says "+line, func() error {
		if dump := i.dump(); !strings.Contains("\n"+dump, "\n"+line) {
			return fmt.Errorf("it says:\n%s", dump)
		}
		return nil
	})
}

// TestQueuesInAFile takes a queue away, gives it back and makes a parent of it, while an application runs in it and others come.
func TestQueuesInAFile(t *testing.T) {
	s := newScene(t, "queues-file")
	s.simulate(simnode.Group{Count: 3}, simnode.Options{})
	o := s.observe(false)
	file := filepath.Join(t.TempDir(), "queues.yaml")
	set := func(text string) {
		s.Helper()
		require.NoError(s, os.WriteFile(file+".new", []byte(text), 0o600))
		require.NoError(s, os.Rename(file+".new", file))
	}
	noQueue := func(p *corev1.Pod) error {
		if c := scheduled(p); p.Spec.NodeName != "" || c.Reason != "NoQueue" {
			return fmt.Errorf("on node %q it says %s: %s", p.Spec.NodeName, c.Reason, c.Message)
		}
		return nil
	}
	set(capped("2"))
	config := fmt.Sprintf(quickElection+"queues: {file: %q}\n", file)
	sluice := s.sluice(options{config: config})
	sluice.awaitLeading()
	s.create(pod("a", inQueue("root.capped"), cpu("1")))
	o.awaitPods(1, "it runs", runs)
	sluice.awaitDump("queue root.capped apps=1 pods=1 ")

	set("queues:\n- name: free\n")
	sluice.awaitDump("queue root.~capped draining apps=1 pods=1 ")
	s.create(pod("b", inQueue("root.capped"), cpu("1")))
	o.awaitPods(2, "one runs on, one has no queue", byName(map[string]func(*corev1.Pod) error{"b": noQueue}))

	set(capped("2"))
	o.awaitPods(2, "both are at home", runs)
	sluice.awaitDump("queue root.capped apps=2 pods=2 ")

	set("queues:\n- name: capped\n  queues:\n  - name: inner\n- name: free\n")
	sluice.awaitDump("queue root.capped.~capped draining apps=2 pods=2 ")
	s.create(pod("c", inQueue("root.capped"), cpu("1")), pod("d", inQueue("root.capped.inner"), cpu("1")))
	o.awaitPods(4, "a parent takes no applications", byName(map[string]func(*corev1.Pod) error{"c": noQueue}))

	hash := sluice.hash()
	set("queues: [\n")
	sluice.logged("the queues are refused; those in force stay")
	lease, err := s.client.CoordinationV1().Leases("sluice-system").Get(s.ctx, "sluice", metav1.GetOptions{})
	require.NoError(s, err)
	s.awaitEvent("Lease", "sluice", lease.UID, "Warning", "QueuesRefused", "In force stay: 4 queues, hash "+hash, "queues.yaml:")
	require.NoError(s, os.Remove(file))
	sluice.logged("the queues cannot be read; those in force stay")
	require.Equal(s, hash, sluice.hash())
	sluice.awaitMetric(1, "sluice_config_faulty", `source="queues"`)
	set("queues:\n- name: capped\n  queues:\n  - name: inner\n- name: free\n")
	sluice.logged("the queues are again those in force")
	s.awaitEvent("Lease", "sluice", lease.UID, "Normal", "QueuesApplied", hash)
	s.sameAs(sluice, s.sluice(options{config: config}))
}

// sameAs waits until the accounts of an instance equal those of one that has read the cluster anew.
func (s *scene) sameAs(live, rebuilt *instance) {
	s.Helper()
	s.eventually("the live accounts equal rebuilt ones", func() error {
		if l, fresh := live.dump(), rebuilt.dump(); l != fresh {
			return fmt.Errorf("rebuilt (-), live (+):\n%s", cmp.Diff(strings.Split(fresh, "\n"), strings.Split(l, "\n")))
		}
		return nil
	})
}
