package config_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/config/strict"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files and the generated parts of the reference page anew")

// Each file in testdata/faults is refused with exactly the text beside it. A new kind of fault is a new file and a run with
// -rewrite.
func TestFaultsAreReportedAsWritten(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			c, err := config.Parse("sluice.yaml", data)
			require.Nil(t, c)
			requireSound(t, data, err)
			requireGolden(t, strings.TrimSuffix(file, ".yaml")+".txt", err.Error()+"\n")
		})
	}
}

// requireSound holds what is true of every refusal: it is of type Faults, each fault has a place inside the file and the caret
// stands in or just behind the line it shows.
func requireSound(t *testing.T, data []byte, err error) {
	t.Helper()
	var faults strict.Faults
	require.True(t, errors.As(err, &faults), "%T", err)
	require.NotEmpty(t, faults)
	last := strict.Fault{Line: 1, Column: 1}
	for _, f := range faults {
		require.NotEmpty(t, f.Message)
		require.GreaterOrEqual(t, f.Line, 1)
		require.GreaterOrEqual(t, f.Column, 1)
		require.LessOrEqual(t, f.Column, len([]rune(f.Source))+1)
		require.Contains(t, string(data), f.Source)
		require.True(t, f.Line > last.Line || f.Line == last.Line && f.Column >= last.Column, "out of order: %v", faults)
		last = f

		lines := strings.Split(f.Error(), "\n")
		require.Len(t, lines, 3, "a fault is its message, the line at fault and the caret: %q", lines)
		caret := len([]rune(lines[2])) - 1
		require.True(t, strings.HasSuffix(lines[2], "| "+strings.Repeat(" ", caret-len("    1 | "))+"^") || f.Line > 99999)
		require.Less(t, caret, 140)
	}
}

func requireGolden(t *testing.T, file, got string) {
	t.Helper()
	if *rewrite {
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err, "run the test with -rewrite and look at what it wrote")
	require.Empty(t, cmp.Diff(string(want), got), "if this is meant, run the test with -rewrite")
}
