package flink

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
)

// Options are what may be set of a simulator. The zero value is a faithful Flink with its defaults.
type Options struct {
	// StartDelay is the time from a ready JobManager to its first request for TaskManagers: what the JVM and the
	// user's main method take. Zero means one second; a negative value means none at all.
	StartDelay time.Duration
	// Pace makes the clocks of Flink and of its operator (timeouts, delays, how long jobs run and are kept) run so many times as fast; StartDelay is meant
	// as it is. Zero means 1.
	Pace float64
	// Concurrency is how many clusters are worked on at once; zero means 4. Each JobManager creates its pods four at
	// a time besides.
	Concurrency int
	// Namespace limits the simulator to one namespace; empty means all.
	Namespace string
	// Log receives what happens; nil means slog.Default().
	Log *slog.Logger
}

// creators is how many pods one JobManager creates at once: the default size of Flink's pool for Kubernetes calls.
const creators = 4

// Simulator is the Flink operator and all its JobManagers. Make one with New.
type Simulator struct {
	kube    kubernetes.Interface
	dynamic dynamic.Interface
	options Options
	log     *slog.Logger
	now     func() time.Time
	begun   time.Time

	watched watched
	queue   workqueue.TypedRateLimitingInterface[key]

	mu       sync.Mutex
	jobs     map[types.NamespacedName]*job
	watchers map[types.NamespacedName]map[chan Job]struct{}
}

// job is what the simulator remembers of one FlinkDeployment. Only the worker that holds its key touches it, except
// for told, which the simulator's lock guards.
type job struct {
	uid       types.UID // of the FlinkDeployment
	owner     types.UID // of the Deployment that state belongs to
	state     *jobmanager.State
	deadline  time.Time           // when the job fails unless its slots come; zero: no such clock runs
	outcome   jobmanager.Phase    // how the job has ended for good; empty while it has not
	renewed   time.Time           // when its leader's ConfigMap last was
	digest    string              // of the manifest in force
	furnished types.UID           // Deployment whose Services and ConfigMaps are made
	doomed    map[string]struct{} // pods to delete until the API server has agreed
	steps     Steps
	cluster   *spec.Cluster // the last valid manifest, kept while a faulty edit is in place
	trouble   string        // what is wrong now, for status.error
	refused   string        // why the last pod could not be created, until one can
	told      Job
}

// New makes a simulator for the cluster that config points to. It needs the rights of an administrator. Nothing
// happens before Run.
func New(config *rest.Config, options Options) (*Simulator, error) {
	config = rest.CopyConfig(config)
	if config.QPS == 0 {
		config.QPS, config.Burst = 500, 1000
	}
	config.UserAgent = "sluice-flink-simulator"
	config.ContentConfig = rest.ContentConfig{}
	dyn, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect the Flink simulator: %w", err)
	}
	config.ContentType = "application/vnd.kubernetes.protobuf"
	config.AcceptContentTypes = "application/vnd.kubernetes.protobuf,application/json"
	kube, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect the Flink simulator: %w", err)
	}
	return newWith(kube, dyn, options), nil
}

func newWith(kube kubernetes.Interface, dyn dynamic.Interface, options Options) *Simulator {
	if options.Concurrency <= 0 {
		options.Concurrency = 4
	}
	if options.StartDelay == 0 {
		options.StartDelay = time.Second
	}
	if options.Pace <= 0 {
		options.Pace = 1
	}
	log := options.Log
	if log == nil {
		log = slog.Default()
	}
	return &Simulator{
		kube: kube, dynamic: dyn, options: options, log: log, now: time.Now,
		jobs:     map[types.NamespacedName]*job{},
		watchers: map[types.NamespacedName]map[chan Job]struct{}{},
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[key](50*time.Millisecond, 10*time.Second)),
	}
}

// Run installs the definitions, then simulates until the context ends, and returns nil then. An error means that the
// simulation could not start. It may be called once.
func (s *Simulator) Run(ctx context.Context) error {
	if err := s.Install(ctx); err != nil {
		return err
	}
	s.begun = s.now()
	synced, err := s.watch(ctx)
	if err != nil {
		return err
	}
	if !cache.WaitForCacheSync(ctx.Done(), synced...) {
		s.queue.ShutDown()
		return nil
	}
	s.log.Info("Flink simulator is running")
	var workers sync.WaitGroup
	for range s.options.Concurrency {
		workers.Go(func() { s.work(ctx) })
	}
	<-ctx.Done()
	s.queue.ShutDown()
	workers.Wait()
	return nil
}

// work takes keys and reconciles them. A failure is retried with a growing delay; a wake-up is a later visit.
func (s *Simulator) work(ctx context.Context) {
	for {
		k, quit := s.queue.Get()
		if quit {
			return
		}
		again, err := s.reconcile(ctx, k)
		switch {
		case ctx.Err() != nil:
		case err != nil:
			s.log.Warn("will try again", "object", k.String(), "error", err)
			s.queue.AddRateLimited(k)
		default:
			s.queue.Forget(k)
			if again > 0 {
				s.queue.AddAfter(k, again)
			}
		}
		s.queue.Done(k)
	}
}

func (s *Simulator) reconcile(ctx context.Context, k key) (time.Duration, error) {
	switch k.kind {
	case kindSessionJob:
		return 0, s.reconcileSessionJob(ctx, k.NamespacedName)
	case kindBlueGreen:
		return s.reconcileBlueGreen(ctx, k.NamespacedName)
	default:
		return s.reconcileDeployment(ctx, k.NamespacedName)
	}
}
