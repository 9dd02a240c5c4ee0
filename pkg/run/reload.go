package run

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync/atomic"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core"
)

// reloadEvery is how often the configuration file is looked at. It is read rather than watched, because a mounted ConfigMap is
// swapped by a symbolic link, which file watches miss.
const reloadEvery = 2 * time.Second

// Reloader follows the configuration file. What can change while Sluice runs (node orders, scarce resources) reaches the core as one event;
// for anything else it says that a restart is needed. A broken file changes nothing: it is said once what is wrong with it, and the
// last good configuration goes on.
type Reloader struct {
	file  string
	read  func(string) ([]byte, error)
	inbox *Inbox
	log   *slog.Logger

	seen    []byte
	running *config.Configuration
	// said is the last fault that was told.
	said string
	// faulty is 1 while the file cannot be taken, reloads counts the times that a change was applied.
	faulty  atomic.Int64
	reloads atomic.Uint64
}

// NewReloader returns a reloader of a file that has been loaded as running.
func NewReloader(file string, running *config.Configuration, inbox *Inbox, log *slog.Logger) *Reloader {
	r := &Reloader{file: file, read: os.ReadFile, inbox: inbox, log: log, running: running}
	r.seen, _ = r.read(file) // what cannot be read now is told at the first look
	return r
}

// Run looks at the file until the context ends.
func (r *Reloader) Run(ctx context.Context) {
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.look()
		}
	}
}

func (r *Reloader) look() {
	data, err := r.read(r.file)
	if err != nil {
		r.refuse("the configuration file cannot be read; the running configuration stays: " + err.Error())
		return
	}
	if bytes.Equal(data, r.seen) {
		if r.faulty.Load() == 1 && r.readFailed() {
			r.faulty.Store(0)
		}
		return
	}
	r.seen = data
	next, err := config.Parse(r.file, data)
	if err != nil {
		r.refuse("the changed configuration is refused; the running one stays:\n" + err.Error())
		return
	}
	r.faulty.Store(0)
	r.apply(next)
}

// readFailed reports whether the fault was that of reading, which is over when the file reads as before.
func (r *Reloader) readFailed() bool {
	_, err := config.Parse(r.file, r.seen)
	return err == nil
}

// refuse says what is wrong, once for as long as it is the same.
func (r *Reloader) refuse(why string) {
	if r.faulty.Swap(1) == 0 || why != r.said {
		r.said = why
		r.log.Error(why)
	}
}

func (r *Reloader) apply(next *config.Configuration) {
	if orders := ordersOf(next); !reflect.DeepEqual(orders, ordersOf(r.running)) {
		r.inbox.Put(orders)
		r.reloads.Add(1)
		r.log.Info("node orders and scarce resources are replaced", "orders", orderNames(next))
	}
	if fixed := fixedChanges(r.running, next); len(fixed) > 0 {
		r.log.Warn("the configuration has changed in what takes effect at the next start only", "keys", strings.Join(fixed, ", "))
	}
	r.running = next
}

// ordersOf returns what the core is told of a configuration.
func ordersOf(c *config.Configuration) core.OrdersSet {
	return core.OrdersSet{Orders: c.Orders(), Scarce: c.Scarce()}
}

func orderNames(c *config.Configuration) string {
	if len(c.NodeOrders) == 0 {
		return "the built-in one"
	}
	names := make([]string, len(c.NodeOrders))
	for i, o := range c.NodeOrders {
		names[i] = o.Name
	}
	return strings.Join(names, ", ")
}

// fixedChanges lists the keys of the top level that differ and cannot be changed while Sluice runs.
func fixedChanges(old, next *config.Configuration) (keys []string) {
	a, b := reflect.ValueOf(*old), reflect.ValueOf(*next)
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if f.Name == "NodeOrders" || f.Name == "ScarceResources" {
			continue
		}
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			keys = append(keys, f.Tag.Get("yaml"))
		}
	}
	return keys
}
