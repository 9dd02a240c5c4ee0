package stand

import (
	"context"
	"fmt"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const protobuf = "application/vnd.kubernetes.protobuf"

// Blind binds every pod that it learns of, in the order in which it does, to one node after the other. It decides nothing and writes
// nothing else, so a scheduler that keeps up with it keeps up with the API server. It runs until the context ends.
//
// ready is called when it has read what there is.
func Blind(ctx context.Context, kubeconfig string, inFlight int, ready func()) error {
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	cfg.QPS = -1
	cfg.ContentType, cfg.AcceptContentTypes = protobuf, protobuf+",application/json"
	cfg.WarningHandler = rest.NoWarnings{}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	nodes, err := nodeNames(ctx, client)
	if err != nil {
		return err
	}
	line := newLine()
	pods := watchPods(client, line)
	var work sync.WaitGroup
	work.Go(func() { pods.RunWithContext(ctx) })
	for range inFlight {
		work.Go(func() { bindAll(ctx, client, line, nodes) })
	}
	if cache.WaitForCacheSync(ctx.Done(), pods.HasSynced) {
		ready()
	}
	<-ctx.Done()
	line.close()
	work.Wait()
	return nil
}

func nodeNames(ctx context.Context, client kubernetes.Interface) ([]string, error) {
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{ResourceVersion: "0"})
	if err != nil {
		return nil, fmt.Errorf("list nodes: %w", err)
	}
	var names []string
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("there are no nodes")
	}
	return names, nil
}

// watchPods puts the pods that wait into the line. Of each it keeps nothing but what names it.
func watchPods(client kubernetes.Interface, line *line) cache.SharedIndexInformer {
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTransform(func(o any) (any, error) {
			if p, ok := o.(*v1.Pod); ok {
				return &v1.Pod{
					ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: p.Name, UID: p.UID, ResourceVersion: p.ResourceVersion},
					Spec:       v1.PodSpec{NodeName: p.Spec.NodeName, SchedulerName: p.Spec.SchedulerName},
				}, nil
			}
			return o, nil
		}),
		informers.WithTweakListOptions(func(o *metav1.ListOptions) { o.FieldSelector = "status.phase!=Succeeded,status.phase!=Failed" }))
	pods := factory.Core().V1().Pods().Informer()
	// The informer has not been started, so this cannot fail.
	_, _ = pods.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: func(o any) {
		if p := o.(*v1.Pod); p.Spec.NodeName == "" && p.Spec.SchedulerName == SchedulerName {
			line.put(waiting{p.Namespace, p.Name, p.UID})
		}
	}})
	return pods
}

type waiting struct {
	namespace, name string
	uid             types.UID
}

// bindAll takes pods from the line until it is closed. A bind that fails is told and tried again, once a second, unless its pod is no more.
func bindAll(ctx context.Context, client kubernetes.Interface, line *line, nodes []string) {
	for {
		w, turn, ok := line.take()
		if !ok {
			return
		}
		binding := &v1.Binding{
			ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: w.name, UID: w.uid},
			Target:     v1.ObjectReference{Kind: "Node", Name: nodes[turn%len(nodes)]},
		}
		for {
			err := client.CoreV1().Pods(w.namespace).Bind(ctx, binding, metav1.CreateOptions{})
			if err == nil || ctx.Err() != nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
				break // it is gone or going, or has a node
			}
			fmt.Printf("bind %s: %v\n", w.name, err)
			time.Sleep(time.Second)
		}
	}
}

// line is a queue without end that many take from.
type line struct {
	mu     sync.Mutex
	some   *sync.Cond
	pods   []waiting
	taken  int
	closed bool
}

func newLine() *line {
	l := &line{}
	l.some = sync.NewCond(&l.mu)
	return l
}

func (l *line) put(w waiting) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pods = append(l.pods, w)
	l.some.Signal()
}

// take waits for the next pod and tells how many were taken before it; not ok means that there will be none.
func (l *line) take() (w waiting, turn int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.taken == len(l.pods) && !l.closed {
		l.some.Wait()
	}
	if l.closed {
		return waiting{}, 0, false
	}
	l.taken++
	return l.pods[l.taken-1], l.taken - 1, true
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.some.Broadcast()
}
