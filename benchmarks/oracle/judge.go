package oracle

import (
	"fmt"
	"slices"

	v1 "k8s.io/api/core/v1"
	fwk "k8s.io/kube-scheduler/framework"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// pair compares both sides for one pod and all nodes of the world that upstream has taken. found gets every difference.
type pair struct {
	upstream *Upstream
	nodes    []*cluster.Node
	tally    *Tally
	// plain: see plainRequests.
	plain bool
	world *World

	theirs, ours []Verdict
}

// meetNodes finds Sluice's records of upstream's nodes.
func (p *pair) meetNodes(s *Sluice, w *World) {
	p.nodes, p.plain, p.world = p.nodes[:0], plainRequests(w), w
	for _, n := range w.Nodes {
		p.nodes = append(p.nodes, s.State.Node(n.Name))
	}
}

// compare judges a pod on all nodes.
func (p *pair) compare(a *Ask, pod *v1.Pod, found func(Difference)) {
	session, before := p.upstream.Meet(pod), p.tally.Reached
	p.theirs, p.ours = p.theirs[:0], p.ours[:0]
	fits, same := false, true
	for i, n := range p.nodes {
		theirs := session.Judge(p.upstream.nodes[i], p.tally.reached)
		ours := a.Judge(n)
		p.tally.judged(theirs)
		p.theirs, p.ours = append(p.theirs, theirs), append(p.ours, ours)
		fits = fits || theirs.Code == Fits
		if !theirs.Same(ours) {
			same = false
			found(Difference{Node: n.Name, Upstream: theirs, Sluice: ours, Skipped: session.skip})
		}
	}
	for _, m := range marks(pod, p.world) {
		i := slices.Index(Plugins[:], m.plugin)
		p.tally.Marks[m] += p.tally.Reached[i] - before[i]
	}
	if other := a.Other(p.nodes, p.ours); other != "" {
		found(Difference{Other: other})
	}
	if fits && same {
		p.score(session, a, pod, found)
	}
	if fits || !same {
		return
	}
	if theirs, ours := session.Message(p.theirs), a.Message(); theirs != ours {
		found(Difference{Other: fmt.Sprintf("kube-scheduler writes %q, sluice writes %q", theirs, ours)})
	}
}

// score compares what both sides score the nodes that fit, if there is a choice.
func (p *pair) score(session *Session, a *Ask, pod *v1.Pod, found func(Difference)) {
	var infos []fwk.NodeInfo
	var nodes []*cluster.Node
	for i := range p.nodes {
		if p.theirs[i].Code == Fits {
			infos, nodes = append(infos, p.upstream.nodes[i]), append(nodes, p.nodes[i])
		}
	}
	if len(nodes) < 2 {
		return
	}
	theirs, ok := session.Scores(infos)
	if !ok {
		return // an attempt that fails, for a preference that cannot be read; differences.md
	}
	if other := p.compareScores(pod, nodes, theirs, a.Scores(nodes), a.pod.Shape); other != "" {
		found(Difference{Other: other})
	}
}
