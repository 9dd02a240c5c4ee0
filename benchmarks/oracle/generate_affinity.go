package oracle

import (
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func (g *Generator) nodeSelector() map[string]string {
	selector := map[string]string{}
	for range g.IntN(3) { // it may be empty, and not nil
		key := one(g.draw, labelKeys...)
		selector[key] = one(g.draw, labelValues[key]...)
	}
	if g.chance(5) {
		selector["missing"] = "x"
	}
	if g.chance(5) {
		selector[v1.LabelHostname] = one(g.draw, g.world.Nodes...).Name
	}
	return selector
}

func (g *Generator) nodeAffinity() *v1.NodeAffinity {
	a := &v1.NodeAffinity{}
	if g.chance(g.affinity) {
		a.RequiredDuringSchedulingIgnoredDuringExecution = &v1.NodeSelector{NodeSelectorTerms: several(g.draw, 1, 3, g.nodeTerm)}
		if g.IntN(50) == 0 {
			a.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms = one(g.draw, nil, []v1.NodeSelectorTerm{})
		}
	} else if g.chance(g.named * 4) {
		a.RequiredDuringSchedulingIgnoredDuringExecution = &v1.NodeSelector{NodeSelectorTerms: several(g.draw, 1, 2, g.namedTerm)}
	}
	if g.chance(g.preferred) {
		a.PreferredDuringSchedulingIgnoredDuringExecution = several(g.draw, 1, 3, func() v1.PreferredSchedulingTerm {
			return v1.PreferredSchedulingTerm{Weight: one[int32](g.draw, 0, 1, 2, 50, 100), Preference: g.nodeTerm()}
		})
	}
	return a
}

func (g *Generator) nodeTerm() v1.NodeSelectorTerm {
	if g.IntN(30) == 0 {
		return v1.NodeSelectorTerm{} // matches nothing
	}
	t := v1.NodeSelectorTerm{MatchExpressions: several(g.draw, 1, 2, g.requirement)}
	if g.chance(6) {
		t.MatchFields = []v1.NodeSelectorRequirement{g.field()}
		if g.chance(50) {
			t.MatchExpressions = nil
		}
	}
	return t
}

// namedTerm names nodes, as those of DaemonSets do, and others that are like them.
func (g *Generator) namedTerm() v1.NodeSelectorTerm {
	t := v1.NodeSelectorTerm{MatchFields: []v1.NodeSelectorRequirement{g.fieldIn()}}
	switch g.IntN(6) {
	case 0:
		t.MatchExpressions = []v1.NodeSelectorRequirement{g.requirement()}
	case 1:
		t.MatchFields = append(t.MatchFields, g.fieldIn())
	case 2:
		t.MatchFields = append(t.MatchFields, g.field())
	}
	return t
}

func (g *Generator) nodeName() string {
	if g.chance(5) {
		return one(g.draw, "nowhere", "")
	}
	return one(g.draw, g.world.Nodes...).Name
}

func (g *Generator) fieldIn() v1.NodeSelectorRequirement {
	return v1.NodeSelectorRequirement{
		Key: metav1.ObjectNameField, Operator: v1.NodeSelectorOpIn, Values: several(g.draw, 1, one(g.draw, 1, 1, 1, 2), g.nodeName),
	}
}

// field selects by a field of the node, well or badly.
func (g *Generator) field() v1.NodeSelectorRequirement {
	r := g.fieldIn()
	switch g.IntN(5) {
	case 0, 1, 2:
		r.Operator = v1.NodeSelectorOpNotIn
	case 3:
		r.Operator = one(g.draw, v1.NodeSelectorOpExists, v1.NodeSelectorOpGt, "Unknown")
	case 4:
		r.Key = one(g.draw, "metadata.namespace", "")
	}
	return r
}

// requirement is about a label of nodes. One in twenty cannot be read.
func (g *Generator) requirement() v1.NodeSelectorRequirement {
	key := one(g.draw, labelKeys...)
	if g.chance(8) {
		key = one(g.draw, v1.LabelHostname, "missing")
	}
	r := v1.NodeSelectorRequirement{Key: key}
	values := labelValues[key]
	if key == v1.LabelHostname {
		values = []string{g.nodeName(), g.nodeName()}
	} else if values == nil {
		values = []string{"x"}
	}
	switch g.IntN(8) {
	case 0, 1, 2, 3:
		r.Operator, r.Values = v1.NodeSelectorOpIn, several(g.draw, 1, 3, func() string { return one(g.draw, values...) })
	case 4:
		r.Operator, r.Values = v1.NodeSelectorOpNotIn, several(g.draw, 1, 2, func() string { return one(g.draw, values...) })
	case 5:
		r.Operator = one(g.draw, v1.NodeSelectorOpExists, v1.NodeSelectorOpDoesNotExist)
	default:
		r.Key, r.Operator, r.Values = "size", one(g.draw, v1.NodeSelectorOpGt, v1.NodeSelectorOpLt), []string{one(g.draw, "0", "1", "2", "7", "-2")}
	}
	if g.chance(5) {
		g.spoil(&r)
	}
	return r
}

// spoil makes a requirement that cannot be read; the API server takes none of these, but some older ones did.
func (g *Generator) spoil(r *v1.NodeSelectorRequirement) {
	switch g.IntN(6) {
	case 0:
		r.Operator = "Unknown"
	case 1:
		r.Operator, r.Values = v1.NodeSelectorOpIn, nil
	case 2:
		r.Operator, r.Values = v1.NodeSelectorOpGt, []string{"1", "2"}
	case 3:
		r.Operator, r.Values = v1.NodeSelectorOpLt, []string{"many"}
	case 4:
		r.Operator, r.Values = v1.NodeSelectorOpExists, []string{"x"}
	case 5:
		r.Key = "not a key!"
	}
}
