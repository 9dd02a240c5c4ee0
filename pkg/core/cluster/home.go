package cluster

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// DefaultQueue is where an application goes that no rule places, if the tree has it.
const DefaultQueue = "root.default"

// home is what was found for an application.
type home struct {
	leaf *Queue
	// why says what decided; fault why there is no leaf.
	why, fault string
	// lodger: it is only there because it has pods on nodes.
	lodger bool
}

// petition is what rules of placement look at.
type petition struct {
	namespace, user string
	groups          []string
	// want is the queue that is named, from says by what.
	want, from string
	space      *NamespaceFact
}

// Rehome looks again where applications belong, after the tree has changed, at so many of them. It reports whether any are left.
func (s *State) Rehome(most int) (left bool) {
	for ; s.rehoming > 0 && most > 0; most-- {
		s.rehoming--
		if s.rehoming < len(s.apps) {
			s.rehome(s.apps[s.rehoming])
		}
	}
	return s.rehoming > 0
}

// SetNamespace takes in the newest fact of a namespace and looks again where its applications belong.
func (s *State) SetNamespace(f *NamespaceFact) {
	s.namespaces[f.Name] = f
	s.lookAgain()
}

// RemoveNamespace forgets a namespace.
func (s *State) RemoveNamespace(name string) {
	if s.namespaces[name] != nil {
		delete(s.namespaces, name)
		s.lookAgain()
	}
}

// lookAgain has the homes of all applications found anew.
func (s *State) lookAgain() {
	s.rehoming = len(s.apps)
	clear(s.homes)
}

// rehome puts an application where it belongs now.
func (s *State) rehome(a *App) {
	h := s.findHome(a)
	var l *Ledger
	if h.leaf != nil {
		c := a.Claim()
		l = s.ledger(h.leaf, c.User, c.Groups)
	}
	if l != a.Ledger || h.fault != a.Fault {
		s.touchApp(a)
	}
	a.Why, a.Fault, a.lodger = h.why, h.fault, h.lodger
	s.setLedger(a, l)
}

// setLedger moves an application's use from one ledger to another.
func (s *State) setLedger(a *App, l *Ledger) {
	old := a.Ledger
	if old == l {
		return
	}
	running := 0
	if a.Placed > 0 {
		running = 1
	}
	if l != nil {
		l.apps++
		l.Leaf.apps++
		s.enter(l, a.Used, a.Placed, running, +1)
	}
	a.Ledger = l
	if old != nil {
		s.enter(old, a.Used, a.Placed, running, -1)
		old.apps--
		old.Leaf.apps--
		s.dropLedger(old)
		s.prune(old.Leaf)
	}
}

// touchApp notes that an application has changed in what its waiting pods go by.
func (s *State) touchApp(a *App) {
	if !a.touched {
		a.touched = true
		s.touched = append(s.touched, a)
	}
}

// TouchedApps hands out the applications of which since the last call something has changed that their waiting pods go by: the home, whether they have
// anything placed, when they were submitted, or, in a queue that sorts by it, what they use.
func (s *State) TouchedApps(f func(*App)) {
	for len(s.touched) > 0 {
		last := len(s.touched) - 1
		a := s.touched[last]
		s.touched[last] = nil
		s.touched = s.touched[:last]
		a.touched = false
		if a.pods > 0 {
			f(a)
		}
	}
}

// findHome says where an application belongs. It depends on nothing but the tree, the namespace, the claims of its pods, and whether any of
// them is on a node: so a restart finds the same.
func (s *State) findHome(a *App) home {
	c := a.Claim()
	key := homeKey{a.Namespace, c.Queue, c.QueueFrom, c.User}
	if s.homesAt != s.treeVersion {
		clear(s.homes)
		s.homesAt = s.treeVersion
	}
	if h, ok := s.homes[key]; ok && len(c.Groups) == 0 {
		return h
	}
	h := s.seekHome(a)
	if len(c.Groups) == 0 && !h.lodger && h.fault == "" && s.homesAt == s.treeVersion && len(s.homes) < manyHomes {
		s.homes[key] = h
	}
	return h
}

