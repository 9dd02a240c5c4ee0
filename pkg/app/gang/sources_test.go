package gang

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

var reader = &Reader{Schedulers: []string{"sluice"}}

func ensemble(least int32) *schedulingv1beta1.PodGroup {
	return &schedulingv1beta1.PodGroup{
		ObjectMeta: metav1.ObjectMeta{Namespace: "lab", Name: "ensemble", UID: "u"},
		Spec: schedulingv1beta1.PodGroupSpec{
			SchedulingPolicy:      schedulingv1beta1.PodGroupSchedulingPolicy{Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: least}},
			SchedulingConstraints: &schedulingv1beta1.PodGroupSchedulingConstraints{Topology: []schedulingv1beta1.TopologyConstraint{{Key: "rack"}}},
		},
	}
}

// A change is told once, and the end too.
func TestChangesAreToldOnce(t *testing.T) {
	s := NewSources()
	told := s.Set(reader.Read(ensemble(3)))
	require.Len(t, told, 1)
	f := told[0].Fact
	require.Equal(t, []any{"lab", "podgroup/ensemble", cluster.FromPodGroup}, []any{told[0].Namespace, told[0].ID, told[0].Origin})
	require.Equal(t, 3, f.Min)
	require.Equal(t, &cluster.GroupTopology{Key: "rack", Required: true}, f.Topology)
	require.Equal(t, cluster.ObjectRef{APIVersion: "scheduling.k8s.io/v1beta1", Kind: "PodGroup", Namespace: "lab", Name: "ensemble", UID: "u"}, f.Object)

	require.Empty(t, s.Set(reader.Read(ensemble(3))), "nothing new")
	told = s.Set(reader.Read(ensemble(4)))
	require.Len(t, told, 1)
	require.Equal(t, 4, told[0].Fact.Min)

	key := reader.Read(ensemble(4)).Key
	require.Equal(t, []Change{{Namespace: "lab", ID: "podgroup/ensemble", Origin: cluster.FromPodGroup}}, s.Gone(key))
	require.Empty(t, s.Gone(key))
	require.Empty(t, s.Set(nil))
	require.Equal(t, NewSources(), s, "nothing is kept of what is gone")
}

// What a PodGroup's status says already is not to be written again.
func TestWhatTheStatusOfAPodGroupSays(t *testing.T) {
	g := ensemble(3)
	g.Generation = 4
	read := func() *cluster.GroupFact { return NewSources().Set(reader.Read(g))[0].Fact }
	require.Equal(t, []any{int64(4), false, cluster.Condition{}}, []any{read().Generation, read().Scheduled, read().Said})
	since := metav1.NewTime(time.Unix(1_800_000_000, 0))
	g.Status.Conditions = []metav1.Condition{{
		Type: "PodGroupInitiallyScheduled", Status: "False", Reason: "Unschedulable", Message: "no room", ObservedGeneration: 4, LastTransitionTime: since,
	}}
	require.Equal(t, cluster.Condition{Digest: cluster.Digest("Unschedulable", "no room", 4), Since: since.Time}, read().Said)
	g.Status.Conditions[0].Status = "True"
	require.Equal(t, []any{true, cluster.Condition{}}, []any{read().Scheduled, read().Said})
}

// An object tells the same in its Go type and without one.
func TestFormsOfAnObjectAreEqual(t *testing.T) {
	group := ensemble(3)
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(group)
	require.NoError(t, err)
	loose := &unstructured.Unstructured{Object: content}
	loose.SetAPIVersion("scheduling.k8s.io/v1beta1")
	loose.SetKind("PodGroup")
	require.Equal(t, reader.Read(group), reader.Read(loose))
}

func TestOtherObjectsTellNothing(t *testing.T) {
	require.Nil(t, reader.Read(&v1.Node{}))
	require.Nil(t, reader.Read(&unstructured.Unstructured{}))
	require.Nil(t, reader.Read((*unstructured.Unstructured)(nil)))
	other := &unstructured.Unstructured{}
	other.SetAPIVersion("example.com/v1")
	other.SetKind("PodGroup")
	require.Nil(t, reader.Read(other))
}

// A pod is held until its PodGroup is there.
func TestAPodWaitsForItsPodGroup(t *testing.T) {
	name := "ensemble"
	pod := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "lab"}, Spec: v1.PodSpec{SchedulingGroup: &v1.PodSchedulingGroup{PodGroupName: &name}}}
	c := app.Identify(pod, false)
	require.Equal(t, NewSources().Set(reader.Read(ensemble(2)))[0].ID, c.Group)
	require.Equal(t, cluster.AwaitsAlways, c.Awaits)
}
