package core_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// TestNobodyStarves keeps a cluster full with small pods, of which another comes for each that ends, and lets large ones wait among them: all are placed in the
// end, and without reservations most are not. The judge allows every bind, and the accounts are sound after every step.
func TestNobodyStarves(t *testing.T) {
	large, careless := 0, 0
	for seed := range uint64(6) {
		c := newCrowd(t, seed, core.Config{StarvationAfter: time.Minute})
		c.pass(2 * time.Hour)
		require.Equal(t, c.large, c.placed, "with seed %d", seed)
		require.Positive(t, c.core.Stats().Reservations)
		large += c.large

		c = newCrowd(t, seed, core.Config{})
		c.pass(2 * time.Hour)
		careless += c.placed
	}
	require.Less(t, careless, large/2)
}

// crowd is a cluster in which small pods come and go.
type crowd struct {
	t      *testing.T
	rng    *rand.Rand
	core   *core.Core
	judge  *judge
	now    time.Time
	events []core.Event
	ends   map[types.UID]time.Time
	serial int
	// large is how many large pods there are, placed how many of them have been placed.
	large, placed int
}

const (
	crowdNodes = 4
	crowdCores = 8
)

func newCrowd(t *testing.T, seed uint64, cfg core.Config) *crowd {
	c := &crowd{
		t: t, rng: rand.New(rand.NewPCG(seed, 3)), core: core.New(cfg), judge: newJudge(),
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), ends: map[types.UID]time.Time{},
	}
	c.tell(core.Lead{On: true})
	for i := range crowdNodes {
		c.tell(core.NodeSet{Node: nodeOf(fmt.Sprint("n", i), crowdCores*1000)})
	}
	for range 2 * crowdNodes * crowdCores {
		c.submit(1)
	}
	c.step()
	for range 6 {
		c.submit(3 + c.rng.Int64N(crowdCores-2))
		c.large++
	}
	return c
}

func (c *crowd) tell(e core.Event) {
	c.events = append(c.events, e)
	c.judge.learn(e)
}

// submit creates a pod of so many cores in an application of its own.
func (c *crowd) submit(cores int64) {
	name := fmt.Sprint("p", c.serial)
	p := podOf(name, cores*1000, 0, c.now)
	p.Claim = &cluster.Claim{App: name}
	c.serial++
	c.tell(core.PodSet{Pod: p})
}

// pass lets time go by in steps of five seconds. A pod lives for up to ten minutes; another comes for each small one that ends.
func (c *crowd) pass(by time.Duration) {
	for end := c.now.Add(by); c.now.Before(end); c.now = c.now.Add(5 * time.Second) {
		for i := range c.serial {
			uid := types.UID(fmt.Sprint("p", i))
			if at, runs := c.ends[uid]; runs && !at.After(c.now) {
				delete(c.ends, uid)
				if c.judge.pods[uid].Demand.Requests.Get("cpu") == 1000 {
					c.submit(1)
				}
				c.tell(core.PodGone{UID: uid})
			}
		}
		c.step()
	}
}

func (c *crowd) step() {
	for first := true; first || len(c.events) > 0; first = false {
		events := c.events
		c.events = nil
		effects := c.core.Step(c.now, events)
		require.NoError(c.t, c.core.Verify())
		for _, e := range effects {
			require.NoError(c.t, c.judge.judge(e))
			if b, ok := e.(core.Bind); ok {
				c.bind(b)
			}
		}
	}
}

func (c *crowd) bind(b core.Bind) {
	fact := *c.judge.pods[b.Pod.UID]
	fact.Node = b.Node
	if fact.Demand.Requests.Get("cpu") > 1000 {
		c.placed++
	}
	c.ends[fact.UID] = c.now.Add(time.Duration(1+c.rng.Int64N(600)) * time.Second)
	c.tell(core.BindDone{UID: fact.UID, Node: b.Node})
	c.tell(core.PodSet{Pod: &fact})
}

