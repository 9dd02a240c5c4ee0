package integration

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestFieldsNotEvaluated creates a pod for each placement field that Sluice does not evaluate: each is held, and says which field it is.
func TestFieldsNotEvaluated(t *testing.T) {
	s := newScene(t, "unsupported")
	s.simulate(simnode.Group{Count: 3}, simnode.Options{})
	o := s.observe(false)
	sluice := s.sluice(options{})
	sluice.awaitLeading()
	claim := "a-claim"
	cases := map[string]struct {
		field  string
		change func(*corev1.PodSpec)
	}{
		"devices": {"spec.resourceClaims", func(p *corev1.PodSpec) {
			p.ResourceClaims = []corev1.PodResourceClaim{{Name: "c", ResourceClaimName: &claim}}
		}},
	}
	asks := map[string]func(*corev1.Pod) error{}
	for name, c := range cases {
		s.create(pod(name, func(p *corev1.Pod) { c.change(&p.Spec) }))
		asks[name] = waitsFor("PlacementFieldUnsupported", "held: Sluice does not evaluate "+c.field+
			" yet and will not bind the pod as if that were absent. Remove it, or set schedulerName to default-scheduler.")
	}
	s.create(pod("plain"))
	o.awaitPods(len(cases)+1, "all but the plain pod are held, each naming its field", byName(asks))
	sluice.awaitMetric(float64(len(cases)), "sluice_held_pods")
	s.eachOnce(maps.Keys(cases))
	require.Len(s, s.binds(), 1)
}

// eachOnce checks that the condition of each pod was written at least once, and never twice with the same words.
func (s *scene) eachOnce(names iter.Seq[string]) {
	s.Helper()
	all := s.patches()
	for name := range names {
		require.NotEmpty(s, all[name], "condition writes of pod %s", name)
		said := map[string]bool{}
		for _, e := range all[name] {
			require.False(s, said[string(e.RequestObject)], "pod %s was told twice: %s", name, e.RequestObject)
			said[string(e.RequestObject)] = true
		}
	}
}

// TestBadInput gives Sluice whatever the API server lets through: affinity that cannot be read, absurd amounts, nodes that offer nothing,
// and 2,000 pods that all differ. Each pod says what is wrong, once; and one that is in order is placed in the midst of it.
func TestBadInput(t *testing.T) {
	s := newScene(t, "badinput")
	s.simulate(simnode.Group{Count: 5}, simnode.Options{})
	s.emptyNode()
	o := s.observe(false)
	sluice := s.sluice(options{})
	sluice.awaitLeading()

	says := func(reason string, parts ...string) func(*corev1.Pod) error {
		return func(p *corev1.Pod) error {
			c := scheduled(p)
			for _, part := range parts {
				if p.Spec.NodeName != "" || c.Reason != reason || !strings.Contains(c.Message, part) {
					return fmt.Errorf("on node %q it says %s: %s", p.Spec.NodeName, c.Reason, c.Message)
				}
			}
			return nil
		}
	}
	noRoom := func(what string) func(*corev1.Pod) error {
		return says(corev1.PodReasonUnschedulable, "0/6 nodes are available: ", "6 Insufficient "+what)
	}
	cases := map[string]struct {
		change func(*corev1.Pod)
		ask    func(*corev1.Pod) error
	}{
		"greater-than-text": {nodeAffinity(corev1.NodeSelectorOpGt, "many"), says(corev1.PodReasonUnschedulable, "many")},
		"less-than-text":    {nodeAffinity(corev1.NodeSelectorOpLt, "1e3"), says(corev1.PodReasonUnschedulable, "1e3")},
		"all-cpus":          {cpu("9223372036854775807"), noRoom("cpu")},
		"exa-cpus":          {cpu("100E"), noRoom("cpu")},
		"all-memory":        {asks(corev1.ResourceMemory, "9223372036854775807"), noRoom("memory")},
		"overflow":          {twice(asks(corev1.ResourceMemory, "7Ei")), noRoom("memory")},
		"unknown-resource":  {limited("example.com/nothing", "9223372036854775807"), noRoom("example.com/nothing")},
	}
	all := map[string]func(*corev1.Pod) error{}
	for name, c := range cases {
		s.create(pod(name, c.change))
		all[name] = c.ask
	}
	o.awaitPods(len(cases), "each says what is wrong", byName(all))

	const kinds = 2000
	arrived := s.createMeanwhile(distinct(kinds)...)
	s.eventually("the flood has begun", func() error {
		if n := len(o.all()); n < 500 {
			return fmt.Errorf("%d pods are there", n)
		}
		return nil
	})
	s.create(pod("plain", cpu("1")))
	o.awaitOne("plain", "a plain pod is placed meanwhile", runs)
	arrived()
	for _, p := range distinct(kinds) {
		all[p.Name] = says(corev1.PodReasonUnschedulable, "0/6 nodes are available: ", "node(s) didn't match Pod's node affinity/selector.")
	}
	o.awaitPods(len(all)+1, "all that differ say why they wait", byName(all))
	s.eachOnce(maps.Keys(all))
	require.True(s, sluice.Process().Running())
	require.NotContains(s, sluice.log(), "panic")
	sluice.sameAsRebuilt()
}

// emptyNode adds a node that is ready and offers nothing, as one whose kubelet has not reported.
func (s *scene) emptyNode() {
	s.Helper()
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: s.name + "-empty", Labels: map[string]string{testLabel: s.name}}}
	_, err := s.client.CoreV1().Nodes().Create(s.ctx, n, metav1.CreateOptions{})
	require.NoError(s, err)
	s.Cleanup(func() {
		require.NoError(s, s.client.CoreV1().Nodes().Delete(context.Background(), n.Name, metav1.DeleteOptions{}))
	})
}

// nodeAffinity requires that a label compares to a value.
func nodeAffinity(op corev1.NodeSelectorOperator, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Affinity = &corev1.Affinity{NodeAffinity: &corev1.NodeAffinity{
			RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: "size", Operator: op, Values: []string{value}}},
			}}},
		}}
	}
}

// twice gives the pod a second container like the first.
func twice(change func(*corev1.Pod)) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		change(p)
		second := *p.Spec.Containers[0].DeepCopy()
		second.Name = "second"
		p.Spec.Containers = append(p.Spec.Containers, second)
	}
}

// limited sets request and limit of an extended resource.
func limited(name corev1.ResourceName, quantity string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		asks(name, quantity)(p)
		p.Spec.Containers[0].Resources.Limits = p.Spec.Containers[0].Resources.Requests
	}
}

// distinct describes n pods of which no two demand the same and none finds a node.
func distinct(n int) []*corev1.Pod {
	out := several("distinct", n)
	for i, p := range out {
		p.Spec.NodeSelector = map[string]string{"kind": fmt.Sprint(i)}
	}
	return out
}
