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
