package provisioner

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	corelisters "k8s.io/client-go/listers/core/v1"
	storagelisters "k8s.io/client-go/listers/storage/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
)

// Options describe a provisioner.
type Options struct {
	// Driver is the name of the CSI driver: the provisioner that classes name.
	Driver string
	// Topology is the node label whose value, of the selected node, tells from where a volume can be reached; empty: from everywhere.
	Topology string
	// Delay is how long a volume takes to be made.
	Delay time.Duration
	// Fails, if set, says why a volume cannot be made on a node; nil means that it can.
	Fails func(claim *corev1.PersistentVolumeClaim, node string) error
	// Workers is how many volumes are made at a time. Default 8.
	Workers int
	// Log, if set, gets a line for each volume that is made, deleted or cannot be made.
	Log func(string)
}

// Provisioner runs until Stop.
type Provisioner struct {
	o       Options
	client  kubernetes.Interface
	claims  corelisters.PersistentVolumeClaimLister
	volumes corelisters.PersistentVolumeLister
	classes storagelisters.StorageClassLister
	queue   workqueue.TypedRateLimitingInterface[item]
	cancel  context.CancelFunc
	ended   sync.WaitGroup
}

// item is a claim, or, without a namespace, a volume.
type item struct{ namespace, name string }

// Start starts a provisioner and returns when it has seen what there is.
func Start(ctx context.Context, client kubernetes.Interface, o Options) (*Provisioner, error) {
	if o.Driver == "" {
		return nil, fmt.Errorf("a provisioner needs the name of a driver")
	}
	if o.Workers == 0 {
		o.Workers = 8
	}
	if o.Log == nil {
		o.Log = func(string) {}
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	all := informers.NewSharedInformerFactory(client, 0)
	p := &Provisioner{
		o: o, client: client, cancel: cancel,
		claims: all.Core().V1().PersistentVolumeClaims().Lister(), volumes: all.Core().V1().PersistentVolumes().Lister(),
		classes: all.Storage().V1().StorageClasses().Lister(),
		queue:   workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[item]()),
	}
	for _, informer := range []cache.SharedIndexInformer{all.Core().V1().PersistentVolumeClaims().Informer(), all.Core().V1().PersistentVolumes().Informer()} {
		if _, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: p.enqueue, UpdateFunc: func(_, o any) { p.enqueue(o) },
		}); err != nil {
			cancel()
			return nil, fmt.Errorf("watch claims and volumes: %w", err)
		}
	}
	all.Start(run.Done())
	for kind, synced := range all.WaitForCacheSync(ctx.Done()) {
		if !synced {
			cancel()
			return nil, fmt.Errorf("read all %v: %w", kind, context.Cause(ctx))
		}
	}
	for range o.Workers {
		p.ended.Go(func() { p.work(run) })
	}
	p.ended.Go(func() {
		<-run.Done()
		p.queue.ShutDown()
		all.Shutdown()
	})
	return p, nil
}

// Stop ends the provisioner and returns when it has.
func (p *Provisioner) Stop() {
	p.cancel()
	p.ended.Wait()
}

func (p *Provisioner) enqueue(object any) {
	switch o := object.(type) {
	case *corev1.PersistentVolumeClaim:
		if o.Spec.VolumeName == "" {
			p.queue.Add(item{o.Namespace, o.Name})
		}
	case *corev1.PersistentVolume:
		if o.Status.Phase == corev1.VolumeReleased {
			p.queue.Add(item{name: o.Name})
		}
	}
}

func (p *Provisioner) work(ctx context.Context) {
	for {
		i, ended := p.queue.Get()
		if ended {
			return
		}
		if err := p.see(ctx, i); err != nil {
			p.o.Log(fmt.Sprintf("%s/%s: %v", i.namespace, i.name, err))
			p.queue.AddRateLimited(i)
		} else {
			p.queue.Forget(i)
		}
		p.queue.Done(i)
	}
}

func (p *Provisioner) see(ctx context.Context, i item) error {
	if i.namespace == "" {
		return p.seeVolume(ctx, i.name)
	}
	return p.seeClaim(ctx, i)
}

// class returns the class of a claim that this provisioner is to make a volume for; nil if it is not, or not yet.
func (p *Provisioner) class(claim *corev1.PersistentVolumeClaim) *storagev1.StorageClass {
	if claim.Spec.VolumeName != "" || claim.DeletionTimestamp != nil || claim.Spec.StorageClassName == nil || claim.Annotations[storageProvisioner] != p.o.Driver {
		return nil
	}
	class, err := p.classes.Get(*claim.Spec.StorageClassName)
	if err != nil || class.Provisioner != p.o.Driver {
		return nil
	}
	waits := class.VolumeBindingMode != nil && *class.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer
	if waits && claim.Annotations[selectedNode] == "" {
		return nil
	}
	return class
}
