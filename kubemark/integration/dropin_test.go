package integration

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/provisioner"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// inPlace is the configuration of a Sluice in the place of kube-scheduler.
const inPlace = quickElection + "schedulerName: default-scheduler\notherSchedulerNames: [sluice]\n"

// TestInThePlaceOfKubeScheduler stops kube-scheduler and lets the cluster's own controllers work with Sluice alone. Nothing that they make names a scheduler: what worked
// before works on as it is.
func TestInThePlaceOfKubeScheduler(t *testing.T) {
	s := newScene(t, "drop-in")
	s.simulate(simnode.Group{Count: 6, CPU: "8"}, simnode.Options{StartDelay: 20 * time.Millisecond})
	o := s.observe(false)
	s.pretendKubeScheduler()
	sluice := s.sluice(options{config: inPlace})
	sluice.awaitLeading()
	sluice.logged("kube-scheduler runs as well")
	s.withoutKubeScheduler()

	s.rollOut()
	s.spreadOut()
	s.runJob()
	s.runCronJob()
	s.runDaemons(o)
	s.runInOrder()
	s.holdForDevices(o)
	s.create(pod("by-name", cpu("1")))
	o.awaitOne("by-name", "a pod that names Sluice runs as well", runs)

	o.sound()
	o.noneFailed()
	for _, e := range s.trail(func(e *entry) bool {
		return e.is("create", "pods", "binding") && e.ObjectRef.Namespace == s.name
	}) {
		require.Equal(s, sluiceUser, e.User.Username, "who bound %s", e.ObjectRef.Name)
	}
	events, err := s.client.EventsV1().Events(s.name).List(s.ctx, metav1.ListOptions{FieldSelector: "reason=Scheduled"})
	require.NoError(s, err)
	require.NotEmpty(s, events.Items)
	for _, e := range events.Items {
		require.Equal(s, corev1.DefaultSchedulerName, e.ReportingController)
	}
	s.sameAs(sluice, s.sluice(options{config: inPlace}))
	sluice.logged("kube-scheduler has stopped")
}

// withoutKubeScheduler stops kube-scheduler until the end of the test.
func (s *scene) withoutKubeScheduler() {
	s.Helper()
	require.NoError(s, shared.StopKubeScheduler())
	s.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(s, shared.StartKubeScheduler(ctx))
	})
	s.dropRivalLease()
}

// rivalLease is kube-scheduler's. In the local cluster it runs without election, so the tests keep the Lease.
func (s *scene) rivalLease() *coordinationv1.Lease {
	holder, seconds, now := "master_1", int32(15), metav1.NowMicro()
	return &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: "kube-scheduler"},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &now},
	}
}

// pretendKubeScheduler makes kube-scheduler's Lease look held.
func (s *scene) pretendKubeScheduler() {
	s.Helper()
	_, err := s.client.CoordinationV1().Leases("kube-system").Create(s.ctx, s.rivalLease(), metav1.CreateOptions{})
	require.NoError(s, err)
	s.Cleanup(s.dropRivalLease)
}

func (s *scene) dropRivalLease() {
	s.Helper()
	err := s.client.CoordinationV1().Leases("kube-system").Delete(context.Background(), "kube-scheduler", metav1.DeleteOptions{})
	if !apierrors.IsNotFound(err) {
		require.NoError(s, err)
	}
}

// unnamed describes the pods of a controller, which name no scheduler and may only run on the scene's nodes.
func (s *scene) unnamed(app, size string) corev1.PodTemplateSpec { return s.template(app, "", size) }

func of(app string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{"of": app}}
}

