package integration

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestSharedWithKubeScheduler lets kube-scheduler and Sluice fill the same 50 nodes at the same time, by Deployments and Jobs, whose pods
// are made anew when a kubelet refuses them; much that both want is only there once. Half of Sluice's binds are slow, so that rooms are
// taken from under it. At the end each pod runs or says exactly why not, and what was lost on the way is counted.
func TestSharedWithKubeScheduler(t *testing.T) {
	s := newScene(t, "rivals")
	fleet := s.simulate(simnode.Group{Count: 50, CPU: "8", Pods: 40}, simnode.Options{})
	o := s.observe(true)
	_, kubeconfig := s.proxy(func(pod string, _ int) fate {
		if lot(pod, 2) == 0 && !strings.HasPrefix(pod, "job-") { // a Job waits ever longer before it replaces what was refused
			return slow
		}
		return passed
	})
	// Few binds at a time: what waits to be sent can be taken back, what is sent is for the kubelet to refuse.
	sluice := s.sluice(options{kubeconfig: kubeconfig, config: "status: {countsEvery: 0s}\nbind: {maxInFlight: 24, minInFlight: 24}\n"})
	sluice.awaitLeading()

	// Each of the two wants 392 of the 400 CPUs.
	s.job("job-sluice", "sluice", 20)
	s.job("job-rival", corev1.DefaultSchedulerName, 20)
	wanted := 40
	for i, size := range []string{"3", "2", "1500m", "500m"} {
		for _, scheduler := range []string{"sluice", corev1.DefaultSchedulerName} {
			n := []int32{50, 60, 50, 90}[i]
			s.deploy(fmt.Sprintf("%s-%d", scheduler, i), scheduler, size, n)
			wanted += int(n)
		}
	}
	s.eventually("each pod that is wanted runs, or says exactly why not", func() error { return s.contestOver(o, wanted) })

	o.sound()
	stolen := sluice.metric("sluice_stolen_rooms_total")
	refused := sluice.metric("sluice_kubelet_rejected_pods_total")
	rejected := fleet.Stats().Rejected
	s.Logf("stolen rooms %v, pods of Sluice's refused by kubelets %v, pods of both refused %v", stolen, refused, rejected)
	require.Positive(s, stolen, "rooms stolen and noticed")
	require.LessOrEqual(s, sluice.metric("sluice_binds_total", `outcome="recalled"`), stolen, "only what was stolen is taken back")
	require.EqualValues(s, s.refusedOfOurs(o), refused, "each refusal of a pod of Sluice's is counted")
	require.Positive(s, refused, "refused pods of Sluice's")
	require.Equal(s, map[string]int{"OutOfcpu": rejected["OutOfcpu"]}, rejected, "only for want of CPU")
	require.Zero(s, sluice.metric("sluice_bound_elsewhere_total"))
	sluice.sameAsRebuilt()
}

// deploy makes a Deployment of pods of one size.
func (s *scene) deploy(name, scheduler, size string, n int32) {
	s.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: appsv1.DeploymentSpec{
		Replicas: &n, Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"of": name}}, Template: s.template(name, scheduler, size),
	}}
	_, err := s.client.AppsV1().Deployments(s.name).Create(s.ctx, d, metav1.CreateOptions{})
	require.NoError(s, err)
}

// job makes a Job whose pods run until the end of the test and are replaced when they fail.
func (s *scene) job(name, scheduler string, n int32) {
	s.Helper()
	often, template := int32(1000), s.template(name, scheduler, "100m")
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	j := &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: batchv1.JobSpec{
		Parallelism: &n, Completions: &n, BackoffLimit: &often, Template: template,
	}}
	_, err := s.client.BatchV1().Jobs(s.name).Create(s.ctx, j, metav1.CreateOptions{})
	require.NoError(s, err)
}

// template describes the pods of a controller, which may only run on the scene's nodes.
func (s *scene) template(name, scheduler, size string) corev1.PodTemplateSpec {
	p := pod("", cpu(size))
	p.Labels = map[string]string{"of": name}
	p.Spec.SchedulerName = scheduler
	p.Spec.NodeSelector = map[string]string{testLabel: s.name}
	return corev1.PodTemplateSpec{ObjectMeta: p.ObjectMeta, Spec: p.Spec}
}

// contestOver returns why not as many pods as wanted run or wait with a reason; those that failed are history.
func (s *scene) contestOver(o *observer, wanted int) error {
	live := 0
	for _, p := range o.all() {
		if p.Status.Phase == corev1.PodFailed {
			continue
		}
		live++
		ask := o.settled
		if p.Spec.SchedulerName != "sluice" { // it counts the other scenes' nodes as well
			ask = placedOrNot
		}
		if err := ask(p); err != nil {
			return fmt.Errorf("pod %s: %w", p.Name, err)
		}
	}
	if live != wanted {
		return fmt.Errorf("%d pods are live, of %d", live, wanted)
	}
	return nil
}

// placedOrNot asks that the pod runs or has been refused a place.
func placedOrNot(p *corev1.Pod) error {
	if p.Spec.NodeName == "" && scheduled(p).Reason == corev1.PodReasonUnschedulable {
		return nil
	}
	return runs(p)
}

// refusedOfOurs is how many pods of Sluice's failed.
func (s *scene) refusedOfOurs(o *observer) int {
	n := 0
	for _, p := range o.all() {
		if p.Status.Phase == corev1.PodFailed && p.Spec.SchedulerName == "sluice" {
			n++
		}
	}
	return n
}
