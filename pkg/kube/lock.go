package kube

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// wordyLock is a lock that says when it cannot be had at all: client-go retries in silence, so that a Sluice without the right to its
// Lease would stand by forever and nobody would know why. That another process holds the lock is no failure.
//
//	working ── a request fails ──> failing: said once for each cause ── a request works ──> working: said once
type wordyLock struct {
	resourcelock.Interface
	log *slog.Logger

	mu sync.Mutex
	// failing is what could not be done last, and cause why; empty while all works.
	failing, cause string
}

// Get reads the lock. That there is none yet is no failure.
func (l *wordyLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	record, raw, err := l.Interface.Get(ctx)
	if !apierrors.IsNotFound(err) {
		l.note(ctx, "read", err)
	}
	return record, raw, err
}

// Create makes the lock. That another process was first is no failure.
func (l *wordyLock) Create(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	err := l.Interface.Create(ctx, r)
	if !apierrors.IsAlreadyExists(err) {
		l.note(ctx, "create", err)
	}
	return err
}

// Update takes, renews or gives back the lock. That another process was first is no failure.
func (l *wordyLock) Update(ctx context.Context, r resourcelock.LeaderElectionRecord) error {
	err := l.Interface.Update(ctx, r)
	if !apierrors.IsConflict(err) {
		l.note(ctx, "write", err)
	}
	return err
}

// note tells a failure if it is news, and its end. A read that works does not end the failure of writes.
func (l *wordyLock) note(ctx context.Context, what string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil && l.failing != "" && (l.failing == what || what != "read"):
		l.failing, l.cause = "", ""
		l.log.Info("the Lease of the leader election can be used again", "lease", l.Describe())
	case err != nil && ctx.Err() == nil && plain(err) != l.cause:
		l.failing, l.cause = what, plain(err)
		l.log.Warn(fmt.Sprintf("cannot %s the Lease of the leader election: %s; retrying", what, l.cause), "lease", l.Describe())
	}
}
