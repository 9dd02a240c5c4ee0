package queues

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

const (
	rootName = "root"
	// maxWeight is the largest weight of a queue.
	maxWeight = 1000
)

// queueName is YuniKorn's rule for a queue's name.
var queueName = regexp.MustCompile(`^[a-zA-Z0-9_:#/@-]{1,64}$`)

// builder turns a file that has been decoded into a tree, and reports to at what is wrong with it. With an error reported, what it has built is
// not to be used.
type builder struct {
	at *strict.Place
	// yunikorn: the file has YuniKorn's form. top is where its partition stands.
	yunikorn bool
	top      string
	body     *body

	root  *node
	rules []cluster.Rule
	order *order.Spec
	// uses are the places where node orders are named or made.
	uses []OrderUse
	// quotaDelays says that queues may be cut to a max that was lowered.
	quotaDelays bool
}

// node is a queue on its way into the tree.
type node struct {
	spec *cluster.QueueSpec
	// at is where the queue stands in the file: of a root that is not written, the partition. path is its path in the tree.
	at, path string
	children []*node
	// limitsAt is where each limit stands.
	limitsAt []string
}

// key gives the place of a key of the partition.
func (b *builder) key(name string) string { return strict.Entry(b.top, name) }

func item(key string, i int) string { return fmt.Sprintf("%s[%d]", key, i) }

// build reads everything, then checks what holds between queues.
func (b *builder) build(in *body) {
	b.body = in
	b.quotaDelays = isTrue(in.Preemption.QuotaEnabled)
	b.root = b.buildRoot(in)
	b.addPartitionLimits(in.Limits)
	b.rules = b.placement(in.PlacementRules)
	b.order = b.nodeOrder(in.NodeSortPolicy)
	b.settleOrders()

	b.checkQuota(b.root, nil)
	b.checkApps(b.root)
	b.checkLimits(b.root, nil)
	b.checkPaths()
	b.checkUse()
}

func (b *builder) checkPartition(i int, name string) {
	at := item("partitions", i)
	switch {
	case i > 0:
		b.at.Faultf(at, "is a second partition; there is only one, so remove it")
	case name != "" && !strings.EqualFold(name, "default"):
		b.at.Faultf(at+".name", "must be default, the only partition there is, but is %q", name)
	}
}

// buildRoot makes the root of the only top queue if that is its name, and else puts all top queues under one. It is a parent in any case.
func (b *builder) buildRoot(in *body) *node {
	up := inherited{sort: cluster.SortFIFO, delay: defaultDelay, off: in.Preemption.Enabled != nil && !isTrue(in.Preemption.Enabled)}
	key, parent := b.key("queues"), flag(true)
	tmpl := b.template(b.top, &template{}, up.off)
	if len(in.Queues) == 1 && strings.EqualFold(string(in.Queues[0].Name), rootName) {
		root := in.Queues[0]
		root.Parent = &parent
		n := b.queue(item(key, 0), &root, tmpl, up)
		b.checkRoot(n.at, &root)
		b.openRoot(n.spec, root.Submit)
		return n
	}
	n := b.queue(b.top, &queue{Name: rootName, Parent: &parent}, tmpl, up)
	b.children(n, key, in.Queues, up)
	b.openRoot(n.spec, nil)
	return n
}

// checkRoot refuses what is not for the root.
func (b *builder) checkRoot(at string, in *queue) {
	const why = "must not be set on root, which has what the nodes have; set it on the queues below"
	if len(in.Resources.Guaranteed) > 0 {
		b.at.Faultf(at+".resources.guaranteed", why)
	}
	if len(in.Resources.Max) > 0 {
		b.at.Faultf(at+".resources.max", why)
	}
	if b.at.Has(at + ".weight") {
		b.at.Warnf(at+".weight", "has no effect: root has no siblings to share with")
	}
}

// openRoot lets everybody submit when our own form says nothing about it. In YuniKorn's form nobody may whom no ACL names.
func (b *builder) openRoot(spec *cluster.QueueSpec, submit *text) {
	if !b.yunikorn && submit == nil {
		spec.Submit = cluster.ACL{Everybody: true}
	}
}

