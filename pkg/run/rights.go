package run

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// rights says once that something may not be written, and once that it may again: each write alone only says that it is tried again.
type rights struct {
	// list names the resources for which a right is missing at present.
	list func() []string
	// without says what that means; again that it is over.
	without func(missing string) string
	again   string
	log     *slog.Logger

	mu      sync.Mutex
	missing string
}

// follow takes in how a write ended.
func (r *rights) follow(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := strings.Join(r.list(), ", ")
	switch {
	case now == r.missing:
	case now == "":
		r.log.Info(r.again)
	default:
		r.log.Warn(r.without(now), "error", message(err),
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
	return r.without(r.missing)
}

// preparing prepares volumes and follows whether it may.
type preparing struct {
	Preparer
	rights *rights
}

// Prepare prepares volumes.
func (p preparing) Prepare(ctx context.Context, e core.PrepareVolumes) ([]string, kube.Answer) {
	versions, a := p.Preparer.Prepare(ctx, e)
	p.rights.follow(a.Err)
	return versions, a
}

func volumeRights(list func() []string, log *slog.Logger) *rights {
	return &rights{list: list, log: log, again: "volumes can be prepared now", without: func(missing string) string {
		return "no right to get and patch " + missing + ", so pods whose claims are to be bound when they are placed cannot run"
	}}
}

func groupRights(list func() []string, log *slog.Logger) *rights {
	return &rights{list: list, log: log, again: "the status of PodGroups can be written now", without: func(missing string) string {
		return "no right to get and patch " + missing + ", so the status of PodGroups does not tell whether they have been scheduled"
	}}
}
