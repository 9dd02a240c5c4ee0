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
		s.SetPod(fact(fmt.Sprintf("p%d", i), node))
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
