package cluster

import (
	"slices"
	"strings"
)

// setLedger moves an application's use from one ledger to another.
func (s *State) setLedger(a *App, l *Ledger) {
	old := a.Ledger
	if old == l {
		return
	}
	running := a.running()
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
		s.unbar(old.Leaf)
		s.prune(old.Leaf)
	}
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
		a = &Account{key: who, Who: inWords(who) + " in queue " + q.Name, Queue: q, Max: s.wants(l.Max), MaxApps: l.MaxApps}
		q.members[who] = a
	}
	return a
}

// inWords is what a member is called: "user NAME", "group NAME", or "user (unknown)" for all whose user is not known.
func inWords(who string) string {
	kind, name, _ := strings.Cut(who, ":")
	if name == "" {
		name = "(unknown)"
	}
	return kind + " " + name
}

// membersOf returns whom of a queue's limits a user and his groups come under: "user:NAME" if a limit names him or all users, and "group:NAME" of
// the first limit that names a group of his, or else "group:*" if one names all. Users who are not known are one, "user:", and no limit names him.
func membersOf(limits []Limit, user string, groups []string) (who []string) {
	if len(limits) == 0 {
		return nil
	}
	if limitOf(limits, "user:"+user) != nil {
		who = append(who, "user:"+user)
	}
	if g := groupOf(limits, groups); g != "" {
		who = append(who, "group:"+g)
	}
	return who
}

// groupOf returns the group of limits that one of some groups comes under: the first that is named, else "*" if that is, else none.
func groupOf(limits []Limit, groups []string) (all string) {
	for i := range limits {
		for _, g := range limits[i].Groups {
			switch {
			case g == "*":
				all = g
			case slices.Contains(groups, g):
				return g
			}
		}
	}
	return all
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
