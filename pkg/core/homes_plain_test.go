package core_test

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// belonging is where an application belongs by a plain reading of the rules.
type belonging struct {
	// path is the queue; empty for none.
	path string
	// spaced: the queue is made for the application's namespace, and bounded by what that says.
	spaced bool
	claim  *cluster.Claim
}

var plainPart = regexp.MustCompile(`^[a-zA-Z0-9_:#/@-]{1,64}$`)

// asker is an application in search of a queue.
type asker struct {
	tree  *cluster.Tree
	space *cluster.NamespaceFact
	claim *cluster.Claim
	want  string
	// made are the queues that rules made for older applications: true is a leaf.
	made   map[string]bool
	placed bool
}

// inTheWay reports whether what was made for others keeps a leaf from being made. Who may not have it is refused there whatever was made.
func (x *asker) inTheWay(parts []string) bool {
	if !x.placed && !x.admitted(strings.Join(parts, ".")) {
		return false
	}
	for i := range parts {
		if leaf, ok := x.made[strings.Join(parts[:i+1], ".")]; ok && leaf != (i == len(parts)-1) {
			return true
		}
	}
	return false
}

// make notes what is made for an application.
func (x *asker) make(path string) {
	_, left := descend(x.tree.Root, path)
	for parts := strings.Split(path, "."); len(left) > 0; left, parts = left[1:], parts[:len(parts)-1] {
		at := strings.Join(parts, ".")
		x.made[at] = at == path
	}
}

// belongs finds the queue of an application of these claims in a namespace; placed says whether it has pods on nodes, made what older ones caused to be.
func belongs(tree *cluster.Tree, space *cluster.NamespaceFact, all []*cluster.Claim, placed bool, made map[string]bool) belonging {
	x := asker{tree: tree, space: space, claim: speaker(all), made: made, placed: placed}
	x.want = x.claim.Queue
	if x.want == "" {
		x.want = space.Queue
	}
	x.want = strings.ToLower(x.want)
	path, spaced := x.byRules()
	if path == "" {
		if q, left := descend(tree.Root, "root.default"); q != nil && len(left) == 0 && !q.Parent {
			path = "root.default"
		}
	}
	switch {
	case path == "" && !placed:
		return belonging{claim: x.claim}
	case path == "":
		return belonging{path: x.refuge(), claim: x.claim}
	case !x.admitted(path) && !placed:
		return belonging{claim: x.claim}
	}
	x.make(path)
	return belonging{path: path, spaced: spaced, claim: x.claim}
}

// speaker is the claim that counts.
func speaker(all []*cluster.Claim) *cluster.Claim {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b *cluster.Claim) int {
		named := func(c *cluster.Claim) string {
			if c.Queue == "" {
				return "2"
			}
			return "1" + c.Queue
		}
		if c := strings.Compare(named(a), named(b)); c != 0 {
			return c
		}
		if c := strings.Compare(b.User, a.User); c != 0 {
			return c
		}
		return slices.Compare(a.Groups, b.Groups)
	})
	return all[0]
}

// byRules tries each rule in turn.
func (x *asker) byRules() (path string, spaced bool) {
	rules := x.tree.Rules
	if len(rules) == 0 {
		rules = []cluster.Rule{{Kind: cluster.RuleProvided}}
	}
	for i := range rules {
		parts := x.resolve(&rules[i])
		if parts == nil {
			continue
		}
		q, left := descend(x.tree.Root, strings.Join(parts, "."))
		switch {
		case q == nil:
		case len(left) == 0 && !q.Parent:
			return strings.Join(parts, "."), false
		case len(left) > 0 && q.Parent && rules[i].Create && !x.inTheWay(parts) && !slices.ContainsFunc(left, func(p string) bool { return !plainPart.MatchString(p) }):
			return strings.Join(parts, "."), rules[i].Kind == cluster.RuleTag && strings.EqualFold(rules[i].Value, "namespace")
		}
	}
	return "", false
}