// perNode counts the pods of an app that run, by a label of their node.
func (s *scene) perNode(app, label string) map[string]int {
	s.Helper()
	pods, err := s.client.CoreV1().Pods(s.name).List(s.ctx, metav1.ListOptions{LabelSelector: "of=" + app})
	require.NoError(s, err)
	nodes, err := s.client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{LabelSelector: testLabel + "=" + s.name})
	require.NoError(s, err)
	where, count := map[string]string{}, map[string]int{}
	for _, n := range nodes.Items {
		where[n.Name] = n.Labels[label]
	}
	for _, p := range pods.Items {
		if p.DeletionTimestamp == nil && p.Status.Phase == corev1.PodRunning {
			count[where[p.Spec.NodeName]]++
		}
	}
	return count
}

// rollOut makes a Deployment of pods that keep apart, one for each node, and then changes it: each new pod must wait until an old one has gone from some node.
func (s *scene) rollOut() {
	s.Helper()
	n, two, zero := int32(6), intstr.FromInt32(2), intstr.FromInt32(0)
	template := s.unnamed("web", "1")
	template.Spec.Affinity = &corev1.Affinity{PodAntiAffinity: &corev1.PodAntiAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: []corev1.PodAffinityTerm{{TopologyKey: corev1.LabelHostname, LabelSelector: of("web")}},
	}}
	deployments := s.client.AppsV1().Deployments(s.name)
	_, err := deployments.Create(s.ctx, &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "web"}, Spec: appsv1.DeploymentSpec{
		Replicas: &n, Selector: of("web"), Template: template,
		Strategy: appsv1.DeploymentStrategy{RollingUpdate: &appsv1.RollingUpdateDeployment{MaxUnavailable: &two, MaxSurge: &zero}},
	}}, metav1.CreateOptions{})
	require.NoError(s, err)
	rolledOut := func(generation int64) {
		s.Helper()
		s.eventually(fmt.Sprintf("generation %d of the Deployment is rolled out", generation), func() error {
			d, err := deployments.Get(s.ctx, "web", metav1.GetOptions{})
			if err != nil {
				return err
			}
			if st := d.Status; st.ObservedGeneration < generation || st.UpdatedReplicas != n || st.AvailableReplicas != n || st.Replicas != n {
				return fmt.Errorf("its status is %+v", st)
			}
			return nil
		})
		require.Len(s, s.perNode("web", corev1.LabelHostname), int(n), "one on each node")
	}
	rolledOut(1)
	_, err = deployments.Patch(s.ctx, "web", types.StrategicMergePatchType,
		[]byte(`{"spec": {"template": {"metadata": {"annotations": {"release": "2"}}}}}`), metav1.PatchOptions{})
	require.NoError(s, err)
	rolledOut(2)
}

// spreadOut makes a Deployment whose pods must lie evenly in the zones.
func (s *scene) spreadOut() {
	s.Helper()
	n, template := int32(9), s.unnamed("even", "500m")
	template.Spec.TopologySpreadConstraints = []corev1.TopologySpreadConstraint{{
		MaxSkew: 1, TopologyKey: corev1.LabelTopologyZone, WhenUnsatisfiable: corev1.DoNotSchedule, LabelSelector: of("even"),
	}}
	_, err := s.client.AppsV1().Deployments(s.name).Create(s.ctx, &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "even"}, Spec: appsv1.DeploymentSpec{Replicas: &n, Selector: of("even"), Template: template},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	s.eventually("three of nine pods run in each of three zones", func() error {
		if got := s.perNode("even", corev1.LabelTopologyZone); !maps.Equal(got, map[string]int{"zone-a": 3, "zone-b": 3, "zone-c": 3}) {
			return fmt.Errorf("they run in %v", got)
		}
		return nil
	})
}

// brief describes pods that end by themselves.
func (s *scene) brief(app string) corev1.PodTemplateSpec {
	template := s.unnamed(app, "1")
	template.Annotations = map[string]string{"sluice.dev/run-for": "200ms"}
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	return template
}

func completed(wanted int32) func(*batchv1.Job) error {
	return func(j *batchv1.Job) error {
		if j.Status.Succeeded != wanted || j.Status.CompletionTime == nil {
			return fmt.Errorf("its status is %+v", j.Status)
		}
		return nil
	}
}

