package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
)

// serve runs a server on a free loopback port for the length of the test and returns its base URL.
func serve(t *testing.T, parts Parts, l limits) string {
	t.Helper()
	s, err := listen("127.0.0.1:0", parts, l)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return "http://" + s.Address()
}

// get asks over a connection of its own and returns status and body.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	a := request(t, http.MethodGet, url)
	return a.status, a.body
}

type answer struct {
	status int
	body   string
	header http.Header
}

func request(t *testing.T, method, url string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return answer{resp.StatusCode, string(body), resp.Header}
}

func ok(context.Context) error { return nil }

func failing(message string) func(context.Context) error {
	return func(context.Context) error { return errors.New(message) }
}

func TestHealthAnswersAsKubernetesComponentsDo(t *testing.T) {
	base := serve(t, Parts{
		Live:  []Check{{Name: "loop", Run: ok}},
		Ready: []Check{{Name: "informers", Run: ok, Note: func() string { return "" }}, {Name: "loop", Run: failing("no turn\nfor 42s")}, {Name: "leader", Run: ok, Note: func() string { return "by force\nalone" }}},
	}, usualLimits())
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/livez", 200, "ok"},
		{"/healthz", 200, "ok"},
		{"/livez?verbose", 200, "[+]loop ok\nlivez check passed\n"},
		{"/healthz?verbose=1", 200, "[+]loop ok\nhealthz check passed\n"},
		{"/readyz", 500, "[+]informers ok\n[-]loop failed: no turn for 42s\n[+]leader ok: by force alone\nreadyz check failed\n"},
		{"/readyz?exclude=loop", 200, "ok"},
		{
			"/readyz?verbose&exclude=loop&exclude=leader", 200,
			"[+]informers ok\n[+]loop excluded: ok\n[+]leader excluded: ok\nreadyz check passed\n",
		},
		{
			"/livez?verbose&exclude=etcd", 200,
			"[+]loop ok\nwarn: some health checks cannot be excluded: no matches for \"etcd\"\nlivez check passed\n",
		},
	} {
		status, body := get(t, base+c.path)
		require.Equal(t, c.status, status, c.path)
		require.Equal(t, c.body, body, c.path)
	}
}

func TestNothingToCheckIsHealthy(t *testing.T) {
	base := serve(t, Parts{}, usualLimits())
	for _, path := range []string{"/livez", "/readyz", "/healthz"} {
		status, body := get(t, base+path)
		require.Equal(t, 200, status)
		require.Equal(t, "ok", body)
	}
}

func TestACheckThatHangsOrPanicsIsReported(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	base := serve(t, Parts{Live: []Check{
		{Name: "stuck", Run: func(context.Context) error { <-release; return nil }},
		{Name: "broken", Run: func(context.Context) error { panic("index out of range") }},
		{Name: "fine", Run: ok},
	}}, limits{check: 50 * time.Millisecond, dump: time.Second, shutdown: time.Second})
	status, body := get(t, base+"/livez")
	require.Equal(t, 500, status)
	require.Equal(t, "[-]stuck failed: no answer in time: context deadline exceeded\n"+
		"[-]broken failed: panic: index out of range\n[+]fine ok\nlivez check failed\n", body)
}

func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "sluice_binds_total", Help: "Binds."})
	counter.Add(3)
	registry.MustRegister(counter)
	base := serve(t, Parts{Metrics: registry}, usualLimits())
	a := request(t, http.MethodGet, base+"/metrics")
	require.Equal(t, 200, a.status)
	require.Contains(t, a.body, "\nsluice_binds_total 3\n")
	require.Contains(t, a.header.Get("Content-Type"), "text/plain")
}

func TestABrokenMetricHidesNoOther(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "good_total"}, func() float64 { return 1 }))
	registry.MustRegister(broken{prometheus.NewDesc("bad_total", "Broken.", nil, nil)})
	var log lines
	base := serve(t, Parts{Metrics: registry, Log: slog.New(slog.NewTextHandler(&log, nil))}, usualLimits())
	status, body := get(t, base+"/metrics")
	require.Equal(t, 200, status)
	require.Contains(t, body, "good_total 1")
	require.Contains(t, log.String(), "one collector failed")
}