// queue makes one queue and those below it. Its template, if it has none of its own, is the given one.
func (b *builder) queue(at string, in *queue, tmpl *cluster.QueueSpec, up inherited) *node {
	spec := &cluster.QueueSpec{
		Name: strings.ToLower(string(in.Name)), Parent: isTrue(in.Parent) || len(in.Queues) > 0,
	}
	n := &node{spec: spec, at: at, path: spec.Name}
	own := b.properties(at+".properties", &in.Properties, spec, up)
	b.resources(at+".resources", &in.Resources, spec)
	spec.MaxApps = apps(in.MaxApps)
	b.weigh(at, in.Weight, spec)
	b.ours(at, in, spec)
	spec.Gang = b.gang(at, &in.Gang, &in.Properties)
	spec.Submit = b.acl(at+".submitacl", in.Submit)
	spec.Admin = b.acl(at+".adminacl", in.Admin)
	spec.Limits = b.limits(at+".limits", in.Limits)
	for i := range spec.Limits {
		n.limitsAt = append(n.limitsAt, item(at+".limits", i))
	}
	b.checkKind(at, in, spec)
	if spec.Parent {
		spec.Template = tmpl
		if !in.Template.isEmpty() {
			spec.Template = b.template(at+".childtemplate", &in.Template, up.off)
		}
	}
	b.children(n, at+".queues", in.Queues, own)
	return n
}

func (b *builder) children(n *node, key string, in []queue, up inherited) {
	first := map[string]int{}
	for i := range in {
		at := item(key, i)
		b.checkName(at, string(in[i].Name))
		child := b.queue(at, &in[i], n.spec.Template, up)
		child.path = n.path + "." + child.spec.Name
		if j, ok := first[child.spec.Name]; ok && child.spec.Name != "" {
			b.at.Faultf(at+".name", "is that of %s already: %q; names do not tell upper from lower case", item(key, j), in[i].Name)
		} else {
			first[child.spec.Name] = i
		}
		n.children = append(n.children, child)
		n.spec.Children = append(n.spec.Children, child.spec)
	}
}

func (b *builder) checkName(at, name string) {
	switch {
	case !b.at.Has(at + ".name"):
		b.at.Faultf(at, "needs a name")
	case strings.Contains(name, "."):
		b.at.Faultf(at+".name", "must not hold a dot, which separates queues in a path, but is %q", name)
	case !queueName.MatchString(name):
		b.at.Faultf(at+".name", "must be 1 to 64 letters, digits or characters of _ : # / @ -, but is %q", name)
	}
}

// resources reads what is guaranteed and the max. YuniKorn lets a max pass that is zero throughout; in its form that holds here too.
func (b *builder) resources(at string, in *resources, spec *cluster.QueueSpec) {
	spec.Guaranteed = b.amounts(at+".guaranteed", in.Guaranteed)
	spec.Max = b.amounts(at+".max", in.Max)
	if b.yunikorn && len(spec.Max) > 0 && isZero(spec.Max) {
		b.at.Warnf(at+".max", "has no effect: YuniKorn ignores a max that is zero in every resource it names; to close the queue, name one that is not")
		spec.Max = nil
	}
	for _, g := range spec.Guaranteed {
		if most, ok := find(spec.Max, g.Name); ok && g.Value > most {
			b.at.Faultf(b.amountAt(at+".guaranteed", g.Name), "must not be above the queue's max, which is %s, but is %s", show(g.Name, most), show(g.Name, g.Value))
		}
	}
}

// amountAt gives the place of an amount, which may be written by either name.
func (b *builder) amountAt(key, name string) string {
	if entry := strict.Entry(key, vcore); name == resource.CPU && b.at.Has(entry) {
		return entry
	}
	return strict.Entry(key, name)
}

// checkKind reports keys that a queue of this kind, parent or leaf, would not look at.
func (b *builder) checkKind(at string, in *queue, spec *cluster.QueueSpec) {
	if in.Parent != nil && !isTrue(in.Parent) && len(in.Queues) > 0 {
		b.at.Warnf(at+".parent", "has no effect: the queue holds queues, so it is a parent")
	}
	if !spec.Parent && b.at.Has(at+".childtemplate") {
		b.at.Warnf(at+".childtemplate", "has no effect on a leaf; to make the queue a parent, write 'parent: true'")
	}
	if spec.Parent && spec.Strict {
		b.at.Faultf(at+".strict", "is for leaves, and this queue is a parent; set it on the queues below, or in childtemplate")
	}
	if !spec.Parent && spec.PriorityFirst {
		b.at.Faultf(at+".priorityFirst", "is for parents, and this queue is a leaf: it orders the queues below")
	}
}

// apps gives a number of applications; there is no difference between very many and unlimited.
func apps(n *uint64) int {
	if n == nil || *n > 1<<31 {
		return 0
	}
	return int(*n)
}
