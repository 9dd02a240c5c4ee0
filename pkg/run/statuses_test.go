package run

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

func statusOf(uid types.UID, message string) core.GroupStatus {
	return core.GroupStatus{Group: cluster.ObjectRef{Kind: "PodGroup", Namespace: "default", Name: string(uid), UID: uid}, Reason: core.ReasonUnschedulable, Message: message}
}

func scheduled(uid types.UID) core.GroupStatus {
	e := statusOf(uid, "")
	e.Scheduled, e.Reason = true, ""
	return e
}

// TestOnlyTheNewestStatusIsWritten, and what is final is not taken back.
func TestOnlyTheNewestStatusIsWritten(t *testing.T) {
	within(t, 1, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: time.Second} }
		w.Put([]core.Effect{statusOf("other", "x"), statusOf("a", "1"), statusOf("a", "2")})
		time.Sleep(100 * time.Millisecond)
		w.Put([]core.Effect{statusOf("a", "3")})
		time.Sleep(1500 * time.Millisecond) // now 3 is in flight
		w.Put([]core.Effect{statusOf("a", "4"), scheduled("a"), statusOf("a", "5")})
		w.settle()
		require.Equal(t, []core.GroupStatus{statusOf("a", "3"), scheduled("a")}, w.pods["a"].statuses)
		require.Empty(t, w.statuses.all)
	})
}

func TestStatusesAreRetriedUnlessRefused(t *testing.T) {
	within(t, 8, func(t *testing.T, w *world) {
		w.script = func(r request) fate {
			switch {
			case r.uid == "flaky" && r.nth < 20:
				return failed(kube.Unknown, 0)
			case r.uid == "busy" && r.nth == 1:
				return failed(kube.Busy, time.Second)
			case r.uid == "conflict" && r.nth == 1:
				return failed(kube.Conflict, 0)
			case r.uid == "gone":
				return failed(kube.Gone, 0)
			case r.uid == "forbidden":
				return failed(kube.Refused, 0)
			}
			return fate{}
		}
		for _, uid := range []types.UID{"flaky", "busy", "gone", "conflict", "forbidden"} {
			w.Put([]core.Effect{scheduled(uid)})
		}
		w.settle()
		for _, uid := range []types.UID{"flaky", "busy", "conflict"} {
			require.Equal(t, []core.GroupStatus{scheduled(uid)}, w.pods[uid].statuses, uid)
		}
		require.Equal(t, 20+2+2+1+refusedTries, w.count(kindGroup))
	})
}

// TestStatusesAndConditionsShareATenth: neither waits for the end of a flood of binds, nor for all of the other.
func TestStatusesAndConditionsShareATenth(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		w.script = func(request) fate { return fate{takes: 4 * time.Millisecond} }
		w.Put(bindsOf(4000))
		for i := range 100 {
			uid := types.UID(fmt.Sprint(i))
			w.Put([]core.Effect{conditionOf("c"+uid, "x"), statusOf("g"+uid, "x")})
		}
		time.Sleep(3 * time.Second)
		require.Equal(t, 100, w.count(kindCondition))
		require.Equal(t, 100, w.count(kindGroup))
		w.settle()
		require.Equal(t, 4000, w.count(kindBind))
	})
}
