package kube

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
)

const driverMap = "/api/v1/namespaces/default/configmaps/spark-drv-1-conf-map"

// driver is a Spark driver that mounts what it was submitted with.
func driver(name, uid string) *v1.Pod {
	p := pod(name, uid, "")
	p.Labels = map[string]string{"spark-role": "driver"}
	p.Spec.Volumes = []v1.Volume{{Name: "spark-conf-volume-driver", VolumeSource: v1.VolumeSource{ConfigMap: &v1.ConfigMapVolumeSource{
		LocalObjectReference: v1.LocalObjectReference{Name: "spark-drv-1-conf-map"},
	}}}}
	return p
}

// drawer is an API server that has a ConfigMap, or not yet.
type drawer struct {
	mu     sync.Mutex
	answer http.HandlerFunc
	asked  []string
}

func (d *drawer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked = append(d.asked, r.Method+" "+r.URL.Path)
	d.answer(w, r)
}

func (d *drawer) set(answer http.HandlerFunc) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.answer = answer
}

func (d *drawer) requests() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.asked...)
}

func thereIsNone(w http.ResponseWriter, r *http.Request) {
	status(apierrors.NewNotFound(v1.Resource("configmaps"), "spark-drv-1-conf-map"))(w, r)
}

func thereItIs(w http.ResponseWriter, _ *http.Request) {
	reply(w, 200, &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "spark-drv-1-conf-map", UID: "m"}})
}

// wanting joins a mirror of pods with what is got for them.
func wanting(t *testing.T, d *drawer) (*podMirror, *Watch, *safeBuffer) {
	t.Helper()
	w, s, log := prepare(t, serveRaw(t, d), WatchOptions{Gangs: gang.Kinds})
	w.wanted.ctx = t.Context()
	return newMirror(pods{w.reader, nil, w.wanted}, s, func(int) {}), w, log
}

// idle waits until nothing is asked for.
func idle(t *testing.T, w *Watch) {
	t.Helper()
	done := make(chan struct{})
	w.wanted.whenIdle(func() { close(done) })
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		require.Fail(t, "still asking")
	}
}

// TestTheConfigMapOfADriverIsGotOnce, as soon as it is there, and given up with the last pod that mounts it.
func TestTheConfigMapOfADriverIsGotOnce(t *testing.T) {
	d := &drawer{answer: thereIsNone}
	m, w, _ := wanting(t, d)
	require.NoError(t, m.Add(pod("plain", "1", "")))
	require.NoError(t, m.Add(at(driver("theirs", "2"), foreign)))
	idle(t, w)
	require.Empty(t, d.requests())

	require.NoError(t, m.Add(driver("d", "3")))
	require.Eventually(t, func() bool { return len(d.requests()) >= 2 }, 10*time.Second, time.Millisecond, "it is made after the pod")
	idle(t, w) // the start waits for the first answer alone
	d.set(thereItIs)
	before := len(d.requests())
	require.Eventually(t, func() bool { return len(d.requests()) > before }, 15*time.Second, time.Millisecond)
	time.Sleep(100 * time.Millisecond)
	asked := len(d.requests())
	require.Equal(t, "GET "+driverMap, d.requests()[0])
	require.NoError(t, m.Update(at(driver("d", "3"), started)))
	require.NoError(t, m.Add(driver("second", "4")))
	idle(t, w)
	require.Len(t, d.requests(), asked)
	require.Len(t, w.wanted.pods, 1)

	require.NoError(t, m.Delete(driver("d", "3")))
	require.Len(t, w.wanted.pods, 1)
	require.NoError(t, m.Replace(nil, ""))
	require.Empty(t, w.wanted.pods)
	require.Empty(t, w.wanted.byPod)
}

// TestAConfigMapThatNobodyWantsAnyMoreIsNotAskedFor.
func TestAConfigMapThatNobodyWantsAnyMoreIsNotAskedFor(t *testing.T) {
	d := &drawer{answer: thereIsNone}
	m, w, _ := wanting(t, d)
	require.NoError(t, m.Add(driver("d", "3")))
	require.NoError(t, m.Delete(driver("d", "3")))
	idle(t, w)
	time.Sleep(time.Second)
	require.LessOrEqual(t, len(d.requests()), 2)
}

// TestConfigMapsThatMayNotBeGot are done without, and said once.
func TestConfigMapsThatMayNotBeGot(t *testing.T) {
	d := &drawer{answer: func(w http.ResponseWriter, r *http.Request) {
		status(apierrors.NewForbidden(v1.Resource("configmaps"), "", errors.New("no rights")))(w, r)
	}}
	m, w, log := wanting(t, d)
	for _, uid := range []string{"1", "2", "3"} {
		p := driver("d"+uid, uid)
		p.Spec.Volumes[0].ConfigMap.Name = "spark-drv-" + uid + "-conf-map"
		require.NoError(t, m.Add(p))
	}
	idle(t, w)
	require.GreaterOrEqual(t, len(d.requests()), 3)
	require.Equal(t, 1, strings.Count(log.String(), "no right to read the ConfigMaps that first pods mount, going on without"), log.String())
	d.set(thereItIs)
	require.Eventually(t, func() bool { return w.Note() == "" }, 10*time.Second, time.Millisecond, "the right takes effect when it is given")
}
