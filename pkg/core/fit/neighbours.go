package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// neighbours refuses nodes by the pods in their domains (plugin InterPodAffinity): none that required affinity selects is there, or one that
// anti-affinity selects, or one whose own anti-affinity selects the pod.
var neighbours = check{
	fits: func(a Ask, n *cluster.Node) bool {
		return !alone(a, n, false) && !repelled(a, n) && !unwelcome(a, n)
	},
	why: func(a Ask, n *cluster.Node, to []Reason) []Reason {
		switch {
		case alone(a, n, true): // with nominees first, as kube-scheduler does
			return append(to, Reason{Kind: Alone, Code: UnschedulableAndUnresolvable})
		case repelled(a, n):
			return append(to, Reason{Kind: Repelled, Code: Unschedulable})
		case unwelcome(a, n):
			return append(to, Reason{Kind: Unwelcome, Code: Unschedulable})
		}
		return append(to, Reason{Kind: Alone, Code: UnschedulableAndUnresolvable})
	},
}

// alone reports whether required affinity is not met, with nominees or without. The first of pods that want to be together may begin anywhere: if nobody is
// anywhere whom the terms select, it is enough that they select the pod itself.
func alone(a Ask, n *cluster.Node, nominees bool) bool {
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
		total := t.Total()
		if nominees {
			coming := selected(a, n, t)
			there, total = there+coming, total+coming
		}
		met = met && there > 0
		anybody = anybody || total > 0
	}
	return !met && (anybody || !a.Kin.Likes())
}

func repelled(a Ask, n *cluster.Node) bool {
	if a.Shape.Bonds == nil {
		return false
	}
	for _, t := range a.Shape.Bonds.Apart {
		if there, _ := t.At(n); there > 0 || selected(a, n, t) > 0 {
			return true
		}
	}
	return false
}

func unwelcome(a Ask, n *cluster.Node) bool {
	if a.Kin == nil {
		return false
	}
	for _, m := range a.Kin.Against {
		for _, t := range m.Tallies() {
			if there, _ := t.At(n); there > 0 {
				return true
			}
		}
	}
	return len(n.Nominees) > 0 && unwelcomeBeside(a, n)
}

// Near returns the only nodes on which an ask with required affinity may fit, if they are known to be so few: those of the domains where the pods are that it wants to be with.
// It fits on none of the others.
func Near(a Ask, most int) (nodes []*cluster.Node, few bool) {
	if a.Shape.Bonds == nil {
		return nil, false
	}
	for _, t := range a.Shape.Bonds.Together {
		if t.Total() == 0 {
			continue // it may be the first
		}
		if list, all := t.Nodes(most); all && (!few || len(list) < len(nodes)) {
			nodes, few = list, true
		}
	}
	return nodes, few
}
