package pending

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/fit"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
	"github.com/sluice-scheduler/sluice/pkg/core/share"
)

// TestRandomTurns does all that can be done to a queue in random order and holds, after each, the choice of the next against that of a plain list.
func TestRandomTurns(t *testing.T) {
	reached := map[string]int{}
	for seed := range uint64(200) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			w := newWorld(t, seed)
			for range 250 {
				what := w.something()
				reached[what]++
				w.check(what)
			}
			reached["sought"] += w.sought
		})
	}
	for _, what := range []string{"put", "change", "take", "return", "backoff", "park", "wake", "hold back", "relieve", "drop", "aside", "tree", "tick", "help", "sought"} {
		require.Greater(t, reached[what], 500, "the random turns hardly reach %s", what)
	}
}

// world is a state, the queue beside it, and what a plain list must know besides the state.
type world struct {
	t     *testing.T
	rng   *rand.Rand
	s     *cluster.State
	q     *Queue
	scale *share.Scale
	now   time.Time
	pods  []*cluster.Pod
	// states are where the pods stand that wait, parked the demands that are, held the lines that are.
	states map[*cluster.Pod]State
	until  map[*cluster.Pod]time.Time
	parked map[string]time.Time
	held   map[plainLine]*share.Refusal
	stood  map[*cluster.Pod]stood
	// may says which pods are chosen from; those that are ready where nothing else is said.
	may    func(*cluster.Pod) bool
	serial int
	// sought counts the searches that found a line.
	sought int
}

// plainLine tells pods apart that may be treated differently.
type plainLine struct {
	demand   string
	ledger   *cluster.Ledger
	starting bool
}

func newWorld(t *testing.T, seed uint64) *world {
	s := cluster.New()
	s.SetNode(&cluster.NodeFact{Name: "n", Allocatable: resource.Amounts{{Name: "cpu", Value: 32}, {Name: "gpu", Value: 8}, {Name: "pods", Value: 64}}})
	w := &world{
		t: t, rng: rand.New(rand.NewPCG(seed, 7)), s: s, scale: share.NewScale(s.Space), now: today,
		states: map[*cluster.Pod]State{}, until: map[*cluster.Pod]time.Time{}, parked: map[string]time.Time{}, held: map[plainLine]*share.Refusal{}, stood: map[*cluster.Pod]stood{},
	}
	w.scale.Set(s.Capacity())
	w.may = w.standsReady
	w.q = New(w.scale)
	w.setTree()
	return w
}

func (w *world) lineOf(p *cluster.Pod) plainLine {
	return plainLine{p.Fact.Demand.Key, p.App.Ledger, p.App.Placed == 0}
}

// something does one thing and says what.
func (w *world) something() string {
	p := w.any()
	next := w.q.Next()
	switch k := w.rng.IntN(20); {
	case p == nil || k < 3:
		w.serial++
		w.put(w.s.SetPod(w.fact(fmt.Sprint("p", w.serial), nil)))
		return "put"
	case k < 5 && p.Alloc == nil:
		w.put(w.s.SetPod(w.fact(p.Fact.Name, p.Fact)))
		return "change"
	case k < 9 && next != nil:
		w.take(next)
		return "take"
	case k < 10 && p.Alloc != nil:
		w.giveBack(p)
		w.put(p)
		return "return"
	case k < 11 && p.Alloc != nil:
		w.giveBack(p)
		w.put(p)
		w.q.Backoff(w.q.Ask(p), w.now.Add(time.Minute), "refused")
		w.states[p], w.until[p] = InBackoff, w.now.Add(time.Minute)
		return "backoff"
	case k < 13 && next != nil:
		w.parked[next.Lot.Ask.Shape.Key] = w.now.Add(2 * time.Minute)
		w.q.Park(next.Lot, &Failure{}, w.now.Add(2*time.Minute))
		return "park"
	case k < 14 && w.states[p] == InLine && w.q.Ask(p).Line() != nil:
		delete(w.parked, p.Fact.Demand.Key)
		w.q.Wake(w.q.Ask(p).Line().Lot)
		return "wake"
	case k < 16 && next != nil:
		w.holdBack(next)
		return "hold back"
	case k < 17:
		w.relieve()
		return "relieve"
	case k < 18:
		w.drop(p)
		return "drop"
	case k < 19:
		return w.rare(p)
	}
	w.now = w.now.Add(40 * time.Second)
	w.tick()
	return "tick"
}

func (w *world) rare(p *cluster.Pod) string {
	switch k := w.rng.IntN(3); {
	case k == 0:
		w.help()
		return "help"
	case k == 1 && p.Alloc == nil:
		w.q.Aside(p, Gated, "", w.now)
		w.states[p] = Gated
		return "aside"
	}
	w.setTree()
	return "tree"
}

