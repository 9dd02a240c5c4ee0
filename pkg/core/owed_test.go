package core_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// TestNobodyWhoIsOwedIsPassedOver: whenever a pod is bound for a queue that goes beyond its guarantee, none of the queue's siblings is within its own and
// has a pod that fits on a node and that no account refuses. All pods ask for the same, so that it does not matter which of them a queue offers.
func TestNobodyWhoIsOwedIsPassedOver(t *testing.T) {
	within, beyond := 0, 0
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			o := &owedRun{t: t, src: &bytesSource{data: randomBytes(seed+77, 3000)}, judge: newJudge(), core: core.New(core.Config{})}
			o.tell(core.Lead{On: true})
			for !o.src.done() {
				for range 1 + o.src.below(8) {
					o.something()
				}
				o.step()
			}
			within, beyond = within+o.within, beyond+o.beyond
		})
	}
	t.Logf("%d binds within a guarantee, %d beyond", within, beyond)
	require.Greater(t, within, 400)
	require.Greater(t, beyond, 1000)
}

type owedRun struct {
	t              *testing.T
	src            *bytesSource
	core           *core.Core
	judge          *judge
	events         []core.Event
	serial         int
	within, beyond int
}

func (o *owedRun) tell(e core.Event) {
	o.events = append(o.events, e)
	o.judge.learn(e)
}

func (o *owedRun) something() {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	switch o.src.below(12) {
	case 0:
		o.tell(core.QueuesSet{Tree: o.src.tree()})
	case 1:
		o.tell(core.NamespaceSet{Namespace: o.src.namespace()})
	case 2, 3:
		o.tell(core.NodeSet{Node: nodeOf(fmt.Sprint("n", o.src.below(3)), int64(o.src.below(5))*1000)})
	case 4, 5, 6:
		if o.serial > 0 {
			o.tell(core.PodGone{UID: types.UID(fmt.Sprint("p", o.src.below(o.serial)))})
		}
	default:
		p := podOf(fmt.Sprint("p", o.serial), 1000, int32(o.src.below(3)), now.Add(time.Duration(o.src.below(9))*time.Second))
		p.Claim = o.src.claim()
		o.serial++
		o.tell(core.PodSet{Pod: p})
	}
}

func (o *owedRun) step() {
	events := o.events
	o.events = nil
	for _, e := range o.core.Step(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), events) {
		if b, ok := e.(core.Bind); ok {
			o.checkTurn(b)
			fact := *o.judge.pods[b.Pod.UID]
			fact.Node = b.Node
			require.NoError(o.t, o.judge.judge(b))
			o.tell(core.PodSet{Pod: &fact})
			o.tell(core.BindDone{UID: b.Pod.UID, Node: b.Node})
		}
	}
	require.NoError(o.t, o.core.Verify())
}

// checkTurn looks at every level of the queue of a pod that is bound.
func (o *owedRun) checkTurn(b core.Bind) {
	books := o.judge.books()
	path := books.homes[books.appOf(b.Pod.UID)].path
	for parent := above(path); parent != ""; path, parent = parent, above(parent) {
		if books.isWithin(path) {
			o.within++
			continue
		}
		o.beyond++
		if q, left := descend(books.tree.Root, parent); len(left) == 0 && q.PriorityFirst {
			continue
		}
		for _, sibling := range books.childrenOf(parent) {
			if sibling == path || !books.isWithin(sibling) {
				continue
			}
			for uid := range books.pods {
				require.False(o.t, books.canGo(uid, sibling), "%v of %s goes before %s of %s", b, path, uid, sibling)
			}
		}
	}
}

// canGo reports whether a pod waits in or below a queue, fits on a node, and is refused by no account. In a strict leaf another may be before it.
func (b *books) canGo(uid types.UID, queue string) bool {
	p, at := b.pods[uid], b.homes[b.appOf(uid)].path
	if b.at[uid] != "" || !p.Ours || at != queue && !strings.HasPrefix(at, queue+".") || b.strict(at) || b.quota(p) != nil {
		return false
	}
	for _, n := range b.nodes {
		if b.allowed(p, n) == nil {
			return true
		}
	}
	return false
}

// isWithin reports whether a queue would be within its guarantee with one more pod.
func (b *books) isWithin(path string) bool {
	owed, used, counts := b.owed(path), b.usedBelow(path), 0
	for name, ask := range map[string]int64{"cpu": 1000, "pods": 1} {
		if value, ok := owed[name]; ok {
			if used[name]+ask > value {
				return false
			}
			counts++
		}
	}
	return counts > 0
}

// childrenOf lists the queues below a queue, configured or made.
func (b *books) childrenOf(path string) (list []string) {
	if q, left := descend(b.tree.Root, path); len(left) == 0 {
		for _, child := range q.Children {
			list = append(list, path+"."+child.Name)
		}
	}
	for _, home := range b.homes {
		if rest, ok := strings.CutPrefix(home.path, path+"."); ok {
			name, _, _ := strings.Cut(rest, ".")
			list = append(list, path+"."+name)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// owed is what is guaranteed of a queue, or what those below it are owed, whichever is more.
func (b *books) owed(path string) map[string]int64 {
	sum := map[string]int64{}
	for _, child := range b.childrenOf(path) {
		for name, value := range b.owed(child) {
			sum[name] += value
		}
	}
	for _, g := range b.guaranteed(path) {
		sum[g.Name] = max(sum[g.Name], g.Value)
	}
	return sum
}

func (b *books) guaranteed(path string) (own resource.Amounts) {
	q, left := descend(b.tree.Root, path)
	if len(left) == 0 {
		return q.Guaranteed
	}
	isLeaf, spaced := b.spacedBy(path)
	if !isLeaf || strings.Contains(path, ".~") {
		return nil
	}
	if spaced != nil && spaced.Guaranteed != nil {
		return spaced.Guaranteed
	}
	for _, q := range configured(b.tree.Root, path) {
		if q.Template != nil {
			own = q.Template.Guaranteed
		}
	}
	return own
}

// spacedBy says whether applications are in a queue that a rule made, and for which namespace.
func (b *books) spacedBy(path string) (isLeaf bool, spaced *cluster.NamespaceFact) {
	for app, home := range b.homes {
		if home.path == path {
			isLeaf = true
			if home.spaced {
				spaced = b.space(app.namespace)
			}
		}
	}
	return isLeaf, spaced
}

func (b *books) usedBelow(path string) map[string]int64 {
	used := map[string]int64{}
	for uid := range b.at {
		if !b.pods[uid].Ours {
			continue
		}
		if at := b.homes[b.appOf(uid)].path; at == path || strings.HasPrefix(at, path+".") {
			for _, a := range b.holds(uid) {
				used[a.Name] += a.Value
			}
			used["pods"]++
		}
	}
	return used
}
