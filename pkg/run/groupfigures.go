package run

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// collectGroups sends the figures of groups.
func collectGroups(out chan<- prometheus.Metric, s *core.Stats) {
	send := func(name string, kind prometheus.ValueType, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(desc(name), kind, value, labels...)
	}
	for _, standing := range core.GroupStandings() {
		send(nameGroups, prometheus.GaugeValue, float64(s.Groups[standing]), string(standing))
	}
	send(nameExpected, prometheus.GaugeValue, float64(s.Expected))
	send(nameRooms, prometheus.GaugeValue, float64(s.RoomsKept))
	for name, n := range map[string]uint64{
		nameGroupsBegun: s.Gangs, nameRoomsKept: s.Kept, nameRoomsTaken: s.Arrived, nameRoomsLapsed: s.Lapsed, nameGroupsDrained: s.Drains, nameHeadStarts: s.HeadStarts,
	} {
		send(name, prometheus.CounterValue, float64(n))
	}
	out <- prometheus.MustNewConstHistogram(desc(nameBeganAfter), s.BeganAfter.Count, s.BeganAfter.Sum.Seconds(), upTo(&s.BeganAfter))
}

// upTo counts the durations up to each bound, as Prometheus does.
func upTo(d *core.Durations) map[float64]uint64 {
	buckets := map[float64]uint64{}
	sum := uint64(0)
	for i, bound := range core.BeganBounds() {
		sum += d.Within[i]
		buckets[bound.Seconds()] = sum
	}
	return buckets
}