// runJob runs a Job of eight pods, three at a time.
func (s *scene) runJob() {
	s.Helper()
	parallelism, completions := int32(3), int32(8)
	jobs := s.client.BatchV1().Jobs(s.name)
	_, err := jobs.Create(s.ctx, &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "job"}, Spec: batchv1.JobSpec{
		Parallelism: &parallelism, Completions: &completions, Template: s.brief("job"),
	}}, metav1.CreateOptions{})
	require.NoError(s, err)
	s.eventually("the Job completes", func() error {
		j, err := jobs.Get(s.ctx, "job", metav1.GetOptions{})
		if err != nil {
			return err
		}
		return completed(completions)(j)
	})
}

// runCronJob makes a CronJob that has missed its time, so that nobody needs to wait for the next minute.
func (s *scene) runCronJob() {
	s.Helper()
	crons := s.client.BatchV1().CronJobs(s.name)
	_, err := crons.Create(s.ctx, &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "cron"}, Spec: batchv1.CronJobSpec{
		Schedule: "* * * * *", ConcurrencyPolicy: batchv1.ForbidConcurrent,
		JobTemplate: batchv1.JobTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"of": "cron"}}, Spec: batchv1.JobSpec{Template: s.brief("cron")}},
	}}, metav1.CreateOptions{})
	require.NoError(s, err)
	past := time.Now().Add(-2 * time.Minute).UTC().Format(time.RFC3339)
	_, err = crons.Patch(s.ctx, "cron", types.MergePatchType, fmt.Appendf(nil, `{"status": {"lastScheduleTime": %q}}`, past), metav1.PatchOptions{}, "status")
	require.NoError(s, err)
	s.eventually("the CronJob's Job completes", func() error {
		list, err := s.client.BatchV1().Jobs(s.name).List(s.ctx, metav1.ListOptions{LabelSelector: "of=cron"})
		if err != nil {
			return err
		}
		for i := range list.Items {
			if err = completed(1)(&list.Items[i]); err == nil {
				return nil
			}
		}
		return fmt.Errorf("none of %d did: %w", len(list.Items), err)
	})
	require.NoError(s, crons.Delete(s.ctx, "cron", metav1.DeleteOptions{}))
}

// runDaemons makes a DaemonSet, whose controller pins each pod to its node, and takes one of its pods away.
func (s *scene) runDaemons(o *observer) {
	s.Helper()
	_, err := s.client.AppsV1().DaemonSets(s.name).Create(s.ctx, &appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: "daemon"}, Spec: appsv1.DaemonSetSpec{
		Selector: of("daemon"), Template: s.unnamed("daemon", "100m"),
	}}, metav1.CreateOptions{})
	require.NoError(s, err)
	everywhere := func() {
		s.Helper()
		s.eventually("a daemon runs on each node", func() error {
			got := s.perNode("daemon", corev1.LabelHostname)
			if len(got) != 6 || slices.Max(slices.Collect(maps.Values(got))) != 1 {
				return fmt.Errorf("they run on %v", got)
			}
			return nil
		})
	}
	everywhere()
	for name, p := range o.all() {
		if p.Labels["of"] == "daemon" {
			s.remove(name)
			break
		}
	}
	everywhere()
}

