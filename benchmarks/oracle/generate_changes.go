package oracle

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Changes lets some things happen to the world and returns them.
func (g *Generator) Changes() []Change {
	var out []Change
	if len(g.world.Pods) > 0 && g.chance(15) { // labels alone: nothing about any node
		p := *one(g.draw, g.world.Pods...)
		p.Labels = g.podLabels()
		g.world.Apply(Change{Set: &p})
		return []Change{{Set: &p}}
	}
	for range one(g.draw, 1, 1, 1, 2, 3, 6) { // one alone shows best what is not followed
		changes := []Change{g.change()}
		if g.chance(g.volumes / 2) {
			changes = g.storageChanges()
		}
		if g.likes && g.chance(20) {
			changes = []Change{{Set: g.selecting()}}
			if g.chance(30) {
				changes = []Change{{Gone: changes[0].Set}}
			}
		}
		for _, c := range changes {
			g.world.Apply(c)
		}
		out = append(out, changes...)
	}
	return out
}

func (g *Generator) change() Change {
	if g.moving > 0 && g.chance(g.moving) {
		if g.chance(50) {
			return g.nodeComesOrGoes()
		}
		return Change{Set: g.node(one(g.draw, g.world.Nodes...).Name)}
	}
	switch g.IntN(13) {
	case 0:
		return Change{Set: g.node(one(g.draw, g.world.Nodes...).Name)} // described anew
	case 1:
		return g.nodeComesOrGoes()
	case 2:
		return Change{Set: g.namespace(one(g.draw, namespaces...))}
	case 3:
		return g.namespaceGoes()
	case 4, 5, 6:
		return Change{Set: g.placed()}
	case 7:
		return Change{Tried: g.tries()}
	}
	if len(g.world.Pods) == 0 {
		return Change{Set: g.placed()}
	}
	p := one(g.draw, g.world.Pods...)
	if g.chance(30) {
		return Change{Gone: p}
	}
	return g.podChanges(p)
}

func (g *Generator) nodeComesOrGoes() Change {
	if len(g.world.Nodes) > 1 && g.chance(50) {
		return Change{Gone: one(g.draw, g.world.Nodes...)}
	}
	return Change{Set: g.node(fmt.Sprintf("n%d", g.IntN(12)))} // one that is new, or was there before
}

func (g *Generator) namespaceGoes() Change {
	if len(g.world.Namespaces) == 0 {
		return Change{Set: g.namespace(namespaces[0])}
	}
	return Change{Gone: one(g.draw, g.world.Namespaces...)}
}

// podChanges is what may happen to a pod in its life.
func (g *Generator) podChanges(old *v1.Pod) Change {
	p := *old
	switch g.IntN(9) {
	case 0, 7:
		p.Labels = g.podLabels()
	case 1, 8:
		p.DeletionTimestamp = &metav1.Time{}
	case 2:
		p.Status.Phase = one(g.draw, v1.PodSucceeded, v1.PodFailed)
	case 3:
		if p.Spec.NodeName != "" {
			g.resize(&p)
		}
	case 4:
		return g.moves(p)
	default:
		if p.Spec.NodeName == "" {
			return g.places(p)
		}
	}
	return Change{Set: &p}
}

// moves shows a pod on another node than before; Sluice must believe it.
func (g *Generator) moves(p v1.Pod) Change {
	if p.Spec.NodeName != "" {
		p.Spec.NodeName = one(g.draw, g.world.Nodes...).Name
	}
	return Change{Set: &p}
}

// places puts a waiting pod on a node, either as the API server tells it or by Sluice's own decision.
func (g *Generator) places(p v1.Pod) Change {
	p.Spec.NodeName = one(g.draw, g.world.Nodes...).Name
	return Change{Set: &p, Assumed: g.chance(60)}
}

// tries are pods to be placed tentatively.
func (g *Generator) tries() []*v1.Pod {
	pods := []*v1.Pod{}
	for _, old := range g.world.Pods {
		if g.chance(30) {
			p := *old
			p.Spec.NodeName = one(g.draw, g.world.Nodes...).Name
			pods = append(pods, &p)
		}
	}
	return pods
}
