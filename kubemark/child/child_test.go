package child

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// abandon starts a program that nobody ends, as one left by a crash.
func abandon(t *testing.T) Identity {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() { _ = cmd.Wait() }()
	id, err := Identify(cmd.Process.Pid)
	require.NoError(t, err)
	return id
}

// crashed is a record whose owner no longer runs.
func crashed(t *testing.T, dir string, children ...Identity) *Record {
	t.Helper()
	r, err := Open(dir, "test")
	require.NoError(t, err)
	for _, c := range children {
		require.NoError(t, r.Add(c))
	}
	r.data.Owner.Start--
	require.NoError(t, r.save())
	return r
}

func TestSweepEndsLeftoversAndNoStranger(t *testing.T) {
	dir, files := t.TempDir(), filepath.Join(t.TempDir(), "left")
	require.NoError(t, os.Mkdir(files, 0o755))
	left, stranger := abandon(t), abandon(t)
	recycled := stranger
	recycled.Start-- // the id was given to another process since
	r := crashed(t, dir, left, recycled)
	require.NoError(t, r.AddFile(files))

	swept, err := Sweep(dir)
	require.NoError(t, err)
	require.Equal(t, Swept{Owners: 1, Killed: []Identity{left}, Removed: []string{files}}, swept)
	require.False(t, left.Alive())
	require.True(t, stranger.Alive())
	require.NoDirExists(t, files)
	again, err := Sweep(dir)
	require.NoError(t, err)
	require.Equal(t, Swept{}, again)
}

func TestSweepLeavesTheLiving(t *testing.T) {
	dir := t.TempDir()
	r, err := Open(dir, "test")
	require.NoError(t, err)
	id := abandon(t)
	require.NoError(t, r.Add(id))
	swept, err := Sweep(dir)
	require.NoError(t, err)
	require.Equal(t, Swept{Live: 1}, swept)
	require.True(t, id.Alive())
	require.NoError(t, r.Close())
}

func TestSweepRefusesToRemoveRoots(t *testing.T) {
	for _, path := range []string{"/", "/tmp", "relative/path", "/tmp/.."} {
		dir := t.TempDir()
		require.NoError(t, crashed(t, dir).AddFile(path))
		_, err := Sweep(dir)
		require.ErrorContains(t, err, "cannot be right")
	}
}

func TestFailureQuotesTheLog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	p, err := Start(Spec{Name: "grumbler", Path: "/bin/sh", Args: []string{"-c", "echo no such luck; exit 3"}, Log: log})
	require.NoError(t, err)
	err = p.WaitUntil(t.Context(), time.Millisecond, func(context.Context) error { return errors.New("not yet") })
	require.ErrorContains(t, err, "no such luck")
}