// homeKey is what a home that does not depend on groups, nor on what is placed, is found by.
type homeKey struct{ namespace, queue, from, user string }

// manyHomes is how many homes are remembered at most.
const manyHomes = 1 << 14

func (s *State) seekHome(a *App) home {
	p := s.petition(a)
	leaf, why := s.byRules(p)
	if leaf == nil {
		if q := s.QueueByName(DefaultQueue); q != nil && q.Leaf() && !q.Draining {
			leaf, why = q, DefaultQueue+", since "+why
		}
	} else {
		why = leaf.Name + " from " + why
	}
	switch {
	case leaf == nil && a.Placed > 0 || a.arriving:
		return home{leaf: s.refuge(p), why: "it was placed before its queue went", lodger: true}
	case leaf == nil:
		return home{fault: why + ", and there is no " + DefaultQueue}
	case leaf.Admits(p.user, p.groups):
		return home{leaf: leaf, why: why}
	case a.Placed > 0 || a.arriving:
		return home{leaf: leaf, why: why, lodger: true}
	}
	s.prune(leaf) // it may have been made for the application
	return home{fault: denied(leaf, p)}
}

func denied(leaf *Queue, p *petition) string {
	if p.user == "" {
		return "queue " + leaf.Name + " admits only some users, and on whose behalf the pod was made is not known"
	}
	return "queue " + leaf.Name + " does not admit user " + p.user
}

func (s *State) petition(a *App) *petition {
	c := a.Claim()
	p := &petition{namespace: a.Namespace, user: c.User, groups: c.Groups, want: strings.ToLower(c.Queue), from: c.QueueFrom}
	if p.space = s.namespaces[a.Namespace]; p.space == nil {
		p.space = &NamespaceFact{Name: a.Namespace}
	}
	if p.want == "" && p.space.Queue != "" {
		p.want, p.from = strings.ToLower(p.space.Queue), p.space.QueueFrom
	}
	return p
}

// provided is the one rule of a tree without rules.
var provided = []Rule{{Kind: RuleProvided}}

// byRules returns the leaf that the first matching rule gives, made if the rule says so, and what decided, or why nothing matched.
func (s *State) byRules(p *petition) (leaf *Queue, why string) {
	rules := s.tree.Rules
	if len(rules) == 0 {
		rules = provided
	}
	for i := range rules {
		path, create, ok := s.follow(&rules[i], p)
		if !ok {
			continue
		}
		if q := s.standing(path); q != nil && q.Leaf() {
			return q, p.source(&rules[i])
		}
		if create {
			if q := s.create(path); q != nil {
				s.endow(q, &rules[i], p)
				return q, p.source(&rules[i])
			}
		}
	}
	switch q := s.QueueByName(qualified(p.want)); {
	case p.want == "":
		return nil, "no queue is named"
	case q == nil || q.Draining || q.Dynamic:
		return nil, "there is no queue " + qualified(p.want) + " (" + p.from + ")"
	case !q.Leaf():
		return nil, "queue " + q.Name + " holds queues and no applications (" + p.from + ")"
	}
	return nil, "no placement rule matches"
}

// standing returns a queue that takes applications now. One that a rule made counts for rules that could have made it, so that it does not matter who
// came first.
func (s *State) standing(path string) *Queue {
	if q := s.QueueByName(path); q != nil && !q.Draining && !q.Dynamic {
		return q
	}
	return nil
}

// source says what decided.
func (p *petition) source(r *Rule) string {
	switch r.Kind {
	case RuleProvided:
		return p.from
	case RuleTag:
		return "placement rule tag " + r.Value
	}
	return "placement rule " + string(r.Kind)
}

func qualified(path string) string {
	if isQualified(path) {
		return path
	}
	return "root." + path
}

func isQualified(path string) bool { return path == "root" || strings.HasPrefix(path, "root.") }

