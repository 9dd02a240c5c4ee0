package cluster

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// TestRollbackRestoresEverything places and takes off pods at random, nested, and undoes it.
func TestRollbackRestoresEverything(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		s := populated(rng)
		before := dump(s)
		outer := s.Checkpoint()
		shuffle(s, rng)
		middle := dump(s)
		inner := s.Checkpoint()
		shuffle(s, rng)
		s.Rollback(inner)
		require.Equal(t, middle, dump(s), "seed %d: inner", seed)
		s.Rollback(outer)
		require.Equal(t, before, dump(s), "seed %d: outer", seed)
		require.NoError(t, s.Verify())
	}
}

// TestCommitWakesOnlyForRoomGivenBack: a try that was rolled back helps nobody, a lasting release does.
func TestCommitWakesOnlyForRoomGivenBack(t *testing.T) {
	s := populated(rand.New(rand.NewPCG(1, 1)))
	s.TakeBetter()
	p := s.SetPod(fact("p", ""))
	mark := s.Checkpoint()
	s.Assume(p, s.Node("n0"))
	s.Rollback(mark)
	s.Commit()
	require.Empty(t, s.TakeBetter())

	s.Assume(p, s.Node("n0"))
	s.Commit()
	require.Empty(t, s.TakeBetter())

	s.Release(p)
	s.Commit()
	better := s.TakeBetter()
	require.Len(t, better, 1)
	require.Equal(t, "n0", better[0].Name)
}

// TestANominationThatEndsHelpsOthers: when its pod goes, is nominated no more, or is placed elsewhere for good; not when it is placed where it should be, nor when
// that is undone.
func TestANominationThatEndsHelpsOthers(t *testing.T) {
	nominated := func(node string) *PodFact {
		f := fact("p", "")
		f.Nominated = node
		return f
	}
	for name, c := range map[string]struct {
		do    func(*State, *Pod)
		helps []string
	}{
		"goes":                  {func(s *State, p *Pod) { s.RemovePod(p.Fact.UID) }, []string{"n1"}},
		"nominated no more":     {func(s *State, _ *Pod) { s.SetPod(nominated("")) }, []string{"n1"}},
		"nominated for another": {func(s *State, _ *Pod) { s.SetPod(nominated("n2")) }, []string{"n1"}},
		"nominated again":       {func(s *State, _ *Pod) { s.SetPod(nominated("n1")) }, nil},
		"leaving": {func(s *State, _ *Pod) {
			f := nominated("n1")
			f.Deleting = true
			s.SetPod(f)
		}, []string{"n1"}},
		"asks for less": {func(s *State, _ *Pod) {
			f := nominated("n1")
			f.Demand = &Demand{Key: "less"}
			s.SetPod(f)
		}, []string{"n1"}},
		"placed there":           {func(s *State, p *Pod) { s.Assume(p, s.Node("n1")); s.Commit() }, nil},
		"placed elsewhere":       {func(s *State, p *Pod) { s.Assume(p, s.Node("n2")); s.Commit() }, []string{"n1"}},
		"bound there by another": {func(s *State, _ *Pod) { s.SetPod(fact("p", "n1")) }, nil},
		"placed elsewhere for now": {func(s *State, p *Pod) {
			mark := s.Checkpoint()
			s.Assume(p, s.Node("n2"))
			s.Rollback(mark)
			s.Commit()
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := populated(rand.New(rand.NewPCG(1, 1)))
			p := s.SetPod(nominated("n1"))
			s.TakeBetter()
			version := s.Node("n1").Version
			c.do(s, p)
			var helps []string
			for _, n := range s.TakeBetter() {
				helps = append(helps, n.Name)
			}
			require.Equal(t, c.helps, helps)
			require.NoError(t, s.Verify())
			if c.helps != nil {
				require.Greater(t, s.Node("n1").Version, version, "who remembers why n1 refuses must look again")
			}
		})
	}
}

// TestSinceTellsEveryChangeOnce: whoever follows by version sees exactly what changed.
func TestSinceTellsEveryChangeOnce(t *testing.T) {
	s := populated(rand.New(rand.NewPCG(1, 1)))
	seen := s.Version()
	p := s.SetPod(fact("p", ""))
	s.Assume(p, s.Node("n3"))
	s.Commit()
	s.SetNode(s.Node("n1").Fact) // a heartbeat: nothing that placement reads
	var names []string
	s.Since(seen, func(n *Node) { names = append(names, n.Name) })
	require.Equal(t, []string{"n3"}, names)
}

func populated(rng *rand.Rand) *State {
	s := New()
	for i := range 5 {
		s.SetNode(&NodeFact{Name: fmt.Sprintf("n%d", i), Allocatable: resource.Amounts{{Name: "cpu", Value: 8000}, {Name: "pods", Value: 20}}})
	}
	for i := range 20 {
		node := ""
		if rng.IntN(2) == 0 {
			node = fmt.Sprintf("n%d", rng.IntN(7)) // n5 and n6 are not known
		}
		f := fact(fmt.Sprintf("p%d", i), node)
		if f.Priority = int32(rng.IntN(3)); node == "" && rng.IntN(3) == 0 {
			f.Nominated = fmt.Sprintf("n%d", rng.IntN(8))
		}
		s.SetPod(f)
	}
	return s
}

func fact(name, node string) *PodFact {
	return &PodFact{
		UID: types.UID(name), Name: name, Namespace: "ns", Ours: len(name)%2 == 0, Node: node,
		Demand: &Demand{
			Key:      "k" + name[len(name)-1:],
			Requests: resource.Amounts{{Name: "cpu", Value: int64(name[len(name)-1])}, {Name: "fpga", Value: 1}},
			Ports:    []Port{{Protocol: "TCP", IP: AnyIP, Number: int32(name[len(name)-1])}},
		},
	}
}

func shuffle(s *State, rng *rand.Rand) {
	for range 30 {
		p := s.Pod(types.UID(fmt.Sprintf("p%d", rng.IntN(20))))
		if p.Alloc != nil {
			s.Release(p)
		} else {
			s.Assume(p, s.Node(fmt.Sprintf("n%d", rng.IntN(5))))
		}
	}
}

func dump(s *State) string {
	var b strings.Builder
	s.Dump(&b)
	return b.String()
}
