package gang

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Change is what is told of a group anew: a fact that replaces what the same origin told before, or that it tells nothing any more.
type Change struct {
	Namespace, ID string
	Origin        cluster.Origin
	// Fact is nil if the origin tells nothing of the group any more.
	Fact *cluster.GroupFact
}

// Sources joins what objects tell. It may be used by one goroutine at a time.
type Sources struct {
	pieces map[Key]*Piece
	// tellers are the pieces that tell of a group, sorted by key.
	tellers map[subject][]*Piece
	told    map[subject]*cluster.GroupFact
	// mounting are what depends on a ConfigMap that pods mount, each as often as a piece says so.
	mounting map[Key][]subject
}

// subject is what one origin tells of one group.
type subject struct {
	namespace, id string
	origin        cluster.Origin
}

// NewSources returns one that knows nothing yet.
func NewSources() *Sources {
	return &Sources{pieces: map[Key]*Piece{}, tellers: map[subject][]*Piece{}, told: map[subject]*cluster.GroupFact{}, mounting: map[Key][]subject{}}
}

// Set takes in an object as it is now and returns what changes by that. A nil piece changes nothing.
func (s *Sources) Set(p *Piece) []Change {
	if p == nil {
		return nil
	}
	touched := s.drop(p.Key)
	tells := p.subjects()
	if !p.Silent() {
		s.pieces[p.Key] = p
	}
	if on, of := p.mounts(); on != (Key{}) {
		s.mounting[on] = append(s.mounting[on], of)
	}
	for _, subject := range tells {
		at, _ := slices.BinarySearchFunc(s.tellers[subject], p.Key, comparePiece)
		s.tellers[subject] = slices.Insert(s.tellers[subject], at, p)
		touched = append(touched, subject)
	}
	return s.changes(append(touched, s.mounting[p.Key]...))
}

// Gone takes in that an object no longer exists.
func (s *Sources) Gone(k Key) []Change { return s.changes(s.drop(k)) }

// drop forgets an object and returns of what it told.
func (s *Sources) drop(k Key) []subject {
	p := s.pieces[k]
	if p == nil {
		return nil
	}
	delete(s.pieces, k)
	if on, of := p.mounts(); on != (Key{}) {
		s.unmount(on, of)
	}
	touched := p.subjects()
	for _, subject := range touched {
		left := slices.DeleteFunc(s.tellers[subject], func(other *Piece) bool { return other.Key == k })
		if s.tellers[subject] = left; len(left) == 0 {
			delete(s.tellers, subject)
		}
	}
	return append(touched, s.mounting[k]...)
}

// unmount notes that one piece less makes a subject depend on a ConfigMap.
func (s *Sources) unmount(on Key, of subject) {
	left := s.mounting[on]
	at := slices.Index(left, of)
	if s.mounting[on] = slices.Delete(left, at, at+1); len(s.mounting[on]) == 0 {
		delete(s.mounting, on)
	}
}

// conf is the configuration in a ConfigMap that pods mount; nil if it is not known.
func (s *Sources) conf(k Key) spec.Config {
	if p := s.pieces[k]; p != nil {
		return p.conf
	}
	return nil
}

// mounts is the ConfigMap on which what a piece tells of a subject depends; the zero key for none.
func (p *Piece) mounts() (on Key, of subject) {
	if p.part == nil {
		return Key{}, subject{}
	}
	return p.part.mounts(), subject{p.Key.Namespace, p.part.group(), p.part.origin()}
}

// changes compares what is to be told with what was told.
func (s *Sources) changes(touched []subject) (all []Change) {
	slices.SortFunc(touched, compareSubjects)
	for _, subject := range slices.Compact(touched) {
		fact := s.fact(subject)
		if reflect.DeepEqual(fact, s.told[subject]) {
			continue
		}
		if s.told[subject] = fact; fact == nil {
			delete(s.told, subject)
		}
		all = append(all, Change{subject.namespace, subject.id, subject.origin, fact})
	}
	return all
}

// fact is what is to be told. Where several objects tell of one group by themselves, the first in order does.
func (s *Sources) fact(of subject) *cluster.GroupFact {
	var parts []part
	for _, p := range s.tellers[of] {
		for _, f := range p.whole {
			if f.ID == of.id && f.Origin == of.origin {
				return f
			}
		}
		parts = append(parts, p.part)
	}
	if len(parts) == 0 {
		return nil
	}
	f := parts[0].join(parts, s.conf)
	if f == nil {
		return nil
	}
	own := *f // so that what it was drafted with is not kept with it
	return &own
}

// subjects are what a piece tells of, each once.
func (p *Piece) subjects() (all []subject) {
	for _, f := range p.whole {
		all = append(all, subject{p.Key.Namespace, f.ID, f.Origin})
	}
	if p.part != nil {
		all = append(all, subject{p.Key.Namespace, p.part.group(), p.part.origin()})
	}
	slices.SortFunc(all, compareSubjects)
	return slices.Compact(all)
}

func compareSubjects(a, b subject) int {
	return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.id, b.id), cmp.Compare(a.origin, b.origin))
}

func comparePiece(p *Piece, k Key) int {
	return cmp.Or(
		strings.Compare(p.Key.APIGroup, k.APIGroup), strings.Compare(p.Key.Kind, k.Kind),
		strings.Compare(p.Key.Namespace, k.Namespace), strings.Compare(p.Key.Name, k.Name),
	)
}
