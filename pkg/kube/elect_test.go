package kube

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core"
)

// leases is an API server that holds one Lease.
type leases struct {
	t       *testing.T
	mu      sync.Mutex
	lease   *coordinationv1.Lease
	version int
	down    bool
}

func (s *leases) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	resource := schema.GroupResource{Group: "coordination.k8s.io", Resource: "leases"}
	switch {
	case s.down:
		status(apierrors.NewInternalError(errors.New("down")))(w, r)
		return
	case r.Method == http.MethodGet && s.lease == nil:
		status(apierrors.NewNotFound(resource, "sluice"))(w, r)
		return
	case r.Method == http.MethodGet:
	case r.Method == http.MethodPost && s.lease != nil:
		status(apierrors.NewAlreadyExists(resource, "sluice"))(w, r)
		return
	default:
		var sent coordinationv1.Lease
		body, err := io.ReadAll(r.Body)
		require.NoError(s.t, err)
		decode(s.t, body, &sent)
		if s.lease != nil && sent.ResourceVersion != s.lease.ResourceVersion {
			status(apierrors.NewConflict(resource, "sluice", errors.New("changed")))(w, r)
			return
		}
		s.version++
		sent.UID, sent.ResourceVersion = "l", strconv.Itoa(s.version)
		s.lease = &sent
	}
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), protobuf)
	data, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, coordinationv1.SchemeGroupVersion), s.lease)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", protobuf)
	w.Write(data)
}

func (s *leases) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// candidate takes part; led is closed as soon as it leads, and the end of Run goes to ended.
func candidate(t *testing.T, c *Client, identity string) (e *Election, stop func(), led chan struct{}, ended chan error) {
	t.Helper()
	cfg := config.Default().LeaderElection
	cfg.LeaseDuration, cfg.RenewDeadline, cfg.RetryPeriod = 2*time.Second, time.Second, 50*time.Millisecond
	led, ended = make(chan struct{}), make(chan error, 1)
	e, err := c.NewElection(cfg, identity, quietLog(), func() { close(led) })
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	go func() { ended <- e.Run(ctx) }()
	return e, cancel, led, ended
}

func await[T any](t *testing.T, c <-chan T) (x T) {
	t.Helper()
	select {
	case x = <-c:
	case <-time.After(20 * time.Second):
		require.Fail(t, "waited in vain")
	}
	return x
}

func TestOneLeadsAndHandsOver(t *testing.T) {
	c := serveRaw(t, &leases{t: t})
	one, stop, led, ended := candidate(t, c, "one")
	await(t, led)
	require.NoError(t, one.Check())
	other, _, otherLed, _ := candidate(t, c, "other")
	require.Eventually(t, func() bool { return other.Leader() == "one" }, 10*time.Second, time.Millisecond)
	select {
	case <-otherLed:
		require.Fail(t, "two lead")
	case <-time.After(300 * time.Millisecond):
	}
	start := time.Now()
	stop()
	require.NoError(t, await(t, ended))
	await(t, otherLed)
	require.Less(t, time.Since(start), 2*time.Second, "the Lease was given back, so nobody waits for it to run out")
}

func TestTheLeaseIsNamedForEvents(t *testing.T) {
	s := &leases{t: t}
	c := serveRaw(t, s)
	one, _, led, _ := candidate(t, c, "one")
	await(t, led)
	require.Equal(t, core.PodRef{UID: "l", Namespace: "sluice-system", Name: "sluice"}, one.Lease())
	s.setDown(true)
	require.Equal(t, core.PodRef{Namespace: "sluice-system", Name: "sluice"}, one.Lease(), "an event needs no UID")
}

func TestWhoHoldsALease(t *testing.T) {
	s := &leases{t: t}
	c := serveRaw(t, s)
	h, err := c.Holding(t.Context(), "sluice-system", "sluice")
	require.NoError(t, err)
	require.Equal(t, Holding{}, h, "there is none")
	_, stop, led, ended := candidate(t, c, "one")
	await(t, led)
	h, err = c.Holding(t.Context(), "sluice-system", "sluice")
	require.NoError(t, err)
	require.Equal(t, "one", h.Holder)
	require.Equal(t, 2*time.Second, h.For)
	require.WithinDuration(t, time.Now(), h.Renewed, time.Minute)
	stop()
	require.NoError(t, await(t, ended))
	h, err = c.Holding(t.Context(), "sluice-system", "sluice")
	require.NoError(t, err)
	require.Empty(t, h.Holder, "it was given back")
	s.setDown(true)
	_, err = c.Holding(t.Context(), "sluice-system", "sluice")
	require.Error(t, err)
}

func TestALostLeaseEndsTheRun(t *testing.T) {
	s := &leases{t: t}
	c := serveRaw(t, s)
	_, _, led, ended := candidate(t, c, "one")
	await(t, led)
	s.setDown(true)
	require.ErrorIs(t, await(t, ended), ErrLeaseLost)
}

func TestAStandbyThatEndsHasLostNothing(t *testing.T) {
	s := &leases{t: t}
	s.setDown(true)
	c := serveRaw(t, s)
	_, stop, _, ended := candidate(t, c, "one")
	stop()
	require.NoError(t, await(t, ended))
}

func TestTimesThatCannotWorkAreRefused(t *testing.T) {
	c := serveRaw(t, &leases{t: t})
	cfg := config.Default().LeaderElection
	cfg.RenewDeadline = cfg.LeaseDuration
	_, err := c.NewElection(cfg, "one", quietLog(), func() {})
	require.ErrorContains(t, err, "prepare the leader election")
}
