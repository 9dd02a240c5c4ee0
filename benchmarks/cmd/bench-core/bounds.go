package main

import (
	"fmt"
	"io"
	"strings"

	"sigs.k8s.io/yaml"

	bench "github.com/sluice-scheduler/sluice/benchmarks/core"
)

// bounds are what must be reached; see benchmarks/core/bounds.yaml.
type bounds struct {
	From               string   `json:"from"`
	Runs               []string `json:"runs"`
	DecisionsPerSecond float64  `json:"decisionsPerSecond"`
	GrowthWithNodes    float64  `json:"growthWithNodes"`
	GrowthWithFill     float64  `json:"growthWithFill"`
	GrowthWithQueues   float64  `json:"growthWithQueues"`
	ReloadMillis       float64  `json:"reloadMillis"`
	GangMillis         float64  `json:"gangMillis"`
	// DecisionsPerSecondWith is by the terms that pods have.
	DecisionsPerSecondWith map[string]float64 `json:"decisionsPerSecondWith"`
	// VolumeDecisionsPerSecond is for pods with volumes.
	VolumeDecisionsPerSecond float64 `json:"volumeDecisionsPerSecond"`
}

// judge prints every bound that was measured and returns how many were missed.
func judge(to io.Writer, rows []row, queues *queueFigures, gangs []gangFigure) (missed int, err error) {
	var b bounds
	if err := yaml.UnmarshalStrict(bench.Bounds, &b); err != nil {
		return 0, fmt.Errorf("read the bounds: %w", err)
	}
	check := func(what string, got float64, held bool, bound string) {
		word := "held"
		if !held {
			word = "MISSED"
			missed++
		}
		fmt.Fprintf(to, "%-70s %10.2f, bound %s: %s\n", what, got, bound, word)
	}
	fmt.Fprintln(to)
	for _, r := range rows {
		plain, queued := strings.Contains(r.Case, "mix=plain"), strings.Contains(r.Case, "queues=")
		if strings.Contains(r.Case, "volumes=") {
			check(r.Case+" decisions/s", r.DecisionsPerSec, r.DecisionsPerSec >= b.VolumeDecisionsPerSecond, fmt.Sprintf("≥ %.0f", b.VolumeDecisionsPerSecond))
			continue
		}
		if plain && !queued && strings.Contains(r.Case, "nodes=5000/") {
			check(r.Case+" decisions/s", r.DecisionsPerSec, r.DecisionsPerSec >= b.DecisionsPerSecond, fmt.Sprintf("≥ %.0f", b.DecisionsPerSecond))
		}
		for terms, least := range b.DecisionsPerSecondWith {
			if strings.Contains(r.Case, "mix="+terms+"/") {
				check(r.Case+" decisions/s", r.DecisionsPerSec, r.DecisionsPerSec >= least, fmt.Sprintf("≥ %.0f", least))
			}
		}
		most := func(what, from, to string, bound float64) {
			if base := find(rows, strings.Replace(r.Case, from, to, 1)); plain && strings.Contains(r.Case, from) && base != nil {
				g := r.NanosPerDecision / base.NanosPerDecision
				check(r.Case+" "+what, g, g <= bound, fmt.Sprintf("≤ %.1f", bound))
			}
		}
		most("× 5,000 nodes", "nodes=50000/", "nodes=5000/", b.GrowthWithNodes)
		most("× empty", "fill=0.95", "fill=0.00", b.GrowthWithFill)
		most("× one queue", "queues=10000", "queues=1", b.GrowthWithQueues)
	}
	for _, g := range gangs {
		check("gang that "+g.Gang+", ms", g.Millis, g.Millis <= b.GangMillis, fmt.Sprintf("≤ %.0f", b.GangMillis))
	}
	if queues != nil {
		check("longest step of a reload, ms", queues.ReloadLongestStepMillis, queues.ReloadLongestStepMillis <= b.ReloadMillis, fmt.Sprintf("≤ %.0f", b.ReloadMillis))
	}
	return missed, nil
}

func find(rows []row, name string) *row {
	for i := range rows {
		if rows[i].Case == name {
			return &rows[i]
		}
	}
	return nil
}
