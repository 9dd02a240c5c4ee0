package app

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// ReadNamespace makes the fact of a namespace: what its annotations say of queues and quotas. The namespace is not kept.
//
// A quota that cannot be read in full is left out in full, as in YuniKorn, and named in the faults. Unlike YuniKorn, which takes a quota of nothing but
// zeros for none, zeros are kept.
func ReadNamespace(ns *v1.Namespace) *cluster.NamespaceFact {
	n := &notes{annotations: ns.Annotations}
	f := &cluster.NamespaceFact{Name: ns.Name, ResourceVersion: ns.ResourceVersion, Labels: ns.Labels}
	f.Queue, f.QueueFrom = n.first(QueueName, volcanoQueue)
	f.Parent, f.ParentFrom = n.first(namespaceParent)
	f.Guaranteed = n.amounts(namespaceGuaranteed)
	f.Max = n.quota()
	f.MaxApps = n.count(namespaceMaxApps)
	f.Annotations = n.queueLike()
	f.Faults = n.faults
	return f
}

// notes reads the annotations of one namespace, and keeps what it found wrong with them.
type notes struct {
	annotations map[string]string
	faults      []string
}

func (n *notes) fault(name, why string) {
	n.faults = append(n.faults, "annotation "+name+" "+why)
}

// first returns the first of the annotations that has a value.
func (n *notes) first(names ...string) (value, from string) {
	for _, name := range names {
		tamed, whole := tame(n.annotations[name])
		if !whole {
			n.faults = append(n.faults, notWhole("annotation "+name))
		}
		if tamed != "" {
			return tamed, "annotation " + name
		}
	}
	return "", ""
}

// quota is what YuniKorn takes as the maximum of the namespace's queue: one annotation, or its deprecated form in two.
func (n *notes) quota() resource.Amounts {
	old := map[string]string{}
	for name, of := range map[string]string{namespaceMaxCPU: resource.CPU, namespaceMaxMemory: resource.Memory} {
		if value := n.annotations[name]; value != "" {
			old[of] = value
		}
	}
	switch {
	case n.annotations[namespaceQuota] != "":
		if len(old) > 0 {
			n.fault(namespaceQuota, "is used, and the deprecated "+namespaceMaxCPU+" and "+namespaceMaxMemory+" are ignored")
		}
		return n.amounts(namespaceQuota)
	case len(old) > 0:
		amounts, why := readAmounts(old)
		if why != "" {
			n.fault(namespaceMaxCPU, "or "+namespaceMaxMemory+" cannot be read: "+why+"; both are ignored")
		}
		return amounts
	}
	return nil
}

// amounts reads an annotation like {"cpu": "64", "memory": "100G", "nvidia.com/gpu": "5"}.
func (n *notes) amounts(name string) resource.Amounts {
	text := n.annotations[name]
	if text == "" {
		return nil
	}
	written, why := quantities(text)
	if why == "" {
		var amounts resource.Amounts
		if amounts, why = readAmounts(written); why == "" {
			return amounts
		}
	}
	n.fault(name, "is ignored: "+why)
	return nil
}

func (n *notes) count(name string) int {
	text := n.annotations[name]
	if text == "" {
		return 0
	}
	count, err := strconv.Atoi(text)
	if err != nil || count < 0 {
		n.fault(name, "is ignored: "+quoted(text)+" is not a whole number from 0")
		return 0
	}
	return count
}

// queueLike returns the annotations whose value could be the name of a queue.
func (n *notes) queueLike() map[string]string {
	var out map[string]string
	for _, name := range slices.Sorted(maps.Keys(n.annotations)) {
		value, whole := tame(n.annotations[name])
		if !whole || value == "" || strings.ContainsAny(value, " {[\"") {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = value
	}
	return out
}
