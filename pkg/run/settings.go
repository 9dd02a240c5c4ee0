package run

import (
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// Settings is what can change while Sluice runs: of the configuration file the node orders and what is scarce, and the queues. What is read of either is taken whole
// or not at all, and the two must agree.
//
//	read ── broken ──> refused: said once, what is in force stays
//	  └── sound: wanted ──┬── agrees with the other's newest, or with what is in force of it ──> in force: put into the inbox at once
//	                      └── does not ──> refused; looked at again when the other changes
//
// So a node order can be renamed in both files, one after the other, in either order.
type Settings struct {
	inbox *Inbox
	log   *slog.Logger
	// announce writes an event about the ConfigMap that the queues are in, or about the Lease.
	announce func(kube.Notice)

	mu sync.Mutex
	// extra is what is read of pods and nodes for the sake of node orders; it is as they were at the start.
	extra cluster.Extra
	// running is in force. wanted is the newest of each that is sound by itself; that in force if the newest is not.
	running, wanted pair
	config, queues  standing
	// origin says where the queues are. about is the object that events about them regard, and kind its kind: the ConfigMap if they are in one and it has been
	// seen; else the Lease by which this process leads, for a file is no object. Without a name there is none.
	origin string
	about  core.PodRef
	kind   string
	api    string // the group and version of its kind
	// leading: this process tells in events what it does. owing: it has told in one that queues were refused.
	leading, owing bool
	read           chan struct{}
}

// standing is how the newest of a source stands.
type standing struct {
	// broken: it cannot be read, or is not sound by itself. faulty: it is not in force, for that or another reason; why says what is wrong.
	broken, faulty bool
	why            error
	// applied and refused count changes; at is when the newest was last found good.
	applied, refused uint64
	at               time.Time
}

// NewSettings returns settings of which the configuration is in force, and the queues if they are not nil.
func NewSettings(c *config.Configuration, l *queues.Loaded, origin string, inbox *Inbox, log *slog.Logger, announce func(kube.Notice)) *Settings {
	s := &Settings{inbox: inbox, log: log, announce: announce, origin: origin, read: make(chan struct{})}
	s.running = pair{config: c}
	s.extra = order.Needs(s.running.configured())
	s.wanted = pair{config: c, queues: l}
	inbox.Put(s.running.orders())
	s.config.at = time.Now()
	if l != nil {
		s.settle()
	}
	return s
}

// Read is closed as soon as queues are in force. Before, nothing may be decided: nobody knows whose limits hold.
func (s *Settings) Read() <-chan struct{} { return s.read }

// Check returns an error until queues are in force, which says why they are not.
func (s *Settings) Check() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.running.queues != nil:
		return nil
	case s.queues.why == nil:
		return fmt.Errorf("the queues have not been read from %s yet, so nothing is decided", s.origin)
	}
	return fmt.Errorf("no queues are in force, so nothing is decided: %s", brief(s.queues.why))
}

// TakeConfig takes in what the configuration file says now, or why it cannot be read.
func (s *Settings) TakeConfig(file string, data []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := "the configuration file cannot be read; the running configuration stays"
	next := s.running.config
	if err == nil {
		what = "the changed configuration is refused; the running one stays"
		next, err = config.Parse(file, data)
	}
	if s.config.broken = err != nil; s.config.broken {
		s.wanted.config = s.running.config
		s.refuse(&s.config, what, err)
		return
	}
	s.wanted.config = next
	s.settle()
}

// TakeQueues takes in what the queues file says now, or why it cannot be read.
func (s *Settings) TakeQueues(data []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	what := "the queues cannot be read"
	next := s.running.queues
	if err == nil {
		what = "the queues are refused"
		next, err = queues.Parse(s.origin, data)
	}
	if s.queues.broken = err != nil; s.queues.broken {
		s.wanted.queues = s.running.queues
		s.refuseQueues(what, err)
		return
	}
	if s.wanted.queues = next; next.Tree.Hash == s.running.hash() {
		s.wanted.queues = s.running.queues
	}
	s.settle()
}

// TakeText takes in what a ConfigMap says of the queues now.
func (s *Settings) TakeText(x kube.Text) {
	s.mu.Lock()
	if x.Object.UID != "" {
		s.about, s.kind, s.api = x.Object, "ConfigMap", "v1"
	}
	s.mu.Unlock()
	s.TakeQueues(x.Data, x.Err)
}

// standings tells what metrics show: the hash of the queues in force, and how each source stands.
func (s *Settings) standings() (hash string, bySource map[string]standing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running.hash(), map[string]standing{"configuration": s.config, "queues": s.queues}
}

// lead makes this process the one that tells in events what becomes of the queues. What it finds refused it tells at once. The Lease is the one by which it
// leads; without election there is none.
func (s *Settings) lead(lease core.PodRef) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leading = true
	if s.about.Name == "" {
		s.about, s.kind, s.api = lease, "Lease", "coordination.k8s.io/v1"
	}
	if s.queues.faulty && !s.owing {
		s.tellRefused()
	}
}

