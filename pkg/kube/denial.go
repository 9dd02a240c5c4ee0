package kube

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// askAgain is how long to wait before a resource that may not be read is asked for again.
const askAgain = 30 * time.Second

// denial follows whether Sluice can read a resource that it can do without, or that it need not have yet, and says so when it cannot: for want of the right, or
// because the API server has no such resource.
//
//	allowed ── forbidden, no such resource ──> denied: goes on without, asks again from time to time ── answered ──> allowed
type denial struct {
	resource string
	effect   string // what is the case then
	remedy   string
	// optional: not every API server has the resource.
	optional bool
	log      *slog.Logger
	again    time.Duration
	// waive is told each time, so that nobody waits for the resource.
	waive func()
	// begun, if set, is told when it becomes denied.
	begun  func()
	denied atomic.Bool
	// absent: it is denied because the API server does not have it.
	absent atomic.Bool
}

// forgives reports whether an error says that the right is missing, or the resource where it may be.
func (d *denial) forgives(err error) bool {
	return d != nil && (apierrors.IsForbidden(err) || d.optional && apierrors.IsNotFound(err))
}

// words say what is the case.
func (d *denial) words() string {
	if d.absent.Load() {
		return "this API server has no " + d.resource + ", " + d.effect
	}
	return "no right to read " + d.resource + ", " + d.effect
}

// refused notes that the resource cannot be read, and returns when it is time to ask again.
func (d *denial) refused(ctx context.Context, err error) {
	d.absent.Store(apierrors.IsNotFound(err))
	first := !d.denied.Swap(true)
	if first && d.begun != nil {
		d.begun()
	}
	switch {
	case !first:
	case d.absent.Load():
		d.log.Info(d.words())
	default:
		d.log.Warn(d.words(), "error", plain(err), "remedy", d.remedy)
	}
	d.waive()
	select {
	case <-time.After(d.again):
	case <-ctx.Done():
	}
}

// granted notes that the resource was read.
func (d *denial) granted() {
	if d != nil && d.denied.Swap(false) {
		d.log.Info(d.resource + " can be read now")
	}
}
