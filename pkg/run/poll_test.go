package run

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFilesAreLookedAtAgainAndAgain until that is to end.
func TestFilesAreLookedAtAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		f := &polled{take: func([]byte, error) {}, read: func(string) ([]byte, error) {
			looks.Add(1)
			return nil, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*lookEvery+time.Millisecond)
		defer cancel()
		lookAt(ctx, []*polled{f})
		require.EqualValues(t, 5, looks.Load())
	})
}

// TestAFileIsFollowed through everything that is done to files: written over, half written, replaced by another, swapped by symbolic links as a mounted ConfigMap
// is, removed, and there again.
func TestAFileIsFollowed(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "queues.yaml")
	write := func(name, text string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600))
	}
	var said []string
	f := poll(path, func(data []byte, err error) {
		if err != nil {
			data = []byte("error: " + err.Error())
		}
		said = append(said, string(data))
	})
	hears := func(want ...string) {
		t.Helper()
		for range 3 {
			f.look()
		}
		require.Equal(t, want, said)
		said = nil
	}
	write("queues.yaml", "one")
	hears("one")
	hears()
	write("queues.yaml", "half of ")
	f.look()
	write("queues.yaml", "half of two")
	hears("half of two")
	write("next", "three")
	require.NoError(t, os.Rename(filepath.Join(folder, "next"), path))
	hears("three")

	// A mounted ConfigMap: queues.yaml -> ..data/queues.yaml, ..data -> a folder of its version, swapped by a rename.
	for version, text := range map[string]string{"v1": "four", "v2": "five"} {
		require.NoError(t, os.Mkdir(filepath.Join(folder, version), 0o700))
		write(filepath.Join(version, "queues.yaml"), text)
	}
	require.NoError(t, os.Symlink("v1", filepath.Join(folder, "..data")))
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Symlink(filepath.Join("..data", "queues.yaml"), path))
	hears("four")
	require.NoError(t, os.Symlink("v2", filepath.Join(folder, "..data_tmp")))
	require.NoError(t, os.Rename(filepath.Join(folder, "..data_tmp"), filepath.Join(folder, "..data")))
	hears("five")

	require.NoError(t, os.Remove(path))
	hears("error: open " + path + ": no such file or directory")
	hears()
	write("queues.yaml", "five")
	hears("five")
	write("queues.yaml", "")
	hears("")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	hears("error: read " + path + ": read " + path + ": is a directory")
}
