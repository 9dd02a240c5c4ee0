package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config"
)

// Whatever a file holds, Parse returns a configuration that survives being written and read again, or faults that stand inside
// the file.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/faults/*.yaml")
	require.NoError(f, err)
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		f.Add(data)
	}
	defaults, err := config.Default().YAML()
	require.NoError(f, err)
	f.Add(defaults)
	f.Add([]byte(header + "bind: {timeout: 2s} # end"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4<<10 {
			t.Skip("no more to find in a larger file")
		}
		c, err := config.Parse("fuzz.yaml", data)
		if err != nil {
			require.Nil(t, c)
			requireSound(t, data, err)
			return
		}
		requireRoundTrip(t, c)
	})
}
