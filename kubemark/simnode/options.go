package simnode

import (
	"fmt"
	"maps"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Annotations on pods that tell a simulated node what the pod's program would do.
const (
	// RunFor is how long the pod runs before its containers exit, such as "30s". Without
	// it, it runs until deleted. Its restart policy is not heeded.
	RunFor = "sluice.dev/run-for"
	// ExitCode is what the containers exit with after RunFor. Default 0; anything else
	// makes the pod Failed.
	ExitCode = "sluice.dev/exit-code"
)

// Label is on every simulated node, with value "true".
const Label = "sluice.dev/simulated"

// Group describes nodes that are all alike but for name and zone.
type Group struct {
	// Name is the common part of the names: NAME-0, NAME-1, …. Default "sim".
	Name string
	// Count is the number of nodes.
	Count int
	// CPU, Memory, EphemeralStorage and Pods are what each offers. Defaults 32, 128Gi,
	// 500Gi and 110.
	CPU, Memory, EphemeralStorage string
	Pods                          int
	// Extended are further resources, such as nvidia.com/gpu: "8".
	Extended map[string]string
	// Labels are added to those every node has: hostname, os, arch, zone, region, [Label].
	Labels map[string]string
	// Taints are on the nodes from the start.
	Taints []corev1.Taint
	// Zones are dealt to the nodes in turn; the part before the last "-" is the region.
	// Default: zone-a, zone-b, zone-c.
	Zones []string
}

// Options describes a fleet.
type Options struct {
	// Groups are the nodes.
	Groups []Group
	// NoHeartbeats leaves out leases and status reports; for benchmarks, on a cluster
	// whose node lifecycle controller is off.
	NoHeartbeats bool
	// HeartbeatInterval is how often each lease is renewed. Default 10 s, as a kubelet does.
	HeartbeatInterval time.Duration
	// StartDelay is the time between admission and Running: pulling images and starting
	// containers. Default 0.
	StartDelay time.Duration
	// StopDelay is how long the containers take to end after a deletion, at most the
	// pod's grace period. Default 0.
	StopDelay time.Duration
	// Writers bounds the API requests in flight. Default 32.
	Writers int
}

// withDefaults fills in what was left out.
func (o Options) withDefaults() Options {
	if o.HeartbeatInterval == 0 {
		o.HeartbeatInterval = 10 * time.Second
	}
	if o.Writers == 0 {
		o.Writers = 32
	}
	groups := make([]Group, len(o.Groups))
	for i, g := range o.Groups {
		groups[i] = g.withDefaults()
	}
	o.Groups = groups
	return o
}

// withDefaults fills in what was left out.
func (g Group) withDefaults() Group {
	for _, f := range []struct {
		field *string
		value string
	}{{&g.Name, "sim"}, {&g.CPU, "32"}, {&g.Memory, "128Gi"}, {&g.EphemeralStorage, "500Gi"}} {
		if *f.field == "" {
			*f.field = f.value
		}
	}
	if g.Pods == 0 {
		g.Pods = 110
	}
	if len(g.Zones) == 0 {
		g.Zones = []string{"zone-a", "zone-b", "zone-c"}
	}
	return g
}

// validate reports the first fault, with the group it is in.
func (o Options) validate() error {
	names := map[string]bool{}
	for _, g := range o.Groups {
		if err := g.validate(); err != nil {
			return fmt.Errorf("simulated nodes, group %q: %w", g.Name, err)
		}
		if names[g.Name] {
			return fmt.Errorf("simulated nodes: two groups are named %q; give each its own name", g.Name)
		}
		names[g.Name] = true
	}
	if o.StartDelay < 0 || o.StopDelay < 0 || o.HeartbeatInterval < 0 || o.Writers < 0 {
		return fmt.Errorf("simulated nodes: StartDelay %v, StopDelay %v, HeartbeatInterval %v, Writers %d: none may be negative",
			o.StartDelay, o.StopDelay, o.HeartbeatInterval, o.Writers)
	}
	return nil
}

// validate reports the first fault of a group.
func (g Group) validate() error {
	if g.Count < 0 || g.Pods < 0 {
		return fmt.Errorf("count %d, pods %d: neither may be negative", g.Count, g.Pods)
	}
	if errs := validation.IsDNS1123Subdomain(g.Name); len(errs) > 0 {
		return fmt.Errorf("the name cannot name nodes: %s", strings.Join(errs, "; "))
	}
	_, err := g.capacity()
	return err
}

// capacity is what a node offers.
func (g Group) capacity() (corev1.ResourceList, error) {
	all := map[string]string{
		"cpu": g.CPU, "memory": g.Memory, "ephemeral-storage": g.EphemeralStorage, "pods": fmt.Sprint(g.Pods),
	}
	maps.Copy(all, g.Extended)
	list := corev1.ResourceList{}
	for name, text := range all {
		q, err := resource.ParseQuantity(text)
		if err != nil || q.Sign() < 0 {
			return nil, fmt.Errorf("%s: %q is not a quantity such as 4, 500m or 8Gi", name, text)
		}
		list[corev1.ResourceName(name)] = q
	}
	return list, nil
}
