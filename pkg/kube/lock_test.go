package kube

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// scriptedLock answers as it is told.
type scriptedLock struct{ read, write error }

func (s *scriptedLock) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	return nil, nil, s.read
}

func (s *scriptedLock) Create(context.Context, resourcelock.LeaderElectionRecord) error {
	return s.write
}

func (s *scriptedLock) Update(context.Context, resourcelock.LeaderElectionRecord) error {
	return s.write
}
func (s *scriptedLock) RecordEvent(string) {}
func (s *scriptedLock) Identity() string   { return "me" }

func (s *scriptedLock) Describe() string { return "ns/lease" }

// A Lease that cannot be had is told once for each cause, and once when it can be had again; losing a race is not told.
func TestLockFailuresInWords(t *testing.T) {
	resource := schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}
	forbidden := apierrors.NewForbidden(resource, "lease", errors.New("no rights"))
	var text strings.Builder
	script := &scriptedLock{}
	l := &wordyLock{Interface: script, log: slog.New(slog.NewTextHandler(&text, nil))}
	told := func(read, write error) string {
		script.read, script.write = read, write
		text.Reset()
		for range 3 { // as client-go does: read, then write
			_, _, err := l.Get(t.Context())
			require.Equal(t, read, err)
			if apierrors.IsNotFound(err) {
				require.Equal(t, write, l.Create(t.Context(), resourcelock.LeaderElectionRecord{}))
			} else if err == nil {
				require.Equal(t, write, l.Update(t.Context(), resourcelock.LeaderElectionRecord{}))
			}
		}
		return text.String()
	}
	missing := apierrors.NewNotFound(resource, "lease")
	require.Empty(t, told(missing, apierrors.NewAlreadyExists(resource, "lease")))
	require.Empty(t, told(nil, apierrors.NewConflict(resource, "lease", errors.New("another was first"))))

	for _, c := range []struct {
		name        string
		read, write error
		want        string
	}{
		{"no right to read", forbidden, nil, "cannot read the Lease"},
		{"no right to create", missing, forbidden, "cannot create the Lease"},
		{"no right to update", nil, forbidden, "cannot write the Lease"},
	} {
		first := told(c.read, c.write)
		require.Contains(t, first, c.want, c.name)
		require.Equal(t, 1, strings.Count(first, "level=WARN"), "%s: %s", c.name, first)
		require.NotContains(t, first, "again", c.name)
		require.Empty(t, told(c.read, c.write), "%s: told again", c.name)
		back := told(nil, nil)
		require.Equal(t, 1, strings.Count(back, "can be used again"), c.name)
		require.Equal(t, 1, strings.Count(back, "\n"), c.name)
	}
}
