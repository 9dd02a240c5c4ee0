package queues

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
)

// OrderUse is a place in a queues file that names a node order, or makes the one that is named OrderName.
type OrderUse struct {
	Name string
	// Makes tells the nodesortpolicy from a queue.
	Makes bool
	// At is the place, as a fault without a message.
	At strict.Fault
}

// CheckOrders holds the node orders that the file names against the names of those that are configured beside it. The error is nil, or of type strict.Faults
// with one for each place that names an order which there is not, or that makes one of a name which is taken.
func (l *Loaded) CheckOrders(configured []string) error {
	known := configured
	if l.NodeOrder != nil {
		known = append(slices.Clone(configured), l.NodeOrder.Name)
	}
	var faults strict.Faults
	for _, use := range l.Orders {
		if why := use.fault(configured, known); why != "" {
			f := use.At
			f.Message = why
			faults = append(faults, f)
		}
	}
	return faults.Err()
}

// fault says what is wrong with the use, if anything is.
func (u OrderUse) fault(configured, known []string) string {
	switch {
	case u.Makes && slices.Contains(configured, u.Name):
		return fmt.Sprintf("becomes a node order of the name %s, and sluice.yaml has one of that name; rename that one", u.Name)
	case u.Makes || slices.Contains(known, u.Name):
		return ""
	}
	why := fmt.Sprintf("must be a node order of sluice.yaml, which has %s, but is %q", strings.Join(known, ", "), u.Name)
	if near, ok := strict.Nearest(u.Name, known); ok {
		why += fmt.Sprintf("; did you mean %s?", near)
	}
	return why
}

// settleOrders gives root the order that the file makes, unless it names one, and puts the uses in the order of the file.
func (b *builder) settleOrders() {
	if b.order != nil {
		b.uses = append(b.uses, OrderUse{Name: b.order.Name, Makes: true, At: b.at.Spot(b.key("nodesortpolicy"))})
		b.root.spec.NodeOrder = cmp.Or(b.root.spec.NodeOrder, b.order.Name)
	}
	slices.SortStableFunc(b.uses, func(a, b OrderUse) int {
		return cmp.Or(cmp.Compare(a.At.Line, b.At.Line), cmp.Compare(a.At.Column, b.At.Column))
	})
}
