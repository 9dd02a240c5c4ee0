package flink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sluice-scheduler/sluice/benchmarks/stand"
)

// The figures of contention.
const (
	figureWasted   = "wasted TaskManager-seconds per job"
	figureTimeouts = "slot timeouts"
	figurePartial  = "jobs bound in part for over a second"
	figureRunning  = "jobs running / best packing"
	figureVain     = "JobManagers in vain at the end"
	figureRefused  = "pods refused by kubelets"
)

const (
	contendNodeCPU   = 16
	contendMasterCPU = 1
	contendWorkerCPU = 2
	// calm is how long nothing may change, beyond the time for which a job waits for its slots, before more is not expected.
	calm = 3 * time.Second
)

// contention is a case: so many jobs, room for half of them.
type contention struct{ jobs int }

func (c contention) name() string { return fmt.Sprintf("contend-%d", c.jobs) }

// taskManagers is how many each job has: fewer when there are many jobs.
func (c contention) taskManagers() int {
	switch {
	case c.jobs <= 4:
		return 10
	case c.jobs <= 20:
		return 8
	default:
		return 6
	}
}

// nodesFor is how many nodes so many jobs fill.
func (c contention) nodesFor(jobs int) int {
	cpu := jobs * (contendMasterCPU + c.taskManagers()*contendWorkerCPU)
	return (cpu + contendNodeCPU - 1) / contendNodeCPU
}

// measure submits all jobs at once and looks at them until as many run as can and nobody waits against a clock, or for the horizon. The ceiling gets half of the jobs and more room
// than they need, for it does not look where it binds: what it wastes is what the binding itself takes.
func (c contention) measure(ctx context.Context, who stand.Contender, o Options) (m Measurement, err error) {
	n, nodes := c.jobs, c.nodesFor(c.jobs/2)
	if who.InFlight > 0 {
		n, nodes = n/2, 4*nodes
	}
	jobs := jobsOf(n, c.taskManagers(), c.taskManagers(), o.SlotTimeout, contendMasterCPU, contendWorkerCPU)
	t, err := o.open(ctx, who, nodes, contendNodeCPU)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	sim, stop, err := simulate(ctx, t.Stand)
	if err != nil {
		return m, err
	}
	t.undo = append(t.undo, stop)
	if err := t.start(ctx, ""); err != nil {
		return m, err
	}
	best, quiet := bestPacking(sizes(jobs), nodes, contendNodeCPU), calm
	if who.InFlight == 0 {
		quiet += o.SlotTimeout
	}
	l := expecting(jobs)
	if err := submit(ctx, t.Stand, jobs); err != nil {
		return m, err
	}
	var since time.Time
	_, err = t.follow(ctx, o.Horizon, l.look, func() bool {
		if statesOf(sim, jobs).running < best || l.vain() > 0 {
			since = time.Time{}
		} else if since.IsZero() {
			since = time.Now()
		}
		return !since.IsZero() && time.Since(since) > quiet
	})
	if err != nil {
		return m, err
	}
	got, states := l.close(time.Now()), statesOf(sim, jobs)
	t.figures[figureWasted] = got.wasted / float64(n)
	t.figures[figureTimeouts] = float64(states.slotTimeouts)
	t.figures[figurePartial] = float64(got.partial)
	t.figures[figureVain] = float64(got.vain)
	t.figures[figureRunning] = float64(states.running) / float64(best)
	return m, t.finish(&m)
}

func sizes(jobs []flinkJob) (all []jobSize) {
	for _, j := range jobs {
		all = append(all, j.size)
	}
	return all
}

// expecting is a ledger of these jobs: their minimum is all of their TaskManagers and the JobManager.
func expecting(jobs []flinkJob) *ledger {
	l := newLedger()
	for _, j := range jobs {
		l.expect(j.name, j.size.taskManagers+1)
	}
	return l
}
