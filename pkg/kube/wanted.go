package kube

import (
	"context"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
)

// Limits on getting ConfigMaps by name: how many at a time, and for how long one is asked for that is not there. It is made after the pod that mounts it.
const (
	getsAtATime = 4
	getWithin   = 30 * time.Second
)

// wanted gets the ConfigMaps that tell of the groups of pods and that can be told from others only by the pods that mount them, as those of Spark drivers
// and of JobManagers of plain manifests. Each is
// got once, when its first pod is seen, and what it tells is forgotten with its last pod.
type wanted struct {
	client *Client
	gangs  *gangs
	denial *denial
	turn   chan struct{}
	ctx    context.Context // that of the watch, from when it runs

	mu     sync.Mutex
	byPod  map[types.UID][]gang.Key
	pods   map[gang.Key]int // how many want it
	asking int
	idle   func() // called once when nothing is asked for; nil for nobody
}

func newWanted(c *Client, g *gangs, d *denial) *wanted {
	return &wanted{client: c, gangs: g, denial: d, turn: make(chan struct{}, getsAtATime), byPod: map[types.UID][]gang.Key{}, pods: map[gang.Key]int{}}
}

// see takes note of a pod of ours.
func (w *wanted) see(pod *v1.Pod) {
	names := gang.Wanted(pod)
	if len(names) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, known := w.byPod[pod.UID]; known {
		return
	}
	for _, name := range names {
		k := gang.Key{Kind: "ConfigMap", Namespace: pod.Namespace, Name: name}
		w.byPod[pod.UID] = append(w.byPod[pod.UID], k)
		if w.pods[k]++; w.pods[k] == 1 {
			w.asking++
			go w.get(k)
		}
	}
}

// drop takes note that a pod is gone.
func (w *wanted) drop(uid types.UID) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, k := range w.byPod[uid] {
		if w.pods[k]--; w.pods[k] == 0 {
			delete(w.pods, k)
			w.gangs.gone(k)
		}
	}
	delete(w.byPod, uid)
}

// whenIdle has done called when all that has been asked for so far is answered.
func (w *wanted) whenIdle(done func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.idle = done; w.asking == 0 {
		w.idle()
		w.idle = nil
	}
}

// get asks for a ConfigMap until it is there, or has not come in good time, or is not wanted any more. Where there is no right to it, it is asked for until there is. The
// start waits for the first answer alone, whatever that is.
func (w *wanted) get(k gang.Key) {
	answered := sync.OnceFunc(w.asked)
	defer answered()
	until := time.Now().Add(getWithin)
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		again, err := w.try(k)
		denied := apierrors.IsForbidden(err)
		if !again || !denied && time.Now().After(until) {
			return
		}
		if denied || apierrors.IsNotFound(err) {
			answered()
		}
		if denied {
			wait = w.denial.again
		}
		select {
		case <-time.After(wait):
		case <-w.ctx.Done():
			return
		}
	}
}

// asked notes that a ConfigMap is not asked for any more.
func (w *wanted) asked() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asking--; w.asking == 0 && w.idle != nil {
		w.idle()
		w.idle = nil
	}
}

// try asks for a ConfigMap once and reports whether to ask again, and why.
func (w *wanted) try(k gang.Key) (again bool, err error) {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	if w.ctx.Err() != nil || !w.isWanted(k) {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(w.ctx, lookTimeout)
	defer cancel()
	m := &v1.ConfigMap{}
	err = w.client.core.RESTClient().Get().MaxRetries(0).Namespace(k.Namespace).Resource(configMaps).Name(k.Name).Do(ctx).Into(m)
	if err != nil {
		if apierrors.IsForbidden(err) {
			w.denial.deny(err)
		}
		return true, err
	}
	w.denial.granted()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.pods[k] > 0 {
		w.gangs.set(w.gangs.gang.Read(m))
	}
	return false, nil
}

func (w *wanted) isWanted(k gang.Key) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pods[k] > 0
}
