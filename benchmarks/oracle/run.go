package oracle

import (
	"slices"

	v1 "k8s.io/api/core/v1"
)

// Runner compares worlds one after the other.
type Runner struct {
	Tally *Tally
	// Found are differences that are not explained, the first of each kind.
	Found []Difference

	seed uint64
	pair pair
	seen map[string]bool
}

// NewRunner returns a runner for the worlds of a seed.
func NewRunner(seed uint64) (*Runner, error) {
	u, err := NewUpstream()
	if err != nil {
		return nil, err
	}
	t := NewTally()
	return &Runner{Tally: t, seed: seed, pair: pair{upstream: u, tally: t}, seen: map[string]bool{}}, nil
}

// Shrink makes a difference that was found small.
func (r *Runner) Shrink(i int) (Difference, error) { return Shrink(r.pair.upstream, r.Found[i]) }

// life is a world while it lasts.
type life struct {
	*Runner
	g       *Generator
	number  uint64
	start   *World
	changes []Change
	sluice  *Sluice
	// waiting are pods that are judged again after the world has changed, with what Sluice remembers of them.
	waiting map[string]*Ask
}

// World compares one world through all that happens in it.
func (r *Runner) World(number uint64) error {
	g := NewGenerator(r.seed, number)
	w := g.World()
	l := &life{Runner: r, g: g, number: number, start: w.Copy(), sluice: NewSluice(w), waiting: map[string]*Ask{}}
	r.Tally.Worlds++
	for round := range g.between(1, 6) {
		if round > 0 {
			l.happen(g.Changes()...)
		}
		if err := l.round(); err != nil {
			return err
		}
	}
	return nil
}

// happen lets Sluice know of changes that have happened.
func (l *life) happen(changes ...Change) {
	for _, c := range changes {
		l.changes = append(l.changes, c)
		l.sluice.Apply(c)
	}
}

// podsEach is how many pods come each round.
const podsEach = 4

// round lets pods come and judges them and those that wait.
func (l *life) round() error {
	if err := l.pair.upstream.Take(l.g.world); err != nil {
		return err
	}
	l.pair.meetNodes(l.sluice, l.g.world)
	for _, p := range slices.Clone(l.g.world.Pods) {
		if key := p.Namespace + "/" + p.Name; l.waiting[key] != nil {
			l.judge(key, p, l.waiting[key])
		}
	}
	for range podsEach {
		p := l.g.Incoming()
		if own := l.g.ephemerals(p); len(own) > 0 {
			for _, c := range own {
				l.tell(c)
			}
			if err := l.pair.upstream.Take(l.g.world); err != nil {
				return err
			}
		}
		l.tell(Change{Set: p})
		key := p.Namespace + "/" + p.Name
		l.judge(key, p, nil)
		if l.g.chance(70) {
			l.tell(Change{Gone: p})
			delete(l.waiting, key)
		}
	}
	return nil
}

// tell lets something happen that upstream's snapshot does not show: to pods that wait.
func (l *life) tell(c Change) {
	l.g.world.Apply(c)
	l.happen(c)
	l.pair.upstream.Nominate(l.g.world)
}

// judge compares one pod, if Sluice evaluates it and it still waits.
func (l *life) judge(key string, p *v1.Pod, old *Ask) {
	ask := l.sluice.Meet(p, old)
	if ask == nil {
		delete(l.waiting, key)
		return
	}
	if fields := ask.Unsupported(); len(fields) > 0 {
		l.Tally.Held[normal(fields[0])]++
		return
	}
	l.Tally.Pods++
	l.waiting[key] = ask
	l.pair.compare(ask, p, func(d Difference) { l.found(d, key) })
}

// found counts a difference and keeps the first of its kind.
func (l *life) found(d Difference, key string) {
	d.Case, d.Seed, d.World = Case{Start: l.start, Changes: slices.Clone(l.changes), Pod: key}, l.seed, l.number
	if d.Explained = explain(&d); d.Explained != "" {
		l.Tally.Explained[d.Explained]++
		return
	}
	kind := d.Kind()
	l.Tally.Differences[kind]++
	if !l.seen[kind] {
		l.seen[kind] = true
		l.Found = append(l.Found, d)
	}
}