func TestDump(t *testing.T) {
	base := serve(t, Parts{Dump: func(context.Context) (string, error) { return "node a 1/4\n", nil }}, usualLimits())
	for range 3 {
		status, body := get(t, base+"/debug/dump")
		require.Equal(t, 200, status)
		require.Equal(t, "node a 1/4\n", body)
	}
}

func TestADumpThatFailsSaysWhy(t *testing.T) {
	base := serve(t, Parts{Dump: func(context.Context) (string, error) { return "", errors.New("the loop\nhas ended") }}, usualLimits())
	status, body := get(t, base+"/debug/dump")
	require.Equal(t, 500, status)
	require.Equal(t, "There is no dump: the loop has ended.\n", body)
}

func TestADumpThatHangsHoldsUpNobody(t *testing.T) {
	release := make(chan struct{})
	base := serve(t, Parts{Dump: func(context.Context) (string, error) {
		<-release
		return "state", nil
	}}, limits{check: time.Second, dump: 50 * time.Millisecond, shutdown: time.Second})
	status, body := get(t, base+"/debug/dump")
	require.Equal(t, 504, status)
	require.Contains(t, body, "no dump within 50ms")

	a := request(t, http.MethodGet, base+"/debug/dump")
	require.Equal(t, 503, a.status, "the first dump still runs, and a second one would only add to the load")
	require.Equal(t, "1", a.header.Get("Retry-After"))
	status, _ = get(t, base+"/livez")
	require.Equal(t, 200, status)

	close(release)
	require.Eventually(t, func() bool {
		status, body := get(t, base+"/debug/dump")
		return status == 200 && body == "state"
	}, 10*time.Second, 5*time.Millisecond)
}

func TestADumpThatPanicsIsAnError(t *testing.T) {
	base := serve(t, Parts{Dump: func(context.Context) (string, error) { panic("no core") }}, usualLimits())
	status, body := get(t, base+"/debug/dump")
	require.Equal(t, 500, status)
	require.Equal(t, "There is no dump: panic: no core.\n", body)
}

func TestProfiles(t *testing.T) {
	base := serve(t, Parts{}, usualLimits())
	for path, part := range map[string]string{
		"/debug/pprof/":                   "profiles",
		"/debug/pprof":                    "profiles",
		"/debug/pprof/goroutine?debug=1":  "goroutine profile",
		"/debug/pprof/cmdline":            "test",
		"/debug/pprof/symbol":             "num_symbols",
		"/debug/pprof/trace?seconds=0.01": "go 1",
		"/debug/pprof/profile?seconds=1":  "",
	} {
		status, body := get(t, base+path)
		require.Equal(t, 200, status, path)
		require.Contains(t, body, part, path)
		require.NotEmpty(t, body, path)
	}
	status, _ := get(t, base+"/debug/pprof/nonsense")
	require.Equal(t, 404, status)
}

func TestDebugPagesAnswerOnlyTheSameMachine(t *testing.T) {
	h := handler(Parts{Dump: func(context.Context) (string, error) { return "state", nil }, Live: []Check{{Name: "loop", Run: ok}}}, usualLimits())
	for from, want := range map[string]int{
		"127.0.0.1:4711": 200, "127.8.8.8:4711": 200, "[::1]:4711": 200, "[::ffff:127.0.0.1]:4711": 200,
		"10.0.0.7:4711": 403, "[fe80::1%eth0]:4711": 403, "[::ffff:10.0.0.7]:4711": 403, "": 403, "@": 403,
	} {
		for _, path := range []string{"/debug/dump", "/debug/pprof/cmdline"} {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr = from
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			require.Equal(t, want, w.Code, "%s from %q", path, from)
		}
		r := httptest.NewRequest(http.MethodGet, "/livez", nil)
		r.RemoteAddr = from
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		require.Equal(t, 200, w.Code, "a probe comes from the node's address")
	}
}

