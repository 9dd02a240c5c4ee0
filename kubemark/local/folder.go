package local

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/sluice-scheduler/sluice/kubemark/child"
	"github.com/sluice-scheduler/sluice/kubemark/components"
)

// marker is the file that makes a folder recognisable as a cluster's.
const marker = "sluice-cluster"

// folder is where one cluster keeps its files.
type folder struct {
	path string
	temp bool
	// lock is held while the cluster runs; nil as long as the folder is not ours.
	lock *os.File
	// short is a temporary folder with a short path, for files that are Unix sockets:
	// their paths may not exceed 107 bytes.
	short string
}

// openFolder makes the cluster's folder, or wipes that of an earlier cluster.
func openFolder(dir string) (folder, error) {
	f := folder{path: dir}
	var err error
	if dir == "" {
		f.temp = true
		if f.path, err = os.MkdirTemp("", "sluice-cluster-"); err != nil {
			return f, fmt.Errorf("make the cluster's folder: %w", err)
		}
	} else if f.path, err = filepath.Abs(dir); err != nil {
		return f, fmt.Errorf("resolve the cluster's folder: %w", err)
	} else if err = wipe(f.path); err != nil {
		return f, err
	}
	if err := os.MkdirAll(f.path, 0o755); err != nil {
		return f, fmt.Errorf("make the cluster's folder: %w", err)
	}
	if f.lock, err = lockMarker(f.join(marker)); err != nil {
		return f, err
	}
	for _, sub := range []string{"logs", "pki", "etcd", "tmp"} {
		if err := os.MkdirAll(f.join(sub), 0o700); err != nil {
			return f, fmt.Errorf("make the cluster's folder: %w", err)
		}
	}
	if f.short, err = os.MkdirTemp("", "sluice-"); err != nil {
		return f, fmt.Errorf("make the cluster's folder: %w", err)
	}
	return f, nil
}

// lockMarker makes the file that says whose folder this is, locked while the cluster runs.
func lockMarker(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("mark the cluster's folder: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("a cluster runs in %s: stop it first, or give another folder", filepath.Dir(path))
	}
	return f, nil
}

// wipe removes what an earlier cluster left in a folder; a folder of anything else is refused.
func wipe(dir string) error {
	entries, err := os.ReadDir(dir)
	if os.IsNotExist(err) || (err == nil && len(entries) == 0) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look into the cluster's folder: %w", err)
	}
	if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
		return fmt.Errorf("%s holds files that are not a local cluster's; give an empty or a new folder", dir)
	}
	lock, err := lockMarker(filepath.Join(dir, marker))
	if err != nil {
		return err
	}
	defer lock.Close()
	for _, e := range entries {
		if e.Name() == marker {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("wipe the earlier cluster in %s: %w", dir, err)
		}
	}
	return nil
}

// join returns the path of a file in the folder.
func (f folder) join(name ...string) string {
	return filepath.Join(append([]string{f.path}, name...)...)
}

// write makes a file in the folder, readable by its owner alone.
func (f folder) write(name string, data []byte) error {
	if err := os.WriteFile(f.join(name), data, 0o600); err != nil {
		return fmt.Errorf("write a file of the cluster: %w", err)
	}
	return nil
}

// log is the log file of a component.
func (f folder) log(component string) string { return f.join("logs", component+".log") }

// close removes what need not stay: everything, or, of a folder the user gave, the data.
func (f folder) close(keep bool) error {
	if f.lock == nil {
		return nil // it is not ours: it may be that of a running cluster
	}
	defer f.lock.Close()
	if f.short != "" {
		defer os.RemoveAll(f.short)
	}
	var err error
	switch {
	case f.temp && keep:
	case f.temp:
		err = os.RemoveAll(f.path)
	default:
		for _, sub := range []string{"etcd", "pki", "tmp"} {
			if e := os.RemoveAll(f.join(sub)); e != nil {
				err = e
			}
		}
	}
	if err != nil {
		return fmt.Errorf("remove the cluster's files: %w", err)
	}
	return nil
}

// recordsDir is where all owners of clusters note what to clean up after a crash.
func recordsDir() (string, error) {
	cache, err := components.CacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "clusters"), nil
}

// Clean ends the processes and removes the files that crashed owners of clusters left.
// Running clusters are not touched.
func Clean() (child.Swept, error) {
	dir, err := recordsDir()
	if err != nil {
		return child.Swept{}, err
	}
	return child.Sweep(dir)
}
