package cluster

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"
)

// TestHomesAreThoseOfARestart: applications that are in each other's way come, change, age and go, and so do namespaces; whatever happened, each is where
// a state finds it to belong that is told all at once. Who is looked at again is left to what could change.
func TestHomesAreThoseOfARestart(t *testing.T) {
	barred := 0
	for seed := range uint64(60) {
		c := &crowd{T: t, rng: rand.New(rand.NewPCG(seed, 5)), s: New(), pods: map[types.UID]*PodFact{}, spaces: map[string]*NamespaceFact{}}
		c.tree = treeOf(&QueueSpec{Name: "default"}, &QueueSpec{Name: "open", Parent: true}, &QueueSpec{Name: "shut", Parent: true})
		c.tree.Rules = []Rule{
			{Kind: RuleProvided, Create: true},
			{Kind: RuleTag, Value: "namespace.team", Create: true, Parent: &Rule{Kind: RuleFixed, Value: "open"}},
			{Kind: RuleTag, Value: "namespace", Create: true, Parent: &Rule{Kind: RuleTag, Value: "namespace.parentqueue", Create: true}},
		}
		c.s.SetTree(c.tree)
		for range 120 {
			c.something()
			if c.rng.IntN(3) == 0 {
				c.s.Rehome(c.rng.IntN(6)) // perhaps not all
				continue
			}
			for c.s.Rehome(1 + c.rng.IntN(4)) {
				require.NoError(t, c.s.Verify())
			}
			require.NoError(t, c.s.Verify())
			require.Equal(t, c.restarted(), homesIn(c.s), "seed %d", seed)
			for _, a := range c.s.Apps() {
				barred += len(a.barred)
			}
		}
	}
	require.Greater(t, barred, 1000, "hardly anybody is in another's way")
}

// crowd is a state and what it was told.
type crowd struct {
	*testing.T
	rng    *rand.Rand
	s      *State
	tree   *Tree
	pods   map[types.UID]*PodFact
	spaces map[string]*NamespaceFact
}

func (c *crowd) pick(list ...string) string { return list[c.rng.IntN(len(list))] }

func (c *crowd) something() {
	space := c.pick("n", "m")
	switch c.rng.IntN(12) {
	case 0:
		f := &NamespaceFact{Name: space, Queue: c.pick("", "", "p", "p.x"), Parent: c.pick("", "open.x", "p"), MaxApps: c.rng.IntN(3)}
		f.Annotations = map[string]string{"team": c.pick("x", "y", "root.p.x"), "color": c.pick("red", "blue")}
		if c.rng.IntN(3) == 0 {
			f.Max = cpus(int64(c.rng.IntN(2)))
		}
		c.spaces[space] = f
		c.s.SetNamespace(f)
	case 1:
		delete(c.spaces, space)
		c.s.RemoveNamespace(space)
	case 2, 3, 4:
		uid := types.UID(fmt.Sprint(c.rng.IntN(12)))
		delete(c.pods, uid)
		c.s.RemovePod(uid)
	default:
		c.pod()
	}
}

// pod tells of a pod that comes or claims something else; when it was created never changes.
func (c *crowd) pod() {
	n := c.rng.IntN(12)
	uid := types.UID(fmt.Sprint(n))
	f := &PodFact{UID: uid, Namespace: []string{"n", "m"}[n%2], Name: string(uid), Ours: true, Demand: &Demand{Key: "any"}}
	f.Created = time.Unix(int64(c.rng.IntN(8)), 0)
	if old := c.pods[uid]; old != nil {
		f.Created, f.Node = old.Created, old.Node
	}
	if c.rng.IntN(6) == 0 {
		f.Node = "somewhere"
	}
	f.Claim = &Claim{App: "app-" + c.pick("a", "b", "c"), Queue: c.pick("", "p", "p.x", "p.x.y", "p.z", "open.x", "open.x.y", "open.y.z", "shut", "nope.")}
	c.pods[uid] = f
	c.s.SetPod(f)
}

// restarted is where applications are found to be by a state that is told all at once.
func (c *crowd) restarted() map[string]string {
	s := New()
	s.SetTree(c.tree)
	for _, f := range c.spaces {
		s.SetNamespace(f)
	}
	for _, f := range slices.SortedFunc(maps.Values(c.pods), func(a, b *PodFact) int { return cmp.Compare(a.UID, b.UID) }) {
		s.SetPod(f)
	}
	s.lookAgain()
	for s.Rehome(100) {
	}
	require.NoError(c, s.Verify())
	return homesIn(s)
}

func homesIn(s *State) map[string]string {
	homes := map[string]string{}
	for _, a := range s.Apps() {
		home := fmt.Sprintf("%v %s %s", a.Queue(), a.Why, a.Fault)
		if q := a.Queue(); q != nil {
			home += fmt.Sprint(q.Max, q.MaxApps)
		}
		homes[a.Namespace+"/"+a.ID] = home
	}
	return homes
}
