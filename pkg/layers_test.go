// Package pkg holds the one test that looks at all packages together: who may import whom.
package pkg

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/sluice-scheduler/sluice/"

// layers lists, for each package that decides, which of ours it may import. A package that is not listed may import anything
// that is not above it; see allowed.
var layers = map[string][]string{
	"pkg/core/resource": {},
	"pkg/core/cluster":  {"pkg/core/resource"},
	"pkg/core/fit":      {"pkg/core/resource", "pkg/core/cluster"},
	"pkg/core/order":    {"pkg/core/resource", "pkg/core/cluster"},
	"pkg/core/share":    {"pkg/core/resource", "pkg/core/cluster"},
	"pkg/core/pending":  {"pkg/core/resource", "pkg/core/cluster", "pkg/core/fit", "pkg/core/order", "pkg/core/share"},
	"pkg/core/place":    {"pkg/core/resource", "pkg/core/cluster", "pkg/core/fit", "pkg/core/order"},
	"pkg/core": {
		"pkg/core/resource", "pkg/core/cluster", "pkg/core/fit", "pkg/core/order", "pkg/core/share",
		"pkg/core/pending", "pkg/core/place",
	},
	"pkg/app":                  {"pkg/core/resource", "pkg/core/cluster"},
	"pkg/app/gang":             {"pkg/app", "pkg/app/flink/spec", "pkg/app/flink/objects", "pkg/core/resource", "pkg/core/cluster"},
	"pkg/app/flink/spec":       {},
	"pkg/app/flink/objects":    {"pkg/app/flink/spec"},
	"pkg/sim/flink/jobmanager": {},
	"pkg/sim/flink/rules":      {"pkg/sim/flink/jobmanager", "pkg/app/flink/spec"},
	"pkg/sim/flink":            {"pkg/sim", "pkg/sim/flink/jobmanager", "pkg/sim/flink/rules", "pkg/app/flink/spec", "pkg/app/flink/objects", "pkg/core", "pkg/core/cluster"},
	"pkg/sim":                  {"pkg/app", "pkg/app/gang", "pkg/config", "pkg/config/queues", "pkg/core", "pkg/core/cluster"},
	"pkg/config":               {"pkg/config/strict", "pkg/core/order"},
	"pkg/config/queues":        {"pkg/config/strict", "pkg/core/order", "pkg/core/cluster", "pkg/core/resource"},
	"pkg/config/strict":        {},
	"pkg/web":                  {"pkg/web/api", "pkg/config/strict"}, // strict for its "did you mean"
	"pkg/web/api":              {},
	"pkg/kube":                 {"pkg/app", "pkg/app/gang", "pkg/config", "pkg/core", "pkg/core/cluster"},
}

// outside lists what the core and pkg/app may import from elsewhere, by the beginning of the path. Of the standard library it may import all but forbidden.
var outside = []string{
	"k8s.io/api/",
	"k8s.io/apimachinery/pkg/labels", "k8s.io/apimachinery/pkg/types", "k8s.io/apimachinery/pkg/api/resource", "k8s.io/apimachinery/pkg/apis/meta/v1",
	"k8s.io/apimachinery/pkg/util/version", // which nodedeclaredfeatures wants
	"k8s.io/component-helpers/resource", "k8s.io/component-helpers/scheduling/corev1",
	"k8s.io/component-helpers/nodedeclaredfeatures", "k8s.io/component-helpers/storage/ephemeral",
	"k8s.io/klog/v2",
	"github.com/google/btree",
}

// outsideApp is what pkg/app may import besides: it reads objects of kinds that have no Go type here, and YAML inside of ConfigMaps.
var outsideApp = []string{"k8s.io/apimachinery/pkg/runtime", "k8s.io/apimachinery/pkg/util/intstr", "sigs.k8s.io/yaml"}

var forbidden = []string{"os", "net", "sync", "log", "math/rand", "runtime", "context", "syscall"}

// TestLayers reads the imports of every file that is not a test.
func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	for file, imports := range importsBelow(t, "..") {
		dir := path.Dir(file)
		seen[dir] = true
		for _, imported := range imports {
			if fault := allowed(dir, imported); fault != "" {
				t.Errorf("%s imports %s: %s", file, imported, fault)
			}
		}
	}
	for dir := range layers {
		require.True(t, seen[dir], "%s is named here and has no files", dir)
	}
}

