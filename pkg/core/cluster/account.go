package cluster

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Account is what is used of a queue and the most that may be: the queue's own account, with all of its subtree, or that of one of its users or
// groups where a limit names them.
type Account struct {
	// Who holds it, in words: "queue root.a", "user ann in queue root.a".
	Who   string
	Queue *Queue
	// Used is what assumed and bound pods and reservations hold, Pods how many assumed and bound ones there are, Apps how many applications they belong to.
	Used       resource.Vector
	Pods, Apps int
	// Max holds the slots that are bounded, zeros included; MaxApps bounds Apps, 0 does not.
	Max     []resource.Want
	MaxApps int

	// key is that of a member in Queue.members.
	key      string
	relieved bool
	// ledgers is how many of them enter a user's or group's account.
	ledgers int
}

// Refuses returns the first resource of which a request would exceed the account's max. What is not requested is not looked at.
func (a *Account) Refuses(request resource.Vector) (slot int, refuses bool) {
	for _, m := range a.Max {
		if want := request.At(m.Slot); want > 0 && want > m.Value-a.Used.At(m.Slot) {
			return m.Slot, true
		}
	}
	return 0, false
}

// Bound returns the most that may be used of a resource.
func (a *Account) Bound(slot int) (most int64, bounded bool) {
	for _, m := range a.Max {
		if m.Slot == slot {
			return m.Value, true
		}
	}
	return 0, false
}

// Full reports whether no further application may start.
func (a *Account) Full() bool { return a.MaxApps > 0 && a.Apps >= a.MaxApps }

// Ledger is the accounts in which an application's use is entered: those of its leaf and of every queue above it, and those of its user and group
// where limits name them. Applications of equal accounts share one.
type Ledger struct {
	Leaf *Queue
	// Accounts has the leaf's own first and the root's last; behind each queue's own come its users' and groups'.
	Accounts []*Account

	key  string
	apps int
}

// enter adds (+1) or takes back (−1) a use by so many pods and applications.
func (s *State) enter(l *Ledger, uses resource.Vector, pods, apps int, sign int64) {
	for _, a := range l.Accounts {
		a.Used = a.Used.AddTo(uses, sign)
		a.Pods += int(sign) * pods
		a.Apps += int(sign) * apps
		if sign < 0 {
			s.relieve(a)
		}
	}
	s.touchQueue(l.Leaf)
}

// TakeRelieved returns the accounts in which something was given back, or whose bounds have changed, since the last call.
func (s *State) TakeRelieved() []*Account {
	out := s.relieved
	for _, a := range out {
		a.relieved = false
	}
	s.relieved = nil
	return out
}

// manyGone is how many accounts or queues may be noted that have gone since: a standby takes them from nobody.
const manyGone = 128

// relieve notes that there may be more to be had of an account. Of those that have gone since not many are kept.
func (s *State) relieve(a *Account) {
	if a.relieved {
		return
	}
	if len(s.relieved) >= s.manyRelieved {
		s.relieved = slices.DeleteFunc(s.relieved, func(a *Account) bool {
			a.relieved = s.keeps(a.Queue) && (a == &a.Queue.Account || a.Queue.members[a.key] == a)
			return !a.relieved
		})
		s.manyRelieved = 2*len(s.relieved) + manyGone
	}
	a.relieved = true
	s.relieved = append(s.relieved, a)
}

// touchQueue notes that the use of a leaf, and so of all queues above it, has changed. Where it has gone the nearest above it that has not is noted.
func (s *State) touchQueue(q *Queue) {
	if q.dirty {
		return
	}
	if len(s.dirtyQueues) >= s.manyDirty {
		old := s.dirtyQueues
		s.dirtyQueues, s.manyDirty = nil, 2*len(old)+manyGone
		for _, o := range old {
			o.dirty = false
			for o != nil && !s.keeps(o) {
				o = o.Parent
			}
			if o != nil {
				s.touchQueue(o)
			}
		}
		s.manyDirty = 2*len(s.dirtyQueues) + manyGone
	}
	q.dirty = true
	s.dirtyQueues = append(s.dirtyQueues, q)
}

// keeps reports whether a queue has not gone.
func (s *State) keeps(q *Queue) bool { return s.queues[q.Index] == q }

// DirtyQueues hands out the leaves whose use, and so that of those above them, has changed since the last call.
func (s *State) DirtyQueues(f func(*Queue)) {
	for _, q := range s.dirtyQueues {
		q.dirty = false
		f(q)
	}
	s.dirtyQueues = s.dirtyQueues[:0]
}
