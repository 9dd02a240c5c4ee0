package run

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// surveyWithin is how long a scrape waits for the queues. The other figures must not be late for them: they may say why the loop has no time.
const surveyWithin = 2 * time.Second

// collectQueues sends the figures of the queues that are configured; when the loop does not answer in time, none. Those that placement rules make, and those
// that drain, come and go with applications, and would leave series without end.
func collectQueues(out chan<- prometheus.Metric, survey func(context.Context) (*core.QueueSurvey, error)) {
	ctx, cancel := context.WithTimeout(context.Background(), surveyWithin)
	defer cancel()
	if s, err := survey(ctx); err == nil {
		collectQueue(out, &s.Root)
	}
}

func collectQueue(out chan<- prometheus.Metric, q *core.QueueStatus) {
	if q.Dynamic || q.Draining {
		return
	}
	send := func(name string, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc(name), prometheus.GaugeValue, value, labels...)
	}
	send(nameQueuePending, float64(q.PendingPods), q.Name)
	send(nameQueueApps, float64(q.Apps), q.Name)
	for _, r := range q.Resources {
		send(nameQueueUsed, inUnits(r.Name, r.Used), q.Name, r.Name)
		if r.Guaranteed != nil {
			send(nameQueueGuaranteed, inUnits(r.Name, *r.Guaranteed), q.Name, r.Name)
		}
		if r.Max != nil {
			send(nameQueueMax, inUnits(r.Name, *r.Max), q.Name, r.Name)
		}
	}
	for i := range q.Children {
		collectQueue(out, &q.Children[i])
	}
}

// inUnits gives an amount in the unit that people know: cpu in cores.
func inUnits(name string, value int64) float64 {
	if name == resource.CPU {
		return float64(value) / 1000
	}
	return float64(value)
}
