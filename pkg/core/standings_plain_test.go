package core_test

import (
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// checkStandings holds what the core says of every pod of ours against a plain reading of the facts: its queue, and, after a step that had time for all,
// whether what it waits for is really lacking and whether it has been told so.
func (r *runner) checkStandings() {
	b := r.judge.books()
	at, ok := r.cores[0].Wake()
	rests := r.judge.leading && r.cores[0].Stats().Reserved == 0 && (!ok || at.After(r.now))
	waiting := r.judge.gathering()
	for _, uid := range slices.Sorted(maps.Keys(b.pods)) {
		p := b.pods[uid]
		if !p.Ours {
			continue
		}
		x := r.cores[0].Explain(p.Namespace, p.Name)
		require.Equal(r.t, b.homes[b.appOf(uid)].path, x.Queue, "the queue of %s, which wants %+v", uid, b.claims[uid])
		if rests && !waiting[r.judge.groupOf(uid)] {
			r.checkWait(b, p, &x)
		}
	}
}

func (r *runner) checkWait(b *books, p *cluster.PodFact, x *core.Explanation) {
	waits := []core.Standing{core.StandingReady, core.StandingHeldBack, core.StandingParked, core.StandingHeld}
	if slices.Contains(waits, x.Standing) && !b.quarantined[p.UID] && len(p.Demand.Unsupported) == 0 {
		require.Equal(r.t, b.byDevicesAlone(p), x.Reason == core.ReasonUnsupported, "%s is %s: %s", p.UID, x.Standing, x.Message)
	}
	if strings.Contains(x.Message, "together or not at all") || strings.Contains(x.Message, "must stay where its pods are") {
		return // it stands for others, too: those without whom the first have started; or not any node will do
	}
	switch x.Standing {
	case core.StandingReady:
		require.True(r.t, b.strict(x.Queue), "%s is ready after a step that had time for it", p.UID)
		return
	case core.StandingHeldBack:
		require.True(r.t, b.quota(p) != nil || b.strict(x.Queue), "%s is held back and no account refuses it: %s", p.UID, x.Message)
		require.Equal(r.t, x.Message, b.said[p.UID].Message, "what %s was told", p.UID)
	case core.StandingParked:
		for _, n := range b.nodes {
			fits := (p.Pin == "" || p.Pin == n.Name) && !b.quarantined[n.UID] && b.allowed(p, n) == nil && b.volumesFit(p, n)
			require.False(r.t, fits && !b.strict(x.Queue), "%s is parked and fits on %s", p.UID, n.Name)
		}
	case core.StandingHeld:
	default:
		return
	}
	require.Equal(r.t, x.Reason, b.said[p.UID].Reason, "what %s was told, which is %s", p.UID, x.Standing)
}

// strict reports whether a queue lets nobody pass the first who wait.
func (b *books) strict(path string) bool {
	q, left := descend(b.tree.Root, path)
	if len(left) == 0 {
		return q.Strict
	}
	for q := range slices.Values(configured(b.tree.Root, path)) {
		if q.Template != nil && q.Template.Strict {
			return true
		}
	}
	return false
}
