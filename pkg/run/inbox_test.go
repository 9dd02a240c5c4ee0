package run

import (
	"fmt"
	"math/rand"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

func podSet(uid types.UID, version int) core.PodSet {
	return core.PodSet{Pod: &cluster.PodFact{UID: uid, Name: string(uid), ResourceVersion: fmt.Sprint(version)}}
}

func nodeSet(name string, version int) core.NodeSet {
	return core.NodeSet{Node: &cluster.NodeFact{Name: name, ResourceVersion: fmt.Sprint(version)}}
}

func TestInboxKeepsOrderAndForgetsReplacedFacts(t *testing.T) {
	b := NewInbox()
	b.Put(podSet("a", 1), nodeSet("n", 1), core.BindDone{UID: "a"}, podSet("b", 1))
	b.Put(podSet("a", 2), nodeSet("n", 2), core.Lead{On: true})
	require.Equal(t, 5, b.Len())
	require.Equal(t, []core.Event{
		core.BindDone{UID: "a"}, podSet("b", 1), podSet("a", 2), nodeSet("n", 2), core.Lead{On: true},
	}, b.Take())
	require.Empty(t, b.Take())
	require.Zero(t, b.Len())
}

func TestInboxForgetsReplacedNamespaces(t *testing.T) {
	b := NewInbox()
	set := func(name, queue string) core.NamespaceSet {
		return core.NamespaceSet{Namespace: &cluster.NamespaceFact{Name: name, Queue: queue}}
	}
	b.Put(set("lab", "root.a"), set("ops", "root.a"), set("lab", "root.b"), set("ops", "root.c"), core.NamespaceGone{Name: "ops"})
	require.Equal(t, []core.Event{set("lab", "root.b"), core.NamespaceGone{Name: "ops"}}, b.Take())
	b.Put(set("lab", "root.c"))
	require.Equal(t, []core.Event{set("lab", "root.c")}, b.Take())
}

func TestInboxForgetsReplacedFactsOfVolumes(t *testing.T) {
	b := NewInbox()
	claim := func(name, volume string) core.VolumeClaimSet {
		return core.VolumeClaimSet{Claim: &cluster.VolumeClaimFact{Namespace: "ns", Name: name, Volume: volume}}
	}
	volume := core.VolumeSet{Volume: &cluster.VolumeFact{Name: "a"}} // a volume is not the claim of its name
	capacity := func(most int64) core.CapacitySet {
		return core.CapacitySet{Capacity: &cluster.CapacityFact{Namespace: "ns", Name: "a", Most: most}}
	}
	b.Put(claim("a", ""), volume, claim("a", "v"), claim("b", ""), core.VolumeClaimGone{Namespace: "ns", Name: "b"}, capacity(1), capacity(2), claim("b", "w"))
	require.Equal(t, []core.Event{
		volume, claim("a", "v"), core.VolumeClaimGone{Namespace: "ns", Name: "b"}, capacity(2), claim("b", "w"),
	}, b.Take())
	b.Put(claim("a", ""))
	require.Equal(t, []core.Event{claim("a", "")}, b.Take())
}

// TestInboxKeepsTheNewestOfEachSourceOfAGroup: sources tell independently of each other.
func TestInboxKeepsTheNewestOfEachSourceOfAGroup(t *testing.T) {
	b := NewInbox()
	group := func(origin cluster.Origin, least int) core.Event {
		return core.GroupSet{Group: &cluster.GroupFact{Namespace: "default", ID: "flink/a", Origin: origin, Min: least}}
	}
	b.Put(group(cluster.FromObject, 1), group(cluster.FromConfigMap, 2), group(cluster.FromObject, 3))
	require.Equal(t, []core.Event{group(cluster.FromConfigMap, 2), group(cluster.FromObject, 3)}, b.Take())
	gone := core.GroupGone{Namespace: "default", ID: "flink/a", Origin: cluster.FromObject}
	b.Put(group(cluster.FromObject, 1), gone)
	require.Equal(t, []core.Event{gone}, b.Take())
	b.Put(gone, group(cluster.FromObject, 4))
	require.Equal(t, []core.Event{gone, group(cluster.FromObject, 4)}, b.Take())
}

func TestInboxKeepsGoneBetweenTwoLives(t *testing.T) {
	b := NewInbox()
	b.Put(nodeSet("n", 1), core.NodeGone{Name: "n"}, nodeSet("n", 2))
	b.Put(podSet("a", 1), core.PodGone{UID: "a"}, podSet("a", 2))
	require.Equal(t, []core.Event{
		nodeSet("n", 1), core.NodeGone{Name: "n"}, nodeSet("n", 2), core.PodGone{UID: "a"}, podSet("a", 2),
	}, b.Take())
}

func TestInboxDoesNotGrowBeyondItsObjects(t *testing.T) {
	b := NewInbox()
	for i := range 100_000 {
		b.Put(podSet(types.UID(fmt.Sprint(i%10)), i))
	}
	require.Equal(t, 10, b.Len())
	require.Less(t, cap(b.events), 1000, "what was replaced is given back")
	require.Len(t, b.Take(), 10)
}

// Many writers, one reader: of each object the reader sees rising versions and at last the newest.
func TestInboxUnderManyWriters(t *testing.T) {
	const writers, puts = 8, 2000
	b := NewInbox()
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			rng := rand.New(rand.NewSource(int64(w)))
			for v := 1; v <= puts; v++ {
				uid := types.UID(fmt.Sprintf("%d-%d", w, rng.Intn(5)))
				b.Put(core.PodSet{Pod: &cluster.PodFact{UID: uid, Generation: int64(v)}})
			}
			for i := range 5 {
				b.Put(core.PodSet{Pod: &cluster.PodFact{UID: types.UID(fmt.Sprintf("%d-%d", w, i)), Generation: puts + 1}})
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()

	newest := map[types.UID]int64{}
	read := func() {
		for _, e := range b.Take() {
			f := e.(core.PodSet).Pod
			require.Greater(t, f.Generation, newest[f.UID])
			newest[f.UID] = f.Generation
		}
	}
	for ended := false; !ended; {
		select {
		case <-b.Signal():
		case <-done:
			ended = true
		}
		read()
	}
	require.Len(t, newest, writers*5)
	for uid, v := range newest {
		require.EqualValues(t, puts+1, v, uid)
	}
}
