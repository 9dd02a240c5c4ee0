package oracle

import (
	"fmt"
	"reflect"

	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Shrink leaves out of a case whatever it does not need for a difference of the same kind: changes, nodes, pods, and then every element of
// a list, entry of a map and field behind a pointer of what is left. It returns a difference of the smaller case.
func Shrink(u *Upstream, d Difference) (Difference, error) {
	return shrink(d, func(c *Case) ([]Difference, error) {
		found, _, err := c.Differences(u)
		return found, err
	})
}

func shrink(d Difference, differences func(*Case) ([]Difference, error)) (Difference, error) {
	s := &shrinker{differences: differences, kind: d.Kind(), best: d, c: clone(&d.Case)}
	if !s.holds() {
		return d, fmt.Errorf("the case does not give the difference again: %s", d.Kind())
	}
	for budget := 4; budget > 0; budget-- { // each pass may allow more in the next
		before := s.left
		s.pass()
		if s.left == before {
			break
		}
	}
	s.best.Case = *s.c
	return s.best, nil
}

type shrinker struct {
	differences func(*Case) ([]Difference, error)
	kind        string
	c           *Case
	best        Difference
	// left counts what has been left out.
	left int
}

// clone makes a deep copy of a case, so that it can be cut down in place.
func clone(c *Case) *Case {
	out := &Case{Pod: c.Pod, Start: c.Start.Copy()}
	world := reflect.ValueOf(out.Start).Elem()
	for i := range world.NumField() {
		for list, at := world.Field(i), 0; at < list.Len(); at++ {
			list.Index(at).Set(reflect.ValueOf(copied(list.Index(at).Interface().(metav1.Object))))
		}
	}
	for _, change := range c.Changes {
		out.Changes = append(out.Changes, change.copy())
	}
	return out
}

func (c Change) copy() Change {
	deep := func(o metav1.Object) metav1.Object {
		if o == nil {
			return nil
		}
		return copied(o)
	}
	out := Change{Set: deep(c.Set), Gone: deep(c.Gone), Assumed: c.Assumed}
	for _, p := range c.Tried {
		out.Tried = append(out.Tried, p.DeepCopy())
	}
	return out
}

// holds reports whether the case as it is now gives a difference of the kind, and keeps it.
func (s *shrinker) holds() (holds bool) {
	defer func() {
		if recover() != nil {
			holds = false // cut down too far for one of the sides
		}
	}()
	found, err := s.differences(s.c)
	if err != nil {
		return false
	}
	for _, d := range found {
		if d.Kind() == s.kind {
			d.Seed, d.World = s.best.Seed, s.best.World
			s.best = d
			return true
		}
	}
	return false
}

// pass tries everything once, the large things first.
func (s *shrinker) pass() {
	s.flatten()
	s.list(reflect.ValueOf(&s.c.Changes).Elem())
	world := reflect.ValueOf(s.c.Start).Elem()
	for i := range world.NumField() {
		s.list(world.Field(i))
	}
	s.inside(world)
	for i := range s.c.Changes {
		if o := s.c.Changes[i].Set; o != nil {
			s.inside(reflect.ValueOf(o).Elem())
		}
	}
}

// flatten tries to begin with the world as it ends.
func (s *shrinker) flatten() {
	if len(s.c.Changes) == 0 {
		return
	}
	old := *s.c
	s.c.Start, s.c.Changes = s.c.End(), nil
	if s.holds() {
		s.left++
		return
	}
	*s.c = old
}

// try keeps a change of the case if the difference holds, and undoes it if not.
func (s *shrinker) try(v reflect.Value, to reflect.Value) bool {
	old := reflect.New(v.Type()).Elem()
	old.Set(v)
	v.Set(to)
	if s.holds() {
		s.left++
		return true
	}
	v.Set(old)
	return false
}

// list leaves out runs of a list, long ones first.
func (s *shrinker) list(v reflect.Value) {
	for size := v.Len(); size > 0; size /= 2 {
		for at := 0; at+size <= v.Len(); {
			if !s.try(v, without(v, at, size)) {
				at += size
			}
		}
	}
}

func without(v reflect.Value, at, size int) reflect.Value {
	out := reflect.MakeSlice(v.Type(), 0, v.Len())
	out = reflect.AppendSlice(out, v.Slice(0, at))
	return reflect.AppendSlice(out, v.Slice(at+size, v.Len()))
}

var (
	quantity   = reflect.TypeFor[apires.Quantity]()
	objectMeta = reflect.TypeFor[metav1.ObjectMeta]()
)

// inside goes through a value and leaves out what it can. Texts stay, but for those that may be empty by right.
func (s *shrinker) inside(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || v.CanSet() && optional(v) && s.try(v, reflect.Zero(v.Type())) {
			return
		}
		s.inside(v.Elem())
	case reflect.Struct:
		s.fields(v)
	case reflect.Slice:
		s.list(v)
		for i := range v.Len() {
			s.inside(v.Index(i))
		}
	case reflect.Map:
		s.entries(v)
	case reflect.Bool, reflect.Int32, reflect.Int64:
		if v.CanSet() && !v.IsZero() {
			s.try(v, reflect.Zero(v.Type()))
		}
	}
}

