package main

import (
	"fmt"
	"io"

	bench "github.com/sluice-scheduler/sluice/benchmarks/core"
)

// gangFigure is how long it takes to decide a gang, in milliseconds: the median over the rounds, of several tries each.
type gangFigure struct {
	Gang   string
	Pods   int
	Nodes  int
	Millis float64
}

const (
	gangPods  = 1000
	gangNodes = 5000
	gangTries = 5
)

func measureGangs(rounds int) (list []gangFigure, err error) {
	for _, c := range bench.GangCases() {
		var times []float64
		for range rounds * gangTries {
			took, err := c.Decide(gangNodes, gangPods)
			if err != nil {
				return nil, err
			}
			times = append(times, millis(took))
		}
		list = append(list, gangFigure{c.Name, gangPods, gangNodes, median(times)})
	}
	return list, nil
}

func showGangs(to io.Writer, list []gangFigure) {
	for _, f := range list {
		fmt.Fprintf(to, "a gang of %d pods on %d nodes that %s is decided within %.1f ms\n", f.Pods, f.Nodes, f.Gang, f.Millis)
	}
}
