package order

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// models is a state with a node for each model of GPU, all alike but for the model.
func models(names ...string) *cluster.State {
	s := cluster.New()
	for _, m := range names {
		n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: m, Labels: map[string]string{"model": m, "kubernetes.io/hostname": m}}}
		n.Status.Allocatable = list("32", "128Gi", "4")
		n.Status.Allocatable["pods"] = apires.MustParse("110")
		s.SetNode(cluster.ReadNode(n))
	}
	return s
}

// asking is a pod for one GPU with a node selector.
func asking(i int, selector map[string]string) *cluster.PodFact {
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{UID: types.UID(fmt.Sprint("p", i)), Name: fmt.Sprint("p", i)}}
	p.Spec.NodeSelector = selector
	p.Spec.Containers = []v1.Container{{Resources: v1.ResourceRequirements{Requests: list("2", "1Gi", "1")}}}
	return cluster.ReadPod(p, "sluice")
}

func TestWhoHasAChoiceKeepsOffWhatOthersInsistOn(t *testing.T) {
	s := models("a", "b", "c")
	o := New(nil, ScarceSpec{Always: []string{"nvidia.com/gpu"}})
	var last *cluster.Pod
	for i := range 64 {
		selector := map[string]string{"model": "a"}
		if i%2 == 1 {
			selector = nil
		}
		last = s.SetPod(asking(i, selector))
		o.Note(last.Shape)
	}
	o.Refresh(s)
	require.EqualValues(t, Unit, o.granted(s, s.Node("a").Class))
	require.InDelta(t, half, o.granted(s, s.Node("b").Class), Unit/16)
	require.Equal(t, o.granted(s, s.Node("b").Class), o.granted(s, s.Node("c").Class))

	nodes := []*cluster.Node{s.Node("a"), s.Node("b"), s.Node("c")}
	require.Equal(t, "b", o.Best(s, last, "", nodes).Name, "the name alone would say a")
	require.Equal(t, "a", o.Best(s, last, "", nodes[:1]).Name, "without a choice it is welcome")
}

func TestWishesThatClassesDoNotTellApartCountAsGranted(t *testing.T) {
	many := make([]string, 100)
	for i := range many {
		many[i] = fmt.Sprintf("m%03d", i)
	}
	s := models(many...)
	o := New(nil, ScarceSpec{Always: []string{"nvidia.com/gpu"}})
	for i := range 8 {
		o.Note(s.SetPod(asking(i, map[string]string{"kubernetes.io/hostname": many[i]})).Shape)
	}
	o.Refresh(s)
	require.EqualValues(t, Unit, o.granted(s, s.Node(many[50]).Class))
}

func TestWishesFade(t *testing.T) {
	s := models("a", "b")
	o := New(nil, ScarceSpec{Always: []string{"nvidia.com/gpu"}})
	insisting := s.SetPod(asking(1, map[string]string{"model": "a"})).Shape
	plain := s.SetPod(asking(2, nil)).Shape
	for range 8 {
		o.Note(insisting)
	}
	o.Refresh(s)
	require.Less(t, o.granted(s, s.Node("b").Class), int64(quarter))
	for range 10 * usualHalved {
		o.Note(plain)
	}
	o.Refresh(s)
	require.EqualValues(t, Unit, o.granted(s, s.Node("b").Class))
	require.Empty(t, o.usual.wishes.counts, "what is no longer asked for is forgotten")
}
