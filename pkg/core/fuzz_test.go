package core_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// FuzzStep drives a core through any sequence of events, sensible or not: doubled, late, contradicting. After every step the accounts must
// be sound, every bind must be allowed by a judge that knows nothing of the core, and a twin that was told the same must have
// decided the same. In the end, after everything true has been told once more, the live core must equal a new one.
func FuzzStep(f *testing.F) {
	for seed := range 8 {
		f.Add(randomBytes(uint64(seed), 400+seed))
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4000 {
			return
		}
		r := newRunner(t, &bytesSource{data: data})
		r.storing = len(data)%2 == 1
		switch {
		case len(data)%8 >= 6:
			r.gather()
		case len(data)%4 >= 2:
			r.like()
		}
		r.run()
	})
}

// TestRandomHistories does what FuzzStep does on many longer random histories, and makes sure that they reach what they are for.
func TestRandomHistories(t *testing.T) {
	var sum core.Stats
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRunner(t, &bytesSource{data: randomBytes(seed+1000, 3000)})
			r.run()
			n := r.cores[0].Stats()
			sum.Scheduled += n.Scheduled
			sum.Unschedulable += n.Unschedulable
			sum.Refused += n.Refused
			sum.Recalled += n.Recalled
			sum.Stolen += n.Stolen
			sum.Elsewhere += n.Elsewhere
			sum.Woken += n.Woken
			sum.QuotaRefused += n.QuotaRefused
		})
	}
	t.Logf("%+v", sum)
	for what, n := range map[string]uint64{
		"scheduled": sum.Scheduled, "unschedulable": sum.Unschedulable, "refused": sum.Refused, "recalled": sum.Recalled,
		"stolen": sum.Stolen, "elsewhere": sum.Elsewhere, "woken": sum.Woken, "refused by quota": sum.QuotaRefused,
	} {
		require.Greater(t, n, uint64(100), "the histories hardly reach %s", what)
	}
}

