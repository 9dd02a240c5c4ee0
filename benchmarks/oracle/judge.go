package oracle

import (
	"fmt"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// pair compares both sides for one pod and all nodes of the world that upstream has taken. found gets every difference.
type pair struct {
	upstream *Upstream
	nodes    []*cluster.Node
	tally    *Tally

	theirs, ours []Verdict
}

// meetNodes finds Sluice's records of upstream's nodes.
func (p *pair) meetNodes(s *Sluice, w *World) {
	p.nodes = p.nodes[:0]
	for _, n := range w.Nodes {
		p.nodes = append(p.nodes, s.State.Node(n.Name))
	}
}

// compare judges a pod on all nodes.
func (p *pair) compare(a *Ask, pod *v1.Pod, found func(Difference)) {
	session := p.upstream.Meet(pod)
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
	if other := a.Other(p.nodes, p.ours); other != "" {
		found(Difference{Other: other})
	}
	if fits || !same {
		return
	}
	if theirs, ours := session.Message(p.theirs), a.Message(); theirs != ours {
		found(Difference{Other: fmt.Sprintf("kube-scheduler writes %q, sluice writes %q", theirs, ours)})
	}
}
