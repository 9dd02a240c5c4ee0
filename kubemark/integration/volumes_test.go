package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/kubemark/provisioner"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
)

const (
	waits  = storagev1.VolumeBindingWaitForFirstConsumer
	atOnce = storagev1.VolumeBindingImmediate
)

// class makes a storage class of the scene's own, and removes it afterwards with its volumes.
func (s *scene) class(suffix, driver string, mode storagev1.VolumeBindingMode) string {
	s.Helper()
	name := s.name + "-" + suffix
	_, err := s.client.StorageV1().StorageClasses().Create(s.ctx, &storagev1.StorageClass{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Provisioner: driver, VolumeBindingMode: &mode,
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	s.Cleanup(func() {
		require.NoError(s, s.client.StorageV1().StorageClasses().Delete(context.Background(), name, metav1.DeleteOptions{}))
	})
	return name
}

// provision starts a provisioner.
func (s *scene) provision(o provisioner.Options) {
	s.Helper()
	p, err := provisioner.Start(s.ctx, s.client, o)
	require.NoError(s, err)
	s.Cleanup(p.Stop)
}

// claim makes a claim for 1 GiB.
func (s *scene) claim(name, class string, mode corev1.PersistentVolumeAccessMode) {
	s.Helper()
	_, err := s.client.CoreV1().PersistentVolumeClaims(s.name).Create(s.ctx, &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: claimSpec(class, mode),
	}, metav1.CreateOptions{})
	require.NoError(s, err)
}

func claimSpec(class string, mode corev1.PersistentVolumeAccessMode) corev1.PersistentVolumeClaimSpec {
	return corev1.PersistentVolumeClaimSpec{
		StorageClassName: &class, AccessModes: []corev1.PersistentVolumeAccessMode{mode},
		Resources: corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}},
	}
}

// volume makes a volume by hand that can be reached from nodes with a label, and removes it afterwards.
func (s *scene) volume(name, class, label, value string) {
	s.Helper()
	_, err := s.client.CoreV1().PersistentVolumes().Create(s.ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName: class, AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			Capacity:                      corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
			PersistentVolumeReclaimPolicy: corev1.PersistentVolumeReclaimRetain,
			NodeAffinity: &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
				MatchExpressions: []corev1.NodeSelectorRequirement{{Key: label, Operator: corev1.NodeSelectorOpIn, Values: []string{value}}},
			}}}},
			PersistentVolumeSource: corev1.PersistentVolumeSource{Local: &corev1.LocalVolumeSource{Path: "/mnt/" + name}},
		},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	s.Cleanup(func() {
		require.NoError(s, s.client.CoreV1().PersistentVolumes().Delete(context.Background(), name, metav1.DeleteOptions{}))
	})
}

// uses gives a pod a claim.
func uses(claim string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Volumes = append(p.Spec.Volumes, corev1.Volume{Name: claim, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim},
		}})
	}
}

// volumeOf returns the volume that a claim is bound to.
func (s *scene) volumeOf(claim string) *corev1.PersistentVolume {
	s.Helper()
	pvc, err := s.client.CoreV1().PersistentVolumeClaims(s.name).Get(s.ctx, claim, metav1.GetOptions{})
	require.NoError(s, err)
	require.Equal(s, corev1.ClaimBound, pvc.Status.Phase, claim)
	pv, err := s.client.CoreV1().PersistentVolumes().Get(s.ctx, pvc.Spec.VolumeName, metav1.GetOptions{})
	require.NoError(s, err)
	return pv
}

// reachedFrom is the one label value that a volume asks of its nodes.
func reachedFrom(pv *corev1.PersistentVolume) (label, value string) {
	r := pv.Spec.NodeAffinity.Required.NodeSelectorTerms[0].MatchExpressions[0]
	return r.Key, r.Values[0]
}

func (s *scene) node(name string) *corev1.Node {
	s.Helper()
	n, err := s.client.CoreV1().Nodes().Get(s.ctx, name, metav1.GetOptions{})
	require.NoError(s, err)
	return n
}

