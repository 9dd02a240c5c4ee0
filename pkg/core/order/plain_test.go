package order_test

import (
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// plain reckons what pods would like by reading API objects, as the rules are written: over all nodes and pods each time, with nothing of the code that it is
// compared with.
type plain struct {
	nodes map[string]*v1.Node
	// placed are pods by name, on the nodes that their specs name.
	placed map[string]*v1.Pod
}

// liked returns what the evaluators that see all nodes give to each of the nodes that fit, weights included.
func (w *plain) liked(p *v1.Pod, by order.Spec, fits []string) map[string]int64 {
	sum := map[string]int64{}
	for _, e := range by.Evaluators {
		var scores map[string]int64
		if e.Kind == order.ImageLocality {
			scores = w.images(p, fits, order.Unit)
		}
		for name, score := range scores {
			sum[name] += e.Weight * score
		}
	}
	return sum
}

// images scores by the bytes of the pod's images that a node has.
func (w *plain) images(p *v1.Pod, fits []string, whole int64) map[string]int64 {
	var wanted []string
	for _, c := range append(append([]v1.Container{}, p.Spec.InitContainers...), p.Spec.Containers...) {
		name := c.Image
		if last := name[strings.LastIndex(name, "/")+1:]; !strings.Contains(last, ":") {
			name += ":latest"
		}
		wanted = append(wanted, name)
	}
	scores := map[string]int64{}
	for _, on := range fits {
		sum := int64(0)
		for _, name := range wanted {
			size, has := imageOn(w.nodes[on], name)
			if !has {
				continue
			}
			have := 0
			for _, n := range w.nodes {
				if _, has := imageOn(n, name); has {
					have++
				}
			}
			sum += int64(float64(size) * (float64(have) / float64(len(w.nodes))))
		}
		least, most := int64(23<<20), int64(len(wanted))*1000<<20
		if sum < least {
			sum = least
		}
		if sum > most {
			sum = most
		}
		scores[on] = whole * (sum - least) / (most - least)
	}
	return scores
}

func imageOn(n *v1.Node, name string) (size int64, has bool) {
	for _, image := range n.Status.Images {
		for _, x := range image.Names {
			if x == name {
				return image.SizeBytes, true
			}
		}
	}
	return 0, false
}
