package cluster

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAStandbyForgetsNodesThatHaveGone: nobody takes the better nodes while another process leads.
func TestAStandbyForgetsNodesThatHaveGone(t *testing.T) {
	s := New()
	s.SetNode(&NodeFact{Name: "stays"})
	for i := range 10_000 {
		name := fmt.Sprintf("passes-%d", i)
		s.SetNode(&NodeFact{Name: name})
		s.RemoveNode(name)
	}
	require.Less(t, len(s.better), 200)

	better := s.TakeBetter()
	require.Len(t, better, 1)
	require.Equal(t, "stays", better[0].Name)
	require.NoError(t, s.Verify())
}
