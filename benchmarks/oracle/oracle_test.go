package oracle_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/benchmarks/oracle"
)

// TestSluiceJudgesAsKubeScheduler is the fixed part of what `make oracle` does at length.
func TestSluiceJudgesAsKubeScheduler(t *testing.T) {
	r, err := oracle.NewRunner(20260001)
	require.NoError(t, err)
	for number := uint64(0); r.Tally.Pairs < 60_000; number++ {
		require.NoError(t, r.World(number))
	}
	for i := range r.Found {
		small, err := r.Shrink(i)
		require.NoError(t, err)
		var text bytes.Buffer
		small.Write(&text)
		t.Errorf("a difference; to keep it, put this into testdata/cases:\n%s", text.String())
	}
	var table bytes.Buffer
	r.Tally.Write(&table)
	t.Log(table.String())
	for i, name := range oracle.Plugins {
		if r.Tally.Reached[i] > 0 && name != "NodeName" { // a pod with a node's name is bound and does not come
			share := float64(r.Tally.Refused[i]) / float64(r.Tally.Reached[i])
			require.Truef(t, share > 0.1 && share < 0.9, "%s refuses %.3f of its pairs: they tell little", name, share)
		}
	}
}

// TestCases compares the cases that were once different.
func TestCases(t *testing.T) {
	u, err := oracle.NewUpstream()
	require.NoError(t, err)
	files, err := filepath.Glob("testdata/cases/*.yaml")
	require.NoError(t, err)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			c, err := oracle.ReadCase(text)
			require.NoError(t, err)
			found, asked, err := c.Differences(u)
			require.NoError(t, err)
			require.True(t, asked, "the pod of the case is asked about")
			for _, d := range found {
				if d.Explained == "" {
					t.Error(d.String())
				}
			}
		})
	}
}
