package run

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// forbidding is a client to which rights are missing.
type forbidding struct{ missing []string }

func (f *forbidding) MissingRights() []string { return f.missing }

func (f *forbidding) Prepare(context.Context, core.PrepareVolumes) ([]string, kube.Answer) {
	if len(f.missing) == 0 {
		return nil, kube.Answer{}
	}
	return nil, kube.Answer{Verdict: kube.Refused, Err: errors.New("forbidden")}
}

// TestMissingRightsAreSaidOnce: every pod with claims meets the missing right, again after each backoff; an operator reads of it once.
func TestMissingRightsAreSaidOnce(t *testing.T) {
	log := &bytes.Buffer{}
	client := &forbidding{missing: []string{"persistentvolumes"}}
	r := volumeRights(client.MissingRights, slog.New(slog.NewTextHandler(log, nil)))
	p := preparing{client, r}
	require.Empty(t, r.note())
	for range 3 {
		_, a := p.Prepare(t.Context(), core.PrepareVolumes{})
		require.Equal(t, kube.Refused, a.Verdict)
	}
	require.Equal(t, 1, strings.Count(log.String(), "\n"))
	require.Contains(t, log.String(), "level=WARN")
	require.Contains(t, log.String(), "deploy/base/rbac.yaml")
	require.Contains(t, r.note(), "no right to get and patch persistentvolumes")

	client.missing = nil
	for range 3 {
		p.Prepare(t.Context(), core.PrepareVolumes{})
	}
	require.Equal(t, 2, strings.Count(log.String(), "\n"))
	require.Contains(t, log.String(), "volumes can be prepared now")
	require.Empty(t, r.note())
}
