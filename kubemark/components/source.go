package components

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// modulePath is how the go.mod that pins the programs names itself.
const modulePath = "github.com/sluice-scheduler/sluice/kubemark"

// ErrNoSource is returned when the folder with the pinning go.mod is not found.
var ErrNoSource = errors.New("cannot find Sluice's kubemark folder")

// FindSource returns the kubemark folder of a Sluice checkout: dir itself when it is
// given, else the first match going up from the working folder and then from the
// folder of the running program.
func FindSource(dir string) (string, error) {
	if dir != "" {
		for _, d := range []string{dir, filepath.Join(dir, "kubemark")} {
			if isSource(d) {
				return filepath.Abs(d)
			}
		}
		return "", fmt.Errorf("%w: neither %s nor its subfolder kubemark has the go.mod of %s; "+
			"give --source the root of a Sluice checkout", ErrNoSource, dir, modulePath)
	}
	for _, start := range startingPoints() {
		for d := start; ; d = filepath.Dir(d) {
			for _, c := range []string{d, filepath.Join(d, "kubemark")} {
				if isSource(c) {
					return c, nil
				}
			}
			if d == filepath.Dir(d) {
				break
			}
		}
	}
	return "", fmt.Errorf("%w: its go.mod pins what is built; run inside a Sluice checkout, or say where one is "+
		"with --source DIR", ErrNoSource)
}

// startingPoints lists the folders from which a checkout is looked for.
func startingPoints() []string {
	var out []string
	if wd, err := os.Getwd(); err == nil {
		out = append(out, wd)
	}
	if exe, err := os.Executable(); err == nil {
		if exe, err = filepath.EvalSymlinks(exe); err == nil {
			out = append(out, filepath.Dir(exe))
		}
	}
	return out
}

// isSource tells whether dir/go.mod is that of [modulePath].
func isSource(dir string) bool {
	f, err := os.Open(filepath.Join(dir, "go.mod"))
	if err != nil {
		return false
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		if rest, ok := strings.CutPrefix(s.Text(), "module "); ok {
			return strings.TrimSpace(rest) == modulePath
		}
	}
	return false
}