func (w *world) any() *cluster.Pod {
	if len(w.pods) == 0 {
		return nil
	}
	return w.pods[w.rng.IntN(len(w.pods))]
}

// fact is a new pod's, or another of one that is known.
func (w *world) fact(name string, old *cluster.PodFact) *cluster.PodFact {
	f := &cluster.PodFact{
		UID: types.UID(name), Name: name, Ours: true, Priority: int32(w.rng.IntN(3)), Created: today.Add(time.Duration(w.rng.IntN(5)) * time.Second),
		Claim: &cluster.Claim{App: fmt.Sprint("app-", w.rng.IntN(6)), Queue: []string{"a.x", "a.y", "b", "c"}[w.rng.IntN(4)], User: []string{"", "ann"}[w.rng.IntN(2)]},
	}
	if old != nil && w.rng.IntN(2) == 0 {
		f.Created = old.Created
	}
	cpu := int64(1 + w.rng.IntN(3))
	f.Demand = &cluster.Demand{Key: fmt.Sprint(cpu), Requests: resource.Amounts{{Name: "cpu", Value: cpu}}}
	if w.rng.IntN(4) == 0 {
		f.Demand = &cluster.Demand{Key: "gpu", Requests: resource.Amounts{{Name: "gpu", Value: 1}}}
	}
	return f
}

func (w *world) put(p *cluster.Pod) {
	w.follow()
	w.q.Put(p, w.now)
	if was := w.stood[p]; w.states[p] == InLine && was.Pod != nil && w.moved(was, p) {
		w.states[p] = Away
	}
	w.forget() // it, and others with it, may have left their lines, perhaps as the last, before it joined another
	w.stood[p] = stood{p, p.App, p.Fact}
	if _, known := w.states[p]; !known {
		w.pods = append(w.pods, p)
	}
	if w.states[p] != InBackoff {
		w.states[p] = InLine
	}
}

// stood is by what a pod was last put in line.
type stood struct {
	*cluster.Pod
	app  *cluster.App
	fact *cluster.PodFact
}

func (w *world) moved(was stood, p *cluster.Pod) bool {
	return was.app != p.App || was.fact.Demand.Key != p.Fact.Demand.Key || cluster.CompareTurn(was.fact, p.Fact) != 0
}

// follow does what the core does after the state has changed.
func (w *world) follow() {
	w.s.TouchedApps(w.q.Follow)
	w.s.DirtyQueues(w.q.Changed)
}

func (w *world) take(l *Line) {
	a := l.Head()
	w.s.Assume(a.Pod, w.s.Node("n"))
	w.s.Commit()
	w.q.Take(a)
	w.states[a.Pod] = Away
	w.follow()
}

func (w *world) giveBack(p *cluster.Pod) {
	w.s.Release(p)
	w.s.Commit()
	w.states[p] = Away
	w.follow()
}

func (w *world) holdBack(l *Line) {
	account := l.Ledger().Accounts[w.rng.IntN(len(l.Ledger().Accounts))]
	r := &share.Refusal{Account: account, Slot: share.NoSlot, Max: int64(account.MaxApps)}
	if len(account.Max) > 0 {
		m := account.Max[w.rng.IntN(len(account.Max))]
		r.Slot, r.Max = m.Slot, m.Value
	}
	w.held[plainLine{l.Lot.Ask.Shape.Key, l.Ledger(), l.Starting()}] = r
	w.q.HoldBack(l, &Hold{Refusal: *r})
}

// relieve seeks among the lines that an account holds back, and calls one after the other, each time the one whose turn is first.
func (w *world) relieve() {
	for _, any := range w.held {
		account := any.Account
		defer func() { w.may = w.standsReady }()
		w.may = func(p *cluster.Pod) bool {
			l := w.lineOf(p)
			r := w.held[l]
			return r != nil && r.Account == account && w.parked[l.demand].IsZero() && !refuses(r, p.Shape.Request, l.starting)
		}
		for s := w.q.Seek([]*cluster.Account{account}); s.First != nil; s = w.q.Seek([]*cluster.Account{account}) {
			want := w.choose(w.s.Root())
			require.NotNil(w.t, want)
			require.Equal(w.t, want.Fact.Name, s.First.Head().Pod.Fact.Name)
			w.q.Call(s.First)
			require.Nil(w.t, w.q.Called(), "its lot is not parked, so it is simply ready")
			delete(w.held, w.lineOf(want))
			w.sought++
		}
		for l, of := range w.held {
			if of.Account == account && w.q.lines[lineKey{w.q.known(fit.Ask{Shape: w.shapeOf(l)}), l.ledger, l.starting}].Hold == nil {
				delete(w.held, l) // it waits for room now, or there was room for the first of each
			}
		}
		return
	}
}

