package gang

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// decode reads spec and status of an object of a kind that has no Go type here. Fields that are not asked for are not looked at.
func decode(o metav1.Object, into any) error {
	data, err := json.Marshal(content(o))
	if err != nil {
		return fmt.Errorf("it is not expressible as JSON: %w", err)
	}
	err = json.Unmarshal(data, into)
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Errorf("%s: %s is there, %s is expected", wrong.Field, wrong.Value, expected(wrong.Type.Kind()))
	}
	return err
}

// expected is what users call a kind of values.
func expected(k reflect.Kind) string {
	switch k {
	case reflect.Map, reflect.Struct:
		return "a mapping"
	case reflect.Slice:
		return "a list"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a text"
	}
	return "a number"
}

// begin starts the fact of an object's group.
func begin(o metav1.Object, k Kind, id string) *draft {
	return &draft{
		fact:   cluster.GroupFact{Namespace: o.GetNamespace(), ID: id, Origin: cluster.FromObject, Object: refer(o, k)},
		ending: o.GetDeletionTimestamp() != nil,
	}
}

// end finishes it, heeding what is wished on the object and on its pods.
func (d *draft) end(r *Reader, o metav1.Object, into *Piece) {
	d.wishes(o)
	d.close(r, into)
}

// close finishes a fact of which it is known what is wished.
func (d *draft) close(r *Reader, into *Piece) {
	if f := d.finish(r); f != nil {
		into.tell(f)
	}
}

// refuse tells of an object that cannot be read.
func (d *draft) refuse(why error, into *Piece) {
	f := &d.fact
	f.Min, f.Roles = 1, nil
	f.Source = f.Object.Kind + " " + f.Object.Name + ", which cannot be read"
	f.Warnings = append(f.Warnings, "it cannot be read, so its pods start one by one: "+why.Error())
	into.tell(f)
}

// sane keeps a number of pods within what can be added up.
func sane[N int | int32 | int64](n N) int {
	return int(max(0, min(int64(n), most)))
}

// orElse is what a pointer points to, or what holds where there is none.
func orElse[T any](p *T, unset T) T {
	if p == nil {
		return unset
	}
	return *p
}
