package oracle

import (
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	frameworkruntime "k8s.io/kubernetes/pkg/scheduler/framework/runtime"
	"k8s.io/kubernetes/pkg/scheduler/metrics"
)

// TestPluginsAreTheDefaultOnes: those of the default profile that filter, in its order.
func TestPluginsAreTheDefaultOnes(t *testing.T) {
	c, err := latest.Default()
	require.NoError(t, err)
	var want []string
	for _, p := range c.Profiles[0].Plugins.MultiPoint.Enabled {
		if slices.Contains(Plugins[:], p.Name) {
			want = append(want, p.Name)
			continue
		}
		require.Contains(t, []string{
			names.SchedulingGates, names.PrioritySort, names.DefaultPreemption, names.DefaultBinder, // these do not filter
			names.NodeResourcesBalancedAllocation, names.ImageLocality,
			names.DynamicResources, // Sluice holds pods with claims for resources
		}, p.Name, "a plugin that is new")
	}
	require.Equal(t, want, Plugins[:])
}

// framed is what the framework puts before the error of a plugin that cannot read a pod's terms.
var framed = regexp.MustCompile(`running PreFilter plugin "\w+": `)

// TestSessionIsTheFrameworks: what Meet and Judge say is what kube-scheduler's own framework says when it runs the plugins.
func TestSessionIsTheFrameworks(t *testing.T) {
	metrics.InitMetrics()
	u, err := NewUpstream()
	require.NoError(t, err)
	theirs := defaultFramework(t, u)
	pairs, refused := 0, 0
	for number := range uint64(60) {
		g := NewGenerator(7, number)
		require.NoError(t, u.Take(g.World()))
		for range 8 {
			pod := g.Incoming()
			session, state := u.Meet(pod), framework.NewCycleState()
			result, status, by := theirs.RunPreFilterPlugins(u.ctx, state, pod)
			for _, n := range u.nodes {
				want := status
				switch {
				case !status.IsSuccess():
				case !result.AllNodes() && !result.NodeNames.Has(n.Node().Name):
					want = fwk.NewStatus(fwk.UnschedulableAndUnresolvable, "node(s) didn't satisfy plugin(s) ["+by.UnsortedList()[0]+"]")
				default:
					want = theirs.RunFilterPlugins(u.ctx, state, pod, n)
				}
				got := session.Judge(n, func(int) {})
				pairs++
				if want.IsSuccess() {
					require.Equal(t, Fits, got.Code)
					continue
				}
				refused++
				require.Equal(t, framed.ReplaceAllString(read(want, 0).String(), ""), got.String(), "world %d", number)
			}
		}
	}
	require.Greater(t, pairs, 1000)
	require.Greater(t, refused, 300)
}

// defaultFramework is kube-scheduler's, with its default profile, upon the same listers.
func defaultFramework(t *testing.T, u *Upstream) framework.Framework {
	c, err := latest.Default()
	require.NoError(t, err)
	profile := c.Profiles[0].DeepCopy()
	profile.Plugins.MultiPoint.Enabled = slices.DeleteFunc(profile.Plugins.MultiPoint.Enabled, func(p config.Plugin) bool {
		return p.Name == names.DynamicResources || p.Name == names.DefaultPreemption
	})
	f, err := frameworkruntime.NewFramework(u.ctx, plugins.NewInTreeRegistry(), profile,
		frameworkruntime.WithClientSet(u.handle.client), frameworkruntime.WithInformerFactory(u.handle.factory),
		frameworkruntime.WithSnapshotSharedLister(&u.handle.snapshot), frameworkruntime.WithSharedCSIManager(u.handle.csi),
		frameworkruntime.WithEventRecorder(nil), frameworkruntime.WithPodNominator(nil))
	require.NoError(t, err)
	return f
}
