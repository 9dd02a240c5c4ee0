package gang

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// draft is a fact in the making: what is known of a group before it is looked at what its users wish and in which group the pods will be.
type draft struct {
	// fact has its ID, origin and object. Source says how the numbers came about.
	fact  cluster.GroupFact
	roles []role
	// exact: there will be as many pods as the roles count, neither more nor less.
	exact bool
	wish  app.Wish
	// ending: the object is being deleted, and its pods with it.
	ending bool
}

// role is one role of the group, at least min pods of count.
type role struct {
	name       string
	min, count int
	// member is a pod of the role; nil if nothing is known of it but its name.
	member *member
	first  bool
	// done are those of count that have succeeded.
	done int
	// bare: the member is known in parts only, so nothing can be kept for it.
	bare bool
}

// refer names an object.
func refer(o metav1.Object, k Kind) cluster.ObjectRef {
	version := text(content(o), "apiVersion")
	if version == "" {
		version = k.APIVersion()
	}
	return cluster.ObjectRef{APIVersion: version, Kind: k.Kind, Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID()}
}

// add puts a role in. Roles of one name are one: its template is that of the first.
func (d *draft) add(r role) {
	if r.member != nil {
		r.name = r.member.claim.Role
	}
	for i := range d.roles {
		if have := &d.roles[i]; have.name == r.name {
			have.min, have.count, have.done = have.min+r.min, have.count+r.count, have.done+r.done
			have.first = have.first || r.first
			return
		}
	}
	d.roles = append(d.roles, r)
}

// wishes reads what is wished on the object itself, and on the pods it will make.
func (d *draft) wishes(o metav1.Object) {
	d.wish = app.ReadWish(&metav1.ObjectMeta{Labels: o.GetLabels(), Annotations: o.GetAnnotations()})
	for i := range d.roles {
		if m := d.roles[i].member; m != nil {
			d.wish = d.wish.Over(app.ReadWish(&m.pod.ObjectMeta))
		}
	}
}

// finish makes the fact, or none if its pods will be in a group that something more explicit tells of.
func (d *draft) finish(r *Reader) *cluster.GroupFact {
	f := &d.fact
	switch elsewhere, torn := d.elsewhere(); {
	case torn:
		f.Source, f.Min = "its pods are not in one group", 1
		f.Warnings = append(f.Warnings, "its pods are not in one group, so they start one by one: "+d.groups()+"; give all of them the same labels and annotations of groups")
		return f
	case elsewhere:
		return nil
	}
	d.heed()
	if d.ending {
		d.halted("it is being deleted")
	}
	f.Warnings = append(f.Warnings, d.wish.Faults...)
	f.Warnings = append(f.Warnings, d.strangers(r)...)
	f.Warnings = append(f.Warnings, d.queues()...)
	d.spend()
	if f.Topology == nil {
		f.Topology = d.wish.Topology
	}
	for i := range d.roles {
		f.Min += d.roles[i].min
		f.Roles = append(f.Roles, d.roles[i].fact(r))
	}
	return f
}

// ended notes that the application has ended by itself: it succeeded, or failed for good.
func (d *draft) ended(why string) { d.fact.Over, d.fact.Finished, d.fact.Why = true, true, why }

// halted notes that the application is not to run, whatever became of it.
func (d *draft) halted(why string) { d.fact.Over, d.fact.Why = true, why }

func (r *role) fact(by *Reader) cluster.RoleFact {
	out := cluster.RoleFact{Role: r.name, Min: r.min, Count: max(r.count, r.min), First: r.first}
	if r.member != nil && !r.bare {
		out.Template = by.fact(*r.member)
	}
	return out
}

