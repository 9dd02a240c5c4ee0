// Package rules reads from a Flink cluster's configuration and from annotations how its JobManager and its job behave.
package rules

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
)

// Annotations on a FlinkDeployment that tell the simulator what a jar would: how much work there is. Without them a job never ends.
const (
	// RunFor is how long a streaming job runs in all until it has finished, such as "90s".
	RunFor = "flink-simulator.sluice.dev/run-for"
	// Stages is how many stages a batch job has, each with as many tasks as the job's parallelism; TaskTime is how long each of them takes (default 10s).
	Stages   = "flink-simulator.sluice.dev/stages"
	TaskTime = "flink-simulator.sluice.dev/task-time"
	// MinTaskManagers is how many TaskManagers an adaptive or reactive job needs to run (default 1): the lower bound that Flink is told by its REST interface.
	MinTaskManagers = "flink-simulator.sluice.dev/min-task-managers"
)

// Of reads them: Flink's defaults as far as the configuration, and the FlinkDeployment's annotations, do not change them. What cannot be read is told and the default
// taken, for nothing in Kubernetes depends on it.
func Of(c *spec.Cluster, annotations map[string]string) (jobmanager.Rules, error) {
	r := reader{config: c.Config, annotations: annotations}
	rules := jobmanager.DefaultRules()
	rules.Mode, rules.Made = Mode(c), c.Mode == spec.Standalone
	if rules.Mode == jobmanager.Reactive {
		rules.Stabilization, rules.ScaleInterval = 0, 0
	}
	r.clocks(&rules)
	rules.Restart = r.restart(rules.Mode)
	rules.Min = r.count(1, MinTaskManagers)
	rules.Work = jobmanager.Work{
		RunFor: r.time(0, RunFor), Stages: r.count(0, Stages), TaskTime: r.time(10*time.Second, TaskTime),
		Tasks: int(c.Parallelism), Slots: int(c.Slots),
	}
	return rules, r.err
}

// Mode is how the job deals with having fewer TaskManagers than it would like. A job that says so in its code only is taken for a streaming job, as Sluice
// takes it.
func Mode(c *spec.Cluster) jobmanager.Mode {
	switch {
	case c.Session:
		return jobmanager.Session
	case c.Batch():
		return jobmanager.Batch
	case c.Reactive():
		return jobmanager.Reactive
	case c.Adaptive():
		return jobmanager.Adaptive
	}
	return jobmanager.Streaming
}

// reader reads configuration and annotations and keeps the faults.
type reader struct {
	config      spec.Config
	annotations map[string]string
	err         error
}

// duration reads the first of the keys that is set: the present one first.
func (r *reader) duration(into *time.Duration, keys ...string) {
	for _, key := range keys {
		if _, set := r.config[key]; set {
			d, err := r.config.Duration(*into, key)
			r.err = errors.Join(r.err, err)
			if err == nil {
				*into = d
			}
			return
		}
	}
}

func (r *reader) clocks(rules *jobmanager.Rules) {
	r.duration(&rules.SlotTimeout, "slot.request.timeout")
	r.duration(&rules.RegistrationTimeout, "resourcemanager.taskmanager-registration.timeout", "taskmanager.registration.timeout")
	r.duration(&rules.Orphaned, "taskmanager.registration.timeout")
	r.duration(&rules.RetryPause, "resourcemanager.start-worker.retry-interval")
	r.duration(&rules.IdleTimeout, "resourcemanager.taskmanager-timeout")
	r.duration(&rules.Stabilization, "jobmanager.adaptive-scheduler.submission.resource-stabilization-timeout",
		"jobmanager.adaptive-scheduler.resource-stabilization-timeout")
	r.duration(&rules.ScaleInterval, "jobmanager.adaptive-scheduler.executing.cooldown-after-rescaling",
		"jobmanager.adaptive-scheduler.scaling-interval.min")
	failures, err := r.config.Float(float64(rules.MaxFailures), "resourcemanager.start-worker.max-failure-rate")
	r.err = errors.Join(r.err, err)
	rules.MaxFailures = int(min(failures, 1e6))
}

// restart is the job's restart strategy. Without one a job without checkpoints does not restart; a session is there for its next job in any case.
func (r *reader) restart(mode jobmanager.Mode) jobmanager.Restart {
	exponential := jobmanager.DefaultRules().Restart
	kind, set := r.config.Get("restart-strategy.type", "restart-strategy")
	switch kind = strings.ToLower(kind); {
	case mode == jobmanager.Session:
		return exponential
	case kind == "none" || kind == "off" || kind == "disable" || !set && r.config["execution.checkpointing.interval"] == "":
		return jobmanager.Restart{Never: true}
	case kind == "fixed-delay" || kind == "fixeddelay":
		fixed := jobmanager.Restart{Delay: time.Second}
		attempts, err := r.config.Int(1, "restart-strategy.fixed-delay.attempts")
		r.err = errors.Join(r.err, err)
		fixed.Attempts = int(min(max(attempts, 1), 1<<31-1))
		r.duration(&fixed.Delay, "restart-strategy.fixed-delay.delay")
		return fixed
	case kind == "failure-rate" || kind == "failurerate": // its rate is not looked at
		fixed := jobmanager.Restart{Delay: time.Second}
		r.duration(&fixed.Delay, "restart-strategy.failure-rate.delay")
		return fixed
	}
	r.duration(&exponential.Delay, "restart-strategy.exponential-delay.initial-backoff")
	r.duration(&exponential.MaxDelay, "restart-strategy.exponential-delay.max-backoff")
	r.duration(&exponential.ResetAfter, "restart-strategy.exponential-delay.reset-backoff-threshold")
	factor, err := r.config.Float(exponential.Factor, "restart-strategy.exponential-delay.backoff-multiplier")
	r.err = errors.Join(r.err, err)
	exponential.Factor = factor
	return exponential
}

// count reads an annotation that is a whole number.
func (r *reader) count(unset int, key string) int {
	text, set := r.annotations[key]
	if !set {
		return unset
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > spec.MaxParallelism {
		r.err = errors.Join(r.err, fmt.Errorf("annotation %s: %q is not a number from 0 to %d", key, text, spec.MaxParallelism))
		return unset
	}
	return n
}

// time reads an annotation that is a duration.
func (r *reader) time(unset time.Duration, key string) time.Duration {
	text, set := r.annotations[key]
	if !set {
		return unset
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		r.err = errors.Join(r.err, fmt.Errorf("annotation %s: %q is not a duration such as 90s", key, text))
		return unset
	}
	return d
}