// keeping returns a core in which room is kept on its only node, of four cores, for a pod of three, while others run there with one core each.
func keeping(t *testing.T, change func(*cluster.PodFact)) (c *core.Core, now time.Time) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	c = core.New(core.Config{StarvationAfter: time.Minute})
	events := []core.Event{core.Lead{On: true}, core.NodeSet{Node: nodeOf("n", 4000)}}
	for i := range 4 {
		p := podOf(fmt.Sprint("old", i), 1000, 0, start)
		p.Node = "n"
		events = append(events, core.PodSet{Pod: p})
	}
	large := podOf("large", 3000, 0, start)
	change(large)
	c.Step(start, append(events, core.PodSet{Pod: large}))
	now = start.Add(2 * time.Minute)
	c.Step(now, nil)
	require.Equal(t, core.StandingReserved, c.Explain("ns", "large").Standing)
	require.NoError(t, c.Verify())
	return c, now
}

func unchanged(*cluster.PodFact) {}

func TestReservedRoomIsNotForOthers(t *testing.T) {
	c, now := keeping(t, unchanged)
	require.Empty(t, binds(c.Step(now, []core.Event{core.PodSet{Pod: podOf("late", 1000, 0, now)}, core.PodGone{UID: "old0"}})))
	require.Equal(t, map[string]string{"large": "n"}, binds(c.Step(now, []core.Event{core.PodGone{UID: "old1"}, core.PodGone{UID: "old2"}})))
}

// A pod that can run on that node alone, such as a DaemonSet's, must not wait for somebody who could go elsewhere.
func TestReservedRoomDoesNotKeepPinnedPodsOut(t *testing.T) {
	c, now := keeping(t, unchanged)
	pinned := podOf("pinned", 1000, 0, now)
	pinned.Pin = "n"
	require.Empty(t, binds(c.Step(now, []core.Event{core.PodSet{Pod: pinned}})), "the node is full")
	require.Equal(t, map[string]string{"pinned": "n"}, binds(c.Step(now, []core.Event{core.PodGone{UID: "old0"}})))
	require.NoError(t, c.Verify())
	require.Equal(t, core.StandingReserved, c.Explain("ns", "large").Standing)
}

func TestReservedRoomDoesNotKeepHigherPrioritiesOut(t *testing.T) {
	c, now := keeping(t, unchanged)
	require.Equal(t, map[string]string{"urgent": "n"}, binds(c.Step(now, []core.Event{
		core.PodGone{UID: "old0"}, core.PodSet{Pod: podOf("urgent", 1000, 9, now)},
	})))
	require.NoError(t, c.Verify())
}

// Who is nominated for a node has his room there already.
func TestReservedRoomIsGivenUpForNominees(t *testing.T) {
	c, now := keeping(t, unchanged)
	nominee := podOf("nominee", 2000, 9, now)
	nominee.Ours, nominee.Nominated = false, "n"
	c.Step(now, []core.Event{core.PodSet{Pod: nominee}})
	require.Equal(t, core.StandingParked, c.Explain("ns", "large").Standing)
	require.NoError(t, c.Verify())
}

func TestRoomIsKeptForPodsWithHostPorts(t *testing.T) {
	c, now := keeping(t, func(p *cluster.PodFact) {
		d := *p.Demand
		d.Key, d.Ports = "with a port", []cluster.Port{{Protocol: "TCP", IP: cluster.AnyIP, Number: 80}}
		p.Demand = &d
	})
	c.Step(now.Add(time.Second), nil)
	require.Equal(t, core.StandingReserved, c.Explain("ns", "large").Standing)
	require.EqualValues(t, 1, c.Stats().Reservations)
	require.NoError(t, c.Verify())
}

// When room is kept no longer for one pod of a queue, the next that starves is served at once, not when it is looked at again.
func TestRoomIsKeptForTheNextAtOnce(t *testing.T) {
	c, now := keeping(t, unchanged)
	second := podOf("second", 2000, 0, now.Add(-90*time.Second))
	c.Step(now, []core.Event{core.PodSet{Pod: second}, core.PodSet{Pod: podOf("late", 1000, 0, now)}})
	now = now.Add(time.Second)
	require.Equal(t, map[string]string{"large": "n"}, binds(c.Step(now, []core.Event{core.PodGone{UID: "old0"}, core.PodGone{UID: "old1"}, core.PodGone{UID: "old2"}})))
	require.Empty(t, binds(c.Step(now, []core.Event{core.PodGone{UID: "old3"}})), "the second comes before the late one")
	require.Equal(t, core.StandingReserved, c.Explain("ns", "second").Standing)
	require.NoError(t, c.Verify())
}
