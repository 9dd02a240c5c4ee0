package run

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// server is an API server in memory, as far as the outbox sees one. What it does to a request is said by its script.
type server struct {
	t *testing.T

	mu       sync.Mutex
	pods     map[types.UID]*stored
	requests []request
	inFlight int
	most     int
	// script decides what befalls a request; nil means that it is done after a millisecond.
	script func(r request) fate
}

// stored is a pod of the server.
type stored struct {
	node       string
	gone       bool
	deleting   bool
	binds      []string // nodes it was bound to; more than one is a fault of the outbox
	prepared   []string // nodes for which its volumes were prepared
	conditions []core.Condition
	statuses   []core.GroupStatus // if it is a PodGroup
	events     map[uint64]int
}

// request is one request as the server saw it.
type request struct {
	kind string
	uid  types.UID
	node string
	note string
	nth  int // of its kind and pod, from 1
	at   time.Time
}

// fate is what befalls a request.
type fate struct {
	takes time.Duration // before it is carried out; 1 ms if zero
	// answer, if not Done, is given instead of carrying the request out.
	answer kube.Answer
	// lose: it is carried out and the answer is lost.
	lose bool
	// late: it is carried out so much later, after its answer was lost.
	late time.Duration
}

func newServer(t *testing.T) *server { return &server{t: t, pods: map[types.UID]*stored{}} }

func failed(v kube.Verdict, after time.Duration) fate {
	return fate{answer: kube.Answer{Verdict: v, After: after, Err: errors.New("scripted " + v.String())}}
}

func (s *server) pod(uid types.UID) *stored {
	p := s.pods[uid]
	if p == nil {
		p = &stored{events: map[uint64]int{}}
		s.pods[uid] = p
	}
	return p
}

// handle lets a request meet its fate.
func (s *server) handle(ctx context.Context, r request, carryOut func(*stored) kube.Answer) kube.Answer {
	s.mu.Lock()
	r.at = time.Now()
	for _, old := range s.requests {
		if old.kind == r.kind && old.uid == r.uid {
			r.nth++
		}
	}
	r.nth++
	s.requests = append(s.requests, r)
	f := fate{}
	if s.script != nil {
		f = s.script(r)
	}
	if r.kind != kindEvent {
		s.inFlight++
		s.most = max(s.most, s.inFlight)
	}
	s.mu.Unlock()

	lost := kube.Answer{Verdict: kube.Unknown, Err: errors.New("connection reset")}
	select {
	case <-time.After(max(f.takes, time.Millisecond)):
	case <-ctx.Done():
		lost.Err = ctx.Err()
		f = fate{answer: lost}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.kind != kindEvent {
		s.inFlight--
	}
	switch {
	case f.answer.Verdict != kube.Done:
		return f.answer
	case f.late > 0:
		time.AfterFunc(f.late, func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			carryOut(s.pod(r.uid))
		})
		return lost
	}
	a := carryOut(s.pod(r.uid))
	if f.lose {
		return lost
	}
	return a
}

func (s *server) Bind(ctx context.Context, b core.Bind) kube.Answer {
	return s.handle(ctx, request{kind: kindBind, uid: b.Pod.UID, node: b.Node}, func(p *stored) kube.Answer {
		switch {
		case p.gone:
			return kube.Answer{Verdict: kube.Gone, Err: errors.New("not found")}
		case p.node != "" || p.deleting:
			return kube.Answer{Verdict: kube.Conflict, Err: errors.New("already bound, or being deleted")}
		}
		p.node = b.Node
		p.binds = append(p.binds, b.Node)
		return kube.Answer{}
	})
}

func (s *server) Look(ctx context.Context, ref core.PodRef) (sight kube.Sight, a kube.Answer) {
	a = s.handle(ctx, request{kind: kindLook, uid: ref.UID}, func(p *stored) kube.Answer {
		sight = kube.Sight{Exists: !p.gone, Node: p.node, Deleting: p.deleting}
		return kube.Answer{}
	})
	return sight, a
}

