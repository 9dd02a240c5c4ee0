package run

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core"
)

const configHeader = "apiVersion: config.sluice.dev/v1alpha1\nkind: SluiceConfiguration\n"

// TestReload changes the file while Sluice runs: well, badly, and in what needs a restart.
func TestReload(t *testing.T) {
	file, readError := configHeader, error(nil)
	running, err := config.Parse("sluice.yaml", []byte(file))
	require.NoError(t, err)
	var log bytes.Buffer
	inbox := NewInbox()
	r := &Reloader{
		file: "sluice.yaml", inbox: inbox, running: running, seen: []byte(file), log: slog.New(slog.NewTextHandler(&log, nil)),
		read: func(string) ([]byte, error) { return []byte(file), readError },
	}
	change := func(text string) (events []core.Event, said string) {
		t.Helper()
		file = text
		log.Reset()
		for range 3 {
			r.look()
		}
		return inbox.Take(), log.String()
	}

	events, said := change(file)
	require.Empty(t, events)
	require.Empty(t, said, "nothing has changed")

	events, said = change(configHeader + "nodeOrders: [{name: pack, evaluators: [{scoringStrategy: {type: MostAllocated}}]}]\n")
	require.Len(t, events, 1)
	require.Equal(t, "pack", events[0].(core.OrdersSet).Orders[0].Name)
	require.Contains(t, said, "orders=pack")

	events, said = change(configHeader + "nodeOrders: [{name: pack, evaluators: [{scoringStrategy: {type: Most}}]}]\n")
	require.Empty(t, events)
	require.Contains(t, said, "the running one stays")
	require.Contains(t, said, "^", "the fault is shown with its caret")
	require.Equal(t, 1, strings.Count(said, "level=ERROR"), "once, though it was looked at three times")
	require.EqualValues(t, 1, r.faulty.Load())

	events, said = change(configHeader + "nodeOrders: [{name: Pack, evaluators: [{scoringStrategy: {type: MostAllocated}}]}]\n")
	require.Empty(t, events)
	require.Contains(t, said, "lower-case letters", "another fault is told, too")

	events, said = change(configHeader + "nodeOrders: [{name: pack, evaluators: [{scoringStrategy: {type: MostAllocated}}]}]\n")
	require.Empty(t, events, "back to what is running")
	require.Empty(t, said)
	require.EqualValues(t, 0, r.faulty.Load())

	events, said = change(configHeader + "schedulerName: other\nscarceResources: {detectBelow: 7}\n")
	require.Len(t, events, 1)
	require.EqualValues(t, 7, events[0].(core.OrdersSet).Scarce.Below)
	require.Contains(t, said, "keys=schedulerName")

	readError = errors.New("no such file")
	events, said = change(file)
	require.Empty(t, events)
	require.Contains(t, said, "no such file")
	readError = nil
	_, _ = change(file)
	require.EqualValues(t, 0, r.faulty.Load())
	require.EqualValues(t, 2, r.reloads.Load())
}

// TestReloadLooksAgainAndAgain until it is told to end.
func TestReloadLooksAgainAndAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var looks atomic.Int64
		r := &Reloader{log: slog.New(slog.DiscardHandler), read: func(string) ([]byte, error) {
			looks.Add(1)
			return nil, nil
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 5*reloadEvery+time.Millisecond)
		defer cancel()
		r.Run(ctx)
		require.EqualValues(t, 5, looks.Load())
	})
}
