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

// TestSluiceScoresAsKubeScheduler does so in worlds that are about scores alone, so that every scoring plugin has something to say often enough.
func TestSluiceScoresAsKubeScheduler(t *testing.T) {
	const seed = 20260002
	r, err := oracle.NewRunner(seed)
	require.NoError(t, err)
	for number := uint64(0); r.Tally.Pairs < 30_000; number++ {
		if oracle.Theme(seed, number) == "scores" {
			require.NoError(t, r.World(number))
		}
	}
	for _, d := range r.Found {
		t.Error(d.String())
	}
	for i, name := range oracle.ScorePlugins {
		require.Greater(t, r.Tally.Scored[i], uint64(300), name)
	}
	require.Greater(t, r.Tally.Defaulted, uint64(100), "spread by default")
	t.Log(r.Tally.Scored, r.Tally.Defaulted)
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
