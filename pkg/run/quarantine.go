package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// quarantineFile is the file's name in the state directory.
const quarantineFile = "quarantine.json"

// Bounds of the file: the newest entries are kept, each with the top of its stack.
const (
	maxEntries = 1000
	maxStack   = 4 << 10
)

// Entry is one object in quarantine.json.
type Entry struct {
	// Kind is pod or node, or empty when the core was busy with no object in particular: such an entry only tells.
	Kind      string    `json:"kind"`
	UID       types.UID `json:"uid"`
	Namespace string    `json:"namespace,omitempty"`
	Name      string    `json:"name"`
	// Why is the panic's value.
	Why string `json:"why"`
	// Stack is the top of the stack.
	Stack string    `json:"stack"`
	Time  time.Time `json:"time"`
	// Version is the Sluice that panicked. Another one gets a new chance with the object.
	Version string `json:"version"`
}

// Quarantine remembers, across restarts, the objects that made the core panic.
//
//	core panics over an object ──> entry written ──> process ends ──> next start: object set aside, alert
//	       ^                                                              │
//	       └── another version, or the entry removed by hand, and restart ┘
type Quarantine struct {
	path    string
	version string
	log     *slog.Logger
	entries []Entry
}

// OpenQuarantine reads the file in the folder. A file that cannot be understood is renamed aside, and one that cannot be read is passed
// over, with an error line in the log either way: the quarantine must never be what keeps Sluice from starting. Entries of another
// version are dropped.
func OpenQuarantine(folder, version string, log *slog.Logger) *Quarantine {
	q := &Quarantine{path: filepath.Join(folder, quarantineFile), version: version, log: log}
	data, err := os.ReadFile(q.path)
	if errors.Is(err, fs.ErrNotExist) {
		return q
	}
	if err != nil {
		log.Error("the quarantine cannot be read; starting without", "file", q.path, "error", err)
		return q
	}
	var entries []Entry
	if err := json.Unmarshal(data, &entries); err != nil {
		q.setAside(err)
		return q
	}
	for _, e := range entries {
		q.admit(e)
	}
	return q
}

// setAside renames a file that cannot be understood.
func (q *Quarantine) setAside(why error) {
	aside := fmt.Sprintf("%s.unreadable-%s", q.path, time.Now().UTC().Format("20060102T150405Z"))
	if err := os.Rename(q.path, aside); err != nil {
		q.log.Error("the quarantine cannot be understood, nor renamed; starting without", "file", q.path, "error", why, "rename", err)
		return
	}
	q.log.Error("the quarantine cannot be understood; it was renamed, starting without", "file", aside, "error", why)
}

func (q *Quarantine) admit(e Entry) {
	what := describe(core.Subject{Kind: e.Kind, Namespace: e.Namespace, Name: e.Name})
	switch {
	case e.Version != q.version:
		q.log.Info("released from quarantine, since it made another version panic", "object", what, "version", e.Version, "why", e.Why)
		return
	case e.Kind == "" || e.UID == "":
		q.log.Error("an earlier run panicked, and it is not known over which object", "why", e.Why, "time", e.Time)
	default:
		q.log.Error("quarantined, since it made the core panic: a pod is not placed, a node gets no pods. "+
			"To try it again, remove its entry from the file and restart, or delete the object; please report the entry",
			"object", what, "uid", e.UID, "why", e.Why, "file", q.path)
	}
	q.entries = append(q.entries, e)
}

// Events are what the core must be told before anything else.
func (q *Quarantine) Events() []core.Event {
	var events []core.Event
	for _, e := range q.entries {
		if e.UID != "" {
			events = append(events, core.Quarantine{UID: e.UID, Why: e.Why})
		}
	}
	return events
}

// Record writes an entry for the panic. Again is true if the object was in quarantine already, so that the next start would most
// likely meet the same end.
func (q *Quarantine) Record(p *Panic) (again bool, err error) {
	e := Entry{
		Kind: p.Subject.Kind, UID: p.Subject.UID, Namespace: p.Subject.Namespace, Name: p.Subject.Name,
		Why: fmt.Sprint(p.Value), Stack: top(string(p.Stack)), Time: p.At.UTC(), Version: q.version,
	}
	entries := make([]Entry, 0, len(q.entries)+1)
	for _, old := range q.entries {
		if old.Kind == e.Kind && old.UID == e.UID {
			again = e.UID != ""
			continue
		}
		entries = append(entries, old)
	}
	entries = append(entries, e)
	if n := len(entries) - maxEntries; n > 0 {
		entries = entries[n:]
	}
	q.entries = entries
	return again, q.write()
}

// write replaces the file at once or not at all.
func (q *Quarantine) write() error {
	data, err := json.MarshalIndent(q.entries, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the quarantine: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(q.path), 0o755); err != nil {
		return fmt.Errorf("write the quarantine: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(q.path), quarantineFile+".*")
	if err != nil {
		return fmt.Errorf("write the quarantine: %w", err)
	}
	_, err = f.Write(append(data, '\n'))
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), q.path)
	}
	if err != nil {
		os.Remove(f.Name()) // the error that matters is the first
		return fmt.Errorf("write the quarantine: %w", err)
	}
	return nil
}

// spare returns a trap that leaves objects in quarantine alone.
func (q *Quarantine) spare(trap func(core.Subject)) func(core.Subject) {
	if trap == nil {
		return nil
	}
	spared := map[types.UID]bool{}
	for _, e := range q.entries {
		spared[e.UID] = true
	}
	return func(s core.Subject) {
		if !spared[s.UID] {
			trap(s)
		}
	}
}

// Path is where the file is.
func (q *Quarantine) Path() string { return q.path }

// top cuts a stack after whole lines.
func top(stack string) string {
	if len(stack) <= maxStack {
		return stack
	}
	stack = stack[:maxStack]
	return stack[:strings.LastIndexByte(stack, '\n')+1] + "…"
}
