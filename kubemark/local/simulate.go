package local

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/sluice-scheduler/sluice/kubemark/autoscaler"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

// Simulate adds simulated nodes and waits until they are ready. The cluster stops them
// when it stops; calling it again adds another fleet, whose groups need other names.
func (c *Cluster) Simulate(ctx context.Context, o simnode.Options) (*simnode.Fleet, error) {
	if o.NoHeartbeats && !c.opts.NoNodeLifecycle {
		return nil, errors.New("simulated nodes without heartbeats would soon be tainted as unreachable; " +
			"start the cluster with NoNodeLifecycle, or leave heartbeats on")
	}
	f, err := simnode.Start(ctx, c.RESTConfig(), o)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fleets = append(c.fleets, f)
	return f, nil
}

// Autoscale lets a fleet grow and shrink by groups of nodes, beside those it has, as the Cluster Autoscaler would, ProvisioningRequests included. The cluster stops it when it stops.
func (c *Cluster) Autoscale(ctx context.Context, f *simnode.Fleet, o autoscaler.Options) (*autoscaler.Autoscaler, error) {
	if o.Dynamic == nil {
		if err := c.Apply(ctx, autoscaler.Definition); err != nil {
			return nil, fmt.Errorf("install ProvisioningRequests: %w", err)
		}
		client, err := dynamic.NewForConfig(jsonConfig(c.RESTConfig()))
		if err != nil {
			return nil, fmt.Errorf("make the autoscaler's client: %w", err)
		}
		o.Dynamic = client
	}
	a, err := autoscaler.Start(ctx, c.Client(), f, o)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.autoscalers = append(c.autoscalers, a)
	return a, nil
}

// jsonConfig is the configuration of a client of custom resources, which are not there as protobuf.
func jsonConfig(cfg *rest.Config) *rest.Config {
	cfg.ContentConfig = rest.ContentConfig{}
	return cfg
}
