package queues

import (
	"cmp"
	"maps"
	"regexp"
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// limits reads the limits of a queue.
func (b *builder) limits(key string, in []limit) []cluster.Limit {
	var out []cluster.Limit
	users, groups := named{}, named{}
	for i := range in {
		at := item(key, i)
		l := cluster.Limit{About: in[i].About.or(""), MaxApps: apps(in[i].MaxApps)}
		l.Users = b.members(at+".users", in[i].Users, users, userName)
		l.Groups = b.members(at+".groups", in[i].Groups, groups, groupName)
		l.Max = b.amounts(at+".maxresources", in[i].Max)
		b.checkLimit(at, &in[i], l)
		out = append(out, l)
	}
	return out
}

// named remembers where a user or group was named.
type named map[string]string

// members reads the users or groups of a limit. Each may be named once per queue, and "*" comes last.
func (b *builder) members(key string, in []text, seen named, allowed *regexp.Regexp) []string {
	var out []string
	for i, t := range in {
		name, at := string(t), item(key, i)
		switch {
		case name != anyone && !allowed.MatchString(name):
			b.at.Faultf(at, "must be a name that starts with a letter or '_', or \"*\", but is %q", name)
		case seen[name] != "":
			b.at.Faultf(at, "is limited by %s already: %q; name each once per queue", seen[name], name)
		case seen[anyone] != "":
			b.at.Faultf(at, "stands after \"*\" of %s, which is for all that are not named; move it above", seen[anyone])
		}
		if seen[name] == "" {
			seen[name] = at
		}
		out = append(out, name)
	}
	if slices.Contains(out, anyone) && len(seen) == 1 && allowed == groupName {
		b.at.Faultf(key, "must not be \"*\" alone, which would limit all users together, as the queue's max does; name a group before it")
	}
	return out
}

func (b *builder) checkLimit(at string, in *limit, l cluster.Limit) {
	switch {
	case len(in.Users)+len(in.Groups) == 0:
		b.at.Faultf(at, "is for nobody; give it users or groups")
	case len(in.Max) == 0 && l.MaxApps == 0:
		b.at.Faultf(at, "limits nothing; give it maxresources or maxapplications")
	case len(l.Max) > 0 && isZero(l.Max) && b.at.OK(at+".maxresources"):
		b.at.Faultf(at+".maxresources", "must not be zero in every resource; to keep somebody out, leave him out of the submitacl")
	}
}

// addPartitionLimits appends the limits of the partition to those of the root, which they are the same as.
func (b *builder) addPartitionLimits(in []limit) {
	key, spec := b.key("limits"), b.root.spec
	limits := b.limits(key, in)
	for i, l := range limits {
		for _, own := range spec.Limits {
			b.checkDouble(item(key, i)+".users", l.Users, own.Users)
			b.checkDouble(item(key, i)+".groups", l.Groups, own.Groups)
		}
	}
	for i, l := range limits {
		spec.Limits = append(spec.Limits, l)
		b.root.limitsAt = append(b.root.limitsAt, item(key, i))
	}
}

func (b *builder) checkDouble(key string, names, others []string) {
	for i, name := range names {
		if slices.Contains(others, name) {
			b.at.Faultf(item(key, i), "is limited by the queue root already: %q; the limits of the partition are those of root", name)
		}
	}
}

// bound is the least that limits allow a user or group.
type bound struct {
	max  resource.Amounts
	apps int
}

// checkLimits holds the limits of a queue against the queue's own max, and against what the queues above allow the same user or group.
func (b *builder) checkLimits(n *node, above map[string]bound) {
	here := map[string]bound{}
	maps.Copy(here, above)
	for i, l := range n.spec.Limits {
		at := n.limitsAt[i]
		b.checkBound(at, l, bound{n.spec.Max, n.spec.MaxApps}, "the queue's own")
		for _, who := range who(l) {
			up := above[who]
			b.checkBound(at, l, up, "that of "+who+" in a queue above")
			here[who] = bound{least(l.Max, up.max), cmp.Or(l.MaxApps, up.apps)}
		}
	}
	for _, child := range n.children {
		b.checkLimits(child, here)
	}
}

// checkBound reports what of a limit could never be reached.
func (b *builder) checkBound(at string, l cluster.Limit, up bound, whose string) {
	for _, m := range l.Max {
		if most, ok := find(up.max, m.Name); ok && m.Value > most {
			b.at.Faultf(b.amountAt(at+".maxresources", m.Name), "must not be above %s, which is %s, but is %s", whose, show(m.Name, most), show(m.Name, m.Value))
		}
	}
	if up.apps > 0 && l.MaxApps > up.apps {
		b.at.Faultf(at+".maxapplications", "must not be above %s, which is %d, but is %d", whose, up.apps, l.MaxApps)
	}
}

// who lists for whom a limit is, so that a user and a group of one name differ.
func who(l cluster.Limit) []string {
	var out []string
	for _, name := range l.Users {
		out = append(out, "user "+name)
	}
	for _, name := range l.Groups {
		out = append(out, "group "+name)
	}
	return out
}
