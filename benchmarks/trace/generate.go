package trace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// The figures below were fitted by hand to the public trace (its quartiles and shares); they are not its rows.

// nodeKind is a kind of machine and its share of all.
type nodeKind struct {
	share               float64
	cores, memory, gpus int64
	model               string
}

var nodeKinds = []nodeKind{
	{0.36, 96, 384, 8, "L1"},
	{0.26, 104, 512, 2, "S1"},
	{0.09, 16, 120, 2, "S2"},
	{0.03, 128, 768, 8, "L2"},
	{0.04, 32, 128, 4, "M1"},
	{0.02, 96, 768, 8, "M2"},
	{0.10, 32, 256, 0, ""},
	{0.10, 96, 448, 0, ""},
}

// specShares says how tasks that insist on a model choose it.
var specShares = []struct {
	share  float64
	models string
}{{0.54, "S1"}, {0.14, "L1"}, {0.12, "S2"}, {0.10, "M1|M2"}, {0.10, "M1|M2|S2"}}

// Mix says which tasks Generate makes.
type Mix struct {
	// Spec is the share of the tasks that insist on a GPU model, Multi of those that want 2, 4 or 8 GPUs.
	Spec  float64 `json:"spec"`
	Multi float64 `json:"multi"`
}

// Generate makes a trace of that many machines and tasks by distributions fitted to the public one: kinds of machines by their shares;
// about a hundred demands of which a few make up most tasks; cpu per GPU log-normal about 9 cores; life log-normal with median 540 s and 90 % below 6,600 s;
// tasks that come in a Poisson stream for thirty days.
func Generate(machines, tasks int, mix Mix, seed uint64) *Trace {
	rng := rand.New(rand.NewPCG(seed, 2))
	t := &Trace{Timed: true}
	for _, k := range nodeKinds {
		for range int(math.Ceil(k.share * float64(machines))) {
			t.Machines = append(t.Machines, Machine{
				Name: fmt.Sprintf("node-%05d", len(t.Machines)), MilliCPU: k.cores * 1000, MemoryMiB: k.memory << 10, GPUs: k.gpus, Model: k.model,
			})
		}
	}
	demands := make([]Demand, 100)
	for i := range demands {
		demands[i] = someDemand(rng)
	}
	var now time.Duration
	mean := 30 * 24 * time.Hour / time.Duration(max(1, tasks))
	for i := range tasks {
		now += time.Duration(rng.ExpFloat64() * float64(mean)).Round(time.Second)
		life := time.Duration(math.Exp(math.Log(540)+1.95*rng.NormFloat64())) * time.Second
		t.Tasks = append(t.Tasks, Task{Name: fmt.Sprintf("pod-%06d", i), Demand: someOf(demands, mix, rng), Created: now, Life: life})
	}
	return t
}

// someDemand draws a demand for one GPU, or for none in one case of eight.
func someDemand(rng *rand.Rand) Demand {
	cores := min(24, max(1, math.Exp(math.Log(9)+0.65*rng.NormFloat64())))
	memory := cores * math.Exp(math.Log(3.6)+0.3*rng.NormFloat64())
	d := Demand{MilliCPU: int64(cores*5) * 200, MemoryMiB: int64(memory) << 10, GPUs: 1}
	if rng.IntN(8) == 0 {
		d.MilliCPU, d.MemoryMiB, d.GPUs = d.MilliCPU*2, d.MemoryMiB*2, 0
	}
	return d
}

// someOf draws one of the demands, the first ones most often, as the mix has it.
func someOf(demands []Demand, mix Mix, rng *rand.Rand) Demand {
	u := rng.Float64()
	d := demands[int(u*u*u*float64(len(demands)))]
	if d.GPUs == 0 {
		return d
	}
	if rng.Float64() < mix.Multi {
		d.GPUs = []int64{2, 4, 8, 8, 8}[rng.IntN(5)]
		d.MilliCPU, d.MemoryMiB = 8000*d.GPUs, 32<<10*d.GPUs
	} else if rng.Float64() < mix.Spec {
		x := rng.Float64()
		for _, s := range specShares {
			if d.Models = s.models; x < s.share {
				break
			}
			x -= s.share
		}
	}
	return d
}
