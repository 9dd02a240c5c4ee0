package kube

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// gangs turns objects that tell of groups into events. What several kinds of objects tell may be joined, so all of their mirrors share one, which puts the
// events into the sink by itself, in the order in which they came about.
type gangs struct {
	reader *reader
	gang   *gang.Reader
	sink   Sink

	mu      sync.Mutex
	sources *gang.Sources
}

func newGangs(r *reader, schedulers []string, trustUser bool, sink Sink) *gangs {
	return &gangs{reader: r, gang: &gang.Reader{Schedulers: schedulers, TrustUser: trustUser}, sink: sink, sources: gang.NewSources()}
}

// set takes in what an object tells.
func (g *gangs) set(p *gang.Piece) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tell(g.sources.Set(p))
}

// gone takes in that an object no longer exists, or can no longer be read.
func (g *gangs) gone(k gang.Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tell(g.sources.Gone(k))
}

func (g *gangs) tell(all []gang.Change) {
	events := make([]core.Event, len(all))
	for i, c := range all {
		g.share(c.Fact)
		if events[i] = (core.GroupGone{Namespace: c.Namespace, ID: c.ID, Origin: c.Origin}); c.Fact != nil {
			events[i] = core.GroupSet{Group: c.Fact}
		}
	}
	g.sink.Put(events...)
}

// share lets the pods that are to come share what they ask for with those that are there, and with each other. A pod that was told
// before is left as it is: others look at it.
func (g *gangs) share(f *cluster.GroupFact) {
	if f == nil {
		return
	}
	for i := range f.Roles {
		pod := f.Roles[i].Template
		if pod == nil || pod.Demand == nil {
			continue
		}
		if d := g.reader.demands.share(pod.Demand.Key, pod.Demand); d != pod.Demand {
			pod.Demand = d
		}
		if l := pod.Liking; l != nil {
			if shared := g.reader.likings.share(l.Key, l); shared != l {
				pod.Liking = shared
			}
		}
	}
}

// tellers are the objects of one kind that tell of groups.
type tellers struct {
	gangs *gangs
	kind  gang.Kind
}

// read makes what is kept of an object: nil if it tells nothing, as one that cannot be read.
func (t tellers) read(object any) (at key, p *gang.Piece) {
	m := object.(metav1.Object)
	at = key{m.GetNamespace(), m.GetName()}
	defer func() {
		if why := recover(); why != nil {
			t.gangs.reader.complain(t.kind.Kind, at.namespace, at.name, why)
			p = nil
		}
	}()
	if p = t.gangs.gang.Read(m); p.Silent() {
		return at, nil // of the Jobs and Deployments of a cluster most are none of ours
	}
	return at, p
}

func (t tellers) set(old **gang.Piece, p *gang.Piece) []core.Event {
	if p == nil && old != nil {
		return t.gone(*old, nil)
	}
	t.gangs.set(p)
	return nil
}

func (t tellers) gone(p *gang.Piece, _ any) []core.Event {
	if p != nil {
		t.gangs.gone(p.Key)
	}
	return nil
}