// help lets the node help some parked lots, and holds the line that is called against the first in turn of theirs.
func (w *world) help() {
	helps := map[string]bool{}
	for _, lot := range w.q.parked {
		if w.rng.IntN(2) == 0 {
			w.q.Help(lot, w.s.Node("n"), 0, false)
			helps[lot.Ask.Shape.Key] = true
		}
	}
	defer func() {
		w.may = w.standsReady
		w.q.Dismiss()
		w.q.Helped(w.q.Unhelp)
	}()
	w.may = func(p *cluster.Pod) bool {
		l := w.lineOf(p)
		r := w.held[l]
		return helps[l.demand] && (r == nil || !refuses(r, p.Shape.Request, l.starting))
	}
	want, s := w.choose(w.s.Root()), w.q.Seek(nil)
	require.Equal(w.t, want == nil, s.First == nil)
	if want == nil {
		return
	}
	require.Equal(w.t, want.Fact.Name, s.First.Head().Pod.Fact.Name)
	w.q.Call(s.First)
	require.Equal(w.t, s.First, w.q.Called())
	require.NoError(w.t, w.q.Verify())
	delete(w.held, w.lineOf(want))
	w.sought++
}

func (w *world) shapeOf(l plainLine) *cluster.Shape {
	for p := range w.states {
		if p.Fact.Demand.Key == l.demand {
			return p.Shape
		}
	}
	return nil
}

func (w *world) drop(p *cluster.Pod) {
	w.q.Drop(p)
	w.s.RemovePod(p.Fact.UID)
	delete(w.states, p)
	for i, o := range w.pods {
		if o == p {
			w.pods = append(w.pods[:i], w.pods[i+1:]...)
			break
		}
	}
	w.follow()
}

func (w *world) tick() {
	w.q.Tick(w.now, func(l *Lot) bool { w.q.Wake(l); return true }, w.q.Return)
	for demand, due := range w.parked {
		if !due.After(w.now) {
			delete(w.parked, demand)
		}
	}
	for p, at := range w.until {
		if w.states[p] == InBackoff && !at.After(w.now) {
			w.states[p] = InLine
		}
	}
}

func (w *world) setTree() {
	w.s.SetTree(w.tree())
	w.s.Rehome(1000)
	w.s.TouchedApps(w.q.Follow)
	w.q.Remeasure(true)
}

func (w *world) tree() *cluster.Tree {
	spec := func(name string, children ...*cluster.QueueSpec) *cluster.QueueSpec {
		q := &cluster.QueueSpec{
			Name: name, Parent: len(children) > 0, Children: children, Weight: int64(1 + w.rng.IntN(3)),
			PriorityOffset: int32(w.rng.IntN(3) - 1), PriorityFence: w.rng.IntN(4) == 0, PriorityDisabled: w.rng.IntN(4) == 0,
		}
		q.PriorityFirst = q.Parent && w.rng.IntN(3) == 0
		q.Strict = !q.Parent && w.rng.IntN(4) == 0
		if w.rng.IntN(2) == 0 {
			q.Sort = cluster.SortFair
		}
		if w.rng.IntN(2) == 0 {
			q.Guaranteed = resource.Amounts{{Name: "cpu", Value: int64(w.rng.IntN(8))}, {Name: "gpu", Value: int64(w.rng.IntN(3))}}
		}
		if w.rng.IntN(4) == 0 {
			q.Limits = []cluster.Limit{{Users: []string{"ann"}, Max: resource.Amounts{{Name: "cpu", Value: 6}}}}
		}
		if w.rng.IntN(4) == 0 {
			q.MaxApps = 1 + w.rng.IntN(3)
		}
		return q
	}
	root := spec("root", spec("a", spec("x"), spec("y")), spec("b"), spec("c"))
	root.Submit = cluster.ACL{Everybody: true}
	return &cluster.Tree{Root: root}
}

// check holds the queue against the list.
func (w *world) check(what string) {
	w.forget()
	require.NoError(w.t, w.q.Verify(), what)
	require.NoError(w.t, w.s.Verify(), what)
	want := w.choose(w.s.Root())
	got := w.q.Next()
	if want == nil {
		require.Nil(w.t, got, what)
		return
	}
	require.NotNil(w.t, got, what)
	require.Equal(w.t, want.Fact.Name, got.Head().Pod.Fact.Name, "after %s: want %s of %v, got %s of %v", what,
		want.Fact.Name, want.App.Queue(), got.Head().Pod.Fact.Name, got.Ledger().Leaf)
}

// forget forgets what was known of demands and lines in which nobody waits any more.
func (w *world) forget() {
	demands, lines := map[string]bool{}, map[plainLine]bool{}
	for p, state := range w.states {
		if state == InLine {
			demands[p.Fact.Demand.Key], lines[w.lineOf(p)] = true, true
		}
	}
	for demand := range w.parked {
		if !demands[demand] {
			delete(w.parked, demand)
		}
	}
	for l := range w.held {
		if !lines[l] {
			delete(w.held, l)
		}
	}
}
