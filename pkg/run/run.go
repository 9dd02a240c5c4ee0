package run

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
	"github.com/sluice-scheduler/sluice/pkg/web"
)

// drainFor is how long a process that ends in order may take to write what it owes.
const drainFor = 10 * time.Second

// Options are what one process needs to run.
type Options struct {
	Config *config.Configuration
	// ConfigFile is where Config was read, to follow its changes; empty if it was not read from a file.
	ConfigFile string
	// Queues are what LoadQueues has read; nil if the configuration names no queues file.
	Queues *queues.Loaded
	// Kubeconfig as kube.Access has it.
	Kubeconfig string
	// Version of this Sluice, for the log, the API server and the quarantine.
	Version string
	Log     *slog.Logger
	// Trap, if set, is told each subject of the core that is not in quarantine; for tests that inject faults.
	Trap func(core.Subject)
}

// Run is Sluice: it connects, reads the cluster, takes part in the election, decides while it leads, and serves its web pages. It
// returns nil when the context ends, after it has written what it owed and given its Lease back. Else it returns why it cannot go
// on: a broken kubeconfig, a lost Lease (kube.ErrLeaseLost), a panic of the core (*Panic). The process must end then; the next start
// rebuilds everything from the API server.
//
//	reading cluster and queues ── synced ──> standing by ── Lease ──> leading
//	        └───────────────── context ends ───────┴─────────────────────┴──> ending: no more decisions, write what is owed, give the Lease back
func Run(ctx context.Context, o Options) error {
	p, err := newProcess(o)
	if err != nil {
		return err
	}
	return p.run(ctx)
}

// process is one Sluice and its parts.
type process struct {
	o          Options
	identity   string
	client     *kube.Client
	quarantine *Quarantine
	metrics    *Metrics
	inbox      *Inbox
	loop       *Loop
	queries    *Queries
	outbox     *Outbox
	watch      *kube.Watch
	election   *kube.Election // nil without election
	settings   *Settings
	rival      *rival    // nil if there can be none
	volumes    *rights   // to prepare them
	groups     *rights   // to write their status
	files      []*polled // that are followed
	web        *web.Server

	mu     sync.Mutex    // of leading and ending, so that Lead off is the last word
	ending chan struct{} // closed when the process begins to end

	parts sync.WaitGroup
}

func newProcess(o Options) (*process, error) {
	c := o.Config
	p := &process{o: o, identity: identity(), inbox: NewInbox(), metrics: NewMetrics(c.SchedulerName, o.Version), ending: make(chan struct{})}
	var err error
	p.client, err = kube.Connect(kube.Access{
		Kubeconfig: o.Kubeconfig, Agent: "sluice/" + o.Version, QPS: c.Client.QPS, Burst: c.Client.Burst,
	})
	if err != nil {
		return nil, err
	}
	p.quarantine = OpenQuarantine(c.StatePath(os.TempDir()), o.Version, o.Log)
	p.inbox.Put(p.quarantine.Events()...)
	p.join(core.New(core.Config{
		Budget: c.Step.Budget, BackoffInitial: c.Backoff.Initial, BackoffMax: c.Backoff.Max,
		RetryAfter: c.RetryAfter, StarvationAfter: c.StarvationAfter, RefreshAfter: max(c.Status.CountsEvery, 1), VolumesWithin: c.Volumes.BindTimeout,
		HoldFor: max(c.Gang.HoldFor, 1), ReentryFor: max(c.Gang.ReentryFor, 1), SourceWithin: max(c.Gang.ConfigMapWithin, 1),
		InPlace: slices.Contains(c.Schedulers(), v1.DefaultSchedulerName), Watch: p.quarantine.spare(o.Trap),
	}))
	p.configure()
	if p.watch, err = kube.NewWatch(p.client, kube.WatchOptions{
		Scheduler: c.SchedulerName, OtherSchedulers: c.OtherSchedulerNames, Nodes: c.Nodes.Selector, TrustUser: c.Queues.TrustUserAnnotation, Extra: p.settings.extra,
		Gangs: gang.Kinds, Text: c.Queues.Object, TellText: p.settings.TakeText, Log: o.Log,
	}, p.inbox); err != nil {
		return nil, err
	}
	if c.LeaderElection.Enabled {
		if p.election, err = p.client.NewElection(c.LeaderElection, p.identity, o.Log, p.lead); err != nil {
			return nil, err
		}
	}
	p.rival = rivalOf(c.Schedulers(), p.client, o.Log)
	p.metrics.follow(sources{core: p.loop.Stats, watch: p.watch.Stats, inbox: p.inbox.Len, queues: p.queries.Survey, settings: p.settings})
	p.web, err = web.Listen(c.Web.Address, p.pages())
	return p, err
}