// follow returns the path that a rule gives; ok is false when it gives none.
func (s *State) follow(r *Rule, p *petition) (path string, create, ok bool) {
	if r.Filter != nil && !r.Filter.lets(p.user, p.groups) {
		return "", false, false
	}
	name := p.named(r)
	switch {
	case name == "":
		return "", false, false
	case r.Kind != RuleUser && isQualified(name):
		return name, r.Create, true
	}
	if r.Kind == RuleUser || r.Kind == RuleTag {
		name = strings.ReplaceAll(name, ".", "_dot_")
	}
	if r.Parent == nil {
		return "root." + name, r.Create, true
	}
	parent, createParent, ok := s.follow(r.Parent, p)
	if !ok {
		return "", false, false
	}
	if q := s.standing(parent); q == nil && !createParent || q != nil && q.Leaf() {
		return "", false, false
	}
	return parent + "." + name, r.Create, true
}

// named is the queue or part of one that a rule reads.
func (p *petition) named(r *Rule) string {
	switch r.Kind {
	case RuleProvided:
		return p.want
	case RuleFixed:
		return r.Value
	case RuleUser:
		return strings.ToLower(p.user)
	case RuleTag:
		return strings.ToLower(p.space.Tag(r.Value))
	}
	return ""
}

// lets reports whether a filter lets a user or a member of these groups through: of those that allow, who is listed, of those that deny, who is not.
func (f *Filter) lets(user string, groups []string) bool {
	listed := matches(f.Users, user)
	for _, g := range groups {
		listed = listed || matches(f.Groups, g)
	}
	return listed != f.Deny
}

// plainName are names that are taken as they are.
var plainName = regexp.MustCompile(`^[a-zA-Z0-9_.@-]*$`)

func matches(list []string, name string) bool {
	if len(list) == 1 && !plainName.MatchString(list[0]) {
		re, err := regexp.Compile(list[0])
		return err == nil && name != "" && re.MatchString(name)
	}
	return slices.Contains(list, name)
}

// queueName is what the parts of a path may be.
var queueName = regexp.MustCompile(`^[a-zA-Z0-9_:#/@-]{1,64}$`)

// create makes a leaf and the parents that it needs; nil when that cannot be.
func (s *State) create(path string) *Queue {
	parts := strings.Split(path, ".")
	q := s.root
	if len(parts) < 2 || parts[0] != q.Spec.Name {
		return nil
	}
	for i, part := range parts[1:] {
		leaf := i == len(parts)-2
		child := q.child(part)
		switch {
		case q.Leaf() || !queueName.MatchString(part):
			return nil
		case child != nil && child.Leaf() != leaf:
			return nil
		case child == nil || child.Draining:
			child = s.dynamic(q, child, part, leaf)
		}
		q = child
	}
	return q
}

// dynamic makes a queue by the nearest template above it, or brings one back that drains.
func (s *State) dynamic(parent, q *Queue, name string, leaf bool) *Queue {
	spec := dynamicSpec(parent, name, leaf)
	if q == nil {
		q = s.newQueue(parent, spec)
	}
	q.Spec, q.Dynamic, q.Draining = spec, true, false
	s.bound(q)
	s.oweAbove(q)
	s.treeVersion++
	return q
}

func dynamicSpec(parent *Queue, name string, leaf bool) *QueueSpec {
	t := templateAbove(parent)
	if t == nil || !leaf {
		return &QueueSpec{Name: name, Parent: !leaf, Weight: 1}
	}
	spec := *t
	spec.Name, spec.Parent, spec.Children, spec.Template = name, false, nil, nil
	spec.Weight = max(1, spec.Weight)
	return &spec
}

// endow gives a queue that was made for a namespace what the namespace says of it.
func (s *State) endow(q *Queue, r *Rule, p *petition) {
	if !q.Dynamic || r.Kind != RuleTag || strings.ToLower(r.Value) != TagNamespace {
		return
	}
	spec := dynamicSpec(q.Parent, q.Spec.Name, true)
	if p.space.Max != nil {
		spec.Max = p.space.Max
	}
	if p.space.Guaranteed != nil {
		spec.Guaranteed = p.space.Guaranteed
	}
	if p.space.MaxApps > 0 {
		spec.MaxApps = p.space.MaxApps
	}
	if reflect.DeepEqual(spec, q.Spec) {
		return
	}
	q.Spec = spec
	s.bound(q)
	s.oweAbove(q)
	s.treeVersion++
}

