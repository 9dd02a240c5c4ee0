package integration

import (
	"bytes"
	"context"
	"crypto/tls"
	"hash/fnv"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/pki"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// proxy stands between a Sluice and the API server and does to bindings what networks and busy servers do. All else it passes on.
type proxy struct {
	forward *httputil.ReverseProxy
	server  *httptest.Server
	// fate decides what befalls the n-th binding of a pod, from 1.
	fate func(pod string, n int) fate

	mu    sync.Mutex
	times map[string]int // bindings so far, by pod
	dealt map[fate]int
}

// fate is what befalls a binding.
type fate string

const (
	passed     fate = "passed on"
	slow       fate = "passed on after a while"
	answerLost fate = "carried out, and the connection cut before the answer"
	lateLost   fate = "the connection cut, and carried out a while later"
	fiveLost   fate = "carried out, and answered 503"
	turnedAway fate = "answered 503"
	tooMany    fate = "answered 429 with Retry-After"
)

// aWhile is longer than it takes Sluice to ask what became of a binding.
const aWhile = 1500 * time.Millisecond

// proxy starts a proxy and returns it with a kubeconfig that leads through it.
func (s *scene) proxy(decide func(pod string, n int) fate) (*proxy, string) {
	s.Helper()
	to, err := url.Parse(shared.URL())
	require.NoError(s, err)
	path := s.kubeconfig("through-proxy")
	cfg, err := clientcmd.LoadFromFile(path)
	require.NoError(s, err)
	transport, err := rest.TransportFor(&rest.Config{TLSClientConfig: rest.TLSClientConfig{CAData: cfg.Clusters["sluice-local"].CertificateAuthorityData}})
	require.NoError(s, err)
	p := &proxy{fate: decide, times: map[string]int{}, dealt: map[fate]int{}, forward: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:     transport,
		FlushInterval: -1, // watches
		ErrorLog:      log.New(io.Discard, "", 0),
	}}
	authority, err := pki.NewAuthority("proxy")
	require.NoError(s, err)
	pair, err := authority.Server("proxy", "127.0.0.1")
	require.NoError(s, err)
	cert, err := tls.X509KeyPair(pair.Cert, pair.Key)
	require.NoError(s, err)
	p.server = httptest.NewUnstartedServer(p)
	p.server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	p.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.server.StartTLS()
	s.Cleanup(func() {
		p.server.CloseClientConnections()
		p.server.Close()
	})
	cfg.Clusters["sluice-local"].Server = p.server.URL
	cfg.Clusters["sluice-local"].CertificateAuthorityData = authority.PEM()
	require.NoError(s, clientcmd.WriteToFile(*cfg, path))
	return p, path
}

// ServeHTTP deals a binding its fate.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/binding") {
		p.forward.ServeHTTP(w, r)
		return
	}
	parts := strings.Split(r.URL.Path, "/")
	switch f := p.deal(parts[len(parts)-2]); f {
	case slow:
		time.Sleep(aWhile)
		p.forward.ServeHTTP(w, r)
	case answerLost:
		p.forward.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler) // cuts the connection
	case lateLost:
		p.carryOutLater(r)
		panic(http.ErrAbortHandler)
	case fiveLost:
		p.forward.ServeHTTP(httptest.NewRecorder(), r)
		http.Error(w, "the server behind did not answer", http.StatusServiceUnavailable)
	case turnedAway:
		http.Error(w, "no server behind", http.StatusServiceUnavailable)
	case tooMany:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "Too many requests, please try again later.", http.StatusTooManyRequests)
	default:
		p.forward.ServeHTTP(w, r)
	}
}

// deal decides and counts.
func (p *proxy) deal(pod string) fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.times[pod]++
	f := p.fate(pod, p.times[pod])
	p.dealt[f]++
	return f
}

// counts returns how often each fate was dealt.
func (p *proxy) counts() map[fate]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[fate]int{}
	for f, n := range p.dealt {
		out[f] = n
	}
	return out
}

// carryOutLater sends the request on when its sender has long given it up.
func (p *proxy) carryOutLater(r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender was gone before it was sent
	}
	later := r.Clone(context.Background())
	later.Body = io.NopCloser(bytes.NewReader(body))
	time.AfterFunc(aWhile, func() { p.forward.ServeHTTP(httptest.NewRecorder(), later) })
}

// lot is a number that depends on the pod's name alone.
func lot(pod string, of uint32) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(pod))
	return h.Sum32() % of
}
