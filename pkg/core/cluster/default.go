package cluster

import (
	"cmp"
	"maps"
	"slices"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// systemSpread is how the default scheduler spreads pods that do not say how themselves: the constraints of its System defaulting.
var systemSpread = [...]struct {
	key     string
	maxSkew int32
}{{v1.LabelHostname, 3}, {v1.LabelTopologyZone, 5}}

// defaults are the constraints of pods that do not say how they are spread, found when somebody asks. Those that nobody has asked for lately are forgotten, and
// nothing is counted for them any more.
type defaults struct {
	young, old map[defaultKey]*defaulted
	serial     uint64
}

// defaultKey is all that the constraints of a pod depend on, besides the selectors in its namespace.
type defaultKey struct {
	namespace string
	labels    Labels
	owner     SelectorID
	// affinity decides which nodes count.
	affinity string
}

// defaulted are constraints as of a version of the selectors.
type defaulted struct {
	version uint64
	// serial tells in which order they were first asked for.
	serial uint64
	text   string
	bonds  []Bond
}

// manyDefaults is how many are kept that have been asked for lately; as many older ones may be.
const manyDefaults = 512

// DefaultSpread returns the constraints by which a pod is spread that does not say how itself: over nodes and zones, from the pods that its Services and its owner
// select with it. None of them forbids anything, and a node need not carry their keys.
func (s *State) DefaultSpread(p *Pod) []Bond {
	if p.Leanings != nil && len(p.Leanings.Spread) > 0 || p.Shape.Bonds != nil && len(p.Shape.Bonds.Spread) > 0 {
		return nil
	}
	in := s.spreads[p.Fact.Namespace]
	if in == nil {
		return nil
	}
	key := defaultKey{p.Fact.Namespace, p.Fact.Labels, p.Fact.Liking.owner(), p.Shape.affinityText}
	d := s.defaults.young[key]
	if d == nil {
		if d = s.defaults.old[key]; d == nil {
			s.defaults.serial++
			d = &defaulted{serial: s.defaults.serial}
		}
		delete(s.defaults.old, key)
		s.keepDefault(key, d)
	}
	if d.version != in.version {
		s.resolve(d, p)
		d.version = in.version
	}
	return d.bonds
}

// keepDefault makes something the youngest; with many that are young, the old ones go, in an order that equal histories share, and the young are old.
func (s *State) keepDefault(key defaultKey, d *defaulted) {
	x := &s.defaults
	if len(x.young) >= manyDefaults {
		for _, old := range slices.SortedFunc(maps.Values(x.old), func(a, b *defaulted) int { return cmp.Compare(a.serial, b.serial) }) {
			s.dropBonds(old.bonds)
		}
		x.young, x.old = nil, x.young
	}
	if x.young == nil {
		x.young = map[defaultKey]*defaulted{}
	}
	x.young[key] = d
}

// resolve finds the constraints by the selectors as they are.
func (s *State) resolve(d *defaulted, p *Pod) {
	selector := s.SpreadBy(p.Fact.Namespace, p.Fact.Labels, p.Fact.Liking.owner())
	text := selectorText(selector)
	if text == d.text {
		return
	}
	old := d.bonds
	d.text, d.bonds = text, nil
	if !selector.Empty() {
		d.bonds = s.defaultBonds(selector, p)
	}
	s.dropBonds(old)
}

func (s *State) defaultBonds(selector labels.Selector, p *Pod) (bonds []Bond) {
	who := Selection{Namespaces: []string{p.Fact.Namespace}, Spaces: labels.Nothing(), Pods: selector}
	who.name()
	for _, c := range systemSpread {
		spread := []Spread{{Term: Term{who, c.key}, MaxSkew: c.maxSkew, HonorAffinity: true}}
		bonds = append(bonds, s.softBonds(spread, p.Shape.Demand)...)
	}
	for _, c := range bonds {
		c.Tally.passing++
	}
	return bonds
}

func (s *State) dropBonds(bonds []Bond) {
	for _, c := range bonds {
		c.Tally.passing--
		s.dropTally(c.Tally)
	}
}

func (l *Liking) owner() SelectorID {
	if l == nil {
		return SelectorID{}
	}
	return l.Owner
}
