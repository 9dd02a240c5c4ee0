package cluster

import "math"

// topology holds whom each matcher selects, and every count by domain, against a plain reading of pods and nodes.
func (v *verifier) topology() {
	users := map[*Tally]int{}
	for _, shape := range v.s.shapes {
		for _, t := range shape.Bonds.tallies() {
			users[t]++
		}
		for key, x := range shape.leanings {
			v.check(x.key == key && x.shape == shape && x.pods > 0, "leanings of shape %s are not filed", shape.Key)
			for _, t := range x.tallies() {
				users[t]++
			}
		}
	}
	for _, kept := range []map[defaultKey]*defaulted{v.s.defaults.young, v.s.defaults.old} {
		for _, d := range kept {
			for _, c := range d.bonds {
				users[c.Tally]++
			}
		}
	}
	scopes := map[*Scope]bool{}
	for i, m := range v.s.topo.live {
		v.check(m.at == i && v.s.topo.matchers[m.key] == m && len(m.tallies) > 0, "matcher %s is not filed, or counts nothing", m.key)
		for uid, p := range v.s.pods {
			v.check(p.folk.selectedBy(m) == v.selects(m, p), "matcher %s selects pod %s: %t", m.key, uid, p.folk.selectedBy(m))
		}
		for _, t := range m.tallies {
			v.check(t.users == users[t] && users[t] > 0, "a tally of %s has %d users, counts %d", m.key, users[t], t.users)
			scopes[t.scope] = true
			v.tally(t)
		}
	}
	v.check(len(v.s.topo.matchers) == len(v.s.topo.live), "%d matchers are filed, %d listed", len(v.s.topo.matchers), len(v.s.topo.live))
	v.check(len(scopes) == len(v.s.topo.scopes) && len(scopes) == len(v.s.topo.scopeOf), "%d scopes are in use, %d listed", len(scopes), len(v.s.topo.scopes))
	for _, x := range v.s.topo.axes {
		v.axis(x)
	}
	v.axes()
	v.folks()
}

// axes holds that every domain lists its nodes.
func (v *verifier) axes() {
	for _, x := range v.s.topo.axes {
		listed := 0
		for d := range x.domains {
			for _, n := range x.domains[d].nodes {
				listed++
				v.check(v.s.slots[n.Index] == n && x.of[n.Index] == int32(d), "node %s is listed in a domain of %s that it is not in", n.Name, x.Key)
			}
		}
		v.check(listed == x.located, "%d nodes are listed in domains of %s, %d are in some", listed, x.Key, x.located)
	}
}

// axis holds that nodes are counted that are in domains.
func (v *verifier) axis(x *Axis) {
	located := 0
	for _, n := range v.s.nodes {
		if n.Fact != nil {
			if _, has := x.value(n); has {
				located++
			}
		}
	}
	v.check(located == x.located, "%d nodes are in domains of %s, counted are %d", located, x.Key, x.located)
}

func (b *Bonds) tallies() (list []*Tally) {
	if b == nil {
		return nil
	}
	list = append(append(append(list, b.Together...), b.Apart...), b.carries...)
	for _, c := range b.Spread {
		list = append(list, c.Tally)
	}
	return list
}

func (v *verifier) selects(m *Matcher, p *Pod) bool {
	for i := range m.parts {
		if !m.parts[i].inSpace(p.Fact.Namespace, v.s.namespaces[p.Fact.Namespace], m.carried()) || !m.parts[i].Pods.Matches(p.Fact.Labels) {
			return false
		}
	}
	return true
}

// tally counts from scratch, by the values of the label.
func (v *verifier) tally(t *Tally) {
	want, total, least := map[string]int{}, 0, math.MaxInt32
	for _, n := range v.s.nodes {
		value, has := "", false
		if n.Fact != nil {
			value, has = t.scope.Axis.value(n)
		}
		if !has || !t.scope.includes(n) {
			v.check(n.Fact == nil || t.scope.of[n.Index] == outside, "node %s is in scope %s", n.Name, t.scope.key)
			continue
		}
		d := t.scope.of[n.Index]
		v.check(d != outside && t.scope.Axis.domains[d].value == value, "node %s is not in its domain %s=%s", n.Name, t.Key(), value)
		want[value] += 0
		for _, a := range n.Pods {
			if a.Reserved {
				continue
			}
			now := v.counted(t, a.Pod)
			want[value] += now
			total += now
		}
	}
	for _, n := range want {
		least = min(least, n)
	}
	v.check(total == t.total && len(want) == t.scope.domains, "tally %s of %s: %d in %d domains, counts %d in %d", t.of.key, t.scope.key, total, len(want), t.total, t.scope.domains)
	for value, n := range want {
		have := t.counts.at(t.scope.Axis.numbers[value])
		v.check(int(have) == n, "tally %s of %s: %d are in %s, counted are %d", t.of.key, t.scope.key, n, value, have)
	}
	v.check(!t.staying || int(t.least) == least, "tally %s of %s: the least is %d, not %d", t.of.key, t.scope.key, least, t.least)
}

// counted is how often a pod counts in a tally, wherever it is.
func (v *verifier) counted(t *Tally, p *Pod) (times int) {
	if !t.of.carried() {
		if v.selects(t.of, p) && !(t.staying && p.Fact.Deleting) {
			times = 1
		}
		return times
	}
	if p.Shape.Bonds != nil {
		for _, own := range p.Shape.Bonds.carries {
			if own == t {
				times++
			}
		}
	}
	if p.Leanings != nil {
		for _, own := range p.Leanings.carries {
			if own.Tally == t {
				times += int(own.Weight)
			}
		}
	}
	return times
}

// folks holds that every pod is among its like, has the kin that it should, and is entered where it should be.
func (v *verifier) folks() {
	listed := 0
	for i, r := range v.s.topo.realms {
		v.check(r.at == i && v.s.topo.realmOf[r.name] == r && len(r.folks) > 0 && len(r.folks) == len(r.folkOf), "realm %s is not filed", r.name)
		for j, f := range r.folks {
			v.check(f.at == j && r.folkOf[f.key] == f && len(f.pods) > 0, "a folk of %s is not filed", r.name)
			for k, p := range f.pods {
				listed++
				v.check(p.folk == f && int(p.atFolk) == k && r.project(p.Fact.Labels) == f.key, "pod %s is not among its like", p.Fact.UID)
			}
		}
	}
	v.check(listed == len(v.s.pods), "%d pods have their like, there are %d", listed, len(v.s.pods))
	kins := map[*Kin]int{}
	for uid, p := range v.s.pods {
		v.check(v.s.kinOf(p) == p.Kin, "pod %s does not have its kin", uid)
		if p.Kin != nil {
			kins[p.Kin]++
		}
		v.check(p.Alloc == nil || p.Alloc.ties.equal(p.tiesOf()), "pod %s is not entered where it belongs", uid)
	}
	for k, pods := range kins {
		v.check(k.pods == pods && v.s.topo.kins[k.key] == k, "a kin counts %d pods, has %d", k.pods, pods)
	}
	v.check(len(kins) == len(v.s.topo.kins), "%d kins have pods, %d are filed", len(kins), len(v.s.topo.kins))
}
