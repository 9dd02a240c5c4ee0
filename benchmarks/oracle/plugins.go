package oracle

import (
	"context"
	"fmt"
	"slices"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
	fwk "k8s.io/kube-scheduler/framework"
	"k8s.io/kubernetes/pkg/scheduler/apis/config/latest"
	"k8s.io/kubernetes/pkg/scheduler/backend/cache"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/feature"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/imagelocality"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/interpodaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeaffinity"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodedeclaredfeatures"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodename"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeports"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/noderesources"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodeunschedulable"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/nodevolumelimits"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/podtopologyspread"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/tainttoleration"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumebinding"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumerestrictions"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/volumezone"
)

// Plugins are the default plugins that filter, in kube-scheduler's order. DynamicResources is missing: Sluice holds pods with claims for resources.
var Plugins = [...]string{
	names.NodeName, names.NodeUnschedulable, names.TaintToleration, names.NodeAffinity, names.NodePorts, names.NodeResourcesFit,
	names.VolumeRestrictions, names.NodeVolumeLimits, names.VolumeBinding, names.VolumeZone, names.PodTopologySpread, names.InterPodAffinity,
	names.NodeDeclaredFeatures,
}

// plugin is what is used of a plugin to filter.
type plugin interface {
	fwk.PreFilterPlugin
	fwk.FilterPlugin
}

// makers make the plugins.
var makers = [len(Plugins)]func(context.Context, runtime.Object, fwk.Handle, feature.Features) (fwk.Plugin, error){
	nodename.New, nodeunschedulable.New, tainttoleration.New, nodeaffinity.New, nodeports.New, noderesources.NewFit,
	volumerestrictions.New, nodevolumelimits.NewCSI, volumebinding.New, volumezone.New, podtopologyspread.New, interpodaffinity.New,
	nodedeclaredfeatures.New,
}

// plugScorers makes those that score. The gate for devices by extended resources is off: it wants to know of devices, of which there are none.
func plugScorers(h *handle) ([]scorer, error) {
	args, err := defaults()
	if err != nil {
		return nil, err
	}
	on := gates()
	on.EnableDRAExtendedResource = false
	out := make([]scorer, 0, len(ScorePlugins))
	for _, name := range ScorePlugins {
		var made fwk.Plugin
		if name == names.ImageLocality {
			made, err = imagelocality.New(quiet(), nil, h)
		} else {
			made, err = makers[slices.Index(Plugins[:], name)](quiet(), args[name], h, on)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		pre, _ := made.(fwk.PreScorePlugin)
		out = append(out, scorer{pre, made.(fwk.ScorePlugin)})
	}
	return out, nil
}

// defaults are the arguments that plugins have in the default profile, by plugin.
func defaults() (map[string]runtime.Object, error) {
	c, err := latest.Default()
	if err != nil {
		return nil, fmt.Errorf("kube-scheduler's default configuration: %w", err)
	}
	args := map[string]runtime.Object{}
	for _, p := range c.Profiles[0].PluginConfig {
		args[p.Name] = p.Args
	}
	return args, nil
}

// gates are the feature gates as a kube-scheduler of this version has them when nobody sets any.
func gates() feature.Features {
	return feature.NewSchedulerFeaturesFromGates(utilfeature.DefaultFeatureGate)
}

// handle is what plugins get from their framework: listers that hold what the world holds, and no scheduler.
type handle struct {
	fwk.Handle
	snapshot
	factory informers.SharedInformerFactory
	client  kubernetes.Interface
	csi     fwk.CSIManager
}

// snapshot stands for the newest one, so that plugins outlive it.
type snapshot struct{ *cache.Snapshot }

func newHandle() (*handle, error) {
	client, err := kubernetes.NewForConfig(&rest.Config{Host: "nowhere.invalid"}) // is never asked
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	h := &handle{snapshot: snapshot{cache.NewEmptySnapshot()}, client: client, factory: informers.NewSharedInformerFactory(client, 0)}
	h.csi = nodevolumelimits.NewCSIManager(h.factory.Storage().V1().CSINodes().Lister())
	return h, nil
}

func (h *handle) SnapshotSharedLister() fwk.SharedLister                 { return &h.snapshot }
func (h *handle) SharedInformerFactory() informers.SharedInformerFactory { return h.factory }
func (h *handle) ClientSet() kubernetes.Interface                        { return h.client }
func (h *handle) SharedCSIManager() fwk.CSIManager                       { return h.csi }
func (h *handle) SharedDRAManager() fwk.SharedDRAManager                 { return nil }
func (h *handle) Parallelizer() fwk.Parallelizer                         { return serial{} }

// serial does one thing after the other.
type serial struct{}

func (serial) Until(_ context.Context, pieces int, do workqueue.DoWorkPieceFunc, _ string) {
	for i := range pieces {
		do(i)
	}
}

// quiet is a context whose logger says nothing.
func quiet() context.Context { return klog.NewContext(context.Background(), logr.Discard()) }

// plug makes the plugins.
func plug(h *handle) ([]plugin, error) {
	args, err := defaults()
	if err != nil {
		return nil, err
	}
	out := make([]plugin, 0, len(Plugins))
	for i, name := range Plugins {
		made, err := makers[i](quiet(), args[name], h, gates())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		out = append(out, made.(plugin))
	}
	return out, nil
}
