package kube

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core"
)

// ErrLeaseLost is how Election.Run ends when this process led and could not renew its Lease in time: another one may lead now, so nothing
// more may be written.
var ErrLeaseLost = errors.New("lost the lease: it could not be renewed in time, so another Sluice may lead now")

// Election makes one of several processes lead, by a Lease.
//
//	standing by ── the Lease is free ──> leading ── context ends ──> released
//	                                        └── not renewed in time ──> lost: the process must end
type Election struct {
	client  *Client
	elector *leaderelection.LeaderElector
	cfg     config.LeaderElection
	log     *slog.Logger
}

// NewElection prepares to take part under the given identity, which is unique to this process. Leading is called, on a goroutine of
// its own, as soon as this process leads.
func (c *Client) NewElection(cfg config.LeaderElection, identity string, log *slog.Logger, leading func()) (*Election, error) {
	e := &Election{client: c, cfg: cfg, log: log}
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: cfg.Name,
		Lock: &wordyLock{log: log, Interface: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: cfg.Namespace, Name: cfg.Name},
			Client:     c.leases,
			LockConfig: resourcelock.ResourceLockConfig{Identity: identity},
		}},
		LeaseDuration:   cfg.LeaseDuration,
		RenewDeadline:   cfg.RenewDeadline,
		RetryPeriod:     cfg.RetryPeriod,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				leading()
			},
			OnStoppedLeading: func() {},
			OnNewLeader: func(leader string) {
				if leader != identity {
					log.Info("standing by: another Sluice leads", "leader", leader, "lease", cfg.Namespace+"/"+cfg.Name)
				}
			},
		},
	})
	if err != nil {
		return nil, fmt.Errorf("prepare the leader election: %w", err)
	}
	e.elector = elector
	return e, nil
}

// Run takes part until the context ends; then it gives the Lease back, so that another may lead at once, and returns nil. It returns
// ErrLeaseLost if this process led and could not renew the Lease in time. It is called once.
func (e *Election) Run(ctx context.Context) error {
	e.elector.Run(quietly(ctx, e.log))
	if ctx.Err() == nil {
		return ErrLeaseLost
	}
	return nil
}

// Check returns an error if this process leads but has not renewed its Lease for longer than it is valid: then it hangs, and
// should be restarted.
func (e *Election) Check() error { return e.elector.Check(e.cfg.LeaseDuration) }

// Lease names the Lease for events about it. It is read for its UID, by which kubectl finds them; should that fail, they are written without.
func (e *Election) Lease() core.PodRef {
	ctx, cancel := context.WithTimeout(context.Background(), lookTimeout)
	defer cancel()
	ref := core.PodRef{Namespace: e.cfg.Namespace, Name: e.cfg.Name}
	lease, err := e.client.leases.Leases(ref.Namespace).Get(ctx, ref.Name, metav1.GetOptions{})
	if err != nil {
		e.log.Debug("the Lease cannot be read for its UID", "error", err)
		return ref
	}
	ref.UID = lease.UID
	return ref
}

// Holding is how a Lease is held.
type Holding struct {
	// Holder is empty if nobody holds it.
	Holder string
	// Renewed is when it was renewed last, by the holder's clock, and For how long that is good.
	Renewed time.Time
	For     time.Duration
}

// Holding reads who holds a Lease. One that does not exist is held by nobody.
func (c *Client) Holding(ctx context.Context, namespace, name string) (h Holding, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	lease, err := c.leases.Leases(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return h, nil
	case err != nil:
		return h, fmt.Errorf("read Lease %s/%s: %w", namespace, name, err)
	}
	if s := &lease.Spec; s.HolderIdentity != nil && s.RenewTime != nil && s.LeaseDurationSeconds != nil {
		h = Holding{*s.HolderIdentity, s.RenewTime.Time, time.Duration(*s.LeaseDurationSeconds) * time.Second}
	}
	return h, nil
}

// Leader is the identity of the process that leads as far as is known, or empty.
func (e *Election) Leader() string { return e.elector.GetLeader() }
