package oracle

import (
	"fmt"
	"math/rand/v2"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Generator makes a world, changes it, and makes pods that want to run there.
type Generator struct {
	draw
	*theme
	world *World
	// made counts pods, for their names.
	made int
}

// NewGenerator returns the generator of a numbered world; every world of a seed is another one.
func NewGenerator(seed, number uint64) *Generator {
	d := draw{rand.New(rand.NewPCG(seed, number))}
	return &Generator{draw: d, theme: pickTheme(d)}
}

// Theme is what a numbered world of a seed is mostly about.
func Theme(seed, number uint64) string { return NewGenerator(seed, number).name }

// manyNodes is for a few worlds: more host names than a label may have values and still tell classes of nodes apart.
const manyNodes = 80

// World makes the world.
func (g *Generator) World() *World {
	g.world = &World{}
	for _, name := range namespaces {
		if !g.chance(10) { // pods may be in a namespace of which nothing is known
			g.world.Namespaces = append(g.world.Namespaces, g.namespace(name))
		}
	}
	nodes := g.between(1, 10)
	if g.IntN(150) == 0 {
		nodes = manyNodes
	}
	for i := range nodes {
		g.world.Nodes = append(g.world.Nodes, g.node(fmt.Sprintf("n%d", i)))
		if g.volumes > 0 && !g.chance(10) {
			g.world.CSINodes = append(g.world.CSINodes, g.csiNode(fmt.Sprintf("n%d", i)))
		}
	}
	if g.volumes > 0 {
		g.storage(g.world)
	}
	if g.likes {
		for range g.IntN(5) {
			g.world.put(g.selecting(), false)
		}
	}
	for range g.IntN((3+3*g.crowd)*min(nodes, 12) + 1) {
		g.world.Pods = append(g.world.Pods, g.placed())
	}
	return g.world
}

var namespaces = []string{"default", "team-a", "team-b", "prod"}

func (g *Generator) namespace(name string) *v1.Namespace {
	n := &v1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/metadata.name": name}}}
	if g.chance(60) {
		n.Labels["team"] = one(g.draw, "red", "blue")
	}
	if g.chance(30) {
		n.Labels["env"] = one(g.draw, "prod", "test")
	}
	return n
}

// meta is that of a new pod. Labels are of a small space, so that selectors meet them.
func (g *Generator) meta() metav1.ObjectMeta {
	g.made++
	name := fmt.Sprintf("p%d", g.made)
	m := metav1.ObjectMeta{Namespace: one(g.draw, namespaces...), Name: name, UID: types.UID("uid-" + name)}
	if g.chance(50) {
		m.Namespace = namespaces[0]
	}
	m.Labels = g.podLabels()
	return m
}

func (g *Generator) podLabels() map[string]string {
	if g.chance(8) {
		return nil
	}
	labels := map[string]string{}
	if g.chance(85) {
		labels["app"] = one(g.draw, "a", "b", "c")
	}
	if g.chance(40) {
		labels["tier"] = one(g.draw, "x", "y")
	}
	if g.chance(40) {
		labels["pod-template-hash"] = one(g.draw, "1", "2")
	}
	return labels
}

// placed makes a pod that is on a node, of Sluice or of others; some have ended, some are about to.
func (g *Generator) placed() *v1.Pod {
	p := g.pod()
	if g.chance(g.placedTerms) {
		g.relations(p)
	}
	if g.chance(g.volumes / 2) {
		g.mounts(p, true)
	}
	p.Spec.NodeName = one(g.draw, g.world.Nodes...).Name
	switch g.IntN(40) {
	case 0:
		p.Status.Phase = v1.PodSucceeded
	case 1:
		p.Status.Phase = v1.PodFailed
	case 2:
		p.Spec.NodeName = "nowhere"
	case 3, 4, 5, 6:
		p.DeletionTimestamp = &metav1.Time{}
	case 7:
		p.Spec.NodeName = "" // still waiting: counts nowhere
	}
	if p.Spec.NodeName != "" && g.chance(12) {
		g.resize(p)
	}
	return p
}

// Incoming makes a pod that wants to run.
func (g *Generator) Incoming() *v1.Pod {
	p := g.pod()
	p.Spec.SchedulerName = scheduler
	g.relations(p)
	if g.chance(g.volumes) {
		g.mounts(p, false)
	}
	if g.chance(g.features) {
		g.needFeatures(p)
	}
	if g.chance(g.tuned) {
		g.tune(p)
	}
	if g.chance(g.nominated) {
		p.Status.NominatedNodeName = g.nodeName()
	}
	return p
}

// pod makes a pod.
func (g *Generator) pod() *v1.Pod {
	p := &v1.Pod{ObjectMeta: g.meta()}
	p.Spec.SchedulerName = one(g.draw, scheduler, scheduler, "default-scheduler")
	g.containers(p)
	if g.likes {
		g.belongings(p)
	}
	if g.nominated > 0 && g.chance(80) {
		p.Spec.Priority = ref(one[int32](g.draw, -1, 0, 0, 1, 10))
	}
	if g.chance(g.tolerant) {
		p.Spec.Tolerations = several(g.draw, 1, 3, g.toleration)
	}
	if g.chance(g.selector) {
		p.Spec.NodeSelector = g.nodeSelector()
	}
	if g.chance(g.affinity) || g.chance(g.named) || g.chance(g.preferred) {
		p.Spec.Affinity = &v1.Affinity{NodeAffinity: g.nodeAffinity()}
	}
	if g.chance(g.ports) {
		g.hostPorts(p)
	}
	return p
}
