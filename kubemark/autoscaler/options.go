package autoscaler

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/client-go/dynamic"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// Group is a set of nodes that grows and shrinks.
type Group struct {
	// Template is what each node is like; its Count is not looked at.
	Template simnode.Group
	// Min and Max bound the number of nodes.
	Min, Max int
}

// Options say how the autoscaler behaves. Zero values mean the defaults of the Cluster Autoscaler, where there are any.
type Options struct {
	Groups []Group
	// Schedulers are those whose pods count. Default: default-scheduler and sluice.
	Schedulers []string
	// Interval is how often it looks. Default 10 s.
	Interval time.Duration
	// Delay is how long a new machine takes from the decision until its node is ready. Default 0.
	Delay time.Duration
	// Unneeded is after how long an empty node is removed. Default 10 min; negative: never.
	Unneeded time.Duration
	// Dynamic reads and answers ProvisioningRequests; nil: they are not served.
	Dynamic dynamic.Interface
	// Log receives what happens; nil means slog.Default().
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	if len(o.Schedulers) == 0 {
		o.Schedulers = []string{"default-scheduler", "sluice"}
	}
	if o.Interval == 0 {
		o.Interval = 10 * time.Second
	}
	if o.Unneeded == 0 {
		o.Unneeded = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return o
}

func (o Options) validate() error {
	names := map[string]bool{}
	for _, g := range o.Groups {
		switch {
		case g.Min < 0 || g.Max < g.Min:
			return fmt.Errorf("node group %q: min %d, max %d: give 0 ≤ min ≤ max", g.Template.Name, g.Min, g.Max)
		case g.Template.Name == "" || names[g.Template.Name]:
			return fmt.Errorf("node group %q: each needs a name of its own", g.Template.Name)
		}
		names[g.Template.Name] = true
		if _, err := g.Template.Template(); err != nil {
			return fmt.Errorf("node group %q: %w", g.Template.Name, err)
		}
	}
	if o.Interval < 0 || o.Delay < 0 {
		return fmt.Errorf("autoscaler: interval %v, delay %v: neither may be negative", o.Interval, o.Delay)
	}
	return nil
}

// ParseGroup reads a group as a user gives it: "name=gpu,max=10,cpu=32,memory=128Gi,nvidia.com/gpu=8". A key with a slash is a resource that the nodes offer besides.
func ParseGroup(text string) (g Group, err error) {
	for _, part := range strings.Split(text, ",") {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return g, fmt.Errorf("node group: %q is not of the form key=value", part)
		}
		switch t := &g.Template; key {
		case "name":
			t.Name = value
		case "cpu":
			t.CPU = value
		case "memory":
			t.Memory = value
		case "min", "max", "pods":
			n, err := strconv.Atoi(value)
			if err != nil {
				return g, fmt.Errorf("node group: %s: %q is not a number", key, value)
			}
			*map[string]*int{"min": &g.Min, "max": &g.Max, "pods": &t.Pods}[key] = n
		default:
			if !strings.Contains(key, "/") {
				return g, fmt.Errorf("node group: unknown key %q; there are %s, and resources such as nvidia.com/gpu", key, strings.Join(groupKeys, ", "))
			}
			if t.Extended == nil {
				t.Extended = map[string]string{}
			}
			t.Extended[key] = value
		}
	}
	return g, Options{Groups: []Group{g}}.validate()
}

var groupKeys = slices.Sorted(slices.Values([]string{"name", "min", "max", "cpu", "memory", "pods"}))
