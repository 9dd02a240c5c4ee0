package trace

import "fmt"

// Ledger keeps what every machine has free, apart from either scheduler's own accounts, and refuses what does not fit.
type Ledger struct {
	machines []Machine
	free     []Demand
	at       map[string]int
}

// NewLedger returns the accounts of an empty cluster.
func NewLedger(machines []Machine) *Ledger {
	l := &Ledger{machines: machines, free: make([]Demand, len(machines)), at: map[string]int{}}
	for i, m := range machines {
		l.free[i] = Demand{MilliCPU: m.MilliCPU, MemoryMiB: m.MemoryMiB, GPUs: m.GPUs}
		l.at[m.Name] = i
	}
	return l
}

// Fits reports whether the demand fits into what is free on a machine.
func (l *Ledger) Fits(d Demand, machine int) bool {
	f := &l.free[machine]
	return d.GPUs <= f.GPUs && d.MilliCPU <= f.MilliCPU && d.MemoryMiB <= f.MemoryMiB && d.Allows(&l.machines[machine])
}

// Put takes what is demanded from the machine of that name.
func (l *Ledger) Put(d Demand, name string) error {
	i, ok := l.at[name]
	if !ok {
		return fmt.Errorf("there is no node %q", name)
	}
	if !l.Fits(d, i) {
		return fmt.Errorf("%+v was placed on node %s, which has only %+v free", d, name, l.free[i])
	}
	l.move(d, i, 1)
	return nil
}

// Take gives back what Put took.
func (l *Ledger) Take(d Demand, name string) { l.move(d, l.at[name], -1) }

func (l *Ledger) move(d Demand, i int, sign int64) {
	f := &l.free[i]
	f.GPUs -= sign * d.GPUs
	f.MilliCPU -= sign * d.MilliCPU
	f.MemoryMiB -= sign * d.MemoryMiB
}

// Idle is the free GPUs of a group of machines, and what they lack.
type Idle struct {
	// Free GPUs; of these Stranded are on machines where no demand for GPUs fits any more.
	Free, Stranded int64
	// NoCPU and NoMemory are the stranded ones on machines where more cpu alone, or more memory alone, would let some demand in.
	NoCPU, NoMemory int64
}

// Idle returns the free GPUs by model; the empty model is the sum.
func (l *Ledger) Idle(demands []Demand) map[string]Idle {
	sums := map[string]Idle{}
	for i, m := range l.machines {
		if l.free[i].GPUs == 0 {
			continue
		}
		idle := l.idle(i, demands)
		for _, key := range []string{"", m.Model} {
			s := sums[key]
			s.Free += idle.Free
			s.Stranded += idle.Stranded
			s.NoCPU += idle.NoCPU
			s.NoMemory += idle.NoMemory
			sums[key] = s
		}
	}
	return sums
}

func (l *Ledger) idle(i int, demands []Demand) Idle {
	f := l.free[i]
	idle := Idle{Free: f.GPUs, Stranded: f.GPUs}
	for _, d := range demands {
		if d.GPUs == 0 || d.GPUs > f.GPUs || !d.Allows(&l.machines[i]) {
			continue
		}
		cpu, memory := d.MilliCPU <= f.MilliCPU, d.MemoryMiB <= f.MemoryMiB
		switch {
		case cpu && memory:
			return Idle{Free: f.GPUs}
		case memory:
			idle.NoCPU = f.GPUs
		case cpu:
			idle.NoMemory = f.GPUs
		}
	}
	return idle
}
