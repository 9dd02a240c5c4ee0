package e2e

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"
)

// node is one of the workload's: zone-0, gen-0, not tainted.
func node() v1.Node { return *small().NodeObjects()[0] }

func podOn(name string) v1.Pod {
	n := node()
	p := v1.Pod{}
	p.Name, p.UID, p.Spec.NodeName = name, types.UID("uid-"+name), n.Name
	p.Spec.Containers = []v1.Container{{Name: "main"}}
	return p
}

func TestJudgeFindsWhatIsNotAllowed(t *testing.T) {
	requests := func(name v1.ResourceName, amount string) func(*v1.Pod) {
		return func(p *v1.Pod) {
			p.Spec.Containers[0].Resources.Requests = v1.ResourceList{name: resource.MustParse(amount)}
		}
	}
	for _, tc := range []struct {
		want  string
		spoil func(*v1.Pod)
	}{
		{"", func(*v1.Pod) {}},
		{"is on no node that exists", func(p *v1.Pod) { p.Spec.NodeName = "" }},
		{"is on no node that exists", func(p *v1.Pod) { p.Spec.NodeName = "elsewhere" }},
		{"it selects " + zoneLabel + "=zone-1", func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{zoneLabel: "zone-1"} }},
		{"", func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{zoneLabel: "zone-0"} }},
		{"its node affinity is not met", func(p *v1.Pod) { p.Spec.Affinity = requireHardware("gen-1") }},
		{"", func(p *v1.Pod) { p.Spec.Affinity = requireHardware("gen-0") }},
		{"its node affinity is not met", func(p *v1.Pod) { p.Spec.Affinity = &v1.Affinity{PodAffinity: &v1.PodAffinity{}} }},
		{"has 32 of cpu, its pods want 32001", requests("cpu", "32001m")},
		{"", requests("cpu", "32")},
		{"of memory", requests("memory", "129Gi")},
		{"of example.com/unknown", requests("example.com/unknown", "1")},
		{"does not know", func(p *v1.Pod) { p.Spec.InitContainers = []v1.Container{{}} }},
	} {
		p := podOn("a")
		tc.spoil(&p)
		err := Judge([]v1.Node{node()}, []v1.Pod{p})
		if tc.want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, tc.want)
		}
	}
}

func TestJudgeFindsTaints(t *testing.T) {
	n, p := node(), podOn("a")
	n.Spec.Taints = []v1.Taint{{Key: dedicatedKey, Value: "batch", Effect: v1.TaintEffectNoSchedule}}
	require.ErrorContains(t, Judge([]v1.Node{n}, []v1.Pod{p}), "does not tolerate")
	for _, o := range []v1.Toleration{
		{Operator: v1.TolerationOpExists},
		{Key: dedicatedKey, Operator: v1.TolerationOpExists},
		{Key: dedicatedKey, Value: "batch", Effect: v1.TaintEffectNoSchedule},
	} {
		p.Spec.Tolerations = []v1.Toleration{o}
		require.NoError(t, Judge([]v1.Node{n}, []v1.Pod{p}))
	}
	for _, o := range []v1.Toleration{
		{Key: "other", Operator: v1.TolerationOpExists},
		{Key: dedicatedKey, Value: "web"},
		{Key: dedicatedKey, Operator: v1.TolerationOpExists, Effect: v1.TaintEffectNoExecute},
	} {
		p.Spec.Tolerations = []v1.Toleration{o}
		require.ErrorContains(t, Judge([]v1.Node{n}, []v1.Pod{p}), "does not tolerate")
	}
}

func TestJudgeFindsCrowds(t *testing.T) {
	a, b := podOn("a"), podOn("b")
	for _, p := range []*v1.Pod{&a, &b} {
		p.Spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: 80, Protocol: v1.ProtocolTCP}}
	}
	require.ErrorContains(t, Judge([]v1.Node{node()}, []v1.Pod{a, b}), "a and b on node-00000 both want port 80")
	b.Spec.Containers[0].Ports[0].Protocol = v1.ProtocolUDP
	require.NoError(t, Judge([]v1.Node{node()}, []v1.Pod{a, b}))

	var many []v1.Pod
	for i := range 111 {
		many = append(many, podOn(fmt.Sprint(i)))
	}
	require.NoError(t, Judge([]v1.Node{node()}, many[1:]))
	require.ErrorContains(t, Judge([]v1.Node{node()}, many), "has 110 of pods, its pods want 111000")
}

func TestJudgeEvents(t *testing.T) {
	pods := []v1.Pod{podOn("a"), podOn("b")}
	event := func(pod, node string) eventsv1.Event {
		return eventsv1.Event{
			Reason: "Scheduled", Regarding: v1.ObjectReference{UID: types.UID("uid-" + pod)},
			Note: "Successfully assigned bench/" + pod + " to " + node,
		}
	}
	at := node().Name
	for want, events := range map[string][]eventsv1.Event{
		"":                          {event("b", at), event("a", at), {Reason: "FailedScheduling"}},
		"1 pods have no right":      {event("a", at)},
		"a has two events":          {event("a", at), event("b", at), event("a", at)},
		"its event says":            {event("a", "node-00001"), event("b", at)},
		"an event is about no pod:": {event("a", at), event("b", at), event("c", at)},
	} {
		_, err := JudgeEvents(pods, events)
		if want == "" {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, want)
		}
	}
}
