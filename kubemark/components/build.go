package components

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Options says where the programs come from and where they go.
type Options struct {
	// Source is a Sluice checkout or its kubemark folder; empty: see [FindSource].
	// It is needed only when something has to be built.
	Source string
	// Dir holds the programs; empty: [DefaultDir].
	Dir string
	// Progress gets a line per program that is built; nil: no lines.
	Progress io.Writer
}

// Ensure returns the folder with every program, building those that are missing. A
// second caller meanwhile waits for the first. It needs the go command only if
// something is missing.
func Ensure(ctx context.Context, o Options) (Set, error) {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	set, err := o.set()
	if err != nil {
		return Set{}, err
	}
	if len(set.missing()) == 0 {
		return set, nil
	}
	source, err := FindSource(o.Source)
	if err != nil {
		return Set{}, err
	}
	if err := os.MkdirAll(set.Dir, 0o755); err != nil {
		return Set{}, fmt.Errorf("make the folder for the cluster's programs: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(set.Dir, ".lock"), o.Progress)
	if err != nil {
		return Set{}, err
	}
	defer unlock()
	return set, buildMissing(ctx, source, set, o.Progress)
}

// set resolves the folder of the programs.
func (o Options) set() (Set, error) {
	dir := o.Dir
	if dir == "" {
		var err error
		if dir, err = DefaultDir(); err != nil {
			return Set{}, err
		}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Set{}, fmt.Errorf("resolve %s: %w", dir, err)
	}
	return Set{Dir: abs}, nil
}

// buildMissing builds what is not there, looking again now that the lock is held.
func buildMissing(ctx context.Context, source string, set Set, progress io.Writer) error {
	missing := set.missing()
	for i, p := range missing {
		fmt.Fprintf(progress, "building %s (%d of %d), about %s the first time\n", p.name, i+1, len(missing), p.firstBuild)
		start := time.Now()
		if err := build(ctx, source, set, p); err != nil {
			return err
		}
		fmt.Fprintf(progress, "built %s in %s\n", p.name, time.Since(start).Round(time.Second))
	}
	return nil
}

// build makes one program in a folder of its own and moves it into place, so that a file
// under the program's name is always complete.
func build(ctx context.Context, source string, set Set, p program) error {
	tmp, err := os.MkdirTemp(set.Dir, ".build-")
	if err != nil {
		return fmt.Errorf("make a folder to build in: %w", err)
	}
	defer os.RemoveAll(tmp)
	made := filepath.Join(tmp, p.name)
	args := []string{"build", "-trimpath", "-tags", p.tags, "-ldflags", ldflags(p), "-o", made, p.pkg}
	if err := runGo(ctx, source, args); err != nil {
		return fmt.Errorf("build %s: %w", p.name, err)
	}
	if err := os.Rename(made, set.Path(p.name)); err != nil {
		return fmt.Errorf("put %s in place: %w", p.name, err)
	}
	return nil
}

// runGo runs the go command in the folder of the pinning go.mod.
func runGo(ctx context.Context, source string, args []string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = source, goEnv()
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the go command is not in PATH; install Go (https://go.dev/dl) or add it to PATH")
	case ctx.Err() != nil:
		return fmt.Errorf("%w; the next run goes on from here", context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("go failed in %s (a first build downloads modules and needs network access): %w\n%s",
			source, err, lastLines(string(out), 20))
	}
	return nil
}

// goEnv is the environment of the go command: static programs, and nothing of the user's
// that changes which code is built.
func goEnv() []string { return append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=") }

// ldflags strips symbols and tells Kubernetes programs their version, which they
// otherwise report as v0.0.0.
func ldflags(p program) string {
	flags := []string{"-s", "-w"}
	if p.name == Etcd {
		return strings.Join(flags, " ")
	}
	major, minor, _ := strings.Cut(strings.TrimPrefix(Version, "v"), ".")
	minor, _, _ = strings.Cut(minor, ".")
	const pkg = "k8s.io/component-base/version"
	for _, kv := range [][2]string{
		{"gitVersion", Version},
		{"gitMajor", major},
		{"gitMinor", minor},
		{"gitTreeState", "clean"},
	} {
		flags = append(flags, fmt.Sprintf("-X %s.%s=%s", pkg, kv[0], kv[1]))
	}
	return strings.Join(flags, " ")
}

// lock takes an exclusive lock on a file; the kernel drops it when the process ends,
// however it ends, so no stale lock can remain.
func lock(ctx context.Context, path string, progress io.Writer) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the build lock: %w", err)
	}
	for said := false; ; said = true {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !said {
			fmt.Fprintln(progress, "waiting for another run that builds the cluster's programs")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("wait for %s: %w", path, context.Cause(ctx))
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// lastLines returns at most n lines from the end of text.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
