package share

import (
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// Refusal is the account that does not let an ask in.
type Refusal struct {
	Account *cluster.Account
	// Slot is the resource of which the account's max would be exceeded; NoSlot when it is the number of applications.
	Slot int
	// Asked is how much of it is asked for, Max the most that the account may hold. Never says that Asked alone exceeds it.
	Asked, Max int64
	Never      bool
}

// NoSlot stands for the number of applications.
const NoSlot = -1

// Refuses returns the first account of a ledger, from the leaf upwards, that a request would overdraw; starting says that it would be the first of its
// application. The cost is that of the depth of the tree.
func Refuses(l *cluster.Ledger, request resource.Vector, starting bool) (Refusal, bool) {
	for _, a := range l.Accounts {
		if slot, refuses := a.Refuses(request); refuses {
			most, _ := a.Bound(slot)
			asked := request.At(slot)
			return Refusal{Account: a, Slot: slot, Asked: asked, Max: most, Never: asked > most}, true
		}
		if starting && a.Full() {
			return Refusal{Account: a, Slot: NoSlot, Asked: 1, Max: int64(a.MaxApps)}, true
		}
	}
	return Refusal{}, false
}

// Holds reports whether the account still refuses, for the very reason that is given: with another bound there is another reason.
func (r Refusal) Holds(request resource.Vector, starting bool) bool {
	if r.Slot == NoSlot {
		return starting && r.Account.Full() && r.Max == int64(r.Account.MaxApps)
	}
	most, bounded := r.Account.Bound(r.Slot)
	want := request.At(r.Slot)
	return bounded && most == r.Max && want > 0 && want > most-r.Account.Used.At(r.Slot)
}
