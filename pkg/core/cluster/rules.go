package cluster

import (
	"regexp"
	"slices"
	"strings"
)

// provided is the one rule of a tree without rules.
var provided = []Rule{{Kind: RuleProvided}}

// seat is a leaf that a rule gives: the one that stands at the path, or one to be made below the queue that is the last to stand.
type seat struct {
	path  string
	above *Queue
	made  bool
	// spaced: it is made for the namespace.
	spaced bool
}

// byRules returns the leaf that the first matching rule gives and what decided, or why nothing matched.
func (s *State) byRules(p *petition) (at *seat, why string) {
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
			return &seat{path: path, above: q}, p.source(&rules[i])
		}
		if !create {
			continue
		}
		switch q, inTheWay := s.site(path); {
		case q == nil:
		case len(inTheWay) > 0 && q.Admits(p.user, p.groups):
			s.barring = append(s.barring, inTheWay...)
		case len(inTheWay) > 0 && p.stays: // otherwise it would be refused there, whatever had been made
			s.barring, p.lodges = append(s.barring, inTheWay...), true
		default:
			spaced := rules[i].Kind == RuleTag && strings.ToLower(rules[i].Value) == TagNamespace
			return &seat{path: path, above: q, made: true, spaced: spaced}, p.source(&rules[i])
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
	if r.Filter != nil && !s.lets(r.Filter, p.user, p.groups) {
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
func (s *State) lets(f *Filter, user string, groups []string) bool {
	listed := s.matches(f.Users, user)
	for _, g := range groups {
		listed = listed || s.matches(f.Groups, g)
	}
	return listed != f.Deny
}

func (s *State) matches(list []string, name string) bool {
	if len(list) == 1 && IsPattern(list[0]) {
		re := s.patterns[list[0]]
		return re != nil && name != "" && re.MatchString(name)
	}
	return slices.Contains(list, name)
}

// IsPattern reports whether a text, alone in its list of a Filter, is a regular expression and no name. As in YuniKorn certain characters tell.
func IsPattern(text string) bool { return strings.ContainsAny(text, `^$*+?()[{}|`) }

// readRules makes the regular expressions of the tree's rules and lists the tags that they name. What is no regular expression is left out, and matches
// nobody.
func (s *State) readRules(rules []Rule) {
	s.patterns, s.tags = map[string]*regexp.Regexp{}, nil
	for i := range rules {
		for r := &rules[i]; r != nil; r = r.Parent {
			if r.Kind == RuleTag && !slices.Contains(s.tags, r.Value) {
				s.tags = append(s.tags, r.Value)
			}
			if r.Filter != nil {
				s.compile(r.Filter.Users)
				s.compile(r.Filter.Groups)
			}
		}
	}
}

func (s *State) compile(list []string) {
	if len(list) == 1 && IsPattern(list[0]) {
		if re, err := regexp.Compile(list[0]); err == nil {
			s.patterns[list[0]] = re
		}
	}
}
