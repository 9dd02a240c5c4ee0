package run

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/sluice-scheduler/sluice/pkg/kube"
)

// TestARivalIsToldOfOnce when kube-scheduler keeps its Lease, and again when it stops; its clock need not be ours.
func TestARivalIsToldOfOnce(t *testing.T) {
	var log bytes.Buffer
	var now kube.Holding
	var err error
	r := &rival{
		log:     slog.New(slog.NewTextHandler(&log, nil)),
		holding: func(context.Context, string, string) (kube.Holding, error) { return now, err },
	}
	clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	look := func() string {
		log.Reset()
		clock = clock.Add(rivalEvery)
		r.look(t.Context(), clock)
		return log.String()
	}
	require.Empty(t, look(), "there is no Lease")
	require.Empty(t, r.note())

	behind := clock.Add(-time.Hour)
	now = kube.Holding{Holder: "master_1", Renewed: behind, For: 15 * time.Second}
	require.Empty(t, look(), "it may be that of one that died")
	now.Renewed = behind.Add(rivalEvery)
	said := look()
	require.Contains(t, said, "level=WARN")
	require.Contains(t, said, "kube-scheduler runs as well")
	require.Contains(t, r.note(), "master_1")
	now.Renewed = now.Renewed.Add(rivalEvery)
	require.Empty(t, look(), "said once")
	require.Contains(t, look(), "kube-scheduler has stopped")
	require.Empty(t, r.note())
	require.Empty(t, look())

	now.Renewed = clock
	require.Contains(t, look(), "runs as well", "renewed just now")
	now.Holder = ""
	require.Contains(t, look(), "has stopped", "given back")

	err = apierrors.NewForbidden(schema.GroupResource{Resource: "leases"}, rivalLease, nil)
	require.Contains(t, look(), "is not known")
	require.Empty(t, look())
}

// TestOnlyWhoServesTheDefaultNameHasARival: other names are Sluice's alone.
func TestOnlyWhoServesTheDefaultNameHasARival(t *testing.T) {
	require.Nil(t, rivalOf([]string{"sluice", "batch"}, nil, nil))
	require.NotNil(t, rivalOf([]string{"sluice", "default-scheduler"}, nil, nil))
}
