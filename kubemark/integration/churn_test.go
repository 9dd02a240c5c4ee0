package integration

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestPodsAndNodesGo deletes pods while they wait, while they are being bound and while they run, and nodes with pods on them and pods on
// their way to them, in random order, while others are created; through a proxy that makes every fifth bind slow, so that much is under
// way at any time. At the end each pod runs or says why not, and the accounts are those of a fresh start.
func TestPodsAndNodesGo(t *testing.T) {
	s := newScene(t, "churn")
	fleet := s.simulate(simnode.Group{Count: 30, CPU: "8", Pods: 20}, simnode.Options{})
	o := s.observe(false)
	_, kubeconfig := s.proxy(func(pod string, _ int) fate {
		if lot(pod, 5) == 0 {
			return slow
		}
		return passed
	})
	sluice := s.sluice(options{kubeconfig: kubeconfig, config: "status: {countsEvery: 0s}\n"})
	sluice.awaitLeading()

	d := &disorder{scene: s, observer: o, fleet: fleet, nodes: fleet.Names(), dice: rand.New(rand.NewPCG(3, 5))}
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
		d.act()
	}
	require.Positive(s, d.gonePending, "pods deleted before they were bound")
	require.Positive(s, d.goneBound, "pods deleted when they were bound")
	require.Less(s, len(d.nodes), 30, "nodes deleted")
	d.rescue()
	s.eventually("each pod runs, or says exactly why not", d.allSettled)
	sluice.awaitMetric(0, "sluice_assumed_pods")
	sluice.awaitMetric(0, "scheduler_pending_pods", `queue="backoff"`)
	o.sound()
	o.noneRefused()
	require.True(s, sluice.Process().Running())
	sluice.sameAsRebuilt()
}

// disorder does one thing after another to pods and nodes.
type disorder struct {
	*scene
	observer *observer
	fleet    *simnode.Fleet
	dice     *rand.Rand
	nodes    []string // left
	made     int

	gonePending, goneBound int
}

// act creates pods, or deletes some, or deletes a node. It keeps about 300 pods, which is more than there is room for in the end.
func (d *disorder) act() {
	pods := d.observer.all()
	switch roll := d.dice.IntN(100); {
	case len(pods) < 300:
		d.createSome(1 + d.dice.IntN(20))
	case roll < 3 && len(d.nodes) > 15:
		d.deleteNode()
	default:
		d.deleteSome(pods, 1+d.dice.IntN(20))
	}
}

func (d *disorder) createSome(n int) {
	sizes := []string{"500m", "1", "2", "3"}
	var fresh []*corev1.Pod
	for range n {
		d.made++
		fresh = append(fresh, pod(fmt.Sprintf("pod-%d", d.made), cpu(sizes[d.dice.IntN(len(sizes))])))
	}
	d.create(fresh...)
}

// deleteSome deletes pods, half of them at once and half with their grace period.
func (d *disorder) deleteSome(pods map[string]*corev1.Pod, n int) {
	for name, p := range pods {
		if n--; n < 0 {
			return
		}
		grace := int64(d.dice.IntN(2))
		err := d.client.CoreV1().Pods(d.name).Delete(d.ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &grace})
		if apierrors.IsNotFound(err) {
			continue
		}
		require.NoError(d, err)
		if p.Spec.NodeName == "" {
			d.gonePending++
		} else {
			d.goneBound++
		}
	}
}

func (d *disorder) deleteNode() {
	i := d.dice.IntN(len(d.nodes))
	name := d.nodes[i]
	d.nodes = slices.Delete(d.nodes, i, i+1)
	d.observer.forget(name)
	require.NoError(d, d.fleet.Remove(d.ctx, name))
}

// rescue removes the pods whose node is gone, as Kubernetes' pod garbage collector does a minute later; and those bound to it since.
func (d *disorder) rescue() {
	d.eventually("no pod is on a node that is gone", func() error {
		zero, left := int64(0), 0
		for name, p := range d.observer.all() {
			if p.Spec.NodeName == "" || slices.Contains(d.nodes, p.Spec.NodeName) {
				continue
			}
			left++
			err := d.client.CoreV1().Pods(d.name).Delete(d.ctx, name, metav1.DeleteOptions{GracePeriodSeconds: &zero})
			if err != nil && !apierrors.IsNotFound(err) {
				return err
			}
		}
		if left > 0 {
			return fmt.Errorf("%d were", left)
		}
		return nil
	})
}

// allSettled returns why a pod is not settled.
func (d *disorder) allSettled() error {
	for name, p := range d.observer.all() {
		if err := d.observer.settled(p); err != nil {
			return fmt.Errorf("pod %s: %w", name, err)
		}
	}
	return nil
}
