package queues

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// OrderName is the name of the node order that a nodesortpolicy becomes.
const OrderName = "nodesortpolicy"

// nodeOrder makes a node order of YuniKorn's policy: its way to weigh what is used, beside the preferences of the built-in order. It is nil if the
// file has no policy.
func (b *builder) nodeOrder(in *nodeSort) *order.Spec {
	if in == nil {
		return nil
	}
	kind := order.LeastAllocated
	if in.Type.or("") != "" {
		word, _ := strict.OneOfText(b.at, b.key("nodesortpolicy")+".type", string(*in.Type), "fair", "binpacking")
		if word == "binpacking" {
			kind = order.MostAllocated
		}
	}
	spec := &order.Spec{Name: OrderName, Evaluators: []order.Evaluator{{Kind: kind, Weight: 1, Resources: b.resourceWeights(in.Weights)}}}
	for _, e := range order.Default().Evaluators {
		if e.Kind != order.LeastAllocated {
			spec.Evaluators = append(spec.Evaluators, e)
		}
	}
	return spec
}

// resourceWeights turns YuniKorn's weights, which may be fractions, into whole ones of the same proportions. Nothing means cpu and memory alike.
func (b *builder) resourceWeights(in map[string]float64) []order.Resource {
	key := b.key("nodesortpolicy") + ".resourceweights"
	names := slices.Sorted(maps.Keys(in))
	b.checkResourceNames(key, names)
	var most float64
	for _, name := range names {
		if in[name] < 0 {
			b.at.Faultf(strict.Entry(key, name), "must not be negative, but is %v", in[name])
		}
		most = max(most, in[name])
	}
	if len(in) > 0 && most == 0 && b.at.OK(key) {
		b.at.Faultf(key, "must give at least one resource a weight above 0")
	}
	scale := wholeScale(in, most)
	var out []order.Resource
	for _, name := range names {
		if in[name] > 0 {
			out = append(out, order.Resource{Name: resourceName(name), Weight: max(1, int64(math.Round(in[name]*scale)))})
		}
	}
	slices.SortFunc(out, func(a, b order.Resource) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// wholeScale finds by what to multiply weights so that they are whole numbers up to 100; if nothing does that, so that the largest is 100.
func wholeScale(in map[string]float64, most float64) float64 {
	const highest = 100
	if most == 0 {
		return 1
	}
	for scale := 1.0; most*scale <= highest; scale++ {
		if isWhole(in, scale) {
			return scale
		}
	}
	return highest / most
}

func isWhole(in map[string]float64, scale float64) bool {
	for _, w := range in {
		if x := w * scale; math.Abs(x-math.Round(x)) > 1e-6 {
			return false
		}
	}
	return true
}
