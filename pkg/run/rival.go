package run

import (
	"context"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// The Lease by which kube-scheduler elects its leader, unless its flags name another.
const (
	rivalNamespace = "kube-system"
	rivalLease     = "kube-scheduler"
)

// rivalEvery is how often it is looked at.
const rivalEvery = 15 * time.Second

// rival looks out for a kube-scheduler that runs although Sluice serves the pods that name no scheduler. Both would place them: whoever binds a pod second is
// refused, and rooms are lost to the other all the time.
//
//	unknown ── held and renewed ──> leads: said once ── not renewed, given back ──> gone: said once
//	   └── no right to read it: said once
type rival struct {
	holding func(ctx context.Context, namespace, name string) (kube.Holding, error)
	log     *slog.Logger
	// last is what the last look found; untold says that it could not look, and has said so.
	last   kube.Holding
	untold bool
	leader atomic.Pointer[string]
}

// rivalOf returns what looks out for a rival; nil if all pods that are served name Sluice.
func rivalOf(schedulers []string, c *kube.Client, log *slog.Logger) *rival {
	if !slices.Contains(schedulers, v1.DefaultSchedulerName) {
		return nil
	}
	return &rival{holding: c.Holding, log: log}
}

// run looks until the context ends.
func (r *rival) run(ctx context.Context) {
	for {
		r.look(ctx, time.Now())
		select {
		case <-time.After(rivalEvery):
		case <-ctx.Done():
			return
		}
	}
}

func (r *rival) look(ctx context.Context, now time.Time) {
	h, err := r.holding(ctx, rivalNamespace, rivalLease)
	switch {
	case apierrors.IsForbidden(err) && !r.untold:
		r.untold = true
		r.log.Info("whether kube-scheduler runs as well is not known: no right to read the Lease " + rivalNamespace + "/" + rivalLease + ", see deploy/base/rbac.yaml")
	case err == nil:
		r.judge(h, now)
	}
}

// judge says whether the Lease is kept: by its own times at first, and then by whether it is renewed from look to look, for clocks differ.
func (r *rival) judge(h kube.Holding, now time.Time) {
	kept := h.Holder != "" && (h.Renewed.Add(h.For).After(now) || r.last.Holder != "" && !h.Renewed.Equal(r.last.Renewed))
	r.last = h
	switch was := r.leader.Load(); {
	case kept && was == nil:
		r.leader.Store(&h.Holder)
		r.log.Warn("kube-scheduler runs as well, and both place the pods that name "+v1.DefaultSchedulerName+": stop it, or give Sluice another schedulerName",
			"lease", rivalNamespace+"/"+rivalLease, "holder", h.Holder)
	case !kept && was != nil:
		r.leader.Store(nil)
		r.log.Info("kube-scheduler has stopped: only Sluice places the pods that name " + v1.DefaultSchedulerName)
	}
}

// note is for the page that tells whether this process is ready.
func (r *rival) note() string {
	if leader := r.leader.Load(); leader != nil {
		return "kube-scheduler runs as well (" + *leader + "), and both place the pods that name " + v1.DefaultSchedulerName
	}
	return ""
}
