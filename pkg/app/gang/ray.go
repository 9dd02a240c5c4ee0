package gang

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
)

// rayCluster is what is read of a RayCluster.
type rayCluster struct {
	Spec struct {
		Suspend     *bool      `json:"suspend"`
		Autoscaling *bool      `json:"enableInTreeAutoscaling"`
		Head        rayGroup   `json:"headGroupSpec"`
		Workers     []rayGroup `json:"workerGroupSpecs"`
	} `json:"spec"`
}

type rayGroup struct {
	Name        string             `json:"groupName"`
	Replicas    *int32             `json:"replicas"`
	MinReplicas *int32             `json:"minReplicas"`
	Hosts       *int32             `json:"numOfHosts"`
	Suspend     *bool              `json:"suspend"`
	Template    v1.PodTemplateSpec `json:"template"`
}

// readRayCluster reads a RayCluster: its operator creates head and workers together, and the workers wait for the head.
func readRayCluster(r *Reader, o metav1.Object, into *Piece) {
	d := begin(o, rayClusters, "raycluster/"+o.GetName())
	var c rayCluster
	if err := decode(o, &c); err != nil {
		d.refuse(err, into)
		return
	}
	scales := orElse(c.Spec.Autoscaling, false)
	d.exact = !scales
	d.add(role{min: 1, count: 1, member: c.Spec.Head.member(r, o, "head", "headgroup")})
	least, all := 0, 0
	for i := range c.Spec.Workers {
		g := &c.Spec.Workers[i]
		w := role{member: g.member(r, o, app.Worker, g.Name)}
		w.min, w.count = g.size(scales)
		d.add(w)
		least, all = least+w.min, all+w.count
	}
	d.fact.Source = fmt.Sprintf("RayCluster %s: 1 head, %s", o.GetName(), plural(all, "worker"))
	if scales {
		d.fact.Source += fmt.Sprintf(", autoscaled, runs with %d (minReplicas)", least)
	}
	if orElse(c.Spec.Suspend, false) {
		d.halted("spec.suspend is true")
	}
	d.end(r, o, into)
}

// size is how many pods of a group there are to be at least, and now. An autoscaled cluster runs with the least.
func (g *rayGroup) size(scales bool) (least, now int) {
	if orElse(g.Suspend, false) {
		return 0, 0
	}
	hosts := max(1, sane(orElse(g.Hosts, 1)))
	least = sane(orElse(g.MinReplicas, 0))
	now = sane(orElse(g.Replicas, int32(least)))
	if !scales {
		least = now
	}
	return sane(least * hosts), sane(max(now, least) * hosts)
}

// member is a pod of the group, with the labels that KubeRay gives it.
func (g *rayGroup) member(r *Reader, o metav1.Object, node, name string) *member {
	return r.member(o.GetNamespace(), &g.Template, map[string]string{
		"ray.io/cluster": o.GetName(), "ray.io/node-type": node, "ray.io/group": name, "ray.io/is-ray-node": "yes",
	})
}
