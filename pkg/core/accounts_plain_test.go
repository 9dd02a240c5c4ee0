package core_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// appID names an application.
type appID struct{ namespace, id string }

// books is what a plain reader of the facts makes of them: every application with its home and its pods. They are made anew for every question.
type books struct {
	*judge
	apps  map[appID][]types.UID
	homes map[appID]belonging
}

func (j *judge) appOf(uid types.UID) appID {
	id := string(uid)
	if c := j.claims[uid]; c != nil {
		id = c.App
	}
	return appID{j.pods[uid].Namespace, id}
}

func (j *judge) books() *books {
	b := &books{judge: j, apps: map[appID][]types.UID{}, homes: map[appID]belonging{}}
	for uid, p := range j.pods {
		if p.Ours {
			b.apps[j.appOf(uid)] = append(b.apps[j.appOf(uid)], uid)
		}
	}
	for _, room := range j.rooms {
		app := appID{room.Pod.Namespace, room.Pod.Claim.App}
		b.apps[app] = append(b.apps[app], nil...) // it lives on for those that are to come
	}
	made := map[string]bool{}
	for _, app := range b.oldestFirst() {
		var claims []*cluster.Claim
		for _, uid := range b.apps[app] {
			claims = append(claims, cmp.Or(j.claims[uid], &cluster.Claim{App: app.id}))
		}
		for _, room := range j.rooms {
			if app == (appID{room.Pod.Namespace, room.Pod.Claim.App}) {
				claims = append(claims, room.Pod.Claim)
			}
		}
		b.homes[app] = belongs(j.tree, j.space(app.namespace), claims, b.placed(app), made)
	}
	return b
}

func (b *books) oldestFirst() []appID {
	born := func(app appID) time.Time {
		var first time.Time
		for _, uid := range b.apps[app] {
			if at := b.pods[uid].Created; first.IsZero() || at.Before(first) {
				first = at
			}
		}
		return first
	}
	return slices.SortedFunc(maps.Keys(b.apps), func(x, y appID) int {
		return cmp.Or(born(x).Compare(born(y)), strings.Compare(x.namespace, y.namespace), strings.Compare(x.id, y.id))
	})
}

func (j *judge) space(name string) *cluster.NamespaceFact {
	return cmp.Or(j.spaces[name], &cluster.NamespaceFact{Name: name})
}

func (b *books) placed(app appID) bool {
	return slices.ContainsFunc(b.rooms, func(r core.Room) bool { return app == appID{r.Pod.Namespace, r.Pod.Claim.App} }) ||
		slices.ContainsFunc(b.apps[app], func(uid types.UID) bool { return b.at[uid] != "" })
}

// quota says which account has no room for another pod of an application; nil if all have.
func (b *books) quota(p *cluster.PodFact) error { return b.quotaOf(b.appOf(p.UID), p) }

func (b *books) quotaOf(app appID, p *cluster.PodFact) error {
	home := b.homes[app]
	if home.path == "" {
		return fmt.Errorf("application %v has no queue", app)
	}
	for path := home.path; path != ""; path = above(path) {
		max, maxApps, limits := b.bounds(path)
		all := func(appID) bool { return true }
		if err := b.room(path, all, max, maxApps, p, app); err != nil {
			return fmt.Errorf("queue %s: %w", path, err)
		}
		if l := userLimit(limits, home.claim.User); l != nil {
			his := func(o appID) bool { return b.homes[o].claim.User == home.claim.User }
			if err := b.room(path, his, l.Max, l.MaxApps, p, app); err != nil {
				return fmt.Errorf("user %s in %s: %w", home.claim.User, path, err)
			}
		}
		if g, l := groupLimit(limits, home.claim.Groups); l != nil {
			theirs := func(o appID) bool { other, _ := groupLimit(limits, b.homes[o].claim.Groups); return other == g }
			if err := b.room(path, theirs, l.Max, l.MaxApps, p, app); err != nil {
				return fmt.Errorf("group %s in %s: %w", g, path, err)
			}
		}
	}
	return nil
}

func above(path string) string {
	i := strings.LastIndex(path, ".")
	return path[:max(0, i)]
}

// room says what a pod would be too much of for those applications below a path that count.
func (b *books) room(path string, counts func(appID) bool, most resource.Amounts, mostApps int, p *cluster.PodFact, app appID) error {
	used, apps := map[string]int64{}, 0
	for o := range b.apps {
		if at := b.homes[o].path; !counts(o) || at != path && !strings.HasPrefix(at, path+".") || !b.placed(o) {
			continue
		}
		apps++
		for _, uid := range b.apps[o] {
			if b.at[uid] != "" {
				for _, a := range b.holds(uid) {
					used[a.Name] += a.Value
				}
				used["pods"]++
			}
		}
		for _, room := range b.rooms {
			if o == (appID{room.Pod.Namespace, room.Pod.Claim.App}) {
				for _, a := range room.Pod.Demand.Requests {
					used[a.Name] += a.Value
				}
				used["pods"]++
			}
		}
	}
	asks := append(slices.Clone(p.Demand.Requests), resource.Amount{Name: "pods", Value: 1})
	for _, m := range most {
		if want := asks.Get(m.Name); want > 0 && used[m.Name]+want > m.Value {
			return fmt.Errorf("%d of %s used, %d asked for, max is %d", used[m.Name], m.Name, want, m.Value)
		}
	}
	if mostApps > 0 && !b.placed(app) && apps+1 > mostApps {
		return fmt.Errorf("%d applications run", apps)
	}
	return nil
}

// bounds are what is configured of a queue, or what one that a rule makes gets.
func (b *books) bounds(path string) (most resource.Amounts, apps int, limits []cluster.Limit) {
	q, left := descend(b.tree.Root, path)
	if len(left) == 0 {
		return q.Max, q.MaxApps, q.Limits
	}
	isLeaf, spaced := b.spacedBy(path)
	if !isLeaf || strings.Contains(path, ".~") {
		return nil, 0, nil
	}
	for _, q := range configured(b.tree.Root, path) {
		if q.Template != nil {
			most, apps = q.Template.Max, q.Template.MaxApps
		}
	}
	if spaced != nil {
		if spaced.Max != nil {
			most = spaced.Max
		}
		apps = cmp.Or(spaced.MaxApps, apps)
	}
	return most, apps, nil
}

func userLimit(limits []cluster.Limit, user string) *cluster.Limit {
	for _, name := range []string{user, "*"} {
		for i := range limits {
			if slices.Contains(limits[i].Users, name) {
				return &limits[i]
			}
		}
	}
	return nil
}

// groupLimit is the first limit that names a group of his, or else that for all groups, and what it names.
func groupLimit(limits []cluster.Limit, groups []string) (string, *cluster.Limit) {
	for _, wanted := range [][]string{groups, {"*"}} {
		for i := range limits {
			for _, g := range limits[i].Groups {
				if slices.Contains(wanted, g) {
					return g, firstNaming(limits, g)
				}
			}
		}
	}
	return "", nil
}

func firstNaming(limits []cluster.Limit, group string) *cluster.Limit {
	i := slices.IndexFunc(limits, func(l cluster.Limit) bool { return slices.Contains(l.Groups, group) })
	return &limits[i]
}
