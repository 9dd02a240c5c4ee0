package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// SetQueues replaces the tree of queues.
func (c *Cluster) SetQueues(t *cluster.Tree) {
	c.tree = t
	c.tell(core.QueuesSet{Tree: t})
}

// SetNamespace creates or replaces a namespace.
func (c *Cluster) SetNamespace(n *v1.Namespace) {
	c.namespaces[n.Name] = n
	c.tell(core.NamespaceSet{Namespace: app.ReadNamespace(n)})
}

// DeleteNamespace deletes a namespace; its pods stay until they are deleted themselves.
func (c *Cluster) DeleteNamespace(name string) {
	delete(c.namespaces, name)
	c.tell(core.NamespaceGone{Name: name})
}

// relistQueues tells the core of the tree and of every namespace again.
func (c *Cluster) relistQueues() {
	if c.tree != nil {
		c.tell(core.QueuesSet{Tree: c.tree})
	}
	for _, name := range slices.Sorted(maps.Keys(c.namespaces)) {
		c.tell(core.NamespaceSet{Namespace: app.ReadNamespace(c.namespaces[name])})
	}
}

// clear begins with an empty cluster again.
func (s *Script) clear(Args, string) error { s.begin(); return nil }

// queues replaces the tree of queues by that of a queues file's text. A file with faults changes nothing, and its faults are shown.
func (s *Script) queues(_ Args, input string) error {
	loaded, err := queues.Parse("queues.yaml", []byte(input))
	if err != nil {
		s.printf("%s", err)
		return nil
	}
	s.cluster.SetQueues(loaded.Tree)
	return nil
}

// namespace makes a namespace: namespace NAME [set=(annotation=value,…)] [labels=(k=v,…)] [delete]. Without that the namespace of the pods has no annotations.
func (s *Script) namespace(a Args, _ string) error {
	if a.Name == "" {
		return fmt.Errorf("needs a name")
	}
	if a.has("delete") {
		s.cluster.DeleteNamespace(a.Name)
		return nil
	}
	s.cluster.SetNamespace(&v1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: a.Name, Annotations: keyValues(a.Values["set"]), Labels: keyValues(a.Values["labels"]),
	}})
	return nil
}

// claimOf is what the arguments app=, queue=, user= and groups=(…) of a pod say.
func claimOf(a Args) map[string]string {
	claim := map[string]string{}
	for key, name := range map[string]string{"app": app.AppName, "queue": app.QueueName, "user": app.UserAnnotation, "groups": app.GroupsAnnotation} {
		if v := a.Values[key]; len(v) > 0 {
			claim[name] = strings.Join(v, ",")
		}
	}
	return claim
}

// survey shows the queues: survey [RESOURCE …]; of each what it holds, what waits, and its fair share, of all resources or of those named.
func (s *Script) survey(a Args, _ string) error {
	survey := s.cluster.Core.Queues()
	s.showQueue(&survey.Root, a)
	return nil
}

func (s *Script) showQueue(q *core.QueueStatus, a Args) {
	mark := ""
	switch {
	case q.Dynamic:
		mark = " dynamic"
	case q.Draining:
		mark = " draining"
	}
	s.printf("%s%s: %d pods of %d applications, %d pods wait", q.Name, mark, q.Pods, q.Apps, q.PendingPods)
	for _, r := range q.Resources {
		if len(a.Values) > 0 && !a.has(r.Name) {
			continue
		}
		s.printf("  %s: used %d, waiting %d, fair %d%s%s", r.Name, r.Used, r.Pending, r.Fair, bound(", guaranteed ", r.Guaranteed), bound(", max ", r.Max))
	}
	for _, m := range q.Members {
		s.printf("  %s: %d pods of %d applications, used %s", m.Who, m.Pods, m.Apps, m.Used)
	}
	for i := range q.Children {
		s.showQueue(&q.Children[i], a)
	}
}

func bound(what string, value *int64) string {
	if value == nil {
		return ""
	}
	return fmt.Sprint(what, *value)
}
