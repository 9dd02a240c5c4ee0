package main

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
)

var rewrite = flag.Bool("rewrite", false, "write the examples of the pages anew")

// moment is any time that the API tells, which is another in each run.
var moment = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`)

// hour is any time of day in a text.
var hour = regexp.MustCompile(`\d\d:\d\d:\d\d UTC`)

// TestExamplesOfThePages runs every command of the pages against a Sluice and compares what they say. A line that begins with "$ " is a command;
// the lines up to the next one or the end of the block are its output.
func TestExamplesOfThePages(t *testing.T) {
	for page, worldOf := range map[string]func(*testing.T) *world{"api.md": busyWorld, "cli.md": busyWorld, "gangs.md": gangWorld} {
		t.Run(page, func(t *testing.T) {
			path, err := filepath.Abs("../../docs/" + page)
			require.NoError(t, err)
			old, err := os.ReadFile(path)
			require.NoError(t, err)
			w := worldOf(t)
			t.Chdir("testdata")
			text := w.runExamples(string(old))
			if *rewrite {
				require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
				return
			}
			require.Empty(t, cmp.Diff(string(old), text), "run go test ./cmd/kubectl-sluice -rewrite")
		})
	}
}

// runExamples returns the page with the outputs as they are.
func (w *world) runExamples(page string) string {
	w.Helper()
	var b strings.Builder
	inside, code, commands := false, 0, 0
	for line := range strings.Lines(page) {
		fence := strings.HasPrefix(line, "```")
		command, isCommand := strings.CutPrefix(line, "$ ")
		switch {
		case fence:
			inside = strings.TrimSpace(line) == "```console"
		case !inside:
		case isCommand:
			b.WriteString(line)
			var out string
			out, code = w.example(strings.TrimSpace(command), code)
			out = moment.ReplaceAllString(strings.ReplaceAll(out, w.url, usualServer), "2026-01-01T10:00:00Z")
			b.WriteString(hour.ReplaceAllString(out, "10:05:00 UTC"))
			commands++
			continue
		default:
			continue
		}
		b.WriteString(line)
	}
	require.GreaterOrEqual(w, commands, 5)
	return b.String()
}

// example runs a command of a page; last is the exit code of the one before.
func (w *world) example(command string, last int) (out string, code int) {
	w.Helper()
	if command == "echo $?" {
		return fmt.Sprintln(last), 0
	}
	if path, ok := strings.CutPrefix(command, "curl -s "+usualServer); ok {
		return w.curl(path), 0
	}
	if setting, rest, ok := strings.Cut(command, " "); ok && strings.HasPrefix(setting, serverVariable+"=") {
		w.Setenv(serverVariable, strings.TrimPrefix(setting, serverVariable+"="))
		defer w.Setenv(serverVariable, w.url)
		command = rest
	}
	args, ok := strings.CutPrefix(command, "kubectl sluice ")
	require.True(w, ok, "no test knows how to run %q", command)
	stdout, stderr, err := client("", strings.Fields(args)...)
	code, untold := exitCode(err)
	if untold {
		stderr += fmt.Sprintln("kubectl-sluice:", err)
	}
	return stdout + stderr, code
}

func (w *world) curl(path string) string {
	w.Helper()
	resp, err := http.Get(w.url + path)
	require.NoError(w, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(w, err)
	return string(body)
}
