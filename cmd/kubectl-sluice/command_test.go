package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// client runs the command line in this process.
func client(in string, args ...string) (out, problems string, err error) {
	c := command("v1.2.3")
	var o, p bytes.Buffer
	c.SetIn(strings.NewReader(in))
	c.SetOut(&o)
	c.SetErr(&p)
	c.SetArgs(args)
	err = c.Execute()
	return o.String(), p.String(), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func codeOf(t *testing.T, err error) int {
	t.Helper()
	var told toldError
	require.True(t, errors.As(err, &told), "%v", err)
	return told.code
}

const valid = "queues: [{name: a}, {name: b, parent: true}]\nplacementrules: [{name: provided}]\n"

func TestVersion(t *testing.T) {
	out, _, err := client("", "version")
	require.NoError(t, err)
	require.Contains(t, out, "kubectl-sluice v1.2.3 (go1.")
}

func TestHelpTellsANewcomerWhatToDo(t *testing.T) {
	for _, args := range [][]string{{}, {"--help"}, {"validate", "--help"}} {
		out, _, err := client("", args...)
		require.NoError(t, err)
		require.Contains(t, out, "kubectl sluice validate -f queues.yaml")
	}
}

func TestWrongWordsAreRefused(t *testing.T) {
	_, _, err := client("", "valdate")
	require.ErrorContains(t, err, `unknown command "valdate"`)
	_, _, err = client("", "validate")
	require.ErrorContains(t, err, "no file of queues is named")
}

func TestAValidFileGivesALine(t *testing.T) {
	file := write(t, "queues.yaml", valid)
	for _, args := range [][]string{{"-f", file}, {file}} {
		out, problems, err := client("", append([]string{"validate"}, args...)...)
		require.NoError(t, err)
		require.Empty(t, problems)
		require.Regexp(t, `^\S+queues.yaml loads: 3 queues, 1 leaf, 1 placement rule \(hash [0-9a-f]{12}\)\n$`, out)
	}
}

func TestFilesMayBeNamedInBothWays(t *testing.T) {
	first, second := write(t, "first.yaml", valid), write(t, "second.yaml", valid)
	out, _, err := client(valid, "validate", second, "-", "-f", first)
	require.NoError(t, err)
	for _, file := range []string{first, second, "standard input"} {
		require.Contains(t, out, file+" loads")
	}
}

func TestWarningsLeaveAFileUsable(t *testing.T) {
	out, problems, err := client("statedumpfilepath: x\n"+valid, "validate", "-f", "-")
	require.NoError(t, err)
	require.Contains(t, out, "standard input loads: 3 queues")
	require.Contains(t, problems, "standard input:1:1: warning: statedumpfilepath: has no effect")
	require.Contains(t, problems, "1 warning in standard input; the file is usable")
}

func TestEveryFaultOfEveryFileIsShown(t *testing.T) {
	good := write(t, "good.yaml", valid)
	first, second := write(t, "first.yaml", "queues: [{nam: a}]\nlimit: []\n"), write(t, "second.yaml", "queues:\n- name: a b\n")
	out, problems, err := client("", "validate", "-f", first, "-f", good, "-f", "/nowhere/x.yaml", "-f", second)
	require.Equal(t, exitRefused, codeOf(t, err))
	require.Contains(t, out, good+" loads")
	for _, part := range []string{
		first + ":1:11: queues[0].nam: unknown key; did you mean name?", first + ":2:1: limit: unknown key; did you mean limits?",
		"3 faults in " + first, "/nowhere/x.yaml: no such file", second + ":2:9: queues[0].name: must be", "^", "1 fault in " + second,
	} {
		require.Contains(t, problems, part)
	}
}

func TestAFileThatCannotBeReadIsNoFault(t *testing.T) {
	_, problems, err := client("", "validate", "-f", "/nowhere/x.yaml")
	require.Equal(t, 1, codeOf(t, err))
	require.Contains(t, problems, "/nowhere/x.yaml")
}
