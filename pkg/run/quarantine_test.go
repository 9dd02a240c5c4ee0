package run

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

func crashOver(kind, uid string) *Panic {
	return &Panic{
		Subject: core.Subject{Kind: kind, UID: types.UID(uid), Namespace: "ns", Name: "name-" + uid},
		Value:   errors.New("boom"), Stack: []byte(strings.Repeat("frame\n", 2000)), At: time.Unix(1_800_000_000, 0),
	}
}

func open(t *testing.T, folder, version string) (*Quarantine, string) {
	t.Helper()
	var log bytes.Buffer
	q := OpenQuarantine(folder, version, slog.New(slog.NewTextHandler(&log, nil)))
	return q, log.String()
}

func TestQuarantineIsReadByTheNextStart(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "made", "when", "missing")
	q, log := open(t, folder, "v1")
	require.Empty(t, log)
	require.Empty(t, q.Events())

	for _, uid := range []string{"a", "b"} {
		again, err := q.Record(crashOver("pod", uid))
		require.NoError(t, err)
		require.False(t, again)
	}
	q, log = open(t, folder, "v1")
	require.Equal(t, []core.Event{core.Quarantine{UID: "a", Why: "boom"}, core.Quarantine{UID: "b", Why: "boom"}}, q.Events())
	require.Contains(t, log, "level=ERROR")
	require.Contains(t, log, "pod ns/name-a")
	require.Contains(t, log, "remove its entry from the file and restart")
	require.Contains(t, log, q.Path())
	require.Less(t, len(q.entries[0].Stack), maxStack+10)

	names, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, names, 1, "no temporary file is left")
}

func TestQuarantineSaysWhenItDoesNotHelp(t *testing.T) {
	folder := t.TempDir()
	q, _ := open(t, folder, "v1")
	_, err := q.Record(crashOver("pod", "a"))
	require.NoError(t, err)
	q, _ = open(t, folder, "v1")
	again, err := q.Record(crashOver("pod", "a"))
	require.NoError(t, err)
	require.True(t, again)
	require.Len(t, q.Events(), 1)
}

func TestAnotherVersionGetsANewChance(t *testing.T) {
	folder := t.TempDir()
	q, _ := open(t, folder, "v1")
	_, err := q.Record(crashOver("pod", "a"))
	require.NoError(t, err)
	q, log := open(t, folder, "v2")
	require.Empty(t, q.Events())
	require.Contains(t, log, "released from quarantine")
}

func TestAPanicOverNothingIsRecordedToo(t *testing.T) {
	folder := t.TempDir()
	q, _ := open(t, folder, "v1")
	p := &Panic{Value: "boom", At: time.Unix(1, 0)}
	for range 2 {
		again, err := q.Record(p)
		require.NoError(t, err)
		require.False(t, again)
	}
	q, log := open(t, folder, "v1")
	require.Empty(t, q.Events())
	require.Contains(t, log, "not known over which object")
	require.EqualError(t, p, "the core panicked over no object in particular: boom")
}

func TestABrokenQuarantineDoesNotKeepFromStarting(t *testing.T) {
	for name, content := range map[string]string{"half": `[{"kind": "po`, "empty": "", "another kind": `{"a": 1}`, "binary": "\x00\xff"} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(folder, quarantineFile), []byte(content), 0o600))
			q, log := open(t, folder, "v1")
			require.Empty(t, q.Events())
			require.Contains(t, log, "it was renamed")
			aside, err := filepath.Glob(filepath.Join(folder, quarantineFile+".unreadable-*"))
			require.NoError(t, err)
			require.Len(t, aside, 1, "nothing is lost")
			kept, err := os.ReadFile(aside[0])
			require.NoError(t, err)
			require.Equal(t, content, string(kept))
			_, err = q.Record(crashOver("pod", "a"))
			require.NoError(t, err)
		})
	}
}

func TestAnUnreadableQuarantineDoesNotKeepFromStarting(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(folder, quarantineFile), 0o700))
	q, log := open(t, folder, "v1")
	require.Empty(t, q.Events())
	require.Contains(t, log, "cannot be read")
	_, err := q.Record(crashOver("pod", "a"))
	require.ErrorContains(t, err, "write the quarantine")
}

func TestQuarantineKeepsTheNewest(t *testing.T) {
	folder := t.TempDir()
	q, _ := open(t, folder, "v1")
	for range maxEntries + 5 {
		q.entries = append(q.entries, Entry{Kind: "pod", UID: types.UID(strings.Repeat("x", len(q.entries)+1)), Version: "v1"})
	}
	_, err := q.Record(crashOver("node", "last"))
	require.NoError(t, err)
	q, _ = open(t, folder, "v1")
	require.Len(t, q.entries, maxEntries)
	require.EqualValues(t, "last", q.entries[maxEntries-1].UID)
}

// The whole way: a core meets a pod that makes it panic; the next start sets that pod aside and places the others.
func TestAPodThatPanicsIsSetAsideAtTheNextStart(t *testing.T) {
	folder := t.TempDir()
	trap := func(s core.Subject) {
		if s.Name == "panic-me" {
			panic("trapped")
		}
	}
	first, _ := open(t, folder, "v1")
	inbox := NewInbox()
	err := runOnce(t, first, trap, inbox, nil)
	var crash *Panic
	require.True(t, errors.As(err, &crash))
	require.Equal(t, "panic-me", crash.Subject.Name)
	_, err = first.Record(crash)
	require.NoError(t, err)

	second, _ := open(t, folder, "v1")
	var effects []core.Effect
	require.NoError(t, runOnce(t, second, trap, NewInbox(), &effects))
	var bound, told []string
	for _, e := range effects {
		switch e := e.(type) {
		case core.Bind:
			bound = append(bound, e.Pod.Name)
		case core.Condition:
			told = append(told, e.Pod.Name+": "+e.Reason)
			require.Contains(t, e.Message, "trapped")
		}
	}
	require.Equal(t, []string{"good"}, bound)
	require.Equal(t, []string{"panic-me: SchedulerError"}, told)
}

// runOnce starts a core with a node and two pods, one of which is called panic-me, and ends when all has been decided.
func runOnce(t *testing.T, q *Quarantine, trap func(core.Subject), inbox *Inbox, effects *[]core.Effect) error {
	t.Helper()
	c := core.New(core.Config{Watch: q.spare(trap)})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	l := NewLoop(LoopConfig{
		Decider: c, Reporter: c, Inbox: inbox, Metrics: NewMetrics("sluice", "test"), Log: slog.New(slog.DiscardHandler),
		Out: func(e []core.Effect) {
			if effects != nil {
				*effects = append(*effects, e...)
			}
		},
	})
	inbox.Put(q.Events()...)
	inbox.Put(core.Lead{On: true}, core.NodeSet{Node: testNode("n1", 4000)},
		core.PodSet{Pod: testPod("panic-me", 100)}, core.PodSet{Pod: testPod("good", 100)})
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	if err := l.Sync(ctx); errors.Is(err, ErrLoopEnded) {
		return <-ended
	}
	var fault error
	require.NoError(t, l.ask(ctx, func() { fault = c.Verify() })) // the loop owns the core
	if fault != nil {
		return fault
	}
	require.Equal(t, 1, l.Stats().Quarantined)
	cancel()
	return <-ended
}
