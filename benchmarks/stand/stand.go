package stand

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

// SchedulerName is in all pods, whoever schedules them, so that they are the same pods byte for byte.
const SchedulerName = "sluice"

// creators is how many requests that make objects are in flight.
const creators = 32

// FewControllers are what a stand needs of kube-controller-manager where nobody deletes anything: a namespace must get its service account. Others would only
// take part of the CPU.
const FewControllers = "serviceaccount-controller,serviceaccount-token-controller,namespace-controller,root-ca-certificate-publisher-controller"

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

// Stand is a control plane for one measurement, with nobody who schedules.
type Stand struct {
	Cluster *local.Cluster
	Client  kubernetes.Interface
	// Kubeconfig is of the service account that all schedulers are.
	Kubeconfig string

	bins components.Set
}

// Options say what a stand is for.
type Options struct {
	// Controllers are those of kube-controller-manager that run, as its flag has them; empty: those of the local cluster.
	Controllers string
	// Namespaces are made.
	Namespaces []string
	Progress   io.Writer
}

// New starts a control plane. The nodes that it is to have stand still or are simulated: nobody minds that they send no heartbeats.
func New(ctx context.Context, o Options) (s *Stand, err error) {
	s = &Stand{}
	if s.bins, err = components.Ensure(ctx, components.Options{Progress: o.Progress}); err != nil {
		return nil, err
	}
	cluster := local.Options{NoNodeLifecycle: true, Progress: o.Progress}
	if o.Controllers != "" {
		cluster.ControllerArgs = []string{"--controllers=" + o.Controllers}
	}
	if s.Cluster, err = local.Start(ctx, cluster); err != nil {
		return nil, err
	}
	s.Client = s.Cluster.Client()
	if err := s.prepare(ctx, o); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (s *Stand) prepare(ctx context.Context, o Options) (err error) {
	if s.Kubeconfig, err = s.Cluster.InstallSluice(ctx); err != nil {
		return err
	}
	if err := s.Cluster.Apply(ctx, []byte(rights)); err != nil {
		return fmt.Errorf("give equal rights: %w", err)
	}
	for _, name := range o.Namespaces {
		if err := s.Cluster.CreateNamespace(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the control plane.
func (s *Stand) Close() error { return s.Cluster.Stop() }

// CreateNodes makes nodes that no kubelet looks after.
func (s *Stand) CreateNodes(ctx context.Context, nodes []*v1.Node) error {
	if err := Each(len(nodes), func(i int) error {
		_, err := s.Client.CoreV1().Nodes().Create(ctx, nodes[i], metav1.CreateOptions{})
		return err
	}); err != nil {
		return fmt.Errorf("create nodes: %w", err)
	}
	return nil
}

// CreatePods makes pods, as many at a time as there are creators.
func (s *Stand) CreatePods(ctx context.Context, pods []*v1.Pod) error {
	err := Each(len(pods), func(i int) error {
		_, err := s.Client.CoreV1().Pods(pods[i].Namespace).Create(ctx, pods[i], metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return fmt.Errorf("create pods: %w", err)
	}
	return nil
}

// Each calls f for 0 … n−1, in order of starts, on as many goroutines as there are creators. It stops at the first error.
func Each(n int, f func(i int) error) error {
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

// Settle waits until our own processes have become quiet, so that nothing left over from the preparation is measured.
func Settle(ctx context.Context) error {
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
