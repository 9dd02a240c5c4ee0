package share

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// TestRefusesWhatIsTooMuch holds refusals of random ledgers against a check in plain words.
func TestRefusesWhatIsTooMuch(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	refused := 0
	for range 3000 {
		l, request, starting := randomLedger(rng), resource.Vector{1, rng.Int64N(4), rng.Int64N(3)}, rng.IntN(2) == 0
		var first *cluster.Account
		for _, a := range l.Accounts {
			if first == nil && (tooMuch(a, request) || starting && a.MaxApps != 0 && a.Apps+1 > a.MaxApps) {
				first = a
			}
		}
		r, isRefused := Refuses(l, request, starting)
		require.Equal(t, first != nil, isRefused)
		if !isRefused {
			continue
		}
		refused++
		require.Same(t, first, r.Account)
		require.True(t, r.Holds(request, starting))
		if r.Slot != NoSlot {
			require.Equal(t, r.Never, request[r.Slot] > r.Max)
		}
		r.Account.Max, r.Account.MaxApps = nil, 0
		require.False(t, r.Holds(request, starting), "once the account has no bounds")
	}
	require.Greater(t, refused, 500)
}

func tooMuch(a *cluster.Account, request resource.Vector) bool {
	for _, m := range a.Max {
		if request[m.Slot] > 0 && a.Used[m.Slot]+request[m.Slot] > m.Value {
			return true
		}
	}
	return false
}

func randomLedger(rng *rand.Rand) *cluster.Ledger {
	l := &cluster.Ledger{}
	for range 1 + rng.IntN(4) {
		a := &cluster.Account{Used: resource.Vector{rng.Int64N(5), rng.Int64N(9), rng.Int64N(9)}, Apps: rng.IntN(3), MaxApps: rng.IntN(5)}
		for slot := range 3 {
			if rng.IntN(3) == 0 {
				a.Max = append(a.Max, resource.Want{Slot: slot, Value: rng.Int64N(16)})
			}
		}
		l.Accounts = append(l.Accounts, a)
	}
	return l
}
