package run

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// rights says once that volumes may not be prepared, and once that they may again: each pod alone only says that it tries again.
type rights struct {
	client interface {
		Preparer
		MissingRights() []string
	}
	log *slog.Logger

	mu      sync.Mutex
	missing string
}

// Prepare prepares volumes.
func (r *rights) Prepare(ctx context.Context, e core.PrepareVolumes) ([]string, kube.Answer) {
	versions, a := r.client.Prepare(ctx, e)
	r.follow(a.Err)
	return versions, a
}

func (r *rights) follow(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := strings.Join(r.client.MissingRights(), ", ")
	switch {
	case now == r.missing:
	case now == "":
		r.log.Info("volumes can be prepared now")
	default:
		r.log.Warn(unprepared(now), "error", message(err),
			"remedy", "give Sluice's service account the rights in deploy/base/rbac.yaml; no restart is needed")
	}
	r.missing = now
}

// note is for the page that tells whether this process is ready.
func (r *rights) note() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.missing == "" {
		return ""
	}
	return unprepared(r.missing)
}

func unprepared(missing string) string {
	return "no right to get and patch " + missing + ", so pods whose claims are to be bound when they are placed cannot run"
}
