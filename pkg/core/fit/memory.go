package fit

import (
	"slices"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Memory remembers for one ask why each known node refuses it. Update brings it up to date by looking only at the nodes that changed since, so that an
// ask which fits nowhere costs what has changed and not what there is; its counts are exact after every Update.
//
// The zero Memory is empty and becomes full with the first Update. An ask that is pinned to one node keeps nothing and looks at
// that node alone.
type Memory struct {
	version uint64
	epoch   uint64
	filled  bool
	// volumes is the state of the ask's claims by which all was judged.
	volumes cluster.VolumesVersion
	// why holds for each node index the number of a set of reasons: 0 is not looked at, 1 is "fits".
	why  []uint16
	sets []set
	fits []*cluster.Node
	// classes holds, per class, the number of the set of reasons that all its nodes give, 0 where it takes a look at the node; as of classVersion.
	// byNode says that classes do not tell.
	classes      map[*cluster.Class]uint16
	classVersion uint64
	byNode       bool
	// For an ask that depends on where other pods are, why is only what the node itself says; where that is "fits", elsewhere counts what its surroundings
	// say, anew whenever any count of pods by domain has changed.
	elsewhere []set
	topoAt    uint64
	// reasons is room to work in.
	reasons []Reason
}

type set struct {
	reasons []Reason
	nodes   int
}

const fitting = 1

// Update looks at every known node that changed since the last Update and returns how many it looked at. When a node has gone, or the ask's claims
// have changed, it looks at all of them anew.
func (m *Memory) Update(s *cluster.State, a Ask) (visited int) {
	var volumes cluster.VolumesVersion
	if a.Volumes != nil {
		volumes = a.Volumes.Version()
	}
	if m.filled && m.version == s.Version() && m.epoch == s.Epoch() && m.volumes == volumes && (!a.Topological() || m.topoAt == s.TopologyVersion()) {
		return 0
	}
	if !m.filled || m.epoch != s.Epoch() || m.volumes != volumes {
		*m = Memory{filled: true, epoch: s.Epoch(), volumes: volumes, sets: make([]set, 2, 8)}
	}
	if r, refused := refusal(a); refused {
		return m.updateRefused(s, r)
	}
	if missing := len(s.Slots()) - len(m.why); missing > 0 {
		m.why = append(m.why, make([]uint16, missing)...)
	}
	if a.Pin != "" {
		return m.updatePinned(s, a)
	}
	if m.classes == nil || m.classVersion != s.ClassVersion() {
		m.classes, m.classVersion, m.byNode = map[*cluster.Class]uint16{}, s.ClassVersion(), byNode(s, a)
	}
	s.Since(m.version, func(n *cluster.Node) {
		visited++
		m.look(a, n)
	})
	m.version = s.Version()
	m.collect(s)
	return visited + m.survey(s, a)
}

// survey leaves only those nodes among the fitting that the surroundings admit, and counts why the others do not. It returns how many it looked at.
func (m *Memory) survey(s *cluster.State, a Ask) (visited int) {
	if !a.Topological() && len(a.Shape.Features) == 0 {
		return 0
	}
	m.elsewhere, m.topoAt = m.elsewhere[:0], s.TopologyVersion()
	visited = len(m.fits)
	m.fits = slices.DeleteFunc(m.fits, func(n *cluster.Node) bool {
		for i := range afterwards {
			if !afterwards[i].fits(a, n) {
				m.reasons = afterwards[i].why(a, n, m.reasons[:0])
				m.elsewhere[m.fileElsewhere()].nodes++
				return true
			}
		}
		return false
	})
	return visited
}

func (m *Memory) fileElsewhere() int {
	for i := range m.elsewhere {
		if slices.Equal(m.elsewhere[i].reasons, m.reasons) {
			return i
		}
	}
	m.elsewhere = append(m.elsewhere, set{reasons: slices.Clone(m.reasons)})
	return len(m.elsewhere) - 1
}

// updatePinned counts every other node as not named without looking at it.
func (m *Memory) updatePinned(s *cluster.State, a Ask) int {
	*m = Memory{filled: true, epoch: s.Epoch(), version: s.Version(), volumes: m.volumes, sets: make([]set, 2, 4)}
	others := s.KnownNodes()
	if n := s.Node(a.Pin); n != nil && n.Fact != nil {
		others--
		m.why = make([]uint16, n.Index+1)
		m.look(a, n)
		m.collect(s)
		m.why = nil
		m.survey(s, a)
	}
	if others > 0 {
		m.sets = append(m.sets, set{[]Reason{{Kind: NotNamed, Code: UnschedulableAndUnresolvable}}, others})
	}
	return 1
}

// updateRefused counts every node as refusing for the one reason of the ask's own.
func (m *Memory) updateRefused(s *cluster.State, r Reason) int {
	*m = Memory{filled: true, epoch: s.Epoch(), version: s.Version(), volumes: m.volumes, sets: make([]set, 2, 3)}
	m.sets = append(m.sets, set{[]Reason{r}, s.KnownNodes()})
	return 1
}

// look decides anew about one node.
func (m *Memory) look(a Ask, n *cluster.Node) {
	if old := m.why[n.Index]; old != 0 {
		m.sets[old].nodes--
	}
	now := m.number(a, n)
	m.why[n.Index] = now
	m.sets[now].nodes++
}

// number returns the number of the set of reasons that the node gives.
func (m *Memory) number(a Ask, n *cluster.Node) uint16 {
	if m.byNode || a.Pin != "" {
		return m.judge(a, n, checks[:len(ofClass)+len(ofNode)])
	}
	if number := m.ofClass(a, n.Class); number != 0 {
		return number
	}
	return m.judge(a, n, ofNode)
}

// ofClass returns the number of the set of reasons that all nodes of a class give for its description, 0 when that refuses nothing.
func (m *Memory) ofClass(a Ask, c *cluster.Class) uint16 {
	number, known := m.classes[c]
	if !known {
		if number = m.judge(a, c.Like, ofClass); number == fitting {
			number = 0
		}
		m.classes[c] = number
	}
	return number
}

// judge returns the number of the set of reasons that the first of some rules to refuse gives.
func (m *Memory) judge(a Ask, n *cluster.Node, rules []check) uint16 {
	for i := range rules {
		if !rules[i].fits(a, n) {
			m.reasons = rules[i].why(a, n, m.reasons[:0])
			return m.file(m.reasons)
		}
	}
	return fitting
}

// file returns the number of a set of reasons.
func (m *Memory) file(reasons []Reason) uint16 {
	for i := fitting + 1; i < len(m.sets); i++ {
		if slices.Equal(m.sets[i].reasons, reasons) {
			return uint16(i)
		}
	}
	m.sets = append(m.sets, set{reasons: slices.Clone(reasons)})
	return uint16(len(m.sets) - 1)
}

// collect lists the nodes that fit.
func (m *Memory) collect(s *cluster.State) {
	m.fits = m.fits[:0]
	if m.sets[fitting].nodes == 0 {
		return
	}
	for i, number := range m.why {
		if number == fitting {
			m.fits = append(m.fits, s.Slots()[i])
		}
	}
}

// Fitting returns the nodes on which the ask fitted at the last Update, by index. The slice is valid until the next one.
func (m *Memory) Fitting() []*cluster.Node { return m.fits }

// Counts returns how many nodes gave each reason at the last Update, in no order that means anything.
func (m *Memory) Counts() []Count {
	counts := make([]Count, 0, len(m.sets))
	for i := fitting + 1; i < len(m.sets); i++ {
		if m.sets[i].nodes == 0 {
			continue
		}
		for _, r := range m.sets[i].reasons {
			counts = addCount(counts, r, m.sets[i].nodes)
		}
	}
	for _, x := range m.elsewhere {
		for _, r := range x.reasons {
			counts = addCount(counts, r, x.nodes)
		}
	}
	return counts
}

func addCount(counts []Count, r Reason, nodes int) []Count {
	for i := range counts {
		if counts[i].Reason == r {
			counts[i].Nodes += nodes
			return counts
		}
	}
	return append(counts, Count{r, nodes})
}