// settle puts the newest that agrees in force, and says of each of the two how it stands.
func (s *Settings) settle() {
	s.apply(s.best())
	switch {
	case s.config.broken: // said when it was read
	case s.wanted.config == s.running.config:
		s.config.good()
	default:
		s.refuse(&s.config, "the changed configuration is refused, for queues name node orders that it does not have; the running one stays",
			pair{s.wanted.config, s.running.queues}.fault())
	}
	switch {
	case s.queues.broken:
	case s.wanted.queues == s.running.queues:
		s.acceptQueues()
	default:
		s.refuseQueues("the queues are refused", pair{s.running.config, s.wanted.queues}.fault())
	}
}

// best is what agrees: both as they are wanted if possible, else the one that is.
func (s *Settings) best() pair {
	for _, p := range []pair{s.wanted, {s.wanted.config, s.running.queues}, {s.running.config, s.wanted.queues}} {
		if p.fault() == nil {
			return p
		}
	}
	return s.running
}

// apply puts a pair in force, with one step of the core.
func (s *Settings) apply(next pair) {
	old := s.running
	s.running = next
	var events []core.Event
	if orders := next.orders(); !reflect.DeepEqual(orders, old.orders()) {
		events = append(events, orders)
		s.log.Info("node orders and scarce resources are replaced", "orders", orderNames(orders.Orders))
	}
	if next.queues != old.queues {
		events = append(events, core.QueuesSet{Tree: next.queues.Tree})
	}
	s.inbox.Put(events...)
	s.noteConfig(old.config, next.config)
	s.noteQueues(old.queues, next.queues)
}

// noteConfig says what of a changed configuration takes effect, and what does not yet.
func (s *Settings) noteConfig(old, next *config.Configuration) {
	if !reflect.DeepEqual((pair{config: old}).orders(), (pair{config: next}).orders()) {
		s.config.applied++
	}
	if wanted := order.Needs(pair{config: next}.configured()); !s.extra.Covers(wanted) {
		s.log.Warn("a node order has an evaluator that none had at the start; it says nothing until the next start, since what it looks at is not read: " +
			strings.Join(unread(s.extra, wanted), ", "))
	}
	if fixed := fixedChanges(old, next); len(fixed) > 0 {
		s.log.Warn("the configuration has changed in what takes effect at the next start only", "keys", strings.Join(fixed, ", "))
	}
}

// noteQueues says so if other queues are in force.
func (s *Settings) noteQueues(old, next *queues.Loaded) {
	if next == old {
		return
	}
	s.queues.good()
	s.log.Info("the queues are in force", "from", s.origin, "hash", next.Tree.Hash, "queues", countQueues(next.Tree.Root))
	for _, w := range next.Warnings {
		s.log.Warn(w.Error())
	}
	if limited := limitedByUser(next.Tree.Root, ""); len(limited) > 0 && !s.running.config.Queues.TrustUserAnnotation {
		s.log.Warn("limits name users or groups, but queues.trustUserAnnotation is off, so that all pods are those of one unknown user and are bounded by \"*\" alone",
			"queues", strings.Join(limited, ", "))
	}
	if old == nil {
		close(s.read)
	} else {
		s.queues.applied++
	}
	if s.leading || s.owing {
		s.tellApplied()
	}
}

// acceptQueues notes that the newest queues are those in force, and says so if something else was said before.
func (s *Settings) acceptQueues() {
	if s.running.queues == nil {
		return // none have been read yet
	}
	if s.queues.faulty {
		s.log.Info("the queues are again those in force", "from", s.origin, "hash", s.running.hash())
	}
	if s.owing {
		s.tellApplied()
	}
	s.queues.good()
}

// good notes that the newest of a source is in force.
func (of *standing) good() {
	of.faulty, of.why, of.at = false, nil, time.Now()
}

// refuse says what is wrong with the newest of a source, once for as long as it is the same, and reports whether it did.
func (s *Settings) refuse(of *standing, what string, why error) bool {
	if of.faulty && of.why.Error() == why.Error() {
		return false
	}
	of.faulty, of.why = true, why
	of.refused++
	separator := ": "
	if errors.As(why, new(strict.Faults)) {
		separator = ":\n" // the faults stand below each other, with their carets
	}
	s.log.Error(what + separator + why.Error())
	return true
}

func (s *Settings) refuseQueues(what string, why error) {
	fate := "; those in force stay"
	if s.running.queues == nil {
		fate = "; none are in force yet, so nothing is decided"
	}
	if s.refuse(&s.queues, what+fate, why) && (s.leading || s.running.queues == nil) {
		s.tellRefused()
	}
}
