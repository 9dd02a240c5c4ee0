package jobmanager

import (
	"slices"
	"testing"
	"time"
)

// FuzzDecide plays any history of a cluster: pods bind, run, fail and vanish, the JobManager and the simulator
// restart, demand changes, time passes until the clocks run out, in every mode. Whatever happens, no name is asked for twice, no more TaskManagers are
// asked for than are wanted, and once things calm down exactly the wanted ones run, or a batch job is done and none do.
func FuzzDecide(f *testing.F) {
	f.Add([]byte{4, 0, 10, 20, 30, 40, 50, 60, 70, 80, 90})
	f.Add([]byte{8, 9, 9, 1, 1, 2, 12, 3, 22, 5, 0, 9, 6, 9, 7, 3, 3, 33, 13})
	f.Add([]byte{3, 9, 1, 5, 6, 9, 5, 7, 9, 8, 9})
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) == 0 || len(script) > 300 {
			return
		}
		w := newWorld(t, int(script[0]%12))
		w.rules.Mode = []Mode{Streaming, Adaptive, Batch, Session, Streaming}[script[0]/12%5]
		w.rules.Work = Work{Stages: 2, Tasks: 4, Slots: 1, TaskTime: 7 * time.Second}
		for _, b := range script[1:] {
			w.play(b)
			w.checked()
		}
		w.calm()
	})
}

// play performs one event; the tens of b choose a pod, the units what happens.
func (w *world) play(b byte) {
	names := w.names()
	var pod *Pod
	if len(names) > 0 {
		pod = w.pods[names[int(b/10)%len(names)]]
	}
	switch b % 10 {
	case 1:
		if pod != nil {
			pod.Scheduled = true
		}
	case 2:
		if pod != nil {
			pod.Scheduled, pod.Running = true, true
		}
	case 3:
		if pod != nil {
			pod.Terminated = true
		}
	case 4:
		if pod != nil {
			delete(w.pods, pod.Name)
		}
	case 5:
		w.leader = Leader{}
	case 6:
		w.leader = Leader{Pod: "jm", Restarts: int32(b / 10)}
	case 7:
		w.boot()
	case 8:
		w.wanted = int(b / 10 % 12)
	case 9:
		w.after(time.Duration(b) * time.Duration(b) * 10 * time.Millisecond)
	}
}

// checked steps and checks what must always hold.
func (w *world) checked() {
	w.t.Helper()
	d := w.step()
	for _, name := range d.LookUp {
		if w.pods[name] != nil {
			w.state.Found(name, w.now)
		} else {
			w.state.Failed(name, w.now)
		}
	}
	if len(d.Create) > w.wanted {
		w.t.Fatalf("asks for %d TaskManagers where %d are wanted", len(d.Create), w.wanted)
	}
	if w.leader == (Leader{}) && len(d.Create) > 0 {
		w.t.Fatal("asks for TaskManagers without a JobManager")
	}
	if made := slices.Sorted(slices.Values(w.made)); len(slices.Compact(made)) != len(w.made) && !w.booted {
		w.t.Fatalf("a name was asked for twice: %v", w.made)
	}
}

// calm lets the cluster come to rest: a JobManager leads, time passes, every pod gets a node and runs.
func (w *world) calm() {
	w.t.Helper()
	w.leader = Leader{Pod: "jm-last"}
	for range 60 {
		w.after(5 * time.Second)
		w.checked()
		for _, p := range w.pods {
			if !p.Terminated {
				p.Scheduled, p.Running = true, true
			}
		}
	}
	want, phase := w.wanted, Running
	if w.state.over() {
		want, phase = 0, Finished
	}
	if len(w.pods) != want || w.state.Phase() != phase {
		w.t.Fatalf("%d TaskManagers exist and %d are wanted at rest; phase %s", len(w.pods), want, w.state.Phase())
	}
}
