package sim

import (
	"fmt"
	"sort"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Check verifies the core's own accounts, and, on the API objects alone, that no node on which only our pods run was given more than it
// offers.
func (c *Cluster) Check() error {
	if err := c.Core.Verify(); err != nil {
		return fmt.Errorf("at %v: %w", c.Now(), err)
	}
	return c.checkNodes()
}

func (c *Cluster) checkNodes() error {
	used := map[string]map[string]int64{}
	shared := map[string]bool{}
	for _, p := range c.pods {
		node := p.Spec.NodeName
		if node == "" || p.Status.Phase == v1.PodSucceeded || p.Status.Phase == v1.PodFailed {
			continue
		}
		if p.Spec.SchedulerName != Scheduler || len(p.Status.ContainerStatuses) > 0 {
			shared[node] = true // others fill it as well: another scheduler, or who resizes pods that run there
		}
		if used[node] == nil {
			used[node] = map[string]int64{}
		}
		used[node]["pods"]++
		d, _ := cluster.ReadDemand(p)
		for _, a := range d.Requests {
			used[node][a.Name] += a.Value
		}
	}
	for name, sums := range used {
		n := c.nodes[name]
		if n == nil || shared[name] || n.Annotations[shrunk] != "" {
			continue
		}
		offers := cluster.ReadNode(n).Allocatable
		for resource, sum := range sums {
			if sum > offers.Get(resource) {
				return fmt.Errorf("at %v: node %s offers %d %s, its pods ask for %d", c.Now(), name, offers.Get(resource), resource, sum)
			}
		}
	}
	return nil
}

// shrunk marks a node that offers less than it did when its pods were placed, so that it may be overfull through no fault of the
// scheduler.
const shrunk = "sim/shrunk"

// CompareWithRebuild fails when the dump of the live core differs from that of a new core which is told of the same objects. The cluster must be at
// rest: no bind under way, nobody in backoff.
func (c *Cluster) CompareWithRebuild() error {
	fresh := &Cluster{
		cfg: c.cfg, now: c.now, nodes: c.nodes, pods: c.pods, byName: c.byName,
		tree: c.tree, namespaces: c.namespaces, devices: c.devices, volumes: c.volumes, selectors: c.selectors, tellers: c.tellers,
		Core: core.New(c.cfg),
	}
	fresh.Relist()
	fresh.tell(core.Lead{On: true})
	for len(fresh.events) > 0 {
		events := fresh.events
		fresh.events = nil
		for _, e := range fresh.Core.Step(fresh.now, events) {
			switch e := e.(type) {
			case core.Bind:
				return fmt.Errorf("a rebuilt core would bind %s/%s to %s", e.Pod.Namespace, e.Pod.Name, e.Node)
			case core.PrepareVolumes:
				return fmt.Errorf("a rebuilt core would prepare the volumes of %s/%s on %s", e.Pod.Namespace, e.Pod.Name, e.Node)
			}
		}
	}
	if live, rebuilt := c.Core.Dump(), fresh.Core.Dump(); live != rebuilt {
		return fmt.Errorf("the live core dumps\n%s\na rebuilt one dumps\n%s", live, rebuilt)
	}
	return nil
}

// Pods returns all pods by namespace and name.
func (c *Cluster) Pods() []*v1.Pod {
	pods := make([]*v1.Pod, 0, len(c.pods))
	for _, p := range c.pods {
		pods = append(pods, p)
	}
	sort.Slice(pods, func(i, j int) bool {
		a, b := pods[i], pods[j]
		if a.Namespace != b.Namespace {
			return a.Namespace < b.Namespace
		}
		return a.Name < b.Name
	})
	return pods
}
