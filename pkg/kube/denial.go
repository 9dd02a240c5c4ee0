package kube

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// askAgain is how long to wait before a resource that may not be read is asked for again.
const askAgain = 30 * time.Second

// denial follows whether Sluice has the right to read a resource that it can do without, or that it need not have yet, and says so when it has not.
//
//	allowed ── forbidden ──> denied: goes on without, asks again from time to time ── answered ──> allowed
type denial struct {
	resource string
	effect   string // what is the case then
	remedy   string
	log      *slog.Logger
	again    time.Duration
	// waive is told each time, so that nobody waits for the resource.
	waive  func()
	denied atomic.Bool
}

// forbidden reports whether an error says that the right is missing.
func (d *denial) forbidden(err error) bool { return d != nil && apierrors.IsForbidden(err) }

// refused notes that the right is missing, and returns when it is time to ask again.
func (d *denial) refused(ctx context.Context, err error) {
	if !d.denied.Swap(true) {
		d.log.Warn(fmt.Sprintf("no right to read %s, %s", d.resource, d.effect), "error", plain(err), "remedy", d.remedy)
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
		d.log.Info("the right to read " + d.resource + " is there now")
	}
}
