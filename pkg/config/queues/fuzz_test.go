package queues_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/config/strict"
)

// Whatever a file holds, Parse gives either a sound tree or faults that stand inside the file, and the same each time.
func FuzzQueues(f *testing.F) {
	for _, pattern := range []string{"testdata/faults/*.yaml", "testdata/loads/*.yaml"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(f, err)
			f.Add(data)
		}
	}
	f.Add([]byte("queues: &q\n- name: a\n  queues: *q\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			t.Skip("no more to find in a larger file")
		}
		loaded, err := queues.Parse("fuzz.yaml", data)
		again, errAgain := queues.Parse("fuzz.yaml", data)
		if err != nil {
			require.Nil(t, loaded)
			requireInside(t, data, err)
			require.EqualError(t, errAgain, err.Error())
			return
		}
		requireSound(t, loaded.Tree)
		require.Empty(t, cmp.Diff(loaded, again))
		for _, w := range loaded.Warnings {
			require.Equal(t, strict.Warning, w.Severity)
		}
	})
}
