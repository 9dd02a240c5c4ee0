package integration

import (
	"fmt"
	"slices"
	"sync"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
	reqs "k8s.io/component-helpers/resource"
)

// observer watches a scene's pods from its begin and keeps their history. The watch tells all changes in the order in which they
// happened, so what is summed up here was true at some moment.
type observer struct {
	scene *scene
	// onlyAdmitted counts a pod as taking room from when it runs, not from when it is bound.
	onlyAdmitted bool

	mu     sync.Mutex
	pods   map[types.UID]*corev1.Pod // that exist
	nodes  map[types.UID][]string    // that each pod ever was on
	failed map[types.UID]string      // status.reason of those that failed
	room   map[string]*room
	faults []string
}

// room is a node's accounts, in thousandths.
type room struct {
	offers, used map[corev1.ResourceName]int64
	ports        map[int32]int
}

// observe begins to watch; the nodes must be there already.
func (s *scene) observe(onlyAdmitted bool) *observer {
	s.Helper()
	o := &observer{
		scene: s, onlyAdmitted: onlyAdmitted, pods: map[types.UID]*corev1.Pod{}, nodes: map[types.UID][]string{},
		failed: map[types.UID]string{}, room: map[string]*room{},
	}
	nodes, err := s.client.CoreV1().Nodes().List(s.ctx, metav1.ListOptions{LabelSelector: testLabel + "=" + s.name})
	require.NoError(s, err)
	for i := range nodes.Items {
		o.room[nodes.Items[i].Name] = newRoom(&nodes.Items[i])
	}
	informer := informers.NewSharedInformerFactoryWithOptions(s.client, 0, informers.WithNamespace(s.name)).Core().V1().Pods().Informer()
	_, err = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(p any) { o.set(p.(*corev1.Pod)) },
		UpdateFunc: func(_, p any) { o.set(p.(*corev1.Pod)) },
		DeleteFunc: func(p any) {
			if last, ok := p.(cache.DeletedFinalStateUnknown); ok {
				p = last.Obj
			}
			o.gone(p.(*corev1.Pod).UID)
		},
	})
	require.NoError(s, err)
	go informer.RunWithContext(s.ctx)
	require.True(s, cache.WaitForCacheSync(s.ctx.Done(), informer.HasSynced))
	return o
}

func newRoom(n *corev1.Node) *room {
	r := &room{offers: map[corev1.ResourceName]int64{}, used: map[corev1.ResourceName]int64{}, ports: map[int32]int{}}
	for name, q := range n.Status.Allocatable {
		r.offers[name] = q.MilliValue()
	}
	return r
}

// set takes in a pod as it is now.
func (o *observer) set(p *corev1.Pod) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old := o.pods[p.UID]; old != nil {
		o.count(old, -1)
	}
	o.pods[p.UID] = p
	o.count(p, +1)
	if on := p.Spec.NodeName; on != "" && !slices.Contains(o.nodes[p.UID], on) {
		o.nodes[p.UID] = append(o.nodes[p.UID], on)
	}
	if p.Status.Phase == corev1.PodFailed {
		o.failed[p.UID] = p.Status.Reason
	}
}

func (o *observer) gone(uid types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if old := o.pods[uid]; old != nil {
		o.count(old, -1)
		delete(o.pods, uid)
	}
}

// count enters or withdraws a pod and notes when a node has more than it offers.
func (o *observer) count(p *corev1.Pod, sign int64) {
	r := o.room[p.Spec.NodeName]
	if r == nil || !o.holds(p) {
		return
	}
	add := func(name corev1.ResourceName, amount int64) {
		r.used[name] += sign * amount
		if offers, ok := r.offers[name]; sign > 0 && ok && r.used[name] > offers {
			o.faults = append(o.faults, fmt.Sprintf("node %s offers %d thousandths of %s and holds %d with pod %s",
				p.Spec.NodeName, offers, name, r.used[name], p.Name))
		}
	}
	add(corev1.ResourcePods, 1000)
	for name, q := range reqs.PodRequests(p, reqs.PodResourcesOptions{}) {
		add(name, q.MilliValue())
	}
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.HostPort == 0 {
				continue
			}
			if r.ports[port.HostPort] += int(sign); sign > 0 && r.ports[port.HostPort] > 1 {
				o.faults = append(o.faults, fmt.Sprintf("node %s has port %d twice, with pod %s", p.Spec.NodeName, port.HostPort, p.Name))
			}
		}
	}
}

// holds tells whether the pod takes room on its node.
func (o *observer) holds(p *corev1.Pod) bool {
	switch p.Status.Phase {
	case corev1.PodSucceeded, corev1.PodFailed:
		return false
	case corev1.PodRunning:
		return true
	}
	return !o.onlyAdmitted
}

// sound checks what must hold at all times: no pod was on two nodes, no node held more than it offers.
func (o *observer) sound() {
	o.scene.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	require.Empty(o.scene, o.faults)
	for uid, on := range o.nodes {
		require.Len(o.scene, on, 1, "pod %s was on several nodes", uid)
	}
}

// noneFailed checks that no pod ever failed, above all not by a kubelet's refusal.
func (o *observer) noneFailed() {
	o.scene.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	require.Empty(o.scene, o.failed, "pods failed, with these reasons")
}

// noneRefused checks that no kubelet refused a pod. A pod whose node has been gone for long fails too, by the hand of Kubernetes' pod garbage
// collector, which gives no reason; a kubelet always does.
func (o *observer) noneRefused() {
	o.scene.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for uid, reason := range o.failed {
		require.Empty(o.scene, reason, "pod %s failed", uid)
	}
}

// all returns the pods that exist, by name.
func (o *observer) all() map[string]*corev1.Pod {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := make(map[string]*corev1.Pod, len(o.pods))
	for _, p := range o.pods {
		out[p.Name] = p
	}
	return out
}

// free is what nodes have left of a resource, in thousandths, by node.
func (o *observer) free(name corev1.ResourceName) map[string]int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	out := map[string]int64{}
	for node, r := range o.room {
		out[node] = r.offers[name] - r.used[name]
	}
	return out
}

// forget leaves a node out of account that was deleted.
func (o *observer) forget(node string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.room, node)
}