// runInOrder makes a StatefulSet, which creates a pod when the one before it runs. Each has a volume, which is made where the pod is placed first, and to which it comes
// back when it is made anew.
func (s *scene) runInOrder() {
	s.Helper()
	n, driver := int32(3), "drop-in.disk.example.com"
	s.provision(provisioner.Options{Driver: driver, Topology: corev1.LabelTopologyZone})
	class := s.class("disk", driver, waits)
	sets := s.client.AppsV1().StatefulSets(s.name)
	_, err := sets.Create(s.ctx, &appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "set"}, Spec: appsv1.StatefulSetSpec{
		Replicas: &n, Selector: of("set"), Template: s.unnamed("set", "500m"), ServiceName: "set",
		VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data"}, Spec: claimSpec(class, corev1.ReadWriteOnce)}},
		PersistentVolumeClaimRetentionPolicy: &appsv1.StatefulSetPersistentVolumeClaimRetentionPolicy{
			WhenDeleted: appsv1.DeletePersistentVolumeClaimRetentionPolicyType, WhenScaled: appsv1.RetainPersistentVolumeClaimRetentionPolicyType,
		},
	}}, metav1.CreateOptions{})
	require.NoError(s, err)
	allRun := func() {
		s.Helper()
		s.eventually("all of the StatefulSet runs", func() error {
			set, err := sets.Get(s.ctx, "set", metav1.GetOptions{})
			if err == nil && set.Status.ReadyReplicas != n {
				err = fmt.Errorf("its status is %+v", set.Status)
			}
			return err
		})
	}
	zoneOf := func(name string) string {
		s.Helper()
		p, err := s.client.CoreV1().Pods(s.name).Get(s.ctx, name, metav1.GetOptions{})
		require.NoError(s, err)
		return s.node(p.Spec.NodeName).Labels[corev1.LabelTopologyZone]
	}
	allRun()
	label, zone := reachedFrom(s.volumeOf("data-set-1"))
	require.Equal(s, corev1.LabelTopologyZone, label)
	require.Equal(s, zone, zoneOf("set-1"))
	old, err := s.client.CoreV1().Pods(s.name).Get(s.ctx, "set-1", metav1.GetOptions{})
	require.NoError(s, err)
	s.remove("set-1")
	s.eventually("set-1 is made anew and runs", func() error {
		p, err := s.client.CoreV1().Pods(s.name).Get(s.ctx, "set-1", metav1.GetOptions{})
		switch {
		case err != nil:
			return err
		case p.UID == old.UID:
			return fmt.Errorf("it is the old one")
		}
		return runs(p)
	})
	require.Equal(s, zone, zoneOf("set-1"), "where its volume is")
}

// holdForDevices makes a pod that asks for devices of a DeviceClass, which are not Sluice's to allocate.
func (s *scene) holdForDevices(o *observer) {
	s.Helper()
	name := "example.com/device"
	classes := s.client.ResourceV1().DeviceClasses()
	_, err := classes.Create(s.ctx, &resourcev1.DeviceClass{
		ObjectMeta: metav1.ObjectMeta{Name: s.name}, Spec: resourcev1.DeviceClassSpec{ExtendedResourceName: &name},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	drop := func() error { return classes.Delete(context.Background(), s.name, metav1.DeleteOptions{}) }
	s.Cleanup(func() {
		if err := drop(); !apierrors.IsNotFound(err) {
			require.NoError(s, err)
		}
	})
	p := pod("device")
	p.Spec.SchedulerName = ""
	one := resource.MustParse("1")
	p.Spec.Containers[0].Resources = corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceName(name): one}, Limits: corev1.ResourceList{corev1.ResourceName(name): one},
	}
	s.create(p)
	says := func(reason, text string) {
		s.Helper()
		o.awaitOne("device", "it says "+text, func(p *corev1.Pod) error {
			if c := scheduled(p); c.Reason != reason || !strings.Contains(c.Message, text) {
				return fmt.Errorf("on node %q it says %s: %s", p.Spec.NodeName, c.Reason, c.Message)
			}
			return nil
		})
	}
	says("PlacementFieldUnsupported", "DeviceClass drop-in provides it")
	require.NotContains(s, scheduled(o.all()["device"]).Message, corev1.DefaultSchedulerName, "there is no other scheduler that would take it")
	require.NoError(s, drop())
	says(corev1.PodReasonUnschedulable, "6 Insufficient example.com/device")
	s.remove("device")
}
