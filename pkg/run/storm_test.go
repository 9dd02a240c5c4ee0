package run

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

var (
	storms    = flag.Int("storms", 20, "how many seeds each storm test tries")
	stormSeed = flag.Int64("storm-seed", 0, "try this seed alone")
)

const (
	stormNodes = 6
	stormJobs  = 120
	nodeMilli  = 4000
)

// storm is the whole of a scheduler, loop, outbox and core, on a server that does everything that API servers do to clients.
type storm struct {
	*stormServer
	t    *testing.T
	core *core.Core
	loop *Loop
	out  *Outbox

	done  map[int]bool // jobs that have run to their end
	tries map[int]int
}

// verified is the core with its invariants checked after every step.
type verified struct {
	*core.Core
	storm *storm
	last  map[types.UID]core.Bind // not answered yet
}

func (v *verified) Step(now time.Time, events []core.Event) []core.Effect {
	for _, e := range events {
		if done, ok := e.(core.BindDone); ok {
			if b, owed := v.last[done.UID]; !owed || b.Node != done.Node {
				v.storm.complain("BindDone of %s for %s, which is not owed", done.UID, done.Node)
			}
			delete(v.last, done.UID)
		}
	}
	effects := v.Core.Step(now, events)
	if err := v.Verify(); err != nil {
		v.storm.complain("after a step: %v", err)
	}
	for _, e := range effects {
		if b, ok := e.(core.Bind); ok {
			if _, twice := v.last[b.Pod.UID]; twice {
				v.storm.complain("second bind of %s before the first was answered", b.Pod.UID)
			}
			v.last[b.Pod.UID] = b
		}
	}
	return effects
}

func (s *storm) complain(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault(format, args...)
}

// weather runs a storm to its end and returns the trace of what the server saw. The scheduler is killed and started anew so many times.
func weather(t *testing.T, seed int64, exclusive bool, kills int) (trace []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := &storm{stormServer: newStormServer(seed, exclusive), t: t, done: map[int]bool{}, tries: map[int]int{}}
		kill := s.start()
		s.blow()
		for i := range kills {
			time.Sleep(s.chance.between(time.Second, 20*time.Second, "kill", i))
			kill()
			kill = s.start()
		}
		time.Sleep(time.Minute)
		s.settle()
		require.Empty(t, s.faults, "seed %d", seed)
		kill()
		trace = s.trace
		slices.Sort(trace)
	})
	return trace
}

// start joins core, loop, outbox and a watch. Kill ends them as a crash would: what is in flight may or may not be carried out.
func (s *storm) start() (kill func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	inbox := NewInbox()
	watch := &feed{server: s.stormServer, inbox: inbox, known: map[string]*v1.Pod{}, nodes: map[string]bool{}}
	s.mu.Lock()
	s.feed = watch
	s.mu.Unlock()
	watch.relist()
	metrics, log := NewMetrics("sluice", "test"), slog.New(slog.DiscardHandler)
	s.core = core.New(core.Config{Budget: 50})
	s.out = NewOutbox(OutboxConfig{
		Binder: s, Teller: s, Answers: inbox, MinInFlight: 2, MaxInFlight: 32, EventsInFlight: 4,
		Timeout: 10 * time.Second, Metrics: metrics, Log: log,
	})
	s.loop = NewLoop(LoopConfig{
		Decider: &verified{Core: s.core, storm: s, last: map[types.UID]core.Bind{}}, Reporter: s.core,
		Inbox: inbox, Out: s.out.Put, Metrics: metrics, Log: log,
	})
	inbox.Put(core.Lead{On: true})
	loop, out := make(chan error, 1), make(chan struct{})
	go func() { loop <- s.loop.Run(ctx) }()
	go func() { s.out.Run(ctx); close(out) }()
	return func() {
		cancel()
		require.NoError(s.t, <-loop)
		<-out
	}
}

// blow plans a minute and a half of things that happen.
func (s *storm) blow() {
	for i := range stormNodes {
		s.setNode(fmt.Sprintf("n%d", i), true)
	}
	for i := range stormJobs {
		time.AfterFunc(s.chance.between(0, 30*time.Second, "job", i), func() { s.create(i) })
	}
	for i := range 30 {
		time.AfterFunc(s.chance.between(0, 90*time.Second, "mischief", i), func() { s.mischief(i) })
	}
}

// mischief is one misfortune.
func (s *storm) mischief(i int) {
	switch what := s.chance.draw("what", i) % 10; {
	case what < 4: // somebody deletes a pod of a job; its controller makes another
		s.deleteSome(i)
	case what < 7: // a node vanishes with its pods, and comes back as a new one
		node := fmt.Sprintf("n%d", s.chance.draw("node", i)%stormNodes)
		s.setNode(node, false)
		time.AfterFunc(s.chance.between(time.Second, 10*time.Second, "back", i), func() { s.setNode(node, true) })
	case what < 8: // the API server is away
		s.mu.Lock()
		s.down = time.Now().Add(s.chance.between(time.Second, 6*time.Second, "down", i))
		s.mu.Unlock()
	case !s.exclusive: // somebody else takes a room
		s.foreign(i)
	}
}

func jobPod(job, try int) string { return fmt.Sprintf("job%03d-%d", job, try) }

