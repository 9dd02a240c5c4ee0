package queues

import "github.com/sluice-scheduler/sluice/pkg/config/strict"

// file is a queues file. It has YuniKorn's form, with partitions, or ours, with the contents of the one partition at the top level.
type file struct {
	Partitions []partition `yaml:"partitions"`
	Body       body        `yaml:",inline"`

	built *builder
}

// partition is YuniKorn's; there is only the one named default.
type partition struct {
	Name text `yaml:"name"`
	Body body `yaml:",inline"`
}

type body struct {
	Queues         []queue    `yaml:"queues"`
	PlacementRules []rule     `yaml:"placementrules"`
	Limits         []limit    `yaml:"limits"`
	Preemption     preemption `yaml:"preemption"`
	NodeSortPolicy *nodeSort  `yaml:"nodesortpolicy"`
}

type preemption struct {
	Enabled      *flag `yaml:"enabled"`
	QuotaEnabled *flag `yaml:"quotapreemptionenabled"`
}

type nodeSort struct {
	Type    *text              `yaml:"type"`
	Weights map[string]float64 `yaml:"resourceweights"`
}

// queue has YuniKorn's keys, in lower case, and ours.
type queue struct {
	Name          text       `yaml:"name"`
	Parent        *flag      `yaml:"parent"`
	Queues        []queue    `yaml:"queues"`
	Resources     resources  `yaml:"resources"`
	MaxApps       *uint64    `yaml:"maxapplications"`
	Properties    properties `yaml:"properties"`
	Admin         *text      `yaml:"adminacl"`
	Submit        *text      `yaml:"submitacl"`
	Template      template   `yaml:"childtemplate"`
	Limits        []limit    `yaml:"limits"`
	Weight        weight     `yaml:"weight"`
	NodeOrder     *string    `yaml:"nodeOrder"`
	Strict        *bool      `yaml:"strict"`
	PriorityFirst *bool      `yaml:"priorityFirst"`
	Gang          gang       `yaml:"gang"`
}

// gang says how an autoscaler is brought to grow the cluster for gangs.
type gang struct {
	ScaleUp         *text `yaml:"scaleUp"`
	StartFirstAfter *text `yaml:"startFirstAfter"`
}

type resources struct {
	Guaranteed map[string]text `yaml:"guaranteed"`
	Max        map[string]text `yaml:"max"`
}

type template struct {
	MaxApps    *uint64    `yaml:"maxapplications"`
	Properties properties `yaml:"properties"`
	Resources  resources  `yaml:"resources"`
	Weight     weight     `yaml:"weight"`
	NodeOrder  *string    `yaml:"nodeOrder"`
	Strict     *bool      `yaml:"strict"`
	Gang       gang       `yaml:"gang"`
}

type limit struct {
	About   *text           `yaml:"limit"`
	Users   []text          `yaml:"users"`
	Groups  []text          `yaml:"groups"`
	Max     map[string]text `yaml:"maxresources"`
	MaxApps *uint64         `yaml:"maxapplications"`
}

type rule struct {
	Name   text    `yaml:"name"`
	Value  *text   `yaml:"value"`
	Create *flag   `yaml:"create"`
	Parent *rule   `yaml:"parent"`
	Filter *filter `yaml:"filter"`
}

type filter struct {
	Type   *text  `yaml:"type"`
	Users  []text `yaml:"users"`
	Groups []text `yaml:"groups"`
}

// weight is one number for all resources, or a number per resource with "*" for the rest.
type weight struct {
	all  int64
	each map[string]int64
}

// Forms makes the two ways to write a weight known to the reader.
func (w *weight) Forms() (single, section any) { return &w.all, &w.each }

// Check builds the tree, which finds all that is wrong with the file beyond its keys and types.
func (f *file) Check(at *strict.Place) {
	b := &builder{at: at}
	if body, ok := f.choose(b); ok {
		b.build(body)
	}
	f.built = b
}

// choose gives the only partition, in whichever form it is written.
func (f *file) choose(b *builder) (*body, bool) {
	if !b.at.Has("partitions") {
		if !b.at.Has("queues") {
			b.at.Faultf("", "lists no queues; write 'queues:' and below it '- name: root', or YuniKorn's 'partitions:'")
			return nil, false
		}
		return &f.Body, true
	}
	b.yunikorn, b.top = true, "partitions[0]"
	for _, key := range []string{"queues", "placementrules", "limits", "preemption", "nodesortpolicy"} {
		if b.at.Has(key) {
			b.at.Faultf(key, "stands beside partitions; move it into the partition, or leave partitions out")
		}
	}
	for i := range f.Partitions {
		b.checkPartition(i, string(f.Partitions[i].Name))
	}
	if len(f.Partitions) == 0 {
		b.at.Faultf("partitions", "must hold one partition, named default")
		return nil, false
	}
	if !b.at.Has(b.key("queues")) {
		b.at.Faultf(b.top, "has no queues; write 'queues:' and below it '- name: root'")
		return nil, false
	}
	return &f.Partitions[0].Body, true
}