func (s *server) Condition(ctx context.Context, c core.Condition) kube.Answer {
	return s.handle(ctx, request{kind: kindCondition, uid: c.Pod.UID, note: c.Message}, func(p *stored) kube.Answer {
		p.conditions = append(p.conditions, c)
		return kube.Answer{}
	})
}

func (s *server) GroupStatus(ctx context.Context, e core.GroupStatus) kube.Answer {
	return s.handle(ctx, request{kind: kindGroup, uid: e.Group.UID, note: e.Message}, func(p *stored) kube.Answer {
		p.statuses = append(p.statuses, e)
		return kube.Answer{}
	})
}

func (s *server) Announce(ctx context.Context, n kube.Notice) kube.Answer {
	return s.handle(ctx, request{kind: kindEvent, uid: n.Pod.UID, note: n.Note}, func(p *stored) kube.Answer {
		p.events[n.Serial]++
		return kube.Answer{}
	})
}

// Prepare notes on the pod for which node its volumes were prepared.
func (s *server) Prepare(ctx context.Context, e core.PrepareVolumes) (versions []string, a kube.Answer) {
	a = s.handle(ctx, request{kind: kindVolumes, uid: e.Pod.UID, node: e.Node}, func(p *stored) kube.Answer {
		p.prepared = append(p.prepared, e.Node)
		versions = []string{fmt.Sprint(e.Serial)}
		return kube.Answer{}
	})
	return versions, a
}

// count is how many requests of a kind there were.
func (s *server) count(kind string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.kind == kind {
			n++
		}
	}
	return n
}

// world is an outbox with a server, inside a bubble of virtual time.
type world struct {
	*server
	*Outbox
	inbox   *Inbox
	answers map[types.UID][]core.BindDone
	// volumes are the answers to preparations.
	volumes []core.VolumesDone
}

// within runs a test with an outbox that may have up to most requests in flight, at once.
func within(t *testing.T, most int, test func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{server: newServer(t), inbox: NewInbox(), answers: map[types.UID][]core.BindDone{}}
		w.Outbox = NewOutbox(OutboxConfig{
			Binder: w.server, Preparer: w.server, Teller: w.server, Answers: w.inbox,
			MinInFlight: min(2, most), MaxInFlight: most, EventsInFlight: 4, Timeout: 30 * time.Second,
			Metrics: NewMetrics("sluice", "test"), Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { w.Run(ctx); close(ended) }()
		test(t, w)
		cancel()
		<-ended
	})
}

// settle waits until all is done and takes in the answers.
func (w *world) settle() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Hour)
	defer cancel()
	require.NoError(w.t, w.Drain(ctx))
	w.gather()
}

func (w *world) gather() {
	for _, e := range w.inbox.Take() {
		if done, ok := e.(core.VolumesDone); ok {
			w.volumes = append(w.volumes, done)
			continue
		}
		done := e.(core.BindDone)
		w.answers[done.UID] = append(w.answers[done.UID], done)
	}
}

// outcome is the one answer to the bind of a pod.
func (w *world) outcome(uid types.UID) core.Outcome {
	w.t.Helper()
	require.Len(w.t, w.answers[uid], 1, "exactly one BindDone for %s", uid)
	return w.answers[uid][0].Outcome
}

func podRef(uid types.UID) core.PodRef {
	return core.PodRef{UID: uid, Namespace: "default", Name: string(uid)}
}

func bindOf(uid types.UID, node string) core.Bind {
	return core.Bind{Pod: podRef(uid), Node: node, Created: time.Now()}
}

func conditionOf(uid types.UID, message string) core.Condition {
	return core.Condition{Pod: podRef(uid), Reason: core.ReasonUnschedulable, Message: message, Since: time.Now()}
}

func announceOf(uid types.UID, note string) core.Announce {
	return core.Announce{Pod: podRef(uid), Type: core.TypeNormal, Reason: core.EventScheduled, Action: core.ActionBinding, Note: note}
}

func bindsOf(n int) (effects []core.Effect) {
	for i := range n {
		effects = append(effects, bindOf(types.UID(fmt.Sprintf("p%05d", i)), fmt.Sprintf("n%d", i%7)))
	}
	return effects
}
