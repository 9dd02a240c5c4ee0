package cluster

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// App is an application: the pods that one user submitted as one thing. It lives as long as it has pods.
type App struct {
	Namespace, ID string
	// Ledger is where its use is entered; nil while it has no queue, and then it has nothing placed.
	Ledger *Ledger
	// Why says what decided about the queue, Fault why there is none.
	Why, Fault string
	// Used is what its assumed and bound pods hold and what is reserved for others, Placed how many assumed and bound ones there are.
	Used   resource.Vector
	Placed int
	// Finished: what it is for has ended, though pods of it may live on; it does not count as running.
	Finished bool
	// Resuming: it runs and has lost pods that it cannot go on without, so what it asks for comes before what others ask for to start.
	Resuming bool
	// Submitted is when the oldest of its pods was created.
	Submitted time.Time

	// lodger: its home depends on its having pods on nodes.
	lodger bool
	// spaced is its queue if that was made for its namespace.
	spaced *Queue
	// barred are queues that a rule made for others and that keep it from another home.
	barred []*Queue
	// pass is that in which it was placed last.
	pass   uint64
	first  *Pod
	pods   int
	claims []claims
	births []births
	// firstClaim and firstBirth are room for the one that most applications have, firstUsed for a use of the usual resources.
	firstClaim [1]claims
	firstBirth [1]births
	firstUsed  [6]int64
	// at is the position in State.apps, atSpace that in those of its namespace.
	at, atSpace int32
	touched     bool
	// arriving: a pod of it is about to be placed.
	arriving bool
}

// claims are pods that want the same.
type claims struct {
	claim *Claim
	pods  int
}

// births are pods that were created in the same second.
type births struct {
	at   time.Time
	pods int
}

// appsOf are the applications of a namespace, in no order that means anything, and by their ids.
type appsOf struct {
	list  []*App
	named map[string]*App
}

// App returns an application, nil when there is none.
func (s *State) App(namespace, id string) *App {
	if in := s.appsIn[namespace]; in != nil {
		return in.named[id]
	}
	return nil
}

// Apps returns all applications, in no order that means anything. The slice belongs to the state.
func (s *State) Apps() []*App { return s.apps }

// Pods calls f for each of the application's pods.
func (a *App) Pods(f func(*Pod)) {
	for p := a.first; p != nil; {
		next := p.next
		f(p)
		p = next
	}
}

// Size returns how many pods the application has.
func (a *App) Size() int { return a.pods }

// running is 1 if an application counts as running, else 0.
func (a *App) running() int {
	if a.Placed > 0 && !a.Finished {
		return 1
	}
	return 0
}

// SetFinished notes whether an application is Finished.
func (s *State) SetFinished(a *App, on bool) {
	if a.Finished == on {
		return
	}
	was := a.running()
	a.Finished = on
	if now := a.running(); now != was && a.Ledger != nil {
		s.enter(a.Ledger, nil, 0, 1, int64(now-was))
	}
	s.touchApp(a)
}

// SetResuming notes whether an application is Resuming.
func (s *State) SetResuming(a *App, on bool) {
	if a.Resuming != on {
		a.Resuming = on
		s.touchApp(a)
	}
}

// Queue returns the application's queue, nil when it has none.
func (a *App) Queue() *Queue {
	if a.Ledger == nil {
		return nil
	}
	return a.Ledger.Leaf
}

// Claim returns the claim that speaks for the application: of those that name a queue, or else of all, the first by what they want, so that it is the same
// whatever the order in which its pods were told.
func (a *App) Claim() *Claim {
	best := a.claims[0].claim
	for _, c := range a.claims[1:] {
		if compareClaims(c.claim, best) < 0 {
			best = c.claim
		}
	}
	return best
}