// resolve turns a rule into the parts of a path; nil if it gives none.
func (x *asker) resolve(r *cluster.Rule) []string {
	if r.Filter != nil && !x.passes(r.Filter) {
		return nil
	}
	name, flat := "", false
	switch r.Kind {
	case cluster.RuleProvided:
		name = x.want
	case cluster.RuleFixed:
		name = r.Value
	case cluster.RuleUser:
		name, flat = strings.ReplaceAll(strings.ToLower(x.claim.User), ".", "_dot_"), true
	case cluster.RuleTag:
		name = strings.ToLower(x.tag(strings.ToLower(r.Value)))
		if name != "root" && !strings.HasPrefix(name, "root.") {
			name, flat = strings.ReplaceAll(name, ".", "_dot_"), true
		}
	}
	parts := strings.Split(name, ".")
	switch {
	case name == "":
		return nil
	case parts[0] == "root" && !flat:
		return parts
	case r.Parent == nil:
		return append([]string{"root"}, parts...)
	}
	above := x.resolve(r.Parent)
	if above == nil {
		return nil
	}
	q, left := descend(x.tree.Root, strings.Join(above, "."))
	if len(left) > 0 && !r.Parent.Create || q != nil && len(left) == 0 && !q.Parent {
		return nil
	}
	return append(above, parts...)
}

func (x *asker) tag(name string) string {
	switch {
	case name == "namespace":
		return x.space.Name
	case name == "namespace.parentqueue":
		return x.space.Parent
	case name == "namespace.team":
		return x.space.Annotations["Team"]
	}
	return ""
}

func (x *asker) passes(f *cluster.Filter) bool {
	in := func(list []string, name string) bool {
		if len(list) == 1 && strings.ContainsAny(list[0], "^$*+?()[{}|") {
			return name != "" && regexp.MustCompile(list[0]).MatchString(name)
		}
		return slices.Contains(list, name)
	}
	listed := in(f.Users, x.claim.User) || slices.ContainsFunc(x.claim.Groups, func(g string) bool { return in(f.Groups, g) })
	return listed != f.Deny
}

// admitted reports whether any configured queue on the path lets the application in.
func (x *asker) admitted(path string) bool {
	for _, q := range configured(x.tree.Root, path) {
		for _, acl := range []cluster.ACL{q.Submit, q.Admin} {
			if acl.Everybody || slices.Contains(acl.Users, x.claim.User) ||
				slices.ContainsFunc(x.claim.Groups, func(g string) bool { return slices.Contains(acl.Groups, g) }) {
				return true
			}
		}
	}
	return false
}

// refuge is where what was placed stays that belongs nowhere.
func (x *asker) refuge() string {
	parts := strings.Split(x.want, ".")
	switch {
	case x.want == "":
		parts = []string{"default"}
	case parts[0] == "root" && len(parts) > 1:
		parts = parts[1:]
	}
	path, q := "root", x.tree.Root
	for _, part := range parts {
		i := slices.IndexFunc(q.Children, func(c *cluster.QueueSpec) bool { return c.Name == part && c.Parent })
		if i < 0 {
			break
		}
		q, path = q.Children[i], path+"."+part
	}
	return path + ".~" + parts[len(parts)-1]
}

// descend goes down the configured tree as far as a path leads; left is what is not there. It is nil for a path that does not begin at the root.
func descend(root *cluster.QueueSpec, path string) (q *cluster.QueueSpec, left []string) {
	parts := strings.Split(path, ".")
	if parts[0] != "root" {
		return nil, parts
	}
	list := configured(root, path)
	return list[len(list)-1], parts[len(list):]
}

// configured lists the configured queues on a path, from the root.
func configured(root *cluster.QueueSpec, path string) []*cluster.QueueSpec {
	list := []*cluster.QueueSpec{root}
	for _, part := range strings.Split(path, ".")[1:] {
		q := list[len(list)-1]
		i := slices.IndexFunc(q.Children, func(c *cluster.QueueSpec) bool { return c.Name == part })
		if i < 0 {
			break
		}
		list = append(list, q.Children[i])
	}
	return list
}
