package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

// outage follows whether the API server answers the watches, and says so once when it stops and once when it is back.
//
//	answering ── a list or watch fails ──> out ── all that failed are answered again ──> answering
type outage struct {
	log   *slog.Logger
	host  string
	count atomic.Uint64

	mu      sync.Mutex
	failing map[string]bool // by resource
	since   time.Time
}

func newOutage(host string, log *slog.Logger) *outage {
	return &outage{log: log, host: host, failing: map[string]bool{}}
}

// failed notes that a list or watch of the resource failed.
func (o *outage) failed(ctx context.Context, resource string, err error) {
	if ctx.Err() != nil {
		return // we are the ones who stop
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	first := len(o.failing) == 0
	o.failing[resource] = true
	if !first {
		o.log.Debug("still no answer from the API server", "watching", resource, "error", err)
		return
	}
	o.since = time.Now()
	o.count.Add(1)
	o.log.Warn(fmt.Sprintf("lost the API server: %s; retrying", plain(err)), "server", o.host, "watching", resource)
}

// worked notes that a list or watch of the resource was answered.
func (o *outage) worked(resource string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.failing[resource] {
		return
	}
	delete(o.failing, resource)
	if len(o.failing) > 0 {
		return
	}
	o.log.Info(fmt.Sprintf("API server is back after %s", time.Since(o.since).Round(100*time.Millisecond)), "server", o.host)
}

// plain takes from an error what a person needs: without the request's long address, and without earlier attempts.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	var request *url.Error
	if errors.As(err, &request) {
		return request.Err.Error()
	}
	return err.Error()
}