// join puts the core between inbox and outbox.
func (p *process) join(c *core.Core) {
	cfg := p.o.Config
	p.volumes, p.groups = volumeRights(p.client.MissingRights, p.o.Log), groupRights(p.client.MissingGroupRights, p.o.Log)
	p.outbox = NewOutbox(OutboxConfig{
		Binder: p.client, Preparer: preparing{p.client, p.volumes}, Teller: teller{p.client, p.client.Reporter(cfg.SchedulerName, p.identity), p.groups}, Answers: p.inbox,
		MinInFlight: cfg.Bind.MinInFlight, MaxInFlight: cfg.Bind.MaxInFlight, EventsInFlight: cfg.Events.MaxInFlight,
		Timeout: cfg.Bind.Timeout, Metrics: p.metrics, Log: p.o.Log,
	})
	p.loop = NewLoop(LoopConfig{
		Decider: c, Reporter: reporter{c}, Inbox: p.inbox, Out: p.outbox.Put, Metrics: p.metrics, Log: p.o.Log,
	})
	p.queries = NewQueries(p.loop, c)
}

// configure puts the configuration in force, and the queues unless they are still to be read, and prepares to follow the files of both.
func (p *process) configure() {
	c, tree := p.o.Config, p.o.Queues
	origin := c.QueuesPath(p.o.ConfigFile)
	switch in := c.Queues.Object; {
	case in.Name != "":
		origin = in.Namespace + "/" + in.Name + "/" + in.Key
	case c.Queues.File == "":
		tree, origin = &queues.Loaded{Tree: queues.Default()}, "the built-in default"
	}
	p.settings = NewSettings(c, tree, origin, p.inbox, p.o.Log, p.outbox.Announce)
	if file := p.o.ConfigFile; file != "" {
		p.files = append(p.files, poll(file, func(data []byte, err error) { p.settings.TakeConfig(file, data, err) }))
	}
	if c.Queues.File != "" {
		p.files = append(p.files, poll(origin, p.settings.TakeQueues))
	}
}

// reporter shows the core with what depends on its history, as comments.
type reporter struct{ *core.Core }

// Dump returns the core's report.
func (r reporter) Dump() string { return r.Report() }

// teller joins the two who write what people read, and follows whether they may.
type teller struct {
	*kube.Client
	*kube.Reporter
	groups *rights
}

// GroupStatus writes the status of a PodGroup.
func (t teller) GroupStatus(ctx context.Context, e core.GroupStatus) kube.Answer {
	a := t.Client.GroupStatus(ctx, e)
	t.groups.follow(a.Err)
	return a
}

// run starts the parts, waits for the end and ends in order if it can.
func (p *process) run(ctx context.Context) error {
	log := p.o.Log
	work, fail := context.WithCancelCause(context.WithoutCancel(ctx))
	defer p.parts.Wait()
	defer fail(nil)
	log.Info("starting", "version", p.o.Version, "scheduler", strings.Join(p.o.Config.Schedulers(), ", "), "server", p.client.Host(),
		"web", "http://"+p.web.Address(), "identity", p.identity)

	p.start(fail, func() error { return p.web.Serve(work) })
	p.start(fail, func() error { return p.loop.Run(work) })
	p.start(fail, func() error { p.outbox.Run(work); return nil })
	p.start(fail, func() error { lookAt(work, p.files); return nil })
	if p.rival != nil {
		p.start(fail, func() error { p.rival.run(work); return nil })
	}
	go p.watch.Run(work) // may sit in a backoff of its own when the process ends

	lease, release := context.WithCancel(work)
	defer release()
	candidate := make(chan struct{}) // closed when the election is over
	go func() {
		defer close(candidate)
		if err := p.takePart(ctx, lease); err != nil {
			fail(err)
		}
	}()
	select {
	case <-ctx.Done():
		p.end(work)
	case <-work.Done():
	}
	err := context.Cause(work)
	fail(nil)
	p.parts.Wait() // all writes end before the Lease is given back
	release()
	<-candidate
	return p.verdict(err)
}

// start runs a part; its error ends the process.
func (p *process) start(fail context.CancelCauseFunc, part func() error) {
	p.parts.Go(func() {
		if err := part(); err != nil {
			fail(err)
		}
	})
}