// optional reports whether a pointer may be nil: objects in lists may not.
func optional(v reflect.Value) bool {
	_, isObject := v.Interface().(metav1.Object)
	return !isObject
}

func (s *shrinker) fields(v reflect.Value) {
	if v.Type() == quantity {
		return
	}
	for i := range v.NumField() {
		f := v.Field(i)
		if !f.CanSet() || f.IsZero() {
			continue
		}
		switch v.Type().Field(i).Name {
		case "Name", "Namespace", "UID", "Key", "NodeName", "TopologyKey", "Operator", "SchedulerName":
			continue
		}
		if f.Kind() == reflect.Struct && f.Type() != quantity && f.Type() != objectMeta && s.try(f, reflect.Zero(f.Type())) {
			continue
		}
		if (f.Kind() == reflect.Map || f.Kind() == reflect.Slice) && s.try(f, reflect.Zero(f.Type())) {
			continue
		}
		if f.Kind() == reflect.String && s.try(f, reflect.Zero(f.Type())) {
			continue
		}
		s.inside(f)
	}
}

func (s *shrinker) entries(v reflect.Value) {
	for _, k := range v.MapKeys() {
		old := v.MapIndex(k)
		v.SetMapIndex(k, reflect.Value{})
		if s.holds() {
			s.left++
		} else {
			v.SetMapIndex(k, old)
		}
	}
}

// Differences asks both sides about a case. asked is false if Sluice holds the pod, or it does not wait.
func (c *Case) Differences(u *Upstream) (found []Difference, asked bool, err error) {
	s, w := NewSluice(c.Start), c.Start.Copy()
	var ask *Ask
	for _, change := range c.Changes {
		w.Apply(change)
		s.Apply(change)
		if p := podOf(w, c.Pod); p == nil {
			ask = nil
		} else if ask = s.Meet(p, ask); ask != nil && len(ask.Unsupported()) == 0 {
			ask.Follow() // what is remembered of a pod lives through what happens
		}
	}
	if err := u.Take(w); err != nil {
		return nil, false, err
	}
	p := podOf(w, c.Pod)
	if p == nil {
		return nil, false, nil
	}
	ask = s.Meet(p, ask)
	if ask == nil || len(ask.Unsupported()) > 0 {
		return nil, false, nil
	}
	pair := pair{upstream: u, tally: NewTally()}
	pair.meetNodes(s, w)
	pair.compare(ask, p, func(d Difference) {
		d.Case = *c
		d.Explained = explain(&d)
		found = append(found, d)
	})
	return found, true, nil
}

// copied makes a deep copy of an object.
func copied(o metav1.Object) metav1.Object {
	return reflect.ValueOf(o).MethodByName("DeepCopy").Call(nil)[0].Interface().(metav1.Object)
}
