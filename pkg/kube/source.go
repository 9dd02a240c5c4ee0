package kube

import (
	"context"
	"errors"
	"reflect"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
)

// source lists and watches one resource for a reflector and notes which of the calls fail. A reflector retries some failures without
// telling anybody (a refused connection), so this is the one place that sees all of them.
type source struct {
	ctx      context.Context // for the methods of cache.ListerWatcher that get none
	resource string
	outage   *outage
	denial   *denial // nil for what Sluice cannot do without
	list     func(context.Context, metav1.ListOptions) (runtime.Object, error)
	watch    func(context.Context, metav1.ListOptions) (watch.Interface, error)
}

// ListWithContext lists the resource.
func (s *source) ListWithContext(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	list, err := s.list(ctx, o)
	s.note(err)
	return list, err
}

// WatchWithContext starts a watch, or a stream of all there is followed by a watch.
func (s *source) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	w, err := s.watch(ctx, o)
	if err == nil && reflect.TypeOf(w) == reflect.TypeOf(watch.NewEmptyWatch()) {
		s.note(errCut) // client-go makes an empty watch of it
		return w, nil
	}
	s.note(err)
	return w, err
}

// errCut stands for an answer that broke off before it began.
var errCut = errors.New("the connection was cut before there was an answer")

func (s *source) note(err error) {
	switch {
	case err == nil:
		s.outage.worked(s.resource)
		s.denial.granted()
	case s.denial.forgives(err):
		s.outage.worked(s.resource)
		s.denial.await(s.ctx, err)
	default:
		s.outage.failed(s.ctx, s.resource, err)
	}
}

// List is ListWithContext for callers without a context.
func (s *source) List(o metav1.ListOptions) (runtime.Object, error) {
	return s.ListWithContext(s.ctx, o)
}

// Watch is WatchWithContext for callers without a context.
func (s *source) Watch(o metav1.ListOptions) (watch.Interface, error) {
	return s.WatchWithContext(s.ctx, o)
}

// lookTimeout bounds a read of one pod.
const lookTimeout = 30 * time.Second
