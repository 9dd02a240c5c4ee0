package queues

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// vcore is YuniKorn's name for cpu.
const vcore = "vcore"

// native are the resources that Kubernetes itself knows; all others have a domain, such as nvidia.com/gpu.
var native = []string{resource.CPU, vcore, resource.Memory, resource.Pods, resource.EphemeralStorage}

// resourceName gives the core's name of a resource.
func resourceName(name string) string {
	if name == vcore {
		return resource.CPU
	}
	return name
}

// amounts reads a map of resources, zeros included, and reports what is wrong with it. What could not be read is left out.
func (b *builder) amounts(key string, in map[string]text) resource.Amounts {
	b.checkResourceNames(key, slices.Sorted(maps.Keys(in)))
	out := make(resource.Amounts, 0, len(in))
	for _, name := range slices.Sorted(maps.Keys(in)) {
		entry := strict.Entry(key, name)
		value, cut, err := quantity(string(in[name]), resourceName(name) == resource.CPU)
		switch {
		case err != nil:
			b.at.Faultf(entry, "%s, but is %q", err, in[name])
			continue
		case cut:
			b.at.Warnf(entry, "is more than Sluice counts up to; it is taken as %s", show(resourceName(name), resource.Limit))
		}
		out = append(out, resource.Amount{Name: resourceName(name), Value: value})
	}
	slices.SortFunc(out, func(a, b resource.Amount) int { return strings.Compare(a.Name, b.Name) })
	out = slices.CompactFunc(out, func(a, b resource.Amount) bool { return a.Name == b.Name })
	if len(out) == 0 {
		return nil
	}
	return out
}

// checkResourceNames refuses one resource under two names, and wonders about names that no resource of Kubernetes can have.
func (b *builder) checkResourceNames(key string, names []string) {
	for _, name := range names {
		entry := strict.Entry(key, name)
		switch {
		case name == "":
			b.at.Faultf(entry, "needs the name of a resource, such as memory")
		case name == vcore && slices.Contains(names, resource.CPU):
			b.at.Faultf(entry, "is the same as cpu, which is given as well; keep one of them")
		case slices.Contains(native, name) || strings.Contains(name, "/") || strings.HasPrefix(name, "hugepages-"):
		default:
			b.warnResource(entry, name)
		}
	}
}

func (b *builder) warnResource(entry, name string) {
	if near, ok := strict.Nearest(name, native); ok && name != "gpu" {
		b.at.Warnf(entry, "is no resource that Kubernetes knows; did you mean %s?", near)
		return
	}
	b.at.Warnf(entry, "is no resource that Kubernetes knows: those are %s, and names with a domain such as nvidia.com/gpu", strings.Join(native, ", "))
}

// find gives the amount of a resource, and false if it is not named.
func find(in resource.Amounts, name string) (int64, bool) {
	i := slices.IndexFunc(in, func(a resource.Amount) bool { return a.Name == name })
	if i < 0 {
		return 0, false
	}
	return in[i].Value, true
}

func isZero(in resource.Amounts) bool {
	return !slices.ContainsFunc(in, func(a resource.Amount) bool { return a.Value != 0 })
}

// least is, for each resource that either names, the smaller of the two; what is not named is unlimited.
func least(a, b resource.Amounts) resource.Amounts {
	out := slices.Clone(a)
	for _, x := range b {
		i := slices.IndexFunc(out, func(y resource.Amount) bool { return y.Name == x.Name })
		if i < 0 {
			out = append(out, x)
		} else {
			out[i].Value = min(out[i].Value, x.Value)
		}
	}
	return out
}

// plus adds up. A sum stops at twice the largest amount, so that it is above any max and does not overflow.
func plus(a, b resource.Amounts) resource.Amounts {
	out := slices.Clone(a)
	for _, x := range b {
		i := slices.IndexFunc(out, func(y resource.Amount) bool { return y.Name == x.Name })
		if i < 0 {
			out = append(out, x)
		} else {
			out[i].Value = min(out[i].Value+x.Value, 2*resource.Limit)
		}
	}
	return out
}
