package core_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// preparing is a core that has asked for the claim of a pod to be bound, by a volume that is there or by a new one.
type preparing struct {
	*core.Core
	now     time.Time
	request core.PrepareVolumes
	said    core.Condition
	claim   cluster.VolumeClaimFact
	volume  cluster.VolumeFact
}

func newPreparing(t *testing.T, change func(*preparing), withVolume bool) *preparing {
	size := apires.MustParse("1Gi")
	modes := []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce}
	x := &preparing{Core: core.New(core.Config{}), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	x.claim = cluster.VolumeClaimFact{Namespace: "default", Name: "c", UID: "uid-c", ResourceVersion: "40", Class: "late", Request: size, Sized: true, Modes: modes}
	x.volume = cluster.VolumeFact{Name: "v", UID: "uid-v", ResourceVersion: "40", Class: "late", Capacity: size, Modes: modes, Available: true}
	change(x)
	claim, volume := x.claim, x.volume
	pod := podOf("p", 100, 0, x.now)
	pod.Namespace, pod.Needs = "default", cluster.ReadNeeds(podWithClaim("c"))
	events := []core.Event{
		core.Lead{On: true},
		core.NodeSet{Node: nodeOf("n", 1000)},
		core.VolumeClaimSet{Claim: &claim},
		core.StorageClassSet{Class: &cluster.StorageClassFact{Name: "late", Provisioner: "disk.csi", Waits: true}},
		core.PodSet{Pod: pod},
	}
	if withVolume {
		events = append(events, core.VolumeSet{Volume: &volume})
	}
	effects := x.Step(x.now, events)
	require.Len(t, effects, 2)
	x.request, x.said = effects[0].(core.PrepareVolumes), effects[1].(core.Condition)
	return x
}

func refTo(claim string) *cluster.ClaimRef {
	return &cluster.ClaimRef{Namespace: "default", Name: claim, UID: types.UID("uid-" + claim)}
}

func podWithClaim(name string) *v1.Pod {
	p := &v1.Pod{}
	p.Namespace = "default"
	p.Spec.Volumes = []v1.Volume{{Name: "data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: name}}}}
	return p
}

// stored answers the preparation with the version at which the API server has it.
func (x *preparing) stored(version string) core.Event {
	return core.VolumesDone{UID: x.request.Pod.UID, Serial: x.request.Serial, Stored: true, Versions: []string{version}}
}

func (x *preparing) bound(version string) core.Event {
	f := x.claim
	f.Volume, f.Bound, f.ResourceVersion = "v", true, version
	return core.VolumeClaimSet{Claim: &f}
}

func (x *preparing) kept(claim, version string) core.Event {
	f := x.volume
	f.ClaimRef, f.ResourceVersion = refTo(claim), version
	return core.VolumeSet{Volume: &f}
}

// TestWhatWasStoredBefore: a preparation may find its work done, at a version that the watch never tells of since it changed nothing that is kept. What is so is so,
// whatever the version.
func TestWhatWasStoredBefore(t *testing.T) {
	t.Run("kept", func(t *testing.T) {
		x := newPreparing(t, func(x *preparing) { x.volume.ClaimRef = refTo("c") }, true)
		require.Len(t, x.request.Bindings, 1)
		require.Empty(t, x.Step(x.now, []core.Event{x.stored("50")}), "the claim is not bound yet")
		require.Contains(t, binds(x.Step(x.now, []core.Event{x.bound("60")})), "p")
	})
	t.Run("selected", func(t *testing.T) {
		x := newPreparing(t, func(x *preparing) { x.claim.Selected, x.claim.SelectedNode = true, "n" }, false)
		require.Len(t, x.request.Provisions, 1)
		require.Empty(t, x.Step(x.now, []core.Event{x.kept("c", "41"), x.bound("42")}), "it has not been answered")
		require.Contains(t, binds(x.Step(x.now, []core.Event{x.stored("50")})), "p")
	})
}

// TestWhatIsNotSoYet: a fact from before the write that says otherwise is waited over; one from after it means that somebody else has changed it.
func TestWhatIsNotSoYet(t *testing.T) {
	t.Run("kept", func(t *testing.T) {
		x := newPreparing(t, func(*preparing) {}, true)
		require.Empty(t, x.Step(x.now, []core.Event{x.stored("50")}))
		require.Equal(t, 1, x.Stats().Preparing)
		x.Step(x.now, []core.Event{x.kept("other", "51")})
		require.EqualValues(t, 1, x.Stats().VolumesFailed)
	})
	t.Run("selected", func(t *testing.T) {
		x := newPreparing(t, func(*preparing) {}, false)
		require.Empty(t, x.Step(x.now, []core.Event{x.stored("50")}))
		require.Equal(t, 1, x.Stats().Preparing)
		f := x.claim
		f.ResourceVersion, f.Attributes = "51", "fast"
		x.Step(x.now, []core.Event{core.VolumeClaimSet{Claim: &f}})
		require.EqualValues(t, 1, x.Stats().VolumesFailed)
	})
}
