package kube

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// BenchmarkBind binds over HTTP/2 with 32 requests in flight, by the poster and by client-go's own request. The CPU time per bind includes that of the
// server, which is in this process and the same for both.
func BenchmarkBind(b *testing.B) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		reply(w, http.StatusCreated, &metav1.Status{Status: metav1.StatusSuccess, Code: http.StatusCreated})
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	cfg := &rest.Config{Host: server.URL, TLSClientConfig: rest.TLSClientConfig{Insecure: true}, BearerToken: "token"}
	c, err := connect(cfg, Access{Agent: "sluice/test", QPS: -1})
	require.NoError(b, err)
	bind := core.Bind{Pod: podRef("a"), Node: "n1"}
	b.Run("poster", func(b *testing.B) { cpuPerCall(b, func() error { return c.Bind(b.Context(), bind).Err }) })
	b.Run("client-go", func(b *testing.B) {
		cpuPerCall(b, func() error {
			body := &v1.Binding{
				ObjectMeta: metav1.ObjectMeta{Namespace: bind.Pod.Namespace, Name: bind.Pod.Name, UID: bind.Pod.UID},
				Target:     v1.ObjectReference{Kind: "Node", Name: bind.Node},
			}
			return c.core.RESTClient().Post().MaxRetries(0).Namespace(bind.Pod.Namespace).Resource("pods").Name(bind.Pod.Name).
				SubResource("binding").Body(body).Do(b.Context()).Error()
		})
	})
}

// cpuPerCall calls from 32 goroutines and reports the CPU time of this process per call.
func cpuPerCall(b *testing.B, call func() error) {
	turns := make(chan struct{})
	var callers sync.WaitGroup
	before := cpuMicros(b)
	for range 32 {
		callers.Go(func() {
			for range turns {
				if err := call(); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for range b.N {
		turns <- struct{}{}
	}
	close(turns)
	callers.Wait()
	b.ReportMetric((cpuMicros(b)-before)/float64(b.N), "cpu-µs/op")
}

func cpuMicros(b *testing.B) float64 {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e3
}

// BenchmarkMemoryOfPods reports what 100,000 pods cost in facts and in the core, by their labels: none, those of 300 Deployments, or some that no other pod has, as pods of
// a StatefulSet or an indexed Job have them.
func BenchmarkMemoryOfPods(b *testing.B) {
	labels := map[string]func(i int) map[string]string{
		"none": func(int) map[string]string { return nil },
		"shared": func(i int) map[string]string {
			return map[string]string{"app.kubernetes.io/name": fmt.Sprint("app-", i%300), "app.kubernetes.io/component": "worker", "pod-template-hash": fmt.Sprint(i % 300)}
		},
		"own": func(i int) map[string]string {
			return map[string]string{"app.kubernetes.io/name": fmt.Sprint("app-", i%300), "statefulset.kubernetes.io/pod-name": fmt.Sprint("pod-", i), "apps.kubernetes.io/pod-index": fmt.Sprint(i)}
		},
	}
	const pods = 100_000
	for name, of := range labels {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				r := newReader("sluice", false, quietLog())
				c := core.New(core.Config{})
				before := heap()
				for i := range pods {
					p := pod(fmt.Sprint("pod-", i), fmt.Sprint(i), "")
					p.Labels = of(i)
					c.Step(time.Time{}, []core.Event{core.PodSet{Pod: r.pod(p)}})
				}
				b.ReportMetric(float64(heap()-before)/pods, "B/pod")
				runtime.KeepAlive(c)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
