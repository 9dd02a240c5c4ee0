package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/sluice-scheduler/sluice/kubemark/components"
	"github.com/sluice-scheduler/sluice/kubemark/local"
)

// creators is how many requests that make objects are in flight.
const creators = 32

// controllers are what the stand needs of kube-controller-manager: a namespace must get its service account. Others would only take
// part of the CPU, and nobody deletes anything here.
const controllers = "serviceaccount-controller,serviceaccount-token-controller,namespace-controller,root-ca-certificate-publisher-controller"

// rights puts everything that acts as Sluice's service account into the priority level "exempt", gives the account what kube-scheduler
// needs beyond the rights of Sluice, and takes nothing away.
const rights = `
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata: {name: bench}
spec:
  matchingPrecedence: 50
  priorityLevelConfiguration: {name: exempt}
  rules:
  - subjects: [{kind: ServiceAccount, serviceAccount: {namespace: sluice-system, name: sluice}}]
    resourceRules: [{verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"]}]
    nonResourceRules: [{verbs: ["*"], nonResourceURLs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bench-kube-scheduler}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:kube-scheduler"}
subjects: [{kind: ServiceAccount, namespace: sluice-system, name: sluice}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bench-volume-scheduler}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:volume-scheduler"}
subjects: [{kind: ServiceAccount, namespace: sluice-system, name: sluice}]
`

// stand is a control plane for one measurement, with the nodes of a workload and nobody who schedules.
type stand struct {
	cluster    *local.Cluster
	client     kubernetes.Interface
	bins       components.Set
	kubeconfig string // of the service account that all schedulers are
}

// newStand starts a control plane and makes the nodes.
func newStand(ctx context.Context, w Workload, progress io.Writer) (s *stand, err error) {
	s = &stand{}
	if s.bins, err = components.Ensure(ctx, components.Options{Progress: progress}); err != nil {
		return nil, err
	}
	s.cluster, err = local.Start(ctx, local.Options{
		NoNodeLifecycle: true, Progress: progress, ControllerArgs: []string{"--controllers=" + controllers},
	})
	if err != nil {
		return nil, err
	}
	s.client = s.cluster.Client()
	if err := s.prepare(ctx, w); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

func (s *stand) prepare(ctx context.Context, w Workload) (err error) {
	if s.kubeconfig, err = s.cluster.InstallSluice(ctx); err != nil {
		return err
	}
	if err := s.cluster.Apply(ctx, []byte(rights)); err != nil {
		return fmt.Errorf("give equal rights: %w", err)
	}
	if err := s.cluster.CreateNamespace(ctx, namespace); err != nil {
		return err
	}
	nodes := w.NodeObjects()
	if err := each(len(nodes), func(i int) error {
		_, err := s.client.CoreV1().Nodes().Create(ctx, nodes[i], metav1.CreateOptions{})
		return err
	}); err != nil {
		return fmt.Errorf("create nodes: %w", err)
	}
	if w.Hollow > 0 {
		if _, err := s.cluster.AddHollow(ctx, local.HollowOptions{Count: w.Hollow}); err != nil {
			return err
		}
	}
	return nil
}

func (s *stand) close() error { return s.cluster.Stop() }

// create makes pods, as many at a time as there are creators.
func (s *stand) create(ctx context.Context, pods []*v1.Pod) error {
	err := each(len(pods), func(i int) error {
		_, err := s.client.CoreV1().Pods(namespace).Create(ctx, pods[i], metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("create pods: %w", err)
	}
	return nil
}

// each calls f for 0 … n−1, in order of starts, on as many goroutines as there are creators. It stops at the first error.
func each(n int, f func(i int) error) error {
	work := make(chan int)
	failed := make(chan error, creators)
	for range creators {
		go func() {
			for i := range work {
				if err := f(i); err != nil {
					failed <- err
					return
				}
			}
			failed <- nil
		}()
	}
	var first error
	ended := 0
	for i := 0; i < n && first == nil; {
		select {
		case work <- i:
			i++
		case first = <-failed:
			ended++
		}
	}
	close(work)
	for ; ended < creators; ended++ {
		if err := <-failed; first == nil {
			first = err
		}
	}
	return first
}

// settle waits until our own processes have become quiet, so that nothing left over from the preparation is measured.
func settle(ctx context.Context) error {
	const interval, quiet, atMost = 250 * time.Millisecond, 0.2, 15 * time.Second
	last, err := family()
	if err != nil {
		return err
	}
	for end := time.Now().Add(atMost); time.Now().Before(end); {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(interval):
		}
		now, err := family()
		if err != nil {
			return err
		}
		if now-last < quiet*interval.Seconds() {
			return nil
		}
		last = now
	}
	return nil
}