// elsewhere reports whether the pods are in a group of another ID, or torn between several.
func (d *draft) elsewhere() (elsewhere, torn bool) {
	var ids []string
	for i := range d.roles {
		if m := d.roles[i].member; m != nil {
			ids = append(ids, m.claim.Group)
		}
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	return len(ids) == 1 && ids[0] != d.fact.ID, len(ids) > 1
}

func (d *draft) groups() string {
	var parts []string
	for i := range d.roles {
		if m := d.roles[i].member; m != nil {
			parts = append(parts, fmt.Sprintf("%s in %q", d.roles[i].name, m.claim.Group))
		}
	}
	return strings.Join(parts, ", ")
}

// heed lets what users wish for take the place of what was inferred.
func (d *draft) heed() {
	w := &d.wish
	if !w.Asked {
		return
	}
	d.fact.Source = fmt.Sprintf("%s %s; %s", app.MinMembers, w.Text(), d.fact.Source)
	d.fact.Soft = false
	switch {
	case w.All:
		for i := range d.roles {
			d.roles[i].min = d.roles[i].count
		}
	case w.Roles != nil:
		d.heedRoles()
	default:
		d.share(w.Min)
	}
}

func (d *draft) heedRoles() {
	for name, n := range d.wish.Roles {
		at := slices.IndexFunc(d.roles, func(r role) bool { return r.name == name })
		if at < 0 {
			d.fact.Faults = append(d.fact.Faults, fmt.Sprintf("%s: there is no role %q, but %s", app.MinMembers, name, d.names()))
			continue
		}
		d.want(&d.roles[at], n)
	}
	slices.Sort(d.fact.Faults)
}

// share gives a number of members to the roles: first to those that start the others, then in order.
func (d *draft) share(n int) {
	for _, first := range [...]bool{true, false} {
		for i := range d.roles {
			r := &d.roles[i]
			if r.first != first {
				continue
			}
			part := min(n, r.count)
			if first {
				part = min(n, max(r.min, 1))
			}
			r.min = part
			n -= part
		}
	}
	if last := len(d.roles) - 1; n > 0 && last >= 0 {
		d.want(&d.roles[last], d.roles[last].min+n)
	}
}

// want sets how many of a role are to start with the others. More than there will be is a contradiction, if that is known, and else better knowledge.
func (d *draft) want(r *role, n int) {
	if n > r.count && d.exact {
		pods := plural(n, "pod")
		if r.name != "" {
			pods += " of role " + r.name
		}
		d.fact.Faults = append(d.fact.Faults, fmt.Sprintf("%s asks for %s, and there will be %d: lower it", app.MinMembers, pods, r.count))
	}
	r.min, r.count = n, max(n, r.count)
}

func (d *draft) names() string {
	var names []string
	for i := range d.roles {
		names = append(names, d.roles[i].name)
	}
	return strings.Join(names, ", ")
}

// strangers warns of roles that another scheduler is to place, where one is ours. They are not waited for: no room that is kept for them would ever be taken. Where
// no role names a scheduler of ours, something gives them all to us when they are created.
func (d *draft) strangers(by *Reader) (warnings []string) {
	known := d.known()
	ours := slices.IndexFunc(known, func(r *role) bool { return by.serves(r.scheduler()) })
	if ours < 0 {
		return nil
	}
	for _, r := range known {
		if by.serves(r.scheduler()) {
			continue
		}
		r.min = 0
		warnings = append(warnings, fmt.Sprintf(
			"role %s is for scheduler %s and role %s for %s: two schedulers do not know of each other, so %s is not waited for and may find no room; set schedulerName in both pod templates",
			known[ours].name, known[ours].scheduler(), r.name, r.scheduler(), r.name))
	}
	return warnings
}

// queues warns of roles that name different queues.
func (d *draft) queues() (warnings []string) {
	known := d.known()
	for _, r := range known[min(1, len(known)):] {
		if x, y := known[0].member.claim.Queue, r.member.claim.Queue; x != y {
			warnings = append(warnings, fmt.Sprintf("role %s names queue %q and role %s names %q: name the same in both", known[0].name, x, r.name, y))
		}
	}
	return warnings
}

// known are the roles of which a whole pod is known.
func (d *draft) known() (list []*role) {
	for i := range d.roles {
		if d.roles[i].member != nil && !d.roles[i].bare {
			list = append(list, &d.roles[i])
		}
	}
	return list
}

func (r *role) scheduler() string { return r.member.pod.Spec.SchedulerName }
