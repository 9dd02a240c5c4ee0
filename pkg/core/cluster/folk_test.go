package cluster

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// everywhere selects all namespaces.
var everywhere = labels.Everything()

// apart is a demand for no pod near by that has one of some labels, in namespaces that a selector means.
func apart(spaces labels.Selector, keys ...string) *Demand {
	d := &Demand{Key: "apart " + spaces.String() + fmt.Sprint(keys), Topology: &Topology{}}
	for _, k := range keys {
		s := Selection{Spaces: spaces, Pods: labels.SelectorFromSet(labels.Set{k: "x"})}
		s.name()
		d.Topology.Apart = append(d.Topology.Apart, Term{s, "zone"})
	}
	return d
}

// labelledPod is a pod on a node.
func labelledPod(name, node string, l map[string]string) *PodFact {
	return &PodFact{UID: types.UID(name), Namespace: "ns", Name: name, Ours: true, Node: node, Labels: PackLabels(l), Demand: &Demand{Key: "any"}, Claim: &Claim{App: "a"}}
}

func zoned(s *State, name, zone string) {
	s.SetNode(&NodeFact{Name: name, UID: types.UID(name), Labels: map[string]string{"zone": zone}})
}

// TestFolksOutliveLabelsThatNoTermMinds: labels of a namespace that change nobody's answer leave its pods alone.
func TestFolksOutliveLabelsThatNoTermMinds(t *testing.T) {
	s := New()
	zoned(s, "n", "east")
	s.SetNamespace(&NamespaceFact{Name: "ns", Labels: map[string]string{"team": "red"}})
	p := s.SetPod(labelledPod("p", "n", map[string]string{"app": "x"}))
	red := labelledPod("carrier", "n", nil)
	red.Demand = apart(labels.SelectorFromSet(labels.Set{"team": "red"}), "app")
	s.SetPod(red)
	before := p.folk
	require.Len(t, before.selected, 2)

	s.SetNamespace(&NamespaceFact{Name: "ns", Labels: map[string]string{"team": "red", "cost": "9"}})
	require.Same(t, before, p.folk, "nobody asks for that label")
	s.SetNamespace(&NamespaceFact{Name: "ns", Labels: map[string]string{"team": "blue"}})
	require.Empty(t, p.folk.selected)
	require.NoError(t, s.Verify())
	s.SetNamespace(&NamespaceFact{Name: "ns", Labels: map[string]string{"team": "red"}})
	require.Len(t, p.folk.selected, 2)
	s.RemoveNamespace("ns")
	require.Empty(t, p.folk.selected)
	require.NoError(t, s.Verify())
}

// TestANewTermStirsNoOther: who comes to be meant by one more term does not come and go for the others.
func TestANewTermStirsNoOther(t *testing.T) {
	s := New()
	zoned(s, "n", "east")
	s.SetPod(labelledPod("p", "n", map[string]string{"app": "x", "tier": "x"}))
	first := labelledPod("first", "", nil)
	first.Demand = apart(everywhere, "app")
	watched := s.SetPod(first).Shape.Bonds.Apart[0]
	require.Equal(t, 1, watched.Total())
	watched.of.Watch(Arrived|Cleared|Emptied|Evened, +1)

	stirred := func() (list []*Matcher) {
		s.TakeStirred(func(m *Matcher, _ Stir) { list = append(list, m) })
		return list
	}
	second := labelledPod("second", "", nil)
	second.Demand = apart(everywhere, "app", "tier")
	s.SetPod(second)
	require.NoError(t, s.Verify())
	require.Empty(t, stirred(), "a term came")
	s.RemovePod("second")
	require.NoError(t, s.Verify())
	require.Empty(t, stirred(), "it went")

	leaving := labelledPod("p", "n", map[string]string{"app": "x", "tier": "x"})
	leaving.Deleting = true
	s.SetPod(leaving)
	require.Empty(t, stirred(), "it still counts")
	s.RemovePod("p")
	require.Equal(t, []*Matcher{watched.of}, stirred())
	require.NoError(t, s.Verify())
}

// TestDefaultsAreForgottenInOrder: equal histories have equal lists of what is counted.
func TestDefaultsAreForgottenInOrder(t *testing.T) {
	history := func() (keys []string) {
		s := New()
		zoned(s, "n", "east")
		for i := range 2*manyDefaults + 50 {
			ns := fmt.Sprintf("ns%04d", i)
			f := labelledPod(ns, "", map[string]string{"app": "x"})
			f.Namespace = ns
			s.SetSelector(&SelectorFact{SelectorID: SelectorID{Service, ns, "s"}, Labels: labels.Set{"app": "x"}})
			require.NotEmpty(t, s.DefaultSpread(s.SetPod(f)))
		}
		for _, m := range s.topo.live {
			keys = append(keys, m.key)
		}
		require.Less(t, len(keys), 2*manyDefaults, "some are forgotten")
		return keys
	}
	require.True(t, slices.Equal(history(), history()))
}

// BenchmarkManyTerms lets one pod come and go whose terms read hundreds of labels, among thousands of others.
func BenchmarkManyTerms(b *testing.B) {
	s := New()
	zoned(s, "n", "east")
	for i := range 5000 {
		s.SetPod(labelledPod(fmt.Sprint(i), "n", map[string]string{"app": "x", "tier": fmt.Sprint(i % 10), "version": "1"}))
	}
	var keys []string
	for i := range 200 {
		keys = append(keys, fmt.Sprintf("key%03d", i))
	}
	f := labelledPod("many", "", nil)
	f.Demand = apart(everywhere, keys...)
	for b.Loop() {
		s.SetPod(f)
		s.RemovePod("many")
		r := s.topo.realmOf["ns"]
		s.reform(r) // the labels that were read are forgotten
	}
}