// takePart waits until the cluster and the queues have been read and then takes part in the election until lease ends. Who does not know the queues does not
// stand by either: one that knows them may have to take over.
func (p *process) takePart(ctx, lease context.Context) error {
	for _, ready := range []<-chan struct{}{p.watch.Synced(), p.settings.Read()} {
		select {
		case <-ready:
		case <-ctx.Done():
			return nil
		case <-lease.Done():
			return nil
		}
	}
	p.o.Log.Info("the cluster has been read")
	if p.election == nil {
		p.lead()
		return nil
	}
	return p.election.Run(lease)
}

// lead makes the core decide, unless the process is about to end, and then tells what became of the queues while nobody led.
func (p *process) lead() {
	if p.decide() {
		p.settings.lead(p.lease())
	}
}

// decide makes the core decide and reports whether it did.
func (p *process) decide() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.isEnding() {
		return false
	}
	p.o.Log.Info("leading: deciding from now on", "identity", p.identity)
	p.metrics.leading(true)
	p.inbox.Put(core.Lead{On: true})
	return true
}

// lease is the Lease by which this process leads; without election there is none.
func (p *process) lease() core.PodRef {
	if p.election == nil {
		return core.PodRef{}
	}
	return p.election.Lease()
}

func (p *process) isEnding() bool {
	select {
	case <-p.ending:
		return true
	default:
		return false
	}
}

// end stops deciding and writes what is owed, as far as the time allows.
func (p *process) end(work context.Context) {
	p.o.Log.Info("ending: no more decisions, writing what is owed", "within", drainFor)
	p.mu.Lock()
	close(p.ending)
	p.inbox.Put(core.Lead{On: false})
	p.mu.Unlock()
	limit, cancel := context.WithTimeout(work, drainFor)
	defer cancel()
	err := p.loop.Sync(limit)
	if err == nil {
		err = p.outbox.Drain(limit)
	}
	if err != nil && work.Err() == nil {
		p.o.Log.Warn("not all that was owed could be written; the next leader sees what is missing", "error", err)
	}
	p.metrics.leading(false)
}

// verdict turns the cause of the end into what the user is told.
func (p *process) verdict(err error) error {
	var crash *Panic
	if !errors.As(err, &crash) {
		if err == nil {
			p.o.Log.Info("ended")
		}
		return err
	}
	p.o.Log.Error("the core panicked", "object", describe(crash.Subject), "why", crash.Value, "stack", string(crash.Stack))
	again, failed := p.quarantine.Record(crash)
	switch {
	case failed != nil:
		return fmt.Errorf("%w; it could not be noted for the next start: %w", err, failed)
	case again:
		return fmt.Errorf("%w; it was in quarantine already, so the next start will most likely end the same way: "+
			"delete the object or report this with %s", err, p.quarantine.Path())
	case crash.Subject.Kind == "":
		return fmt.Errorf("%w; noted in %s, but there is nothing to set aside at the next start", err, p.quarantine.Path())
	}
	return fmt.Errorf("%w; the next start sets it aside, see %s", err, p.quarantine.Path())
}

// pages are what the web server shows.
func (p *process) pages() web.Parts {
	live := []web.Check{{Name: "loop", Run: func(context.Context) error { return p.loop.Check() }}}
	if p.election != nil {
		live = append(live, web.Check{Name: "leader-election", Run: func(context.Context) error { return p.election.Check() }})
	}
	ready := append(live[:len(live):len(live)],
		web.Check{Name: "cluster-read", Run: func(context.Context) error { return p.watch.Check() }, Note: p.watch.Note},
		web.Check{Name: "queues-read", Run: func(context.Context) error { return p.settings.Check() }},
		web.Check{Name: "not-ending", Run: func(context.Context) error {
			if p.isEnding() {
				return errors.New("this process is about to end")
			}
			return nil
		}})
	ready = append(ready, web.Check{Name: "volumes-writable", Run: func(context.Context) error { return nil }, Note: p.volumes.note},
		web.Check{Name: "groups-writable", Run: func(context.Context) error { return nil }, Note: p.groups.note})
	if p.rival != nil {
		ready = append(ready, web.Check{Name: "no-rival", Run: func(context.Context) error { return nil }, Note: p.rival.note})
	}
	return web.Parts{
		Live: live, Ready: ready, Dump: p.loop.Dump, Queues: p.queries.Queues, Pod: p.queries.Pod, Groups: p.queries.Groups, Group: p.queries.Group,
		Metrics: p.metrics.Gatherer(), Log: p.o.Log,
	}
}

// identity names this process among all.
func identity() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown-host"
	}
	return host + "_" + rand.Text()[:8]
}
