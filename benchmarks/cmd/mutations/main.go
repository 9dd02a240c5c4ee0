// Command mutations checks that the oracle finds faults: it applies each patch of oracle/mutations, one at a time, to a copy of the tree, builds the oracle
// there and lets it run until it finds a difference. It fails if a patch does not apply or compile, or its fault is not found.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.root, "root", "..", "the repository")
	flag.StringVar(&o.only, "only", "", "run only mutations whose name matches this regular expression")
	flag.Uint64Var(&o.pairs, "pairs", 100_000, "the most pairs that a fault may take to be found")
	flag.Uint64Var(&o.seed, "seed", 1, "which worlds")
	flag.Parse()
	if err := o.run(); err != nil {
		fmt.Fprintln(os.Stderr, "mutations:", err)
		os.Exit(1)
	}
}

type options struct {
	root, only  string
	pairs, seed uint64
	// tree is the copy.
	tree string
}

func (o *options) run() error {
	patches, err := filepath.Glob(filepath.Join(o.root, "benchmarks/oracle/mutations/*.patch"))
	if err != nil || len(patches) == 0 {
		return fmt.Errorf("no patches in %s: %w", o.root, err)
	}
	if o.tree, err = os.MkdirTemp("", "mutations"); err != nil {
		return err
	}
	defer os.RemoveAll(o.tree)
	if err := o.copyTree(); err != nil {
		return fmt.Errorf("copying the tree: %w", err)
	}
	if err := o.unmutated(); err != nil {
		return err
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return err
	}
	missed := 0
	for _, patch := range patches {
		name := strings.TrimSuffix(filepath.Base(patch), ".patch")
		if !only.MatchString(name) {
			continue
		}
		began := time.Now()
		verdict, found := o.mutation(patch)
		if !found {
			missed++
		}
		fmt.Printf("%-40s %-40s %4.0f s\n", name, verdict, time.Since(began).Seconds())
	}
	if missed > 0 {
		return fmt.Errorf("%d faults were not found", missed)
	}
	return nil
}

// unmutated makes sure that there is nothing to be found in the tree as it is.
func (o *options) unmutated() error {
	if err := o.build(); err != nil {
		return err
	}
	if verdict, found := o.search(); found {
		return fmt.Errorf("without any fault the oracle says: %s", verdict)
	}
	return nil
}

// mutation seeds one fault and lets it be looked for.
func (o *options) mutation(patch string) (verdict string, found bool) {
	patch, err := filepath.Abs(patch)
	if err != nil {
		return err.Error(), false
	}
	if err := o.in("", "git", "apply", "--unidiff-zero", patch); err != nil {
		return "DOES NOT APPLY", false
	}
	defer o.in("", "git", "apply", "-R", patch) //nolint:errcheck // what was applied can be taken back
	if err := o.build(); err != nil {
		return "DOES NOT COMPILE", false
	}
	return o.search()
}

func (o *options) build() error {
	return o.in("benchmarks", "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", filepath.Join(o.tree, "oracle"), "./cmd/oracle")
}

// pairsSaid finds in the output after how many pairs the difference was found.
var pairsSaid = regexp.MustCompile(`(?m), (\d+) pairs of pod and node$`)

// search runs the oracle until it finds something. A panic is found as well.
func (o *options) search() (verdict string, found bool) {
	run := exec.Command(filepath.Join(o.tree, "oracle"), "-first", "-pairs", fmt.Sprint(o.pairs), "-seed", fmt.Sprint(o.seed))
	var out, complaint bytes.Buffer
	run.Stdout, run.Stderr = &out, &complaint
	err := run.Run()
	var exit *exec.ExitError
	switch m := pairsSaid.FindSubmatch(out.Bytes()); {
	case err == nil:
		return "NOT FOUND", false
	case !errors.As(err, &exit):
		return err.Error(), false
	case m != nil:
		return "found within " + string(m[1]) + " pairs", true
	}
	first, _, _ := strings.Cut(complaint.String(), "\n")
	return "found: " + first, true
}

// in runs a command in a folder of the copy.
func (o *options) in(folder, name string, args ...string) error {
	run := exec.Command(name, args...)
	run.Dir = filepath.Join(o.tree, folder)
	run.Env = append(os.Environ(), "CGO_ENABLED=0", "GIT_CEILING_DIRECTORIES="+filepath.Dir(o.tree))
	out, err := run.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", run, err, out)
	}
	return nil
}

// copyTree copies what it takes to build the oracle.
func (o *options) copyTree() error {
	for _, part := range []string{"go.mod", "go.sum", "pkg", "benchmarks/go.mod", "benchmarks/go.sum", "benchmarks/oracle", "benchmarks/cmd/oracle", "kubemark/go.mod", "kubemark/go.sum"} {
		to := filepath.Join(o.tree, part)
		from := filepath.Join(o.root, part)
		info, err := os.Stat(from)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = os.CopyFS(to, os.DirFS(from))
		default:
			err = copyFile(from, to)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
