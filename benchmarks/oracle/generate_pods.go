package oracle

import (
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	reqs "k8s.io/component-helpers/resource"
)

// containers gives a pod its containers and what they request: init containers that come before, sidecars among them, overhead, and
// amounts for the pod as a whole.
func (g *Generator) containers(p *v1.Pod) {
	p.Spec.Containers = several(g.draw, 1, one(g.draw, 1, 1, 1, 2, 3), func() v1.Container { return g.container("main") })
	if g.chance(25) {
		p.Spec.InitContainers = several(g.draw, 1, 3, func() v1.Container {
			c := g.container("init")
			if g.chance(40) {
				c.RestartPolicy = ref(v1.ContainerRestartPolicyAlways)
			}
			return c
		})
	}
	number(p.Spec.Containers, "main")
	number(p.Spec.InitContainers, "init")
	if g.chance(8) {
		p.Spec.Overhead = g.amounts(60)
	}
	if !g.likes && g.chance(12) {
		g.wholePod(p)
	}
}

// number names containers.
func number(list []v1.Container, name string) {
	for i := range list {
		list[i].Name = name + string(rune('0'+i))
	}
}

func (g *Generator) container(string) v1.Container {
	var c v1.Container
	if g.chance(g.requests) {
		c.Resources.Requests = g.amounts(50)
	}
	return c
}

// amounts are requests; zeros and odd ways to write a quantity are among them.
func (g *Generator) amounts(percent int) v1.ResourceList {
	list := v1.ResourceList{}
	for _, name := range some(g.draw, percent, v1.ResourceCPU, v1.ResourceMemory) {
		list[name] = g.amount(name)
	}
	for _, name := range some(g.draw, percent/5, v1.ResourceEphemeralStorage, huge, gpu, "example.com/fpga", "kubernetes.io/token") {
		list[name] = g.amount(name)
	}
	if g.IntN(200) == 0 {
		list["example.com/unheard-of"] = whole(int64(g.IntN(2)))
	}
	return list
}

// odd are unusual ways to write a quantity.
var odd = map[v1.ResourceName][]apires.Quantity{
	v1.ResourceCPU:    {wire("0"), wire("100u"), wire("1.5"), wire("1e0"), wire("0.0005")},
	v1.ResourceMemory: {wire("0"), wire("1500m"), wire("128M"), wire("1.5Gi"), wire("1")},
}

// wire reads a quantity as it comes from the API server, which writes it in its own way first. (One that is not, such as 1.5Gi, is kept in a form
// that PodRequests of component-helpers changes while it adds the overhead to the amounts of the pod as a whole.)
func wire(text string) apires.Quantity {
	q := apires.MustParse(text)
	return apires.MustParse(q.String())
}

func (g *Generator) amount(name v1.ResourceName) apires.Quantity {
	if list := odd[name]; list != nil && g.chance(8) {
		return one(g.draw, list...)
	}
	switch name {
	case v1.ResourceCPU:
		return milli(one[int64](g.draw, 1, 99, 100, 250, 500, 500, 1000, 2000))
	case v1.ResourceMemory:
		return whole(one[int64](g.draw, 1, 1<<27, 1<<28, 1<<28+1, 1<<29, 1<<30))
	case v1.ResourceEphemeralStorage:
		return whole(one[int64](g.draw, 1<<20, 1<<30, 4<<30))
	case huge:
		return whole(int64(g.IntN(3)) << 21)
	}
	return whole(int64(g.IntN(3)))
}

// wholePod gives amounts for the pod as a whole; they take the place of those of its containers.
func (g *Generator) wholePod(p *v1.Pod) {
	list := v1.ResourceList{}
	for _, name := range some(g.draw, 60, v1.ResourceCPU, v1.ResourceMemory) {
		list[name] = g.amount(name)
	}
	if g.chance(10) {
		list[huge] = g.amount(huge)
	}
	p.Spec.Resources = &v1.ResourceRequirements{Requests: list}
}

