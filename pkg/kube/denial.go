package kube

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// askAgain is how long to wait before a resource that may not be read is asked for again.
const askAgain = 30 * time.Second

// denial follows whether Sluice can read a resource that it can do without, or that it need not have yet, and says so when it cannot: for want of the right,
// because the API server has no such resource, or fails to give it.
//
//	allowed ── forbidden, no such resource ──> denied: goes on without, asks again from time to time ── answered ──> allowed
type denial struct {
	resource string
	effect   string // what is the case then
	remedy   string
	// optional: not every API server has the resource.
	optional bool
	// custom: it may be somebody's custom resource, of which the server may fail to give the objects for reasons that are no concern of others.
	custom bool
	log    *slog.Logger
	again  time.Duration
	// waive is told each time, so that nobody waits for the resource.
	waive func()
	// begun, if set, is told when it becomes denied: after so many answers in a row that say so, of which one that the API server fails to give is none.
	begun   func()
	patient int32
	refused atomic.Int32
	denied  atomic.Bool
	// absent: it is denied because the API server does not have it.
	absent atomic.Bool
	// failing: it is denied because the API server fails to give it.
	failing atomic.Bool
}

// forgives reports whether an error says that the right is missing, or the resource where it may be.
func (d *denial) forgives(err error) bool {
	return d != nil && (apierrors.IsForbidden(err) || d.optional && apierrors.IsNotFound(err) || d.custom && broken(err))
}

// broken reports whether the API server has answered that it cannot give what it is asked for. That it has too much to do, does not know who asks, or has forgotten a
// version is none of that.
func broken(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && !apierrors.IsTooManyRequests(err) && !apierrors.IsUnauthorized(err) &&
		!apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) && !apierrors.IsTimeout(err)
}

// words say what is the case.
func (d *denial) words() string {
	if d.failing.Load() {
		return "the API server fails to give " + d.resource + ", " + d.effect
	}
	if d.absent.Load() {
		return "this API server has no " + d.resource + ", " + d.effect
	}
	return "no right to read " + d.resource + ", " + d.effect
}

// await notes that the resource cannot be read, and returns when it is time to ask again.
func (d *denial) await(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // nobody asks any more
	}
	d.deny(err)
	d.waive()
	select {
	case <-time.After(d.again):
	case <-ctx.Done():
	}
}

// deny notes that the resource cannot be read, and says so if that is news.
func (d *denial) deny(err error) {
	d.absent.Store(apierrors.IsNotFound(err))
	d.failing.Store(!d.absent.Load() && !apierrors.IsForbidden(err))
	if d.begun != nil && !d.failing.Load() && d.refused.Add(1) == max(1, d.patient) {
		d.begun()
	}
	if d.denied.Swap(true) {
		return
	}
	switch {
	case d.absent.Load():
		d.log.Info(d.words())
	case d.failing.Load():
		d.log.Warn(d.words(), "error", plain(err))
	default:
		d.log.Warn(d.words(), "error", plain(err), "remedy", d.remedy)
	}
}

// granted notes that the resource was read.
func (d *denial) granted() {
	if d == nil {
		return
	}
	d.refused.Store(0)
	if d.denied.Swap(false) {
		d.log.Info(d.resource + " can be read now")
	}
}
