package queues_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config/queues"
)

// plan is a queue of a random file. Amounts are of one resource each in a (cpu) and b (memory); -1 is not set.
type plan struct {
	name             string
	guaranteed, most [2]int64
	apps             int64
	below            []*plan
}

func randomPlan(r *rand.Rand, name string, depth int) *plan {
	amount := func(most int64) int64 {
		if r.IntN(3) > 0 {
			return -1
		}
		return r.Int64N(most)
	}
	p := &plan{name: name, apps: max(0, amount(12))}
	for i := range 2 {
		p.guaranteed[i], p.most[i] = amount(12), amount(40)
	}
	for i := range r.IntN(4 - depth) {
		p.below = append(p.below, randomPlan(r, fmt.Sprintf("q%d", i), depth+1))
	}
	return p
}

func (p *plan) write(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%s- name: %s\n%s  maxapplications: %d\n", indent, p.name, indent, p.apps)
	fmt.Fprintf(b, "%s  resources: {guaranteed: %s, max: %s}\n", indent, flow(p.guaranteed), flow(p.most))
	if len(p.below) > 0 {
		fmt.Fprintf(b, "%s  queues:\n", indent)
	}
	for _, q := range p.below {
		q.write(b, indent+"  ")
	}
}

func flow(amounts [2]int64) string {
	var parts []string
	for i, name := range []string{"vcore", "memory"} {
		if amounts[i] >= 0 {
			parts = append(parts, fmt.Sprintf("%s: %d", name, amounts[i]))
		}
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// allowed says by YuniKorn's rules, one resource at a time, whether a plan may load below queues with such a least max and such a number of
// applications, and what it is guaranteed.
func (p *plan) allowed(above [2]int64, apps int64) (ok bool, guaranteed [2]int64) {
	const unset = -1
	ok = apps == 0 || p.apps <= apps
	sets := max(p.guaranteed[0], 0)+max(p.guaranteed[1], 0) > 0
	var least, sum [2]int64
	for i := range 2 {
		own, up := p.most[i], above[i]
		ok = ok && (own == unset || up == unset || own <= up) && (own == unset || p.guaranteed[i] <= own)
		switch {
		case own == unset:
			least[i] = up
		case up == unset:
			least[i] = own
		default:
			least[i] = min(own, up)
		}
	}
	for _, q := range p.below {
		fine, g := q.allowed(least, p.apps)
		ok = ok && fine
		for i := range 2 {
			sum[i] += max(g[i], 0)
		}
	}
	for i := range 2 {
		ok = ok && (p.guaranteed[i] == unset || sum[i] <= p.guaranteed[i]) && (least[i] == unset || sum[i] <= least[i])
	}
	if sets {
		return ok, p.guaranteed
	}
	return ok, sum
}

// Random trees load exactly when a second writing of the rules says so, and what loads is sound.
func TestRandomTreesLoadByTheRules(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var loads, refusals int
	for range 3000 {
		top := &plan{name: "root", guaranteed: [2]int64{-1, -1}, most: [2]int64{-1, -1}}
		for i := range 1 + r.IntN(3) {
			top.below = append(top.below, randomPlan(r, fmt.Sprintf("q%d", i), 1))
		}
		var text strings.Builder
		text.WriteString("queues:\n")
		top.write(&text, "")
		loaded, err := queues.Parse("random.yaml", []byte(text.String()))
		if want, _ := top.allowed([2]int64{-1, -1}, 0); want {
			require.NoError(t, err, text.String())
			requireSound(t, loaded.Tree)
			loads++
			continue
		}
		require.Error(t, err, text.String())
		require.Nil(t, loaded)
		refusals++
	}
	require.Greater(t, loads, 300)
	require.Greater(t, refusals, 300)
}
