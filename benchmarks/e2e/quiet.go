package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// quiet creates one pod after the other, each when the last has been bound and its event, if any, has had time to be written. The time
// is taken from the call that creates the pod, so that it is what a user waits for; what the API server needs of it is what the ceiling shows.
func (t *trial) quiet(ctx context.Context) error {
	if err := t.startReady(ctx); err != nil {
		return err
	}
	defer t.stop()
	defer t.observer.close()
	rng := rand.New(rand.NewPCG(t.w.Seed, 7))
	var err error
	if t.load, err = stand.ReadLoad(); err != nil {
		return err
	}
	var waits []float64
	for _, p := range t.w.PodObjects() {
		time.Sleep(30*time.Millisecond + time.Duration(rng.Int64N(int64(40*time.Millisecond))))
		wait, err := t.one(ctx, p)
		if err != nil {
			return err
		}
		waits = append(waits, wait.Seconds()*1000)
	}
	now, err := stand.ReadLoad()
	if err != nil {
		return err
	}
	t.m.Foreign = stand.Foreign(t.load, now)
	t.m.P50, t.m.P99 = quantile(waits, 0.5), quantile(waits, 0.99)
	pid := t.runner.Process.Identity().PID
	if t.m.AtLastBind, err = stand.UsageOf(pid); err != nil {
		return err
	}
	if err := t.events(ctx, pid); err != nil {
		return err
	}
	return t.check(ctx)
}

// one creates a pod and waits until the observer sees it bound.
func (t *trial) one(ctx context.Context, p *v1.Pod) (time.Duration, error) {
	from, before := time.Now(), len(t.observer.order)
	if _, err := t.Client.CoreV1().Pods(namespace).Create(ctx, p, metav1.CreateOptions{}); err != nil {
		return 0, fmt.Errorf("create pod %s: %w", p.Name, err)
	}
	if err := t.observer.await(ctx, before+1, t.runner); err != nil {
		return 0, err
	}
	return t.observer.bound[p.Name].Sub(from), nil
}
