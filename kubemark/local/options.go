package local

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// Options says what kind of cluster to start. The zero value is a good one.
type Options struct {
	// Dir is the cluster's folder: data, certificates, kubeconfigs, logs. Empty means a
	// temporary folder that Stop removes. A given folder must be empty, missing, or that
	// of an earlier cluster, which is wiped first; Stop leaves its logs.
	Dir string
	// Keep makes Stop leave a temporary folder in place, for looking at logs.
	Keep bool
	// Source is a Sluice checkout; empty: found from the working folder or the program's
	// own (see components.FindSource). Manifests of deploy/ are read from it, and the
	// cluster's programs built if need be.
	Source string
	// Components is the folder with the cluster's programs; empty: the cache.
	Components string
	// Progress gets a line for each thing that takes long; nil: silence.
	Progress io.Writer

	// KubeScheduler also starts kube-scheduler, for pods that do not name Sluice.
	KubeScheduler bool
	// NoNodeLifecycle leaves out the controllers that taint nodes without heartbeats and
	// evict their pods. Use it with simulated nodes without heartbeats.
	NoNodeLifecycle bool
	// NodeGracePeriod is after how long without a heartbeat a node counts as not ready.
	// Default 50 s, as in Kubernetes.
	NodeGracePeriod time.Duration

	// MaxRequests and MaxMutatingRequests bound what the API server handles at a time;
	// priority and fairness stays on and divides their sum. Defaults 3000 and 2000 (a
	// plain API server has 400 and 200), so that tests meet a limit only on purpose.
	MaxRequests, MaxMutatingRequests int
	// FeatureGates are added to GenericWorkload=true, for every component.
	FeatureGates map[string]bool
	// RuntimeConfig is added to scheduling.k8s.io/v1beta1=true: API groups to serve.
	RuntimeConfig map[string]string

	// EtcdArgs, APIServerArgs, ControllerArgs and SchedulerArgs are appended to the
	// component's own arguments, and win over them.
	EtcdArgs, APIServerArgs, ControllerArgs, SchedulerArgs []string

	// StartTimeout bounds the start of each component. Default 90 s: an API server
	// needs about five seconds on an idle machine.
	StartTimeout time.Duration
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	o.NodeGracePeriod = orDefault(o.NodeGracePeriod, 50*time.Second)
	o.MaxRequests = orDefault(o.MaxRequests, 3000)
	o.MaxMutatingRequests = orDefault(o.MaxMutatingRequests, 2000)
	o.StartTimeout = orDefault(o.StartTimeout, 90*time.Second)
	return o
}

// orDefault returns v, or def when v is zero.
func orDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// validate refuses what cannot be meant.
func (o Options) validate() error {
	switch {
	case o.MaxRequests < 0 || o.MaxMutatingRequests < 0:
		return fmt.Errorf("MaxRequests %d, MaxMutatingRequests %d: give positive numbers, or 0 for the default",
			o.MaxRequests, o.MaxMutatingRequests)
	case o.NodeGracePeriod < 0 || o.StartTimeout < 0:
		return fmt.Errorf("NodeGracePeriod %v, StartTimeout %v: give positive durations, or 0 for the default",
			o.NodeGracePeriod, o.StartTimeout)
	}
	return nil
}

// featureGates is the value of --feature-gates.
func (o Options) featureGates() string {
	gates := map[string]bool{"GenericWorkload": true}
	maps.Copy(gates, o.FeatureGates)
	return joined(gates)
}

// runtimeConfig is the value of --runtime-config.
func (o Options) runtimeConfig() string {
	groups := map[string]string{"scheduling.k8s.io/v1beta1": "true"}
	maps.Copy(groups, o.RuntimeConfig)
	return joined(groups)
}

// joined writes a map as k=v,k=v in the order of its keys.
func joined[V any](m map[string]V) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, fmt.Sprintf("%s=%v", k, m[k]))
	}
	return strings.Join(parts, ",")
}
