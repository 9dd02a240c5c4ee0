package child

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Record is what has to be cleaned up should its owner crash. It lives in a file of a
// folder common to all owners.
//
//	owner starts → Open → Add… → owner ends well → Close (file removed)
//	                         └→ owner crashes → Sweep by anybody (ends, removes, file removed)
type Record struct {
	mu   sync.Mutex
	path string
	data recordData
}

// recordData is the file's content.
type recordData struct {
	Owner    Identity   `json:"owner"`
	Children []Identity `json:"children,omitempty"`
	// Remove lists files and folders that are to be removed with all they contain.
	Remove []string `json:"remove,omitempty"`
}

// Open starts the record of this process in a folder, under a name of its own.
func Open(folder, name string) (*Record, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder for records of running clusters: %w", err)
	}
	self, err := Identify(os.Getpid())
	if err != nil {
		return nil, err
	}
	r := &Record{path: filepath.Join(folder, fmt.Sprintf("%s-%d.json", name, self.PID)), data: recordData{Owner: self}}
	return r, r.save()
}

// Add notes a child.
func (r *Record) Add(id Identity) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data.Children = append(r.data.Children, id)
	return r.save()
}

// Forget drops a child that has ended.
func (r *Record) Forget(id Identity) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, c := range r.data.Children {
		if c == id {
			r.data.Children = append(r.data.Children[:i], r.data.Children[i+1:]...)
			break
		}
	}
	return r.save()
}

// AddFile notes a file or folder that goes with the owner.
func (r *Record) AddFile(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.data.Remove = append(r.data.Remove, path)
	return r.save()
}

// Files lists what was noted with AddFile.
func (r *Record) Files() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.data.Remove...)
}

// Close removes the record: nothing is left to clean up.
func (r *Record) Close() error {
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the record %s: %w", r.path, err)
	}
	return nil
}

// save replaces the file whole, so that a reader never sees half of it.
func (r *Record) save() error {
	data, err := json.MarshalIndent(r.data, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the record: %w", err)
	}
	tmp := r.path + ".tmp"
	if err := os.WriteFile(tmp, data, 0o644); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	if err := os.Rename(tmp, r.path); err != nil {
		return fmt.Errorf("write the record: %w", err)
	}
	return nil
}

// Swept is what [Sweep] did.
type Swept struct {
	// Owners counts the crashed owners, Killed lists the processes ended, Removed the
	// files and folders removed, Live counts owners that still run and were let alone.
	Owners  int
	Killed  []Identity
	Removed []string
	Live    int
}

// Sweep cleans up after owners that have crashed. What belongs to a running owner is
// left alone.
func Sweep(folder string) (Swept, error) {
	var out Swept
	paths, err := filepath.Glob(filepath.Join(folder, "*.json"))
	if err != nil {
		return out, fmt.Errorf("list %s: %w", folder, err)
	}
	var errs []error
	for _, path := range paths {
		if err := out.sweep(path); err != nil {
			errs = append(errs, err)
		}
	}
	return out, errors.Join(errs...)
}

// sweep cleans up after one owner, unless it runs.
func (s *Swept) sweep(path string) error {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // another sweep was faster
	}
	if err != nil {
		return fmt.Errorf("read the record: %w", err)
	}
	var data recordData
	if err := json.Unmarshal(raw, &data); err != nil {
		return fmt.Errorf("the record %s is not readable (%w); look whether what it names still runs, then delete it", path, err)
	}
	if data.Owner.Alive() {
		s.Live++
		return nil
	}
	s.Owners++
	for _, c := range data.Children {
		killed, err := c.kill()
		if err != nil {
			return err
		}
		if killed {
			s.Killed = append(s.Killed, c)
		}
	}
	for _, f := range data.Remove {
		if err := s.remove(f); err != nil {
			return err
		}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove the record: %w", err)
	}
	return nil
}

// remove deletes a noted file or folder. A record never names a relative path or a
// folder near the root, so such a one is refused rather than obeyed.
func (s *Swept) remove(path string) error {
	if !filepath.IsAbs(path) || strings.Count(filepath.Clean(path), string(filepath.Separator)) < 2 {
		return fmt.Errorf("the record names %q for removal, which cannot be right; nothing was removed", path)
	}
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err := os.RemoveAll(path); err != nil {
		return fmt.Errorf("remove what a crashed run left: %w", err)
	}
	s.Removed = append(s.Removed, path)
	return nil
}
