package components

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestFindSource(t *testing.T) {
	here, err := filepath.Abs("..")
	require.NoError(t, err)
	for _, dir := range []string{"", "..", "../.."} {
		found, err := FindSource(dir)
		require.NoError(t, err)
		require.Equal(t, here, found)
	}
	_, err = FindSource(t.TempDir())
	require.ErrorIs(t, err, ErrNoSource)
	require.ErrorContains(t, err, "give --source the root of a Sluice checkout")
}

func TestEnsureBuildsNothingThatIsThere(t *testing.T) {
	dir := t.TempDir()
	for _, name := range Names() {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), nil, 0o755))
	}
	var progress bytes.Buffer
	set, err := Ensure(t.Context(), Options{Source: "/nowhere", Dir: dir, Progress: &progress})
	require.NoError(t, err)
	require.Equal(t, dir, set.Dir)
	require.Empty(t, progress.String())
	require.NoError(t, os.Remove(set.Path(Kubectl)))
	_, err = Ensure(t.Context(), Options{Source: "/nowhere", Dir: dir})
	require.ErrorIs(t, err, ErrNoSource)
}

// The way a program is built, with the smallest of the module's own programs' imports: a
// build makes a complete program under its name, a failed one nothing.
func TestBuild(t *testing.T) {
	source, err := FindSource("")
	require.NoError(t, err)
	set := Set{Dir: t.TempDir()}
	require.NoError(t, build(t.Context(), source, set, program{name: "hello", pkg: "./components/testdata/hello"}))
	out, err := exec.CommandContext(t.Context(), set.Path("hello")).Output()
	require.NoError(t, err)
	require.Equal(t, "hello\n", string(out))
	err = build(t.Context(), source, set, program{name: "broken", pkg: "./components/testdata/missing"})
	require.ErrorContains(t, err, "build broken")
	left, err := filepath.Glob(filepath.Join(set.Dir, "*"))
	require.NoError(t, err)
	require.Equal(t, []string{set.Path("hello")}, left)
}

func TestLdflagsCarryTheVersion(t *testing.T) {
	require.Equal(t, "-s -w", ldflags(program{name: Etcd}))
	flags := ldflags(program{name: Kubectl})
	require.Contains(t, flags, "gitVersion=v1.37.2")
	require.Contains(t, flags, "gitMajor=1 ")
	require.Contains(t, flags, "gitMinor=37 ")
}