// Queues returns the different queues that the application's pods name.
func (a *App) Queues() (names []string) {
	for _, c := range a.claims {
		if c.claim.Queue != "" {
			names = append(names, c.claim.Queue)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func compareClaims(a, b *Claim) int {
	if (a.Queue == "") != (b.Queue == "") {
		if a.Queue == "" {
			return 1
		}
		return -1
	}
	if c := strings.Compare(a.Queue, b.Queue); c != 0 {
		return c
	}
	if c := strings.Compare(a.User, b.User); c != 0 {
		return -c // a user that is known comes before none
	}
	return cmp.Or(slices.Compare(a.Groups, b.Groups), strings.Compare(a.QueueFrom, b.QueueFrom))
}

// Role is the pod's part in its application; empty when it has none that is known.
func (p *Pod) Role() string {
	if p.claim == nil {
		return ""
	}
	return p.claim.Role
}

// Claim is what a pod of ours claims; nil for others.
func (p *Pod) Claim() *Claim { return p.claim }

// claimOf is what a pod claims, and its application's id; one that was read without a claim wants nothing and is an application of its own.
func claimOf(f *PodFact) (c *Claim, app string) {
	if f.Claim == nil {
		return &noClaim, f.Name
	}
	return f.Claim, f.Claim.App
}

// noClaim is the claim of pods that have none; it never changes.
var noClaim Claim

// sameOwner reports whether a pod's new fact leaves its application, and what that is judged by, as they are.
func sameOwner(p *Pod, old *PodFact) bool {
	if p.Fact.Claim != nil && p.Fact.Claim == old.Claim && old.Created.Equal(p.Fact.Created) {
		return true
	}
	c, app := claimOf(p.Fact)
	return p.App.ID == app && p.App.Namespace == p.Fact.Namespace && compareClaims(p.claim, c) == 0 && sameGang(p.claim, c) && old.Created.Equal(p.Fact.Created)
}

// sameGang reports whether two claims say the same of the group.
func sameGang(a, b *Claim) bool {
	return a.Group == b.Group && a.Role == b.Role && a.Awaits == b.Awaits && (a.Gang == b.Gang || a.Gang != nil && b.Gang != nil && a.Gang.Key == b.Gang.Key)
}

// setApp makes a pod of ours one of its application's, whose home is looked at again if the pod brings a new claim.
func (s *State) setApp(p *Pod, old *PodFact) {
	claim, id := claimOf(p.Fact)
	if p.App != nil {
		s.leaveApp(p, old)
	}
	a := s.appIn(p.Fact.Namespace, id)
	p.App, p.claim = a, claim
	s.enlist(p)
	a.link(p)
	s.born(a, p.Fact.Created, 1)
	if a.claimed(claim, 1) {
		s.place(a)
	}
}

// appIn returns an application of a namespace, made when there is none.
func (s *State) appIn(namespace, id string) *App {
	in := s.appsIn[namespace]
	if in == nil {
		in = &appsOf{named: map[string]*App{}}
		s.appsIn[namespace] = in
	}
	a := in.named[id]
	if a == nil {
		a = &App{Namespace: namespace, ID: id, at: int32(len(s.apps)), atSpace: int32(len(in.list))}
		a.claims, a.births, a.Used = a.firstClaim[:0], a.firstBirth[:0], a.firstUsed[:0]
		in.named[id] = a
		in.list = append(in.list, a)
		s.apps = append(s.apps, a)
	}
	return a
}

// leaveApp takes a pod out of its application, which goes with its last pod. The pod must not be on a node.
func (s *State) leaveApp(p *Pod, f *PodFact) {
	a := p.App
	s.discharge(p)
	a.unlink(p)
	s.born(a, f.Created, -1)
	changed := a.claimed(p.claim, -1)
	p.App, p.claim = nil, nil
	switch {
	case a.pods == 0:
		s.dropApp(a)
	case changed:
		s.place(a)
	}
}

func (s *State) dropApp(a *App) {
	s.setSpaced(a, nil, false)
	a.noteBarred(nil)
	s.dwell(a, nil)
	s.setLedger(a, nil)
	s.touchApp(a)
	dropAt(&s.apps, int(a.at), func(o *App, at int) { o.at = int32(at) })
	a.at = -1
	s.leaveSpace(a)
}

func (s *State) leaveSpace(a *App) {
	in := s.appsIn[a.Namespace]
	delete(in.named, a.ID)
	dropAt(&in.list, int(a.atSpace), func(o *App, at int) { o.atSpace = int32(at) })
	if len(in.list) == 0 {
		delete(s.appsIn, a.Namespace)
	}
}

func (a *App) link(p *Pod) {
	p.next = a.first
	if a.first != nil {
		a.first.prev = p
	}
	a.first = p
	a.pods++
}

func (a *App) unlink(p *Pod) {
	if p.prev != nil {
		p.prev.next = p.next
	} else {
		a.first = p.next
	}
	if p.next != nil {
		p.next.prev = p.prev
	}
	p.next, p.prev = nil, nil
	a.pods--
}

// born counts a pod's creation and keeps Submitted true.
func (s *State) born(a *App, at time.Time, count int) {
	i, found := slices.BinarySearchFunc(a.births, at, func(b births, at time.Time) int { return b.at.Compare(at) })
	if !found {
		a.births = slices.Insert(a.births, i, births{at: at})
	}
	a.births[i].pods += count
	if a.births[i].pods == 0 {
		a.births = slices.Delete(a.births, i, i+1)
	}
	if len(a.births) > 0 && !a.Submitted.Equal(a.births[0].at) {
		older := a.births[0].at.Before(a.Submitted)
		a.Submitted = a.births[0].at
		s.touchApp(a)
		s.aged(a, older)
	}
}

// claimed counts a claim and reports whether the set of claims has changed.
func (a *App) claimed(c *Claim, count int) (changed bool) {
	i := slices.IndexFunc(a.claims, func(x claims) bool { return x.claim == c || compareClaims(x.claim, c) == 0 })
	if i < 0 {
		a.claims = append(a.claims, claims{c, count})
		return true
	}
	a.claims[i].pods += count
	if a.claims[i].pods == 0 {
		a.claims = slices.Delete(a.claims, i, i+1)
		return true
	}
	return false
}
