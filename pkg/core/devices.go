package core

import (
	"fmt"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/pending"
)

// devicesText says that a shape asks for what is to be had as devices of a DeviceClass alone; empty when it does not.
func (c *Core) devicesText(shape *cluster.Shape) string {
	name, class := c.state.Devices(shape)
	if name == "" {
		return ""
	}
	return fmt.Sprintf("held: no node offers %s by itself; DeviceClass %s provides it, and Sluice does not allocate devices (dynamic resource allocation) yet. "+
		"Remove the request%s", name, class, c.orElsewhere())
}

// orElsewhere ends the advice for who is held: another scheduler may place the pod, unless this one stands in its place.
func (c *Core) orElsewhere() string {
	if c.cfg.InPlace {
		return "."
	}
	return ", or set schedulerName to default-scheduler."
}

// followDevices holds pods, and lets them go, when something else than before is to be had as devices alone.
func (c *Core) followDevices() {
	if c.deviceVersion == c.state.DeviceVersion() {
		return
	}
	c.deviceVersion = c.state.DeviceVersion()
	var pods []*cluster.Pod
	c.pending.Each(func(a *pending.Ask) {
		if a.Pod.Shape.Extended() {
			pods = append(pods, a.Pod)
		}
	})
	slices.SortFunc(pods, func(a, b *cluster.Pod) int { return cluster.CompareTurn(a.Fact, b.Fact) })
	for _, p := range pods {
		c.settle(p)
	}
}