// TestStatefulSetWithVolumes: each pod of a StatefulSet has a claim of a class that waits for its first consumer. Sluice chooses the node, the provisioner makes
// the volume for the node's zone, the controllers bind it, and then Sluice binds the pod, no sooner. A node takes two volumes of the driver and no more. A pod that
// comes again goes where its volume is.
func TestStatefulSetWithVolumes(t *testing.T) {
	s := newScene(t, "stateful")
	fleet := s.simulate(simnode.Group{Count: 3}, simnode.Options{})
	for _, name := range fleet.Names() {
		s.csiNode(name, "disk.stateful.example", 2)
	}
	s.provision(provisioner.Options{Driver: "disk.stateful.example", Topology: corev1.LabelTopologyZone})
	class := s.class("late", "disk.stateful.example", waits)
	o := s.observe(true)
	s.sluice(options{}).awaitLeading()

	replicas := int32(7)
	template := pod("", cpu("1"))
	template.Labels = map[string]string{"app": "db"}
	_, err := s.client.AppsV1().StatefulSets(s.name).Create(s.ctx, &appsv1.StatefulSet{
		ObjectMeta: metav1.ObjectMeta{Name: "db"},
		Spec: appsv1.StatefulSetSpec{
			Replicas: &replicas, ServiceName: "db", PodManagementPolicy: appsv1.ParallelPodManagement,
			Selector:             &metav1.LabelSelector{MatchLabels: template.Labels},
			Template:             corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: template.Labels}, Spec: template.Spec},
			VolumeClaimTemplates: []corev1.PersistentVolumeClaim{{ObjectMeta: metav1.ObjectMeta{Name: "data"}, Spec: claimSpec(class, corev1.ReadWriteOnce)}},
		},
	}, metav1.CreateOptions{})
	require.NoError(s, err)
	running := func() (pods []*corev1.Pod, waiting *corev1.Pod) {
		for _, p := range o.all() {
			if runs(p) == nil {
				pods = append(pods, p)
			} else {
				waiting = p
			}
		}
		return pods, waiting
	}
	full := waitsFor(corev1.PodReasonUnschedulable, "0/3 nodes are available: 3 node(s) exceed max volume count.")
	s.eventually("six run and the seventh finds no place for its volume", func() error {
		pods, waiting := running()
		if len(pods) != 6 || waiting == nil {
			return fmt.Errorf("%d run", len(pods))
		}
		return full(waiting)
	})
	pods, waiting := running()
	for _, p := range pods {
		label, zone := reachedFrom(s.volumeOf("data-" + p.Name))
		require.Equal(s, s.node(p.Spec.NodeName).Labels[label], zone, "volume of %s on %s", p.Name, p.Spec.NodeName)
	}
	o.sound()

	for _, name := range fleet.Names() {
		s.csiNode(name, "disk.stateful.example", 3)
	}
	o.awaitOne(waiting.Name, "the limit is higher", runs)

	again := pods[0]
	s.remove(again.Name)
	o.awaitOne(again.Name, "it comes again where its volume is", func(p *corev1.Pod) error {
		if p.UID == again.UID {
			return errors.New("it has not gone yet")
		}
		return runs(p)
	})
	label, zone := reachedFrom(s.volumeOf("data-" + again.Name))
	require.Equal(s, zone, s.node(o.all()[again.Name].Spec.NodeName).Labels[label])
	o.noneFailed()
}

// csiNode says how many volumes of a driver a node takes.
func (s *scene) csiNode(node, driver string, count int32) {
	s.Helper()
	n := s.node(node)
	c := &storagev1.CSINode{
		ObjectMeta: metav1.ObjectMeta{Name: node, OwnerReferences: []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: node, UID: n.UID}}},
		Spec:       storagev1.CSINodeSpec{Drivers: []storagev1.CSINodeDriver{{Name: driver, NodeID: node, Allocatable: &storagev1.VolumeNodeResources{Count: &count}}}},
	}
	csiNodes := s.client.StorageV1().CSINodes()
	old, err := csiNodes.Get(s.ctx, node, metav1.GetOptions{})
	if err == nil {
		old.Spec = c.Spec
		_, err = csiNodes.Update(s.ctx, old, metav1.UpdateOptions{})
	} else {
		_, err = csiNodes.Create(s.ctx, c, metav1.CreateOptions{})
	}
	require.NoError(s, err)
}

// TestLocalVolumes: volumes made by hand, one on each node. Every pod gets the one of its own node, and a pod more than there are volumes waits for the next.
func TestLocalVolumes(t *testing.T) {
	s := newScene(t, "localvolumes")
	fleet := s.simulate(simnode.Group{Count: 4}, simnode.Options{})
	class := s.class("local", "kubernetes.io/no-provisioner", waits)
	names := fleet.Names()
	for _, n := range names[:3] {
		s.volume("on-"+n, class, corev1.LabelHostname, n)
	}
	o := s.observe(true)
	s.sluice(options{}).awaitLeading()
	for i := range 4 {
		claim := fmt.Sprintf("c%d", i)
		s.claim(claim, class, corev1.ReadWriteOnce)
		s.create(pod(fmt.Sprintf("p%d", i), cpu("1"), uses(claim)))
	}
	none := waitsFor(corev1.PodReasonUnschedulable, "0/4 nodes are available: 4 node(s) didn't find available persistent volumes to bind.")
	s.eventually("three have a volume", func() error {
		bound, refused := 0, 0
		for _, p := range o.all() {
			if runs(p) == nil {
				bound++
			} else if none(p) == nil {
				refused++
			}
		}
		if bound != 3 || refused != 1 {
			return fmt.Errorf("%d run, %d are refused", bound, refused)
		}
		return nil
	})
	s.volume("on-"+names[3], class, corev1.LabelHostname, names[3])
	o.awaitPods(4, "the last has a volume", runs)
	for i := range 4 {
		_, host := reachedFrom(s.volumeOf(fmt.Sprintf("c%d", i)))
		require.Equal(s, host, o.all()[fmt.Sprintf("p%d", i)].Spec.NodeName)
	}
}

