package queues

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// anyone stands for every user or group.
const anyone = "*"

// YuniKorn's rules for the names of users and groups.
var (
	userName  = regexp.MustCompile(`^[_a-zA-Z][a-zA-Z0-9:#/_.@-]*\$?$`)
	groupName = regexp.MustCompile(`^[_a-zA-Z][a-zA-Z0-9:_.-]*$`)
)

// acl reads "user1,user2 group1,group2", where either half may be missing, or "*". Without a text nobody may.
func (b *builder) acl(at string, in *text) cluster.ACL {
	halves := strings.Split(in.or(""), " ")
	if strings.TrimSpace(in.or("")) == anyone {
		return cluster.ACL{Everybody: true}
	}
	if len(halves) > 2 {
		b.at.Faultf(at, "must be users, one space and groups, such as \"alice,bob admins\", or \"*\", but is %q", *in)
		return cluster.ACL{}
	}
	var acl cluster.ACL
	acl.Users = b.names(at, "user", halves[0], userName)
	if len(halves) == 2 {
		acl.Groups = b.names(at, "group", halves[1], groupName)
	}
	if slices.Equal(acl.Users, []string{anyone}) || slices.Equal(acl.Groups, []string{anyone}) {
		return cluster.ACL{Everybody: true}
	}
	return acl
}

// names reads a list with commas. Names that nobody can have are left out, as YuniKorn does.
func (b *builder) names(at, kind, list string, allowed *regexp.Regexp) []string {
	if list == anyone {
		return []string{anyone}
	}
	var names []string
	for _, name := range strings.Split(list, ",") {
		switch {
		case name == "" || slices.Contains(names, name):
		case allowed.MatchString(name):
			names = append(names, name)
		default:
			b.at.Warnf(at, "names %q, which no %s can be called; it is ignored", name, kind)
		}
	}
	return names
}

// checkUse warns of a file without faults with which nothing can run.
func (b *builder) checkUse() {
	if !b.at.Clean() {
		return
	}
	at := b.root.at
	if at == "" {
		at = b.key("queues")
	}
	if b.yunikorn && !anyACL(b.root.spec) {
		b.at.Warnf(at, "lets nobody submit, as in YuniKorn, since no queue has a submitacl or adminacl; to let everybody, give root the submitacl '*'")
	}
	if !b.root.hasLeaf() && !slices.ContainsFunc(b.rules, func(r cluster.Rule) bool { return r.Create }) {
		b.at.Warnf(at, "has no leaf that could hold applications, and no placement rule creates one")
	}
}

func anyACL(q *cluster.QueueSpec) bool {
	for _, a := range []cluster.ACL{q.Submit, q.Admin} {
		if a.Everybody || len(a.Users)+len(a.Groups) > 0 {
			return true
		}
	}
	return slices.ContainsFunc(q.Children, anyACL)
}

func (n *node) hasLeaf() bool {
	return !n.spec.Parent || slices.ContainsFunc(n.children, (*node).hasLeaf)
}