// tune gives a pod exactly as much of one resource as a node has left, or a little more or less.
func (g *Generator) tune(p *v1.Pod) {
	n := one(g.draw, g.world.Nodes...)
	name := one(g.draw, v1.ResourceCPU, v1.ResourceCPU, v1.ResourceMemory, v1.ResourceMemory, v1.ResourceEphemeralStorage, gpu, "kubernetes.io/token")
	free := n.Status.Allocatable[name]
	for _, on := range g.world.Pods {
		if counted(on) && on.Spec.NodeName == n.Name {
			used := reqs.PodRequests(on, reqs.PodResourcesOptions{UseStatusResources: true, InPlacePodLevelResourcesVerticalScalingEnabled: true})[name]
			free.Sub(used)
		}
	}
	total := one(g.draw, free, free, n.Status.Allocatable[name])
	if name == v1.ResourceCPU {
		total.Add(milli(one[int64](g.draw, -1, 0, 0, 1)))
	} else {
		total.Add(whole(one[int64](g.draw, -1, 0, 0, 1)))
	}
	if total.Sign() < 0 {
		total = apires.Quantity{}
	}
	p.Spec.InitContainers, p.Spec.Overhead, p.Spec.Resources = nil, nil, nil
	p.Spec.Containers = p.Spec.Containers[:1]
	list := v1.ResourceList{}
	for k, q := range p.Spec.Containers[0].Resources.Requests {
		if g.chance(50) {
			list[k] = q
		}
	}
	list[name] = total
	p.Spec.Containers[0].Resources.Requests = list
}

// resize gives a pod on a node a status that tells other amounts than its spec, as while it is resized in place.
func (g *Generator) resize(p *v1.Pod) {
	statuses := func(list []v1.Container) (out []v1.ContainerStatus) {
		for i := range list {
			if g.chance(15) {
				continue // the kubelet has not told yet
			}
			s := v1.ContainerStatus{Name: list[i].Name}
			if g.chance(70) {
				s.AllocatedResources = g.amounts(60)
			}
			if g.chance(70) {
				s.Resources = &v1.ResourceRequirements{Requests: g.amounts(60)}
			}
			out = append(out, s)
		}
		return out
	}
	if g.likes {
		return // see plainRequests
	}
	p.Status.ContainerStatuses = statuses(p.Spec.Containers)
	p.Status.InitContainerStatuses = statuses(p.Spec.InitContainers)
	if g.chance(60) {
		reason := one(g.draw, v1.PodReasonInfeasible, v1.PodReasonDeferred, "")
		p.Status.Conditions = []v1.PodCondition{{Type: v1.PodResizePending, Status: v1.ConditionTrue, Reason: reason}}
	}
	if p.Spec.Resources != nil && g.chance(60) {
		p.Status.AllocatedResources = g.amounts(60)
		p.Status.Resources = &v1.ResourceRequirements{Requests: g.amounts(60)}
	}
}

// hostPorts gives containers ports on the host, of few numbers, addresses and protocols.
func (g *Generator) hostPorts(p *v1.Pod) {
	put := func(list []v1.Container) {
		for i := range list {
			if g.chance(70) {
				list[i].Ports = several(g.draw, 1, 2, g.port)
			}
		}
	}
	put(p.Spec.Containers)
	put(p.Spec.InitContainers)
}

func (g *Generator) port() v1.ContainerPort {
	return v1.ContainerPort{
		ContainerPort: 80, HostPort: one[int32](g.draw, 0, 80, 81, 8080),
		HostIP:   one(g.draw, "", "", "0.0.0.0", "10.0.0.1", "10.0.0.2", "::", "::1"),
		Protocol: one(g.draw, "", v1.ProtocolTCP, v1.ProtocolUDP, v1.ProtocolSCTP),
	}
}

// needFeatures gives a pod something that only nodes can do that declare so.
func (g *Generator) needFeatures(p *v1.Pod) {
	if g.chance(40) {
		p.Spec.HostNetwork, p.Spec.HostUsers = g.chance(80), ref(g.chance(20))
	}
	container := &p.Spec.Containers[0]
	if len(p.Spec.InitContainers) > 0 && g.chance(50) {
		container = &p.Spec.InitContainers[0]
	}
	if g.chance(40) {
		container.RestartPolicyRules = []v1.ContainerRestartRule{{
			Action: one(g.draw, v1.ContainerRestartRuleActionRestartAllContainers, v1.ContainerRestartRuleActionRestart),
		}}
	}
	if g.chance(40) {
		container.VolumeMounts = []v1.VolumeMount{{Name: "v", MountPath: "/v", BindMountOptions: some(g.draw, 50, "noexec")}}
	}
}
