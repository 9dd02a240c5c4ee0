package stand

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUsageOfThisProcess(t *testing.T) {
	s, err := parseStat([]byte("7 (a) name) with (x) S 3 1 1 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 8 0 1 1 1"))
	require.NoError(t, err)
	require.Equal(t, procStat{parent: 3, cpu: 3}, s)
	_, err = parseStat([]byte("7 (a) S 3"))
	require.Error(t, err)
	all, err := family()
	require.NoError(t, err)
	busy, err := machine()
	require.NoError(t, err)
	require.Greater(t, busy, all)
}
