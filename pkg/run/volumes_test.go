package run

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

func prepareOf(uid types.UID, node string, serial uint64) core.PrepareVolumes {
	return core.PrepareVolumes{Pod: podRef(uid), Node: node, Serial: serial, Provisions: []cluster.ClaimRef{{Namespace: "default", Name: "c"}}}
}

// However often the answer is lost, or the objects have changed meanwhile, the preparation is made again, until it is done or refused for good.
func TestPreparationsAreMadeAgain(t *testing.T) {
	for name, c := range map[string]struct {
		fates []fate
		want  core.VolumesDone
		most  time.Duration
	}{
		"done":           {nil, core.VolumesDone{Stored: true, Versions: []string{"5"}}, time.Second},
		"answers lost":   {[]fate{{lose: true}, {lose: true}, failed(kube.Unknown, 0)}, core.VolumesDone{Stored: true, Versions: []string{"5"}}, 3 * time.Second},
		"changed":        {[]fate{failed(kube.Conflict, 0), failed(kube.Conflict, 0)}, core.VolumesDone{Stored: true, Versions: []string{"5"}}, 2 * time.Second},
		"busy":           {[]fate{failed(kube.Busy, 7*time.Second)}, core.VolumesDone{Stored: true, Versions: []string{"5"}}, 8 * time.Second},
		"refused":        {[]fate{failed(kube.Refused, 0)}, core.VolumesDone{Message: "scripted refused"}, time.Second},
		"gone":           {[]fate{failed(kube.Gone, 0)}, core.VolumesDone{Message: "scripted gone"}, time.Second},
		"lost for hours": {make([]fate, 1000), core.VolumesDone{Message: "tried 18 times: scripted unknown"}, prepareFor + 15*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			within(t, 8, func(t *testing.T, w *world) {
				w.script = func(r request) fate {
					switch {
					case len(c.fates) == 1000:
						return failed(kube.Unknown, 0)
					case r.nth <= len(c.fates):
						return c.fates[r.nth-1]
					}
					return fate{}
				}
				start := time.Now()
				w.Put([]core.Effect{prepareOf("a", "n1", 5)})
				w.settle()
				c.want.UID, c.want.Serial = "a", 5
				require.Equal(t, []core.VolumesDone{c.want}, w.volumes)
				require.LessOrEqual(t, time.Since(start), c.most)
			})
		})
	}
}

// Of one pod one preparation is under way: a newer one follows, and only it is answered.
func TestNewerPreparationReplacesTheOlder(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: time.Second} }
		w.Put([]core.Effect{prepareOf("a", "n1", 1)})
		time.Sleep(100 * time.Millisecond)
		synctest.Wait()
		w.Put([]core.Effect{prepareOf("a", "n2", 2), prepareOf("a", "n3", 3)})
		w.settle()
		require.Equal(t, []string{"n1", "n3"}, w.pods["a"].prepared)
		require.Equal(t, []core.VolumesDone{{UID: "a", Serial: 3, Stored: true, Versions: []string{"3"}}}, w.volumes)
	})
}

// A flood of binds does not keep preparations from being made, and the reverse.
func TestPreparationsAndBindsTakeTurns(t *testing.T) {
	within(t, 1, func(t *testing.T, w *world) {
		effects := bindsOf(50)
		for i := range 50 {
			effects = append(effects, prepareOf(types.UID("v"+string(effects[i].(core.Bind).Pod.UID)), "n", uint64(i)))
		}
		w.Put(effects)
		w.settle()
		seen := map[string]int{}
		for i, r := range w.requests {
			seen[r.kind]++
			if i < 90 {
				require.InDelta(t, seen[kindBind], seen[kindVolumes], 1)
			}
		}
		require.Equal(t, map[string]int{kindBind: 50, kindVolumes: 50}, seen)
	})
}

// A preparation that is recalled while it waits is answered and not made; one that is in flight is answered as it ends. One that is asked for afterwards is made.
func TestRecalledPreparations(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: time.Second} }
		w.Put([]core.Effect{prepareOf("sent", "n1", 1), prepareOf("replaced", "n1", 2)}) // no more are sent at first
		time.Sleep(500 * time.Millisecond)
		w.Put([]core.Effect{prepareOf("queued", "n1", 3), prepareOf("again", "n1", 4), prepareOf("replaced", "n2", 5)})
		for _, uid := range []types.UID{"sent", "replaced", "queued", "again", "unknown"} {
			w.Put([]core.Effect{core.Recall{UID: uid}})
		}
		w.Put([]core.Effect{prepareOf("again", "n3", 6)})
		w.settle()
		require.ElementsMatch(t, []core.VolumesDone{
			{UID: "sent", Serial: 1, Stored: true, Versions: []string{"1"}},
			{UID: "queued", Serial: 3, Message: recalled},
			{UID: "again", Serial: 4, Message: recalled},
			{UID: "replaced", Serial: 5, Message: recalled},
			{UID: "again", Serial: 6, Stored: true, Versions: []string{"6"}},
		}, w.volumes)
		require.Nil(t, w.pods["queued"])
		require.Equal(t, []string{"n1"}, w.pods["replaced"].prepared)
		require.Equal(t, []string{"n3"}, w.pods["again"].prepared)
	})
}

// A recalled preparation is not made again, however its last try ended: not while the API server asks for patience, and not when an answer was lost.
func TestRecalledPreparationsAreNotMadeAgain(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(r request) fate {
			if r.uid == "throttled" {
				return failed(kube.Busy, 5*time.Second)
			}
			return fate{takes: 100 * time.Millisecond, lose: true}
		}
		w.Put([]core.Effect{prepareOf("throttled", "n1", 1), prepareOf("lost", "n1", 2)})
		time.Sleep(50 * time.Millisecond)
		w.Put([]core.Effect{core.Recall{UID: "throttled"}, core.Recall{UID: "lost"}})
		w.settle()
		require.ElementsMatch(t, []core.VolumesDone{
			{UID: "throttled", Serial: 1, Message: recalled},
			{UID: "lost", Serial: 2, Message: "connection reset"},
		}, w.volumes)
		time.Sleep(time.Minute)
		require.Len(t, w.requests, 2)
	})
}
