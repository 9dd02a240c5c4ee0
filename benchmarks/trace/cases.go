package trace

import (
	"embed"
	"fmt"
	"io/fs"
	"path"

	"sigs.k8s.io/yaml"
)

//go:embed cases/*/*.yaml
var files embed.FS

// Case is a workload and the bounds of what Sluice must reach.
type Case struct {
	Name     string
	Workload Workload
	Bounds   Bounds
}

// The kinds of workload.
const (
	KindFill   = "fill"
	KindReplay = "replay"
)

// Workload says what is run.
type Workload struct {
	// Kind is fill or replay.
	Kind string `json:"kind"`
	// Nodes and Pods are files of the trace's directory.
	Nodes string `json:"nodes"`
	Pods  string `json:"pods"`
	// Generated is used instead of the files where there is no trace.
	Generated struct {
		Machines int `json:"machines"`
		Tasks    int `json:"tasks"`
		Mix
	} `json:"generated"`
	// Seeds 1 to Seeds are run: of the draw in a fill, of the jitter in a replay, and of upstream's ties.
	Seeds int `json:"seeds"`
	// Requested ends a fill once so many times the GPUs of the cluster have been asked for.
	Requested float64 `json:"requested,omitempty"`
	// Keep is the share of the machines of each kind that a replay keeps; Faster is by how much tasks come faster than in the trace.
	Keep   float64 `json:"keep,omitempty"`
	Faster float64 `json:"faster,omitempty"`
	// JitterSeconds is the most by which a seed of a replay shifts each task's coming, before it is made faster.
	JitterSeconds int64 `json:"jitterSeconds,omitempty"`
}

// Bounds are what Sluice's default order must reach against the best upstream scoring; they hold for the real trace and all seeds.
type Bounds struct {
	// MoreAllocated and FewerStranded: the whole 95 % interval of the paired difference in GPUs must be above.
	MoreAllocated *float64 `json:"moreAllocated,omitempty"`
	FewerStranded *float64 `json:"fewerStranded,omitempty"`
	// WaitRatio is the most that the mean wait may be, as a multiple of upstream's.
	WaitRatio *float64 `json:"waitRatio,omitempty"`
	// From names the runs that the bounds came from.
	From string `json:"from"`
}

// Cases returns all cases, by name.
func Cases() ([]Case, error) {
	folders, err := fs.ReadDir(files, "cases")
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, f := range folders {
		c := Case{Name: f.Name()}
		if err := read(c.Name, "workload.yaml", &c.Workload); err != nil {
			return nil, err
		}
		if err := read(c.Name, "bounds.yaml", &c.Bounds); err != nil {
			return nil, err
		}
		cases = append(cases, c)
	}
	return cases, nil
}

func read(name, file string, into any) error {
	data, err := files.ReadFile(path.Join("cases", name, file))
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalStrict(data, into); err != nil {
		return fmt.Errorf("case %s: %s: %w", name, file, err)
	}
	return nil
}

// Trace loads the workload's trace from the directory; without one it is generated.
func (w *Workload) Trace(dir string) (t *Trace, err error) {
	if dir == "" {
		t = Generate(w.Generated.Machines, w.Generated.Tasks, w.Generated.Mix, 1)
	} else if t, err = Load(dir, w.Nodes, w.Pods); err != nil {
		return nil, err
	}
	if w.Kind == KindReplay {
		if !t.Timed {
			return nil, fmt.Errorf("%s has no times, so that it cannot be replayed", w.Pods)
		}
		t = t.Shrink(w.Keep)
	}
	return t, nil
}