// create makes the next pod of a job.
func (s *storm) create(job int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tries[job]++
	// A StatefulSet gives its pods equal names, so some names come again with another UID.
	name := jobPod(job, s.tries[job])
	if job%3 == 0 {
		name = jobPod(job, 0)
	}
	milli := []int64{250, 500, 1000, 2000}[s.chance.draw("milli", job)%4]
	p := apiPod(types.UID(fmt.Sprintf("uid-%03d-%d", job, s.tries[job])), name, milli)
	p.Labels = map[string]string{"job": fmt.Sprint(job)}
	s.pods[name] = p
	s.told("pod", name)
	s.follow(job, p.UID, name)
}

// follow plays kubelet and controller for one pod: it looks every half second what has become of it.
func (s *storm) follow(job int, uid types.UID, name string) {
	time.AfterFunc(s.chance.between(400*time.Millisecond, 600*time.Millisecond, "look", uid, s.nth["follow"+string(uid)]), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.nth["follow"+string(uid)]++
		p := s.pods[name]
		switch {
		case p == nil || p.UID != uid || p.Status.Phase == v1.PodFailed:
			if p != nil && p.UID == uid {
				delete(s.pods, name)
				s.told("pod", name)
			}
			time.AfterFunc(s.chance.between(time.Millisecond, time.Second, "again", uid), func() { s.create(job) })
			return
		case p.Spec.NodeName != "" && s.nodes[p.Spec.NodeName] == nil: // its node is not there: the garbage collector takes it
			delete(s.pods, name)
			s.told("pod", name)
		case p.Spec.NodeName != "" && s.chance.percent(10, "ends", uid, s.nth["follow"+string(uid)]):
			p = p.DeepCopy()
			p.Status.Phase = v1.PodSucceeded
			s.pods[name] = p
			s.done[job] = true
			s.told("pod", name)
			return
		}
		s.follow(job, uid, name)
	})
}

func (s *storm) deleteSome(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := slices.Sorted(maps.Keys(s.pods))
	if len(names) == 0 {
		return
	}
	name := names[s.chance.draw("victim", i)%uint64(len(names))]
	p := s.pods[name]
	if p.Status.Phase != "" || p.Labels["job"] == "" {
		return
	}
	p = p.DeepCopy()
	p.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	s.pods[name] = p
	s.told("pod", name)
	time.AfterFunc(s.chance.between(time.Millisecond, 2*time.Second, "grace", i), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if now := s.pods[name]; now != nil && now.UID == p.UID {
			delete(s.pods, name)
			s.told("pod", name)
		}
	})
}

func (s *storm) setNode(name string, there bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if there == (s.nodes[name] != nil) {
		return
	}
	if there {
		s.nth["life "+name]++
		n := apiNode(name, nodeMilli)
		n.UID = types.UID(fmt.Sprintf("uid-%s-%d", name, s.nth["life "+name]))
		s.nodes[name] = n
	} else {
		delete(s.nodes, name)
	}
	s.told("node", name)
}

// foreign binds a pod of another scheduler where it sees room.
func (s *storm) foreign(i int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	node := fmt.Sprintf("n%d", s.chance.draw("room", i)%stormNodes)
	if s.nodes[node] == nil || s.used(node)+2000 > nodeMilli {
		return
	}
	name := fmt.Sprintf("foreign-%d", i)
	p := apiPod(types.UID("uid-"+name), name, 2000)
	p.Spec.SchedulerName = "default-scheduler"
	p.Spec.NodeName = node
	s.pods[name] = p
	s.told("pod", name)
	time.AfterFunc(10*time.Second+time.Duration(i), func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.pods, name)
		s.told("pod", name)
	})
}

// settle ends the faults and waits until every job has run.
func (s *storm) settle() {
	s.mu.Lock()
	s.calm, s.down = true, time.Time{}
	s.mu.Unlock()
	for range 600 {
		time.Sleep(time.Second)
		s.mu.Lock()
		left := stormJobs - len(s.done)
		s.mu.Unlock()
		if left == 0 {
			break
		}
	}
	time.Sleep(2 * time.Minute) // for what the server still carries out, and for the doubts
	require.NoError(s.t, s.out.Drain(s.t.Context()))
	require.NoError(s.t, s.loop.Sync(s.t.Context()))
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(s.t, s.done, stormJobs, "every job has run; the core says:\n%s", s.core.Dump())
	stats := s.loop.Stats()
	require.Zero(s.t, stats.Ready+stats.Parked+stats.Backoff+stats.Held+stats.Assumed, "nobody waits")
}

func seeds() (out []int64) {
	if *stormSeed != 0 {
		return []int64{*stormSeed}
	}
	for i := range int64(*storms) {
		out = append(out, i+1)
	}
	return out
}

// On nodes of our own, whatever the API server does to requests and watches: no pod is bound twice, no node is ever overfull, every
// invariant of the core holds after every step, and every job runs.
func TestStorm(t *testing.T) {
	for _, seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { weather(t, seed, true, 0) })
	}
}

// The same on nodes that another scheduler fills as well; then kubelets may refuse pods, and they are placed again.
func TestStormOnSharedNodes(t *testing.T) {
	for _, seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { weather(t, seed+1_000_000, false, 0) })
	}
}

// The scheduler is killed in mid-storm and started anew, with nothing but what the API server tells. A request that the server carries
// out only after the client has died can fill a room that the new one has given away, as on shared nodes.
func TestStormWithRestarts(t *testing.T) {
	for _, seed := range seeds() {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { weather(t, seed+2_000_000, false, 3) })
	}
}

// Equal seeds give equal storms where goroutines take equal turns: what happens at one instant of virtual time is ordered by them.
func TestStormsOfEqualSeedsAreEqual(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	require.Equal(t, weather(t, 1, true, 0), weather(t, 1, true, 0))
}
