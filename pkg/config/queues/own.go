package queues

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// anyOther stands for the resources that a weight does not name.
const anyOther = "*"

// orderName is the rule for the name of a node order.
var orderName = regexp.MustCompile(`^[a-z0-9-]{1,63}$`)

// ours reads the keys that YuniKorn does not have, but for the weight.
func (b *builder) ours(at string, in *queue, spec *cluster.QueueSpec) {
	spec.NodeOrder = b.orderName(at+".nodeOrder", in.NodeOrder)
	spec.Strict = in.Strict != nil && *in.Strict
	spec.PriorityFirst = in.PriorityFirst != nil && *in.PriorityFirst
}

func (b *builder) orderName(at string, name *string) string {
	if name == nil {
		return ""
	}
	if !orderName.MatchString(*name) {
		b.at.Faultf(at, "must be the name of a node order: 1 to 63 lower-case letters, digits or '-', but is %q", *name)
	}
	b.uses = append(b.uses, OrderUse{Name: *name, At: b.at.Spot(at)})
	return *name
}

// weigh reads a weight: one for all resources, or one per resource.
func (b *builder) weigh(at string, in weight, spec *cluster.QueueSpec) {
	at += ".weight"
	spec.Weight = 1
	if in.each == nil {
		if b.at.Has(at) && b.at.OK(at) {
			strict.Between(b.at, at, in.all, 1, maxWeight)
			spec.Weight = in.all
		}
		return
	}
	b.checkResourceNames(at, slices.DeleteFunc(slices.Sorted(maps.Keys(in.each)), func(name string) bool { return name == anyOther }))
	for _, name := range slices.Sorted(maps.Keys(in.each)) {
		strict.Between(b.at, strict.Entry(at, name), in.each[name], 1, maxWeight)
		if name == anyOther {
			spec.Weight = in.each[name]
			continue
		}
		spec.Weights = append(spec.Weights, resource.Amount{Name: resourceName(name), Value: in.each[name]})
	}
	slices.SortFunc(spec.Weights, func(a, b resource.Amount) int { return strings.Compare(a.Name, b.Name) })
}

// template reads what queues are made of that rules create. Of an empty one they are made of defaults.
func (b *builder) template(at string, in *template, off bool) *cluster.QueueSpec {
	spec := &cluster.QueueSpec{MaxApps: apps(in.MaxApps)}
	b.properties(at+".properties", &in.Properties, spec, inherited{sort: cluster.SortFIFO, delay: defaultDelay, off: off})
	b.resources(at+".resources", &in.Resources, spec)
	b.weigh(at, in.Weight, spec)
	spec.NodeOrder = b.orderName(at+".nodeOrder", in.NodeOrder)
	spec.Strict = in.Strict != nil && *in.Strict
	spec.Gang = b.gang(at, &in.Gang, &in.Properties)
	return spec
}

// isEmpty tells whether a template says nothing, so that the one of the queue above holds.
func (t *template) isEmpty() bool {
	return t.MaxApps == nil && t.Properties == properties{} && len(t.Resources.Guaranteed) == 0 && len(t.Resources.Max) == 0 &&
		t.Weight.all == 0 && t.Weight.each == nil && t.NodeOrder == nil && t.Strict == nil && t.Gang == gang{}
}
