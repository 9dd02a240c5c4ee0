package e2e

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"sigs.k8s.io/yaml"
)

//go:embed cases/*/*.yaml
var files embed.FS

// Mode says when the pods are created.
type Mode string

const (
	// Before: all pods wait when the scheduler is started.
	Before Mode = "before"
	// While: the scheduler runs and has read the cluster when the first pod is created.
	While Mode = "while"
	// Quiet: one pod after the other, each created when the last has been bound.
	Quiet Mode = "quiet"
)

// Case is a workload with the modes it is run in and the bounds of what Sluice must reach.
type Case struct {
	Name string `json:"name"`
	// Modes it is run in.
	Modes []Mode `json:"modes"`
	// OnRequest says that it runs only if it is named.
	OnRequest bool     `json:"onRequest,omitempty"`
	Workload  Workload `json:"workload"`
	Bounds    Bounds   `json:"bounds"`
}

// Bounds are what the medians of a case must reach, in every mode it is run in. Zero is no bound.
type Bounds struct {
	// OverKubeScheduler and OverCeiling are the least ratios of Sluice's pods per second, within a round.
	OverKubeScheduler float64 `json:"overKubeScheduler,omitempty"`
	OverCeiling       float64 `json:"overCeiling,omitempty"`
	// CPUToLastBind and CPUToLastEvent are the most CPU seconds per 10,000 pods, from the start of the process.
	CPUToLastBind  float64 `json:"cpuToLastBind,omitempty"`
	CPUToLastEvent float64 `json:"cpuToLastEvent,omitempty"`
	// PeakMiB is the most resident memory.
	PeakMiB float64 `json:"peakMiB,omitempty"`
	// MillisOverCeilingP50 and MillisOverCeilingP99 are the most milliseconds from created to bound above those of the ceiling.
	MillisOverCeilingP50 float64 `json:"millisOverCeilingP50,omitempty"`
	MillisOverCeilingP99 float64 `json:"millisOverCeilingP99,omitempty"`
	// From says where the bounds come from.
	From string `json:"from"`
	// Runs are the runs that they were held against, as files of benchmarks/results without their ending. None: there is no run of the case yet.
	Runs []string `json:"runs,omitempty"`
}

// Cases are all cases, sorted by name.
func Cases() ([]Case, error) {
	folders, err := fs.ReadDir(files, "cases")
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, f := range folders {
		c := Case{Name: f.Name()}
		if err := read(path.Join("cases", c.Name, "workload.yaml"), &c); err != nil {
			return nil, err
		}
		if err := read(path.Join("cases", c.Name, "bounds.yaml"), &c.Bounds); err != nil {
			return nil, err
		}
		if err := c.Workload.validate(); err != nil {
			return nil, fmt.Errorf("case %s: %w", c.Name, err)
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func read(file string, into any) error {
	data, err := files.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return nil
}

// Choose picks the cases of these names, or, without a name, all that are not on request; and of their modes those named, or all.
func Choose(cases []Case, names []string, modes []Mode) ([]Case, error) {
	for _, name := range names {
		if !slices.ContainsFunc(cases, func(c Case) bool { return c.Name == name }) {
			return nil, fmt.Errorf("there is no case %q", name)
		}
	}
	var chosen []Case
	for _, c := range cases {
		if len(names) == 0 && c.OnRequest || len(names) > 0 && !slices.Contains(names, c.Name) {
			continue
		}
		if len(modes) > 0 {
			c.Modes = slices.DeleteFunc(slices.Clone(c.Modes), func(m Mode) bool { return !slices.Contains(modes, m) })
		}
		chosen = append(chosen, c)
	}
	return chosen, nil
}
