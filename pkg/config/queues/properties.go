package queues

import (
	"strconv"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// The properties that have an effect.
const (
	sortPolicy       = "application.sort.policy"
	sortPriority     = "application.sort.priority"
	priorityPolicy   = "priority.policy"
	priorityOffset   = "priority.offset"
	preemptionPolicy = "preemption.policy"
	preemptionDelay  = "preemption.delay"
	quotaDelay       = "quota.preemption.delay"
	gangScaleUp      = "sluice.dev/gang.scaleUp"
	gangStartFirst   = "sluice.dev/gang.startFirstAfter"
)

// defaultDelay is YuniKorn's, for queues that set no preemption.delay.
const defaultDelay = 30 * time.Second

// properties are YuniKorn's properties of a queue, and ours for files that YuniKorn is to read as well.
type properties struct {
	SortPolicy       *text `yaml:"application.sort.policy"`
	SortPriority     *text `yaml:"application.sort.priority"`
	PriorityPolicy   *text `yaml:"priority.policy"`
	PriorityOffset   *text `yaml:"priority.offset"`
	PreemptionPolicy *text `yaml:"preemption.policy"`
	PreemptionDelay  *text `yaml:"preemption.delay"`
	QuotaDelay       *text `yaml:"quota.preemption.delay"`
	GangScaleUp      *text `yaml:"sluice.dev/gang.scaleUp"`
	GangStartFirst   *text `yaml:"sluice.dev/gang.startFirstAfter"`
}

// inherited is what a queue has from the one above unless it says otherwise: YuniKorn hands down all properties but priority.policy and
// priority.offset, and of preemption.policy only that it is disabled.
type inherited struct {
	sort             cluster.AppSort
	priorityDisabled bool
	disabled         bool
	delay            time.Duration
	// off: the partition preempts nothing at all, whatever a queue says.
	off bool
}

// properties reads the properties of a queue into spec and returns what the queues below have from it.
func (b *builder) properties(at string, in *properties, spec *cluster.QueueSpec, up inherited) inherited {
	down := up
	if word, ok := b.word(at, sortPolicy, in.SortPolicy, "fifo", "fair", "stateaware"); ok {
		down.sort = cluster.AppSort(word)
		if word == "stateaware" {
			b.at.Warnf(strict.Entry(at, sortPolicy), "is fifo: YuniKorn has given stateaware up")
			down.sort = cluster.SortFIFO
		}
	}
	if word, ok := b.word(at, sortPriority, in.SortPriority, "enabled", "disabled"); ok {
		down.priorityDisabled = word == "disabled"
	}
	if word, ok := b.word(at, priorityPolicy, in.PriorityPolicy, "default", "fence"); ok {
		spec.PriorityFence = word == "fence"
	}
	if word, ok := b.word(at, preemptionPolicy, in.PreemptionPolicy, "default", "fence", "disabled"); ok {
		spec.Preemption.Fence, down.disabled = word == "fence", word == "disabled"
	}
	b.offset(at, in.PriorityOffset, spec)
	b.delays(at, in, spec, &down)
	spec.Sort, spec.PriorityDisabled = down.sort, down.priorityDisabled
	spec.Preemption.Disabled, spec.Preemption.Delay = down.disabled || down.off, down.delay
	return down
}

// word reads a property that is one of some words, in upper or lower case; ok is false if the queue does not set it.
func (b *builder) word(at, name string, in *text, allowed ...string) (word string, ok bool) {
	if in.or("") == "" {
		return "", false
	}
	return strict.OneOfText(b.at, strict.Entry(at, name), string(*in), allowed...)
}

func (b *builder) offset(at string, in *text, spec *cluster.QueueSpec) {
	if in.or("") == "" {
		return
	}
	n, err := strconv.ParseInt(string(*in), 10, 32)
	if err != nil {
		b.at.Faultf(strict.Entry(at, priorityOffset), "must be a whole number from %d to %d, but is %q", -1<<31, 1<<31-1, *in)
	}
	spec.PriorityOffset = int32(n)
}

// delays reads how long is waited before pods are evicted for an ask, and for a max that was lowered. The second works in YuniKorn only where the
// partition allows it.
func (b *builder) delays(at string, in *properties, spec *cluster.QueueSpec, down *inherited) {
	if d, ok := b.delay(at, preemptionDelay, in.PreemptionDelay); ok {
		if d == 0 {
			b.at.Faultf(strict.Entry(at, preemptionDelay), "must be above 0s; to preempt nothing, set preemption.policy to disabled")
		}
		down.delay = d
	}
	d, ok := b.delay(at, quotaDelay, in.QuotaDelay)
	switch {
	case !ok:
	case b.quotaDelays:
		spec.Preemption.QuotaDelay = d
	case d > 0:
		b.at.Warnf(strict.Entry(at, quotaDelay), "has no effect without 'preemption: {quotapreemptionenabled: true}' of the partition")
	}
}

func (b *builder) delay(at, name string, in *text) (d time.Duration, ok bool) {
	if in.or("") == "" {
		return 0, false
	}
	d, err := duration(string(*in))
	if err != nil {
		b.at.Faultf(strict.Entry(at, name), "must be a duration such as 30s, 5m or 1h30m, but is %q%s", *in, err)
		return 0, false
	}
	return d, true
}
