package components

import (
	"fmt"
	"os"
	"path/filepath"
)

// Version is the Kubernetes version that go.mod pins (module k8s.io/kubernetes).
const Version = "v1.37.2"

// The programs of a local cluster.
const (
	Etcd              = "etcd"
	APIServer         = "kube-apiserver"
	ControllerManager = "kube-controller-manager"
	Scheduler         = "kube-scheduler"
	Kubectl           = "kubectl"
	// Hollow is a hollow node: cmd/sluice-hollow of this module. The number goes up when
	// its source changes, because what is in the cache is not built again.
	Hollow = "sluice-hollow-1"
)

// EnvCache names the environment variable that replaces the user's cache folder.
const EnvCache = "SLUICE_CACHE"

// program is one binary: its file name, its package, and what a first build of it
// costs on two cores when the programs before it are built already.
type program struct {
	name, pkg, firstBuild string
	tags                  string
}

// programs lists the binaries in the order they are built. The first Kubernetes
// binary pays for compiling what all of them share.
func programs() []program {
	return []program{
		{Etcd, "go.etcd.io/etcd/server/v3", "half a minute", ""},
		{APIServer, "k8s.io/kubernetes/cmd/kube-apiserver", "four minutes", ""},
		{ControllerManager, "k8s.io/kubernetes/cmd/kube-controller-manager", "a minute", ""},
		{Scheduler, "k8s.io/kubernetes/cmd/kube-scheduler", "half a minute", ""},
		{Kubectl, "k8s.io/kubernetes/cmd/kubectl", "half a minute", ""},
		{Hollow, "./cmd/sluice-hollow", "a minute", "hollow"},
	}
}

// Names lists the programs in the order they are built.
func Names() []string {
	var names []string
	for _, p := range programs() {
		names = append(names, p.name)
	}
	return names
}

// Set is a folder that holds the programs.
type Set struct {
	// Dir is the folder, as an absolute path.
	Dir string
}

// Path returns the file of a program, one of [Names].
func (s Set) Path(name string) string { return filepath.Join(s.Dir, name) }

// missing lists the programs that are not in the folder.
func (s Set) missing() []program {
	var out []program
	for _, p := range programs() {
		if st, err := os.Stat(s.Path(p.name)); err != nil || !st.Mode().IsRegular() || st.Mode()&0o100 == 0 {
			out = append(out, p)
		}
	}
	return out
}

// CacheDir returns the folder below which Sluice keeps what is expensive to make:
// $SLUICE_CACHE, or "sluice" in the user's cache folder.
func CacheDir() (string, error) {
	if dir := os.Getenv(EnvCache); dir != "" {
		return filepath.Abs(dir)
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder (set HOME or %s): %w", EnvCache, err)
	}
	return filepath.Join(dir, "sluice"), nil
}

// DefaultDir returns the folder of this version's programs below [CacheDir].
func DefaultDir() (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "kubernetes", Version), nil
}
