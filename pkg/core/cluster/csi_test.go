package cluster

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// withClaims returns a state with pods that name one claim of a class, each with a second claim of its own so that no two ask the same.
func withClaims(pods int) *State {
	s := New()
	s.SetVolumeClaim(&VolumeClaimFact{Namespace: "a", Name: "shared", UID: "shared", Class: "thin"})
	for i := range pods {
		needs := (&Needs{Claims: []ClaimUse{{Name: "shared"}, {Name: fmt.Sprintf("own-%d", i)}}}).keyed("a")
		s.SetPod(&PodFact{UID: types.UID(fmt.Sprint(i)), Namespace: "a", Name: fmt.Sprint(i), Demand: &Demand{}, Needs: needs})
	}
	s.TakeHelped(func(*Volumes) {})
	return s
}

func helped(s *State) (count int) {
	s.TakeHelped(func(*Volumes) { count++ })
	return count
}

// TestCapacityHelpsWhenItGrows: a driver tells of less with every volume that it makes, and that helps nobody; but what was found out before is void.
func TestCapacityHelpsWhenItGrows(t *testing.T) {
	s := withClaims(1)
	on := func(host string) labels.Selector { return labels.SelectorFromSet(labels.Set{"host": host}) }
	for _, c := range []struct {
		what  string
		fact  CapacityFact
		helps int
	}{
		{"new", CapacityFact{Most: 5, Topology: on("x")}, 1},
		{"less", CapacityFact{Most: 3, Topology: on("x")}, 0},
		{"more", CapacityFact{Most: 4, Topology: on("x")}, 1},
		{"not known any more", CapacityFact{Most: -1, Topology: on("x")}, 0},
		{"known again", CapacityFact{Most: 0, Topology: on("x")}, 1},
		{"elsewhere", CapacityFact{Most: 0, Topology: on("y")}, 1},
		{"less, and elsewhere", CapacityFact{Most: -1, Topology: on("x")}, 1},
	} {
		f, before := c.fact, s.pods["0"].Volumes.Version()
		f.Namespace, f.Name, f.Class = "storage", "c", "thin"
		s.SetCapacity(&f)
		require.Equal(t, c.helps, helped(s), c.what)
		require.NotEqual(t, before, s.pods["0"].Volumes.Version(), c.what)
		require.NoError(t, s.Verify())
	}
}