func templateAbove(q *Queue) *QueueSpec {
	for ; q != nil; q = q.Parent {
		if q.Spec.Template != nil {
			return q.Spec.Template
		}
	}
	return nil
}

// refuge is the draining leaf for an application that has pods on nodes and no queue: by the name that it wants, as far down as there are queues, or
// beside what stands in its way. It has no bounds of its own.
func (s *State) refuge(p *petition) *Queue {
	parts := strings.Split(qualified(p.want), ".")
	if p.want == "" {
		parts = strings.Split(DefaultQueue, ".")
	}
	q := s.root
	for _, part := range parts[1:] {
		child := q.child(part)
		if child == nil || child.Leaf() {
			break
		}
		q = child
	}
	name := "~" + parts[len(parts)-1]
	if child := q.child(name); child != nil {
		return child
	}
	leaf := s.newQueue(q, &QueueSpec{Name: name, Weight: 1})
	leaf.Draining = true
	s.bound(leaf)
	return leaf
}

// ledger returns the accounts of applications of a user in a leaf.
func (s *State) ledger(leaf *Queue, user string, groups []string) *Ledger {
	key := ""
	for q := leaf; q != nil; q = q.Parent {
		for _, who := range membersOf(q.Spec.Limits, user, groups) {
			key += q.Name + " " + who + "\n"
		}
	}
	if l := leaf.ledgers[key]; l != nil {
		return l
	}
	l := &Ledger{Leaf: leaf, key: key}
	for q := leaf; q != nil; q = q.Parent {
		l.Accounts = append(l.Accounts, &q.Account)
		for _, who := range membersOf(q.Spec.Limits, user, groups) {
			l.Accounts = append(l.Accounts, s.member(q, who))
		}
	}
	for _, a := range l.Accounts {
		a.ledgers++
	}
	leaf.ledgers[key] = l
	return l
}

// dropLedger forgets a ledger without applications, and the accounts of users and groups that no other has.
func (s *State) dropLedger(l *Ledger) {
	if l.apps > 0 {
		return
	}
	delete(l.Leaf.ledgers, l.key)
	for _, a := range l.Accounts {
		a.ledgers--
		if a.ledgers == 0 && a != &a.Queue.Account {
			delete(a.Queue.members, a.key)
		}
	}
}

// member returns the account of a user or group of a queue.
func (s *State) member(q *Queue, who string) *Account {
	a := q.members[who]
	if a == nil {
		l := limitOf(q.Spec.Limits, who)
		a = &Account{key: who, Who: strings.Replace(who, ":", " ", 1) + " in queue " + q.Name, Queue: q, Max: s.wants(l.Max), MaxApps: l.MaxApps}
		q.members[who] = a
	}
	return a
}

// membersOf returns whom of a queue's limits a user and his groups come under: "user:NAME" if a limit names him or all users, and "group:NAME" of
// the first limit that names a group of his, or "group:*".
func membersOf(limits []Limit, user string, groups []string) (who []string) {
	if len(limits) == 0 {
		return nil
	}
	if user != "" && limitOf(limits, "user:"+user) != nil {
		who = append(who, "user:"+user)
	}
	for i := range limits {
		for _, g := range limits[i].Groups {
			if g == "*" || slices.Contains(groups, g) {
				return append(who, "group:"+g)
			}
		}
	}
	return who
}

// limitOf returns the limit that holds for a user or group: the one that names it, or else the one for all users.
func limitOf(limits []Limit, who string) *Limit {
	kind, name, _ := strings.Cut(who, ":")
	var all *Limit
	for i := range limits {
		list := limits[i].Users
		if kind == "group" {
			list = limits[i].Groups
		}
		switch {
		case slices.Contains(list, name):
			return &limits[i]
		case all == nil && kind == "user" && slices.Contains(list, "*"):
			all = &limits[i]
		}
	}
	return all
}
