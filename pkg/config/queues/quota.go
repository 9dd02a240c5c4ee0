package queues

import (
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// checkQuota checks the amounts of a queue against those of the queues above and below it, with YuniKorn's rules. It takes the least max of all queues
// above, and returns what the queue is guaranteed: by itself or, if it sets nothing, what those below are.
func (b *builder) checkQuota(n *node, above resource.Amounts) resource.Amounts {
	for _, m := range n.spec.Max {
		if most, ok := find(above, m.Name); ok && m.Value > most {
			b.at.Faultf(b.amountAt(n.at+".resources.max", m.Name), "must not be above the max of the queues around it, which is %s, but is %s",
				show(m.Name, most), show(m.Name, m.Value))
		}
	}
	most := least(n.spec.Max, above)
	var sum resource.Amounts
	for _, child := range n.children {
		sum = plus(sum, b.checkQuota(child, most))
	}
	for _, s := range sum {
		b.checkSum(n, s, most)
	}
	if isZero(n.spec.Guaranteed) {
		return sum
	}
	return n.spec.Guaranteed
}

// checkSum holds what the queues below are guaranteed together against the queue's own guarantee and max.
func (b *builder) checkSum(n *node, sum resource.Amount, most resource.Amounts) {
	below := "the queues below are guaranteed together, which is " + show(sum.Name, sum.Value) + ", but is %s"
	if own, ok := find(n.spec.Guaranteed, sum.Name); ok && sum.Value > own {
		b.at.Faultf(b.amountAt(n.at+".resources.guaranteed", sum.Name), "must not be below what "+below, show(sum.Name, own))
		return
	}
	own, isOwn := find(n.spec.Max, sum.Name)
	limit, ok := find(most, sum.Name)
	switch {
	case !ok || sum.Value <= limit:
	case isOwn && own == limit:
		b.at.Faultf(b.amountAt(n.at+".resources.max", sum.Name), "must not be below what "+below, show(sum.Name, own))
	case !isZero(n.spec.Guaranteed): // else the sum counts for the queue above, and is reported there
		b.at.Faultf(n.at, "guarantees the queues below %s of %s together, more than the max of a queue above, which is %s",
			show(sum.Name, sum.Value), sum.Name, show(sum.Name, limit))
	}
}

// checkApps holds the numbers of applications of queues against those of the queues above.
func (b *builder) checkApps(n *node) {
	for _, child := range n.children {
		if most := n.spec.MaxApps; most > 0 && child.spec.MaxApps > most {
			b.at.Faultf(child.at+".maxapplications", "must not be above that of %s, which is %d, but is %d", n.path, most, child.spec.MaxApps)
		}
		b.checkApps(child)
	}
}
