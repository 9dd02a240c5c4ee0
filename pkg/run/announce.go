package run

import (
	"errors"
	"strings"

	"github.com/sluice-scheduler/sluice/pkg/config/strict"
	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// What is told in events about the queues.
const (
	eventQueuesApplied = "QueuesApplied"
	eventQueuesRefused = "QueuesRefused"
	actionLoading      = "LoadingQueues"
)

// tellApplied tells that the queues are in force. Those that a process starts with are not news.
func (s *Settings) tellApplied() {
	s.owing = false
	s.event(core.TypeNormal, eventQueuesApplied, "In force: "+inWords(s.running.queues)+".")
}

// tellRefused tells that the newest queues are not taken, and why. Beside a leader, a process tells it that has no queues at all: nobody else may be there to say why
// nothing is decided.
func (s *Settings) tellRefused() {
	s.owing = true
	stays := "Nothing is decided, for no queues are in force."
	if s.running.queues != nil {
		stays = "In force stay: " + inWords(s.running.queues) + "."
	}
	s.event(core.TypeWarning, eventQueuesRefused, stays+"\n"+brief(s.queues.why))
}

// event announces something about the queues, if there is an object to announce it about.
func (s *Settings) event(severity, reason, note string) {
	if s.about.Name == "" {
		return
	}
	s.announce(kube.Notice{APIVersion: s.api, Kind: s.kind, Announce: core.Announce{
		Pod: s.about, Type: severity, Reason: reason, Action: actionLoading, Note: note,
	}})
}

// brief gives faults without the lines at fault and their carets: an event has little room, and no letters of fixed width.
func brief(err error) string {
	var faults strict.Faults
	if !errors.As(err, &faults) {
		return err.Error()
	}
	var out []string
	for _, f := range faults {
		first, _, _ := strings.Cut(f.Error(), "\n")
		out = append(out, first)
	}
	return strings.Join(out, "\n")
}