// TestVolumesThatAreBoundAtOnce: a claim of an immediate class is bound without a pod; its pod waits for that, and goes where the volume can be reached. A claim that
// only one pod may use keeps the second pod waiting until the first has gone. A pod's own volume is made with it.
func TestVolumesThatAreBoundAtOnce(t *testing.T) {
	s := newScene(t, "atonce")
	fleet := s.simulate(simnode.Group{Count: 3}, simnode.Options{})
	class := s.class("now", "kubernetes.io/no-provisioner", atOnce)
	s.provision(provisioner.Options{Driver: "disk.atonce.example"})
	made := s.class("made", "disk.atonce.example", atOnce)
	o := s.observe(true)
	s.sluice(options{}).awaitLeading()

	s.create(pod("early", cpu("1"), uses("far")))
	o.awaitOne("early", "its claim is missing", waitsFor(corev1.PodReasonUnschedulable, `0/3 nodes are available: persistentvolumeclaim "far" not found.`))
	s.claim("far", class, corev1.ReadWriteOnce)
	o.awaitOne("early", "its claim is not bound", waitsFor(corev1.PodReasonUnschedulable, "0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims."))
	last := fleet.Names()[2]
	s.volume("atonce-far", class, corev1.LabelHostname, last)
	o.awaitOne("early", "its claim is bound", runs)
	require.Equal(s, last, o.all()["early"].Spec.NodeName)

	s.claim("single", made, corev1.ReadWriteOncePod)
	s.create(pod("first", cpu("1"), uses("single")))
	o.awaitOne("first", "it has the claim", runs)
	s.create(pod("second", cpu("1"), uses("single")))
	o.awaitOne("second", "the claim is in use", waitsFor(corev1.PodReasonUnschedulable,
		"0/3 nodes are available: 3 node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod."))
	s.remove("first")
	o.awaitOne("second", "the claim is free", runs)

	s.create(pod("own", cpu("1"), func(p *corev1.Pod) {
		p.Spec.Volumes = []corev1.Volume{{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{
			VolumeClaimTemplate: &corev1.PersistentVolumeClaimTemplate{Spec: claimSpec(made, corev1.ReadWriteOnce)},
		}}}}
	}))
	o.awaitOne("own", "its own volume is made", runs)
	require.Equal(s, "disk.atonce.example", s.volumeOf("own-scratch").Spec.CSI.Driver)
}

// TestVolumesThatFail: the provisioner cannot make a volume on the first node that it is asked for, and gives the choice back; the pod is tried anew. And nobody
// provisions a claim: the pod leaves its node when the time is over, says so, and runs when there is a provisioner at last. A Sluice that is killed meanwhile is
// followed by one that goes on.
func TestVolumesThatFail(t *testing.T) {
	s := newScene(t, "failing")
	s.simulate(simnode.Group{Count: 3}, simnode.Options{})
	var mu sync.Mutex
	tried := map[string]int{}
	s.provision(provisioner.Options{Driver: "disk.failing.example", Topology: corev1.LabelHostname, Fails: func(claim *corev1.PersistentVolumeClaim, node string) error {
		mu.Lock()
		defer mu.Unlock()
		tried[claim.Name]++
		if tried[claim.Name] == 1 {
			return errors.New("no room on " + node)
		}
		return nil
	}})
	class, nobody := s.class("late", "disk.failing.example", waits), s.class("nobody", "disk.absent.example", waits)
	o := s.observe(true)
	config := quickElection + "volumes: {bindTimeout: 5s}\n"
	sluice := s.sluice(options{config: config})
	sluice.awaitLeading()

	for i := range 3 {
		s.claim(fmt.Sprintf("c%d", i), class, corev1.ReadWriteOnce)
		s.create(pod(fmt.Sprintf("p%d", i), cpu("1"), uses(fmt.Sprintf("c%d", i))))
	}
	o.awaitPods(3, "all have a volume at the second try", runs)
	for i := range 3 {
		_, host := reachedFrom(s.volumeOf(fmt.Sprintf("c%d", i)))
		require.Equal(s, host, o.all()[fmt.Sprintf("p%d", i)].Spec.NodeName)
	}
	mu.Lock()
	require.Equal(s, map[string]int{"c0": 2, "c1": 2, "c2": 2}, tried)
	mu.Unlock()

	s.claim("orphan", nobody, corev1.ReadWriteOnce)
	s.create(pod("orphan", cpu("1"), uses("orphan")))
	o.awaitOne("orphan", "the time is over", func(p *corev1.Pod) error {
		c := scheduled(p)
		if p.Spec.NodeName != "" || !strings.Contains(c.Message, "not all claims were bound within 5s; claim "+s.name+"/orphan is to be provisioned for node ") {
			return fmt.Errorf("on %q it says %s: %s", p.Spec.NodeName, c.Reason, c.Message)
		}
		return nil
	})
	require.NoError(s, sluice.Kill())
	next := s.sluice(options{config: config})
	next.awaitLeading()
	s.provision(provisioner.Options{Driver: "disk.absent.example"})
	o.awaitOne("orphan", "there is a provisioner at last", runs)
	o.noneFailed()
}
