package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// neighbours refuses nodes by the pods in their domains (plugin InterPodAffinity): none that required affinity selects is there, or one that
// anti-affinity selects, or one whose own anti-affinity selects the pod.
var neighbours = check{
	fits: func(a Ask, n *cluster.Node) bool {
		return !alone(a, n) && !repelled(a.Shape.Bonds, n) && !unwelcome(a.Kin, n)
	},
	why: func(a Ask, n *cluster.Node, to []Reason) []Reason {
		switch {
		case alone(a, n):
			return append(to, Reason{Kind: Alone, Code: UnschedulableAndUnresolvable})
		case repelled(a.Shape.Bonds, n):
			return append(to, Reason{Kind: Repelled, Code: Unschedulable})
		}
		return append(to, Reason{Kind: Unwelcome, Code: Unschedulable})
	},
}

// alone reports whether required affinity is not met. The first of pods that want to be together may begin anywhere: if nobody is anywhere whom the terms
// select, it is enough that they select the pod itself.
func alone(a Ask, n *cluster.Node) bool {
	b := a.Shape.Bonds
	if b == nil {
		return false
	}
	met, anybody := true, false
	for _, t := range b.Together {
		there, carries := t.At(n)
		if !carries {
			return true
		}
		met = met && there > 0
		anybody = anybody || t.Total() > 0
	}
	return !met && (anybody || !a.Kin.Likes())
}

func repelled(b *cluster.Bonds, n *cluster.Node) bool {
	if b == nil {
		return false
	}
	for _, t := range b.Apart {
		if there, _ := t.At(n); there > 0 {
			return true
		}
	}
	return false
}

func unwelcome(k *cluster.Kin, n *cluster.Node) bool {
	if k == nil {
		return false
	}
	for _, m := range k.Against {
		for _, t := range m.Tallies() {
			if there, _ := t.At(n); there > 0 {
				return true
			}
		}
	}
	return false
}
