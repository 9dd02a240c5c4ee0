package run

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

func aboutObject(uid types.UID, reason, note string) core.AnnounceObject {
	return core.AnnounceObject{
		Object: cluster.ObjectRef{APIVersion: "flink.apache.org/v1beta1", Kind: "FlinkDeployment", Namespace: "default", Name: string(uid), UID: uid},
		Type:   core.TypeWarning, Reason: reason, Action: core.ActionScheduling, Note: note,
	}
}

// notes are what was written of an object, in order.
func (s *server) notes(uid types.UID) (out []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.requests {
		if r.kind == kindEvent && r.uid == uid {
			out = append(out, r.note)
		}
	}
	return out
}

func TestTheSameIsNotSaidAgainForAWhile(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		say := func(reason, note string) {
			w.Put([]core.Effect{aboutObject("f", reason, note)})
			time.Sleep(20 * time.Second)
			synctest.Wait()
		}
		for range 20 {
			say("Waiting", "no room") // for 400 seconds
		}
		say("TooLarge", "never fits")
		require.Equal(t, []string{"no room", "never fits"}, w.notes("f"))
		time.Sleep(topicSame)
		say("Waiting", "no room")
		say("Waiting", "room")
		say("Waiting", "no room")
		require.Equal(t, []string{"no room", "never fits", "no room", "room", "no room"}, w.notes("f"))
		time.Sleep(2 * topicSame)
		w.settle()
		require.Empty(t, w.events.topics, "what is no longer spoken of is forgotten")
	})
}

// TestAFloodAboutAnObjectIsBounded: of what changes by the millisecond the newest is written now and then, and the last in the end.
func TestAFloodAboutAnObjectIsBounded(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		for i := range 60_000 {
			w.Put([]core.Effect{aboutObject("f", "Waiting", fmt.Sprint(i))})
			time.Sleep(time.Millisecond)
		}
		w.settle()
		notes := w.notes("f")
		require.LessOrEqual(t, len(notes), 8)
		require.GreaterOrEqual(t, len(notes), 6)
		require.Equal(t, "59999", notes[len(notes)-1])
		require.Less(t, len(w.later.items), 100)
	})
}

// TestOneEventHoweverOftenItsAnswerIsLost; what is said while it is tried again is another.
func TestOneEventHoweverOftenItsAnswerIsLost(t *testing.T) {
	within(t, 4, func(t *testing.T, w *world) {
		w.script = func(r request) fate {
			if r.note == "one" && r.nth < 4 {
				return failed(kube.Unknown, 0)
			}
			return fate{}
		}
		w.Put([]core.Effect{aboutObject("f", "Waiting", "one")})
		time.Sleep(200 * time.Millisecond)
		w.Put([]core.Effect{aboutObject("f", "Waiting", "one"), aboutObject("f", "Waiting", "two")})
		w.settle()
		require.Len(t, w.pods["f"].events, 2, "two serials")
	})
}
