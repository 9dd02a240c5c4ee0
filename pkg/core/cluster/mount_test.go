package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAChangedClaimConcernsEachUserOnce: what many pods share may change without a look at all of them for each of them.
func TestAChangedClaimConcernsEachUserOnce(t *testing.T) {
	rise := func(pods int) uint64 {
		s := withClaims(pods)
		v := s.pods["0"].Volumes
		before := v.version
		s.SetVolumeClaim(&VolumeClaimFact{Namespace: "a", Name: "shared", UID: "shared", Class: "thick"})
		require.NoError(t, s.Verify())
		return v.version - before
	}
	require.Equal(t, rise(1), rise(50))
}

// TestWhatWasAssumedEndsWithTheBind: the pod stays where it is, so its node is no better for anybody; a volume that was taken for its claim, and that the claim did not
// get, is there for others.
func TestWhatWasAssumedEndsWithTheBind(t *testing.T) {
	s := withClaims(2)
	s.SetNode(&NodeFact{Name: "n"})
	s.SetVolume(&VolumeFact{Name: "v", UID: "v", Class: "thin", Available: true})
	p := s.pods["0"]
	choice := &Choice{
		Bindings:   []Binding{{s.VolumeClaim("a", "shared"), s.Volume("v")}},
		Provisions: []*VolumeClaim{s.VolumeClaim("a", "own-0")},
	}
	s.AssumeWith(p, s.Node("n"), choice)
	s.Commit()
	require.NoError(t, s.Verify())
	require.Equal(t, 1, s.Volume("v").takers)
	s.TakeBetter()
	helped(s)

	bound := *p.Fact
	bound.Node = "n"
	s.SetPod(&bound)
	require.NoError(t, s.Verify())
	require.Nil(t, p.Alloc.Choice())
	require.Zero(t, s.Volume("v").takers)
	require.Zero(t, s.VolumeClaim("a", "own-0").choosers)
	require.Empty(t, s.TakeBetter(), "nothing has fallen free on the node")
	require.Equal(t, 2, helped(s), "the volume may be for them")
}
