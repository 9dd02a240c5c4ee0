package cluster

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// sum adds an allocation to what the accounts should hold.
func (v *verifier) sum(a *Allocation) {
	if a.App == nil {
		if a.Node.Fact != nil {
			v.foreign = v.foreign.AddTo(a.Uses, 1)
		}
		return
	}
	app := v.apps[a.App]
	if app == nil {
		app = &App{}
		v.apps[a.App] = app
	}
	pods := 1
	if a.Reserved {
		pods = 0
	}
	app.Used, app.Placed = app.Used.AddTo(a.Uses, 1), app.Placed+pods
	if a.App.Ledger == nil {
		v.check(a.Reserved, "pod %s is placed and its application has no queue", a.Pod.Fact.UID)
		return
	}
	for _, x := range a.App.Ledger.Accounts {
		sum := v.accounts[x]
		if sum == nil {
			sum = &Account{}
			v.accounts[x] = sum
		}
		sum.Used, sum.Pods = sum.Used.AddTo(a.Uses, 1), sum.Pods+pods
		if app.Placed == 1 && pods == 1 && !a.App.Finished {
			sum.Apps++
		}
	}
}

// queues holds every account against its allocations, and every queue against the tree.
func (v *verifier) queues() {
	inTree := map[*Queue]bool{}
	v.queue(v.s.root, inTree)
	for i, q := range v.s.queues {
		v.check(q == nil && slices.Contains(v.s.freeQueues, i) || q != nil && q.Index == i && inTree[q], "the queue at index %d is not in the tree", i)
	}
	var total resource.Vector
	for _, n := range v.s.nodes {
		total = total.AddTo(n.Allocatable, 1)
	}
	v.check(v.s.total.Equal(total), "nodes offer %v, counted are %v", total, v.s.total)
	v.check(v.s.foreign.Equal(v.foreign), "pods of others hold %v, counted are %v", v.foreign, v.s.foreign)
}

func (v *verifier) queue(q *Queue, inTree map[*Queue]bool) {
	inTree[q] = true
	v.account(&q.Account)
	for _, a := range q.members {
		v.account(a)
		v.check(a.ledgers > 0, "%s is in no ledger", a.Who)
	}
	v.check(len(q.Max) == len(q.Spec.Max), "queue %s is bounded by %v, of which %v has slots", q.Name, q.Spec.Max, q.Max)
	apps := 0
	for _, l := range q.ledgers {
		v.check(l.apps > 0 && l.Leaf == q, "queue %s keeps a ledger without applications", q.Name)
		apps += l.apps
	}
	v.check(apps == q.apps, "queue %s counts %d applications, its ledgers %d", q.Name, q.apps, apps)
	if q.Dynamic || q.Draining {
		v.check(q.apps > 0 || len(q.children) > 0, "queue %s is neither in the tree nor used", q.Name)
	}
	for i, child := range q.children {
		v.check(child.Parent == q && child.Name == q.Name+"."+child.Spec.Name, "queue %s is filed under %s", child.Name, q.Name)
		v.check(i == 0 || q.children[i-1].Spec.Name < child.Spec.Name, "queue %s is out of order", child.Name)
		v.queue(child, inTree)
	}
}

func (v *verifier) account(a *Account) {
	sum := v.accounts[a]
	if sum == nil {
		sum = &Account{}
	}
	v.check(a.Used.Equal(sum.Used) && a.Pods == sum.Pods && a.Apps == sum.Apps,
		"%s: used is %v by %d pods of %d applications, but its allocations sum to %v by %d of %d", a.Who, a.Used, a.Pods, a.Apps, sum.Used, sum.Pods, sum.Apps)
}

// owners holds every application against its pods.
func (v *verifier) owners() {
	pods := map[*App]int{}
	for uid, p := range v.s.pods {
		v.check((p.App != nil) == p.Fact.Ours, "pod %s: ours %t, in an application %t", uid, p.Fact.Ours, p.App != nil)
		if p.App != nil {
			pods[p.App]++
		}
	}
	v.check(len(pods) == len(v.s.apps), "%d applications have pods, %d are listed", len(pods), len(v.s.apps))
	inSpaces := 0
	for name, in := range v.s.appsIn {
		inSpaces += len(in.list)
		v.check(len(in.list) > 0 && len(in.named) == len(in.list), "namespace %s has %d applications, %d by name", name, len(in.list), len(in.named))
	}
	v.check(inSpaces == len(v.s.apps), "namespaces have %d applications, there are %d", inSpaces, len(v.s.apps))
	for i, a := range v.s.apps {
		listed := 0
		a.Pods(func(p *Pod) {
			listed++
			v.check(p.App == a, "pod %s is listed in application %s", p.Fact.UID, a.ID)
		})
		v.check(int(a.at) == i && listed == a.pods && a.pods == pods[a], "application %s has %d pods, counts %d, lists %d", a.ID, pods[a], a.pods, listed)
		v.check(v.s.App(a.Namespace, a.ID) == a && v.s.appsIn[a.Namespace].list[a.atSpace] == a, "application %s is not where it is listed in its namespace", a.ID)
		sum := v.apps[a]
		if sum == nil {
			sum = &App{}
		}
		v.check(a.Used.Equal(sum.Used) && a.Placed == sum.Placed, "application %s: used is %v by %d pods but they sum to %v by %d", a.ID, a.Used, a.Placed, sum.Used, sum.Placed)
		for _, q := range a.barred {
			v.bars[q]++
		}
		for q := a.Queue(); q != nil && a.pass == v.s.pass; q = q.Parent {
			v.dwellers[q]++
			v.check(!q.Dynamic || q.latest.compare(a.age()) >= 0, "application %s is younger than queue %s takes its own to be", a.ID, q.Name)
		}
		v.check((a.Ledger == nil) == (a.Fault != ""), "application %s has a queue and none", a.ID)
		v.check(a.pass == v.s.pass || v.s.rehoming > 0, "application %s was not placed in this pass", a.ID)
		v.home(a)
	}
	for _, q := range v.s.queues {
		v.check(q == nil || q.bars == v.bars[q], "queue %v bars %d applications, which it does not count", q, v.bars[q])
		v.check(q == nil || q.dwellers == v.dwellers[q], "queue %v has %d applications of this pass, which it does not count", q, v.dwellers[q])
	}
}

// home holds that an application is where it would be found to belong now, unless it has yet to be looked at.
func (v *verifier) home(a *App) {
	if v.s.rehoming > 0 || v.s.again {
		return
	}
	version := v.s.treeVersion
	h := v.s.findHome(a)
	v.check(v.s.treeVersion == version, "application %s would make a queue now", a.ID)
	v.check(h.fault == a.Fault && h.leaf == a.Queue() && h.why == a.Why, "application %s, which is in %v for %s and %s, belongs in %v now, for %s and %s", a.ID, a.Queue(), a.Why, a.Fault, h.leaf, h.why, h.fault)
}
