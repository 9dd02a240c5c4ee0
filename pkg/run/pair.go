package run

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// LoadQueues reads the queues file that the configuration names, if any, and holds the two against each other. File is the path of the configuration. Without
// a queues file it returns nil: the queues are in a ConfigMap, or the default ones.
func LoadQueues(c *config.Configuration, file string) (*queues.Loaded, error) {
	path := c.QueuesPath(file)
	if path == "" {
		return nil, nil
	}
	l, err := queues.Load(path)
	if err != nil {
		return nil, err
	}
	if err := (pair{c, l}).fault(); err != nil {
		return nil, err
	}
	return l, nil
}

// pair is a configuration and queues, each sound by itself. The queues are nil as long as none have been read.
type pair struct {
	config *config.Configuration
	queues *queues.Loaded
}

// fault says in what the two do not agree: every node order that queues name must be configured.
func (p pair) fault() error {
	if p.queues == nil {
		return nil
	}
	var names []string
	for _, o := range p.configured() {
		names = append(names, o.Name)
	}
	return p.queues.CheckOrders(names)
}

// configured are the node orders of the configuration: the built-in one if there are no others.
func (p pair) configured() []order.Spec {
	if specs := p.config.Orders(); len(specs) > 0 {
		return specs
	}
	return []order.Spec{order.Default()}
}

// orders are the node orders that the core is told. That of the queues file joins the others as the last, so that it is used only where it is named.
func (p pair) orders() core.OrdersSet {
	set := core.OrdersSet{Orders: p.configured(), Scarce: p.config.Scarce()}
	if p.queues != nil && p.queues.NodeOrder != nil {
		set.Orders = append(set.Orders, *p.queues.NodeOrder)
	}
	return set
}

// unread names the evaluators for which more would have to be read.
func unread(read, wanted cluster.Extra) (kinds []string) {
	if wanted.Images && !read.Images {
		kinds = append(kinds, string(order.ImageLocality))
	}
	if wanted.Selectors && !read.Selectors {
		kinds = append(kinds, string(order.DefaultSpread))
	}
	return kinds
}

// hash identifies the queues; empty if there are none yet.
func (p pair) hash() string {
	if p.queues == nil {
		return ""
	}
	return p.queues.Tree.Hash
}

func orderNames(specs []order.Spec) string {
	names := make([]string, len(specs))
	for i, o := range specs {
		names[i] = o.Name
	}
	return strings.Join(names, ", ")
}

// countQueues counts the queues of a subtree.
func countQueues(q *cluster.QueueSpec) int {
	n := 1
	for _, child := range q.Children {
		n += countQueues(child)
	}
	return n
}

// limitedByUser lists the queues of a subtree, below a path, with limits of users or groups.
func limitedByUser(q *cluster.QueueSpec, above string) (paths []string) {
	if len(q.Limits) > 0 {
		paths = append(paths, above+q.Name)
	}
	for _, child := range q.Children {
		paths = append(paths, limitedByUser(child, above+q.Name+".")...)
	}
	return paths
}

func inWords(l *queues.Loaded) string {
	return fmt.Sprintf("%d queues, hash %s", countQueues(l.Tree.Root), l.Tree.Hash)
}

// fixedChanges lists the keys of the top level that differ and cannot be changed while Sluice runs.
func fixedChanges(old, next *config.Configuration) (keys []string) {
	a, b := reflect.ValueOf(*old), reflect.ValueOf(*next)
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if f.Name == "NodeOrders" || f.Name == "ScarceResources" {
			continue
		}
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			keys = append(keys, f.Tag.Get("yaml"))
		}
	}
	return keys
}
