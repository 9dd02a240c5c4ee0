package simnode

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// leaseDuration is a kubelet's: so long after its last renewal a lease counts as dead.
	leaseDuration = 40 * time.Second
	// statusInterval is how often a kubelet reports a status that has not changed.
	statusInterval = 5 * time.Minute
	// heartbeatSlots is into how many portions a round of heartbeats is cut, so that the
	// API server meets a stream instead of bursts.
	heartbeatSlots = 20
)

// heartbeats renews every node's lease once per interval and its status every five
// minutes. A renewal that fails is left to the next round, as a lease outlives four.
func (f *Fleet) heartbeats(run context.Context) {
	leases := map[string]*coordinationv1.Lease{}
	reported := map[string]time.Time{}
	for _, name := range f.Names() {
		reported[name] = time.Now()
	}
	tick := time.NewTicker(max(f.opts.HeartbeatInterval/heartbeatSlots, time.Millisecond))
	defer tick.Stop()
	for slot := 0; ; slot = (slot + 1) % heartbeatSlots {
		names := f.portion(slot)
		renewed := make([]*coordinationv1.Lease, len(names))
		_ = each(8, len(names), func(i int) error {
			renewed[i] = f.renew(run, names[i], leases[names[i]])
			if now := time.Now(); now.Sub(reported[names[i]]) > statusInterval {
				return f.report(run, names[i], now)
			}
			return nil
		})
		for i, name := range names {
			leases[name] = renewed[i]
			if time.Since(reported[name]) > statusInterval {
				reported[name] = time.Now()
			}
		}
		select {
		case <-run.Done():
			return
		case <-tick.C:
		}
	}
}

// portion lists the nodes whose turn it is and that are not silent.
func (f *Fleet) portion(slot int) []string {
	names := f.Names()
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for i := slot; i < len(names); i += heartbeatSlots {
		if h := f.hosts[names[i]]; h != nil && !h.silent {
			out = append(out, names[i])
		}
	}
	return out
}

// renew writes a node's lease, creating it the first time, and returns it as the API
// server has it; nil if that failed and it has to be read anew.
func (f *Fleet) renew(ctx context.Context, name string, last *coordinationv1.Lease) *coordinationv1.Lease {
	api := f.client.CoordinationV1().Leases(corev1.NamespaceNodeLease)
	now := metav1.NowMicro()
	if last != nil {
		next := last.DeepCopy()
		next.Spec.RenewTime = &now
		if l, err := api.Update(ctx, next, metav1.UpdateOptions{}); err == nil {
			return l
		}
		return nil
	}
	seconds := int32(leaseDuration / time.Second)
	l, err := api.Create(ctx, &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: name, OwnerReferences: f.owner(name)},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &name, LeaseDurationSeconds: &seconds, RenewTime: &now},
	}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		l, err = api.Get(ctx, name, metav1.GetOptions{})
	}
	if err != nil {
		return nil
	}
	return l
}

// owner makes a lease go with its node.
func (f *Fleet) owner(name string) []metav1.OwnerReference {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[name]
	if h == nil {
		return nil
	}
	return []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: name, UID: h.node.UID}}
}

// report writes the node's conditions with a new heartbeat time. The times of transition
// are kept, except where the node lifecycle controller had changed a condition.
func (f *Fleet) report(ctx context.Context, name string, now time.Time) error {
	f.mu.Lock()
	h := f.hosts[name]
	if h == nil {
		f.mu.Unlock()
		return nil
	}
	last := h.node.Status.Conditions
	f.mu.Unlock()
	patch := corev1.Node{Status: corev1.NodeStatus{Conditions: conditions(now)}}
	for i, c := range patch.Status.Conditions {
		for _, old := range last {
			if old.Type == c.Type && old.Status == c.Status {
				patch.Status.Conditions[i].LastTransitionTime = old.LastTransitionTime
			}
		}
	}
	data, err := json.Marshal(map[string]any{"status": map[string]any{"conditions": patch.Status.Conditions}})
	if err != nil {
		return fmt.Errorf("encode the conditions of node %s: %w", name, err)
	}
	_, err = f.client.CoreV1().Nodes().PatchStatus(ctx, name, data)
	return err
}