func allowed(dir, imported string) (fault string) {
	reads := dir == "pkg/app" || strings.HasPrefix(dir, "pkg/app/")
	pure := reads || dir == "pkg/core" || strings.HasPrefix(dir, "pkg/core/")
	begins := func(p string) bool { return strings.HasPrefix(imported, p) }
	ours, isOurs := strings.CutPrefix(imported, module)
	below, isListed := layers[dir]
	switch {
	case strings.HasPrefix(imported, "k8s.io/kubernetes"):
		return "only the nested modules may import Kubernetes itself"
	case imported == "k8s.io/client-go/tools/clientcmd" && dir == "cmd/kubectl-sluice":
		return "" // it reads a kubeconfig, and talks to no API server
	case strings.HasPrefix(imported, "k8s.io/client-go") && dir != "pkg/kube":
		return "pkg/kube is the only importer of client-go"
	case isOurs && isListed && !slices.Contains(below, ours):
		return "imports run one way: resource, cluster, fit and order and share and app, pending and place, core, kube and sim, run, cmd"
	case isOurs || !pure:
		return ""
	case strings.Contains(strings.Split(imported, "/")[0], "."):
		if !slices.ContainsFunc(outside, begins) && !(reads && slices.ContainsFunc(outsideApp, begins)) {
			return "what decides may not depend on it"
		}
	case slices.ContainsFunc(forbidden, func(p string) bool { return imported == p || strings.HasPrefix(imported, p+"/") }):
		return "what decides has no clock, lock, logger, randomness or I/O"
	}
	return ""
}

// TestLayersNoticesFaults makes sure that the rules can refuse.
func TestLayersNoticesFaults(t *testing.T) {
	for dir, imported := range map[string]string{
		"pkg/core":         "sync",
		"pkg/core/fit":     module + "pkg/core/pending",
		"pkg/core/cluster": "k8s.io/client-go/kubernetes",
		"pkg/sim":          module + "pkg/kube",
		"pkg/run":          "k8s.io/client-go/rest",
		"cmd/sluice":       "k8s.io/kubernetes/pkg/scheduler",
		"pkg/core/order":   "github.com/prometheus/client_golang/prometheus",
		"pkg/app":          "k8s.io/client-go/rest",
	} {
		require.NotEmpty(t, allowed(dir, imported), "%s importing %s", dir, imported)
	}
	require.Empty(t, allowed("pkg/core", module+"pkg/core/fit"))
	require.Empty(t, allowed("pkg/core/order", "github.com/google/btree"))
	require.NotEmpty(t, allowed("pkg/app", "sync"))
	require.NotEmpty(t, allowed("pkg/app/flink/spec", "os"))
	require.NotEmpty(t, allowed("pkg/core/cluster", "sigs.k8s.io/yaml"))
	require.NotEmpty(t, allowed("pkg/core/cluster", module+"pkg/app"))
}

// TestCoreReadsNoClock looks for the functions of package time that a step must not call.
func TestCoreReadsNoClock(t *testing.T) {
	files := importsBelow(t, "../pkg/core")
	maps.Copy(files, importsBelow(t, "../pkg/app"))
	for file := range files {
		for _, call := range []string{"time.Now", "time.Since", "time.Until", "time.After", "time.Sleep", "time.Tick", "time.NewTimer", "go func"} {
			require.NotContains(t, read(t, file), call, file)
		}
	}
}

func importsBelow(t *testing.T, root string) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel := strings.TrimPrefix(filepath.ToSlash(name), "../")
		if d.IsDir() && (rel == "kubemark" || rel == "benchmarks" || rel == "bin" || strings.HasPrefix(path.Base(rel), ".git")) {
			return fs.SkipDir
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		found[rel] = []string{}
		for _, i := range file.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			found[rel] = append(found[rel], p)
		}
		return nil
	})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	return found
}

func read(t *testing.T, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", file))
	require.NoError(t, err)
	return string(b)
}
