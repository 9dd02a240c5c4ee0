package queues

import (
	"regexp"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// placement reads the placement rules.
func (b *builder) placement(in []rule) []cluster.Rule {
	var out []cluster.Rule
	for i := range in {
		out = append(out, *b.rule(item(b.key("placementrules"), i), &in[i]))
	}
	return out
}

func (b *builder) rule(at string, in *rule) *cluster.Rule {
	r := &cluster.Rule{Create: isTrue(in.Create), Filter: b.filter(at+".filter", in.Filter), Value: strings.TrimSpace(in.Value.or(""))}
	if !b.at.Has(at + ".name") {
		b.at.Faultf(at, "needs a name, which says how the rule finds a queue: provided, user, fixed or tag")
	} else if kind, ok := strict.OneOfText(b.at, at+".name", strings.TrimSpace(string(in.Name)), "provided", "user", "fixed", "tag"); ok {
		r.Kind = cluster.RuleKind(kind)
	}
	if in.Parent != nil {
		r.Parent = b.rule(at+".parent", in.Parent)
	}
	switch r.Kind {
	case cluster.RuleFixed:
		r.Value = strings.ToLower(r.Value)
		b.checkFixed(at, r)
	case cluster.RuleTag:
		if r.Value == "" {
			b.at.Faultf(at, "needs a value: the tag that names the queue, such as namespace")
		}
	case cluster.RuleProvided, cluster.RuleUser:
		if r.Value != "" {
			b.at.Warnf(at+".value", "has no effect: a rule %q takes no value", r.Kind)
			r.Value = ""
		}
	}
	return r
}

func (b *builder) checkFixed(at string, r *cluster.Rule) {
	if r.Value == "" {
		b.at.Faultf(at, "needs a value: the queue, such as root.batch")
		return
	}
	if slices.ContainsFunc(strings.Split(r.Value, "."), func(part string) bool { return !queueName.MatchString(part) }) {
		b.at.Faultf(at+".value", "must be names of queues with dots between them, such as root.batch, but is %q", r.Value)
		r.Value = "" // nothing more to find
		return
	}
	if isFull(r.Value) && r.Parent != nil {
		b.at.Faultf(at+".parent", "cannot go with a value that starts at root, %q; leave the rule's parent out, or give the part below it", r.Value)
	}
}

// isFull tells whether a path starts at the root.
func isFull(path string) bool { return path == rootName || strings.HasPrefix(path, rootName+".") }

// filter reads for whom a rule is. One without names is for all or, if it denies, for nobody.
func (b *builder) filter(at string, in *filter) *cluster.Filter {
	if in == nil {
		return nil
	}
	f := &cluster.Filter{}
	if in.Type.or("") != "" {
		kind, _ := strict.OneOfText(b.at, at+".type", string(*in.Type), "allow", "deny")
		f.Deny = kind == "deny"
	}
	if len(in.Users)+len(in.Groups) == 0 {
		if !f.Deny {
			return nil
		}
		b.at.Warnf(at, "denies everybody, since it names nobody, as in YuniKorn; the rule never applies")
		return &cluster.Filter{}
	}
	f.Users = b.pattern(at+".users", in.Users, userName)
	f.Groups = b.pattern(at+".groups", in.Groups, groupName)
	return f
}

// pattern reads the names of a filter, or the one regular expression.
func (b *builder) pattern(key string, in []text, name *regexp.Regexp) []string {
	var out []string
	for i, t := range in {
		s := string(t)
		switch {
		case name.MatchString(s):
		case len(in) > 1:
			b.at.Warnf(item(key, i), "is no name, and no pattern since it is not alone: %q; it is ignored", s)
			continue
		default:
			if _, err := regexp.Compile(s); err != nil || !cluster.IsPattern(s) {
				b.at.Faultf(item(key, i), "must be a name or a regular expression such as ^team-.*, but is %q", s)
			}
		}
		out = append(out, s)
	}
	return out
}

// checkPaths holds the queues that rules name in plain words against the tree.
func (b *builder) checkPaths() {
	for i := range b.rules {
		at := item(b.key("placementrules"), i)
		if path, isWhole := fixedPath(&b.rules[i]); path != "" {
			b.checkPath(at, path, isWhole, b.rules[i].Create)
		}
	}
}

// fixedPath gives the beginning of the path that a rule leads to, up to where it depends on the application; isWhole if nothing does.
func fixedPath(r *cluster.Rule) (path string, isWhole bool) {
	var chain []*cluster.Rule
	for ; r != nil; r = r.Parent {
		chain = append(chain, r)
	}
	for _, r := range slices.Backward(chain) {
		switch {
		case r.Kind != cluster.RuleFixed || r.Value == "":
			return path, false
		case path == "" && isFull(r.Value):
			path = r.Value
		case path == "":
			path = rootName + "." + r.Value
		default:
			path += "." + r.Value
		}
	}
	return path, true
}

// checkPath walks a path down the tree. What is not there must be made by the rule, which only a parent allows; an application needs a leaf at the end.
func (b *builder) checkPath(at, path string, isWhole, create bool) {
	n := b.root
	for _, part := range strings.Split(path, ".")[1:] {
		i := slices.IndexFunc(n.children, func(c *node) bool { return c.spec.Name == part })
		switch {
		case i >= 0:
			n = n.children[i]
		case !n.spec.Parent:
			b.at.Faultf(at, "leads to %s, but %s is a leaf", path, n.path)
			return
		case !create:
			b.at.Faultf(at, "leads to %s, but %s has no queue %q; add it, or give the rule 'create: true'", path, n.path, part)
			return
		default:
			return
		}
	}
	switch {
	case isWhole && n.spec.Parent:
		b.at.Faultf(at, "leads to %s, which is a parent; applications go to leaves", path)
	case !isWhole && !n.spec.Parent:
		b.at.Faultf(at, "looks for queues below %s, which is a leaf", path)
	}
}