func TestOtherPathsAndMethodsSayWhatThereIs(t *testing.T) {
	base := serve(t, Parts{Dump: func(context.Context) (string, error) { return "", nil }, Metrics: prometheus.NewRegistry()}, usualLimits())
	paths := []string{"/livez", "/readyz", "/healthz", "/metrics", "/debug/dump", "/debug/pprof/"}

	front := request(t, http.MethodGet, base+"/")
	require.Equal(t, 200, front.status)
	require.Equal(t, "text/plain; charset=utf-8", front.header.Get("Content-Type"))
	missing := request(t, http.MethodGet, base+"/metric%1b")
	require.Equal(t, 404, missing.status)
	require.Contains(t, missing.body, `There is no page "/metric\x1b" here.`)
	for _, path := range paths {
		require.Contains(t, front.body, path)
		require.Contains(t, missing.body, path)
	}

	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodOptions, "NONSENSE"} {
		for _, path := range append(paths, "/", "/none") {
			a := request(t, method, base+path)
			require.Equal(t, 405, a.status, "%s %s", method, path)
			require.Equal(t, "GET, HEAD", a.header.Get("Allow"))
		}
	}
	head := request(t, http.MethodHead, base+"/livez")
	require.Equal(t, 200, head.status)
	require.Empty(t, head.body)
}

func TestPagesWithoutPartsAreNotThere(t *testing.T) {
	base := serve(t, Parts{}, usualLimits())
	for _, path := range []string{"/metrics", "/debug/dump"} {
		status, body := get(t, base+path)
		require.Equal(t, 404, status)
		require.NotContains(t, strings.SplitN(body, "\n", 2)[1], path)
	}
}

func TestAnswersUnderWayAreFinishedAtTheEnd(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s, err := Listen("127.0.0.1:0", Parts{Dump: func(context.Context) (string, error) {
		close(entered)
		<-release
		return "whole", nil
	}})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	var under sync.WaitGroup
	under.Go(func() {
		status, body := get(t, "http://"+s.Address()+"/debug/dump")
		require.Equal(t, 200, status)
		require.Equal(t, "whole", body)
	})
	<-entered
	cancel()
	require.Eventually(t, func() bool {
		c, err := net.Dial("tcp", s.Address())
		if err == nil {
			c.Close()
		}
		return err != nil
	}, 10*time.Second, time.Millisecond, "no new connections once it stops")
	close(release)
	under.Wait()
	require.NoError(t, <-ended)
}

func TestAnAnswerThatNeverEndsDoesNotHoldUpTheEnd(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	s, err := listen("127.0.0.1:0", Parts{Dump: func(context.Context) (string, error) {
		close(entered)
		<-release
		return "", nil
	}}, limits{check: time.Second, dump: time.Hour, shutdown: 20 * time.Millisecond})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	go http.Get("http://" + s.Address() + "/debug/dump")
	<-entered
	cancel()
	require.NoError(t, <-ended)
}

func TestAnAddressInUseIsAnError(t *testing.T) {
	base := serve(t, Parts{}, usualLimits())
	address := strings.TrimPrefix(base, "http://")
	_, err := Listen(address, Parts{})
	require.ErrorContains(t, err, fmt.Sprintf("open the web address %s: ", address))
}

func TestALostListenerIsAnError(t *testing.T) {
	s, err := Listen("127.0.0.1:0", Parts{})
	require.NoError(t, err)
	require.NoError(t, s.listener.Close())
	require.ErrorContains(t, s.Serve(t.Context()), "serve web pages on 127.0.0.1:")
}

// broken is a collector that fails.
type broken struct{ about *prometheus.Desc }

func (b broken) Describe(to chan<- *prometheus.Desc) { to <- b.about }

func (b broken) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.NewInvalidMetric(b.about, errors.New("one collector failed"))
}

// lines collects a log.
type lines struct {
	sync.Mutex
	strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Builder.Write(p)
}

func (l *lines) String() string {
	l.Lock()
	defer l.Unlock()
	return l.Builder.String()
}