func randomBytes(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// bytesSource hands out numbers from a string of bytes; zero when it has run out.
type bytesSource struct {
	data []byte
	// spreads: pods have mostly spread constraints, of mostly their own like.
	spreads bool
}

func (s *bytesSource) done() bool { return len(s.data) == 0 }

func (s *bytesSource) below(n int) int {
	if len(s.data) == 0 {
		return 0
	}
	b := s.data[0]
	s.data = s.data[1:]
	return int(b) % n
}

func (s *bytesSource) chance(oneIn int) bool { return s.below(oneIn) == oneIn-1 }

// runner holds the two cores, the judge, and the truth that an API server would hold.
type runner struct {
	t     *testing.T
	src   *bytesSource
	cores [2]*core.Core
	judge *judge
	now   time.Time
	// queue are the events of the next step.
	queue []core.Event
	// owed are the binds that have not been answered.
	owed []core.Bind
	// roomy: what is asked for is mostly little, and nodes have much, so that it is other pods that decide.
	roomy bool
	// storing: pods ask for volumes, and things happen to those.
	storing bool
	// prepared are the PrepareVolumes that have not been answered, versions counts the versions of objects.
	prepared []core.PrepareVolumes
	versions int
	// preparations counts them all.
	preparations uint64
	// ganging: pods are members of groups.
	ganging bool
	// upset: something has happened since the last step by which a group may have lost something.
	upset bool
	// likes: pods would like one node more than another; read is what is read of them for that.
	likes bool
	read  cluster.Extra
}

func newRunner(t *testing.T, src *bytesSource) *runner {
	cfg := core.Config{Budget: 40, RefreshAfter: 20 * time.Second, RetryAfter: time.Minute}
	if src.chance(2) {
		cfg.StarvationAfter = 5 * time.Second
	}
	return &runner{
		t: t, src: src, judge: newJudge(),
		cores: [2]*core.Core{core.New(cfg), core.New(cfg)},
		now:   time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}

func (r *runner) run() {
	r.tell(core.Lead{On: true})
	if r.storing {
		r.stockUp()
	}
	for !r.src.done() {
		for range 1 + r.src.below(4) {
			r.something()
		}
		if r.likes && r.src.chance(6) {
			r.changeSelector()
		}
		r.step()
	}
	r.settle()
	if r.ganging {
		r.linger()
	}
	if r.cores[0].Stats().Reserved+len(r.judge.expected) == 0 && !r.judge.partial() { // what is kept for one may be what a new core gives to another
		r.compareWithRebuild()
	}
}

func (r *runner) tell(e core.Event) {
	r.queue = append(r.queue, e)
	r.upset = r.upset || !r.judge.harmless(e)
	r.judge.learn(e)
}

// something lets one thing happen.
func (r *runner) something() {
	if r.roomy || r.ganging {
		if r.ganging {
			r.somethingOfGroups()
		} else {
			r.somethingInRoom()
		}
		return
	}
	happenings := 19
	if r.storing {
		happenings = 31
	}
	switch r.src.below(happenings) {
	case 0, 1:
		r.tell(core.NodeSet{Node: r.node()})
	case 2:
		r.tell(core.NodeGone{Name: r.nodeName()})
	case 3, 4, 5, 6:
		r.tell(core.PodSet{Pod: r.pod()})
	case 7, 8:
		r.tell(core.PodGone{UID: r.podUID()})
	case 9, 10, 11:
		r.answer()
	case 12:
		r.now = r.now.Add(time.Duration(r.src.below(20)) * time.Second)
	case 13:
		if len(r.queue) > 0 {
			r.tell(r.queue[r.src.below(len(r.queue))]) // doubled
		}
	case 14:
		r.tell(core.BindDone{UID: r.podUID(), Node: "elsewhere", Outcome: core.Outcome(r.src.below(3))}) // nobody asked
	case 15:
		r.rare()
	case 16:
		r.tell(core.QueuesSet{Tree: r.src.tree()})
	case 17:
		r.tell(core.NamespaceSet{Namespace: r.src.namespace()})
	case 18:
		r.tell(core.NamespaceGone{Name: pick(r.src, someSpaces)})
	default:
		r.volumeEvent()
	}
}

func (r *runner) rare() {
	switch r.src.below(6) {
	case 4:
		r.tell(core.DeviceClassSet{Class: &cluster.DeviceClassFact{Name: pick(r.src, []string{"d0", "d1"}), Extended: pick(r.src, []string{"", "example.com/gpu"})}})
	case 5:
		r.tell(core.DeviceClassGone{Name: pick(r.src, []string{"d0", "d1"})})
	case 0:
		r.tell(core.Lead{On: r.src.chance(2)})
	case 1:
		r.tell(core.PodRejected{UID: r.podUID(), Node: r.nodeName(), Reason: "OutOfcpu"})
	case 2:
		r.tell(core.Quarantine{UID: r.podUID(), Why: "fuzz"})
	case 3:
		r.tell(core.Quarantine{UID: types.UID("uid-" + r.nodeName()), Why: "fuzz"})
	}
}

// answer settles one bind that is owed, sometimes with the watch's event before or after it.
func (r *runner) answer() {
	if len(r.owed) == 0 {
		return
	}
	i := r.src.below(len(r.owed))
	b := r.owed[i]
	r.owed = append(r.owed[:i], r.owed[i+1:]...)
	done := core.BindDone{UID: b.Pod.UID, Node: b.Node, Outcome: core.Outcome(r.src.below(3)), Message: "fuzz"}
	fact := r.judge.pods[b.Pod.UID]
	if done.Outcome != core.Bound || fact == nil {
		if fact == nil && done.Outcome == core.Bound {
			done.Outcome = core.Refused
		}
		r.tell(done)
		return
	}
	bound := *fact
	bound.Node = b.Node
	if r.src.chance(2) {
		r.tell(done)
		r.tell(core.PodSet{Pod: &bound})
	} else {
		r.tell(core.PodSet{Pod: &bound})
		r.tell(done)
	}
}

func (r *runner) step() {
	events := r.queue
	r.queue = nil
	kept := r.cores[0].Stats().Reserved
	begun, rooms, lapsed := r.judge.begun(), r.judge.rooms, r.cores[0].Stats().Lapsed
	effects := r.cores[0].Step(r.now, events)
	r.judge.keeps = kept+r.cores[0].Stats().Reserved > 0
	require.Empty(r.t, cmp.Diff(effects, r.cores[1].Step(r.now, events)), "equal histories must give equal effects")
	require.NoError(r.t, r.cores[0].Verify())
	r.judge.forget(r.cores[0])
	r.judge.lookIn(r.cores[0])
	for _, e := range effects {
		require.NoError(r.t, r.judge.judge(e))
		switch e := e.(type) {
		case core.Bind:
			r.owed = append(r.owed, e)
		case core.PrepareVolumes:
			r.prepared = append(r.prepared, e)
			r.preparations++
		case core.Recall:
			r.recallPreparations(e)
		}
	}
	r.upset = r.upset || r.cores[0].Stats().Lapsed > lapsed
	r.judgeGroups(begun, rooms, effects)
	r.upset = false
	r.checkStandings()
}

// judgeGroups judges what a step has done for groups.
func (r *runner) judgeGroups(begun begins, rooms []core.Room, effects []core.Effect) {
	if !r.ganging {
		return
	}
	require.NoError(r.t, r.judge.judgeHeld(r.cores[0]))
	require.NoError(r.t, r.judge.judgeRooms(rooms))
	require.NoError(r.t, r.judge.judgeBegins(begun, effects))
	require.NoError(r.t, r.judge.judgeOwed(begun, effects))
	told := map[groupID]bool{}
	for _, e := range effects {
		if x, ok := e.(core.Condition); ok && x.Reason == core.ReasonUnschedulable {
			told[r.judge.groupOf(x.Pod.UID)] = true
		}
	}
	require.NoError(r.t, r.judge.judgeWhole(r.upset, told))
	for _, e := range effects {
		if b, ok := e.(core.Bind); ok {
			require.NoError(r.t, r.judge.judgeAwaiting(r.judge.pods[b.Pod.UID], r.now))
		}
	}
}

// settle answers all that is owed, tells everything true once more, and steps until the core rests.
func (r *runner) settle() {
	r.tell(core.Lead{On: true})
	for round := range 200 {
		for len(r.owed) > 0 {
			b := r.owed[0]
			r.owed = r.owed[1:]
			done := core.BindDone{UID: b.Pod.UID, Node: b.Node}
			if fact := r.judge.pods[b.Pod.UID]; fact != nil {
				bound := *fact
				bound.Node = b.Node
				r.tell(core.PodSet{Pod: &bound})
			} else {
				done.Outcome = core.Refused
			}
			r.tell(done)
		}
		for _, e := range r.prepared {
			r.write(e, true)
		}
		r.prepared = nil
		for i := range claimNames {
			r.control(i, false)
		}
		if round < 100 {
			r.judge.everything(func(e core.Event) { r.queue = append(r.queue, e) })
			r.now = r.now.Add(15 * time.Second)
		}
		r.now = r.now.Add(time.Second) // in the end too little for anything to fall due again
		r.step()
		at, ok := r.cores[0].Wake()
		n := r.cores[0].Stats()
		if r.ganging && round < 6 {
			continue // what a group is not told of any more is waited for, which a new core does not know
		}
		if len(r.owed)+len(r.prepared)+n.Backoff+n.Preparing == 0 && (!ok || at.After(r.now)) {
			return
		}
	}
	r.t.Fatalf("the core does not come to rest: %+v\n%s", r.cores[0].Stats(), r.cores[0].Dump())
}

func (r *runner) compareWithRebuild() {
	var quarantines, facts []core.Event
	for uid := range r.judge.quarantined {
		quarantines = append(quarantines, core.Quarantine{UID: uid, Why: "fuzz"})
	}
	r.judge.everything(func(e core.Event) { facts = append(facts, e) })
	r.compareWith(append(slices.Clone(quarantines), facts...))
	slices.Reverse(facts)
	r.compareWith(append(quarantines, facts...))
}

// compareWith holds the core, at rest, against a new one that is told of the same objects.
func (r *runner) compareWith(events []core.Event) {
	fresh := core.New(core.Config{})
	events = append(events, core.Lead{On: true})
	for _, e := range fresh.Step(r.now, events) {
		_, binds := e.(core.Bind)
		_, prepares := e.(core.PrepareVolumes)
		require.False(r.t, binds || prepares, "a rebuilt core still finds something to bind: %v", e)
	}
	require.NoError(r.t, fresh.Verify())
	require.Equal(r.t, fresh.Dump(), r.cores[0].Dump())
}
