package kube

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// watched is an API server with watches of pods, nodes, namespaces and ConfigMaps, each fed through a channel.
type watched struct {
	mu          sync.Mutex
	start       map[string][]runtime.Object // what there is at the start, by resource
	live        map[string]chan string      // lines to send
	unavailable bool
	denied      map[string]bool // resources that may not be read
	missing     map[string]bool // resources that it does not have
	queries     map[string]url.Values
}

func newWatched() *watched {
	return &watched{
		start: map[string][]runtime.Object{},
		live: map[string]chan string{
			"pods": make(chan string, 10), "nodes": make(chan string, 10), "namespaces": make(chan string, 10), "configmaps": make(chan string, 10),
			"services": make(chan string, 10), "replicationcontrollers": make(chan string, 10), "replicasets": make(chan string, 10), "statefulsets": make(chan string, 10),
			deviceClasses: make(chan string, 10),
			volumeClaims:  make(chan string, 10), volumes: make(chan string, 10), storageClasses: make(chan string, 10), csiNodes: make(chan string, 10),
			csiDrivers: make(chan string, 10), capacities: make(chan string, 10), attachments: make(chan string, 10),
		},
		denied:  map[string]bool{},
		missing: map[string]bool{},
		queries: map[string]url.Values{},
	}
}

func line(kind string, o runtime.Object) string {
	switch o := o.(type) {
	case *v1.Pod:
		o.TypeMeta = metav1.TypeMeta{Kind: "Pod", APIVersion: "v1"}
	case *v1.Node:
		o.TypeMeta = metav1.TypeMeta{Kind: "Node", APIVersion: "v1"}
	case *v1.Namespace:
		o.TypeMeta = metav1.TypeMeta{Kind: "Namespace", APIVersion: "v1"}
	case *v1.ConfigMap:
		o.TypeMeta = metav1.TypeMeta{Kind: "ConfigMap", APIVersion: "v1"}
	case *v1.Service:
		o.TypeMeta = metav1.TypeMeta{Kind: "Service", APIVersion: "v1"}
	case *v1.ReplicationController:
		o.TypeMeta = metav1.TypeMeta{Kind: "ReplicationController", APIVersion: "v1"}
	case *appsv1.ReplicaSet:
		o.TypeMeta = metav1.TypeMeta{Kind: "ReplicaSet", APIVersion: "apps/v1"}
	case *appsv1.StatefulSet:
		o.TypeMeta = metav1.TypeMeta{Kind: "StatefulSet", APIVersion: "apps/v1"}
	case *resourcev1.DeviceClass:
		o.TypeMeta = metav1.TypeMeta{Kind: "DeviceClass", APIVersion: "resource.k8s.io/v1"}
	case *v1.PersistentVolumeClaim:
		o.TypeMeta = metav1.TypeMeta{Kind: "PersistentVolumeClaim", APIVersion: "v1"}
	case *v1.PersistentVolume:
		o.TypeMeta = metav1.TypeMeta{Kind: "PersistentVolume", APIVersion: "v1"}
	case *storagev1.StorageClass:
		o.TypeMeta = metav1.TypeMeta{Kind: "StorageClass", APIVersion: "storage.k8s.io/v1"}
	case *storagev1.CSINode:
		o.TypeMeta = metav1.TypeMeta{Kind: "CSINode", APIVersion: "storage.k8s.io/v1"}
	case *storagev1.CSIDriver:
		o.TypeMeta = metav1.TypeMeta{Kind: "CSIDriver", APIVersion: "storage.k8s.io/v1"}
	case *storagev1.CSIStorageCapacity:
		o.TypeMeta = metav1.TypeMeta{Kind: "CSIStorageCapacity", APIVersion: "storage.k8s.io/v1"}
	case *storagev1.VolumeAttachment:
		o.TypeMeta = metav1.TypeMeta{Kind: "VolumeAttachment", APIVersion: "storage.k8s.io/v1"}
	}
	data, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf(`{"type": %q, "object": %s}`, kind, data)
}

// bookmark ends the initial stream, which was of these objects.
func bookmark(resource string, objects []runtime.Object) string {
	m := metav1.ObjectMeta{ResourceVersion: "100", Annotations: map[string]string{metav1.InitialEventsAnnotationKey: "true"}}
	switch resource {
	case "pods":
		return line("BOOKMARK", &v1.Pod{ObjectMeta: m})
	case "namespaces":
		return line("BOOKMARK", &v1.Namespace{ObjectMeta: m})
	case "configmaps":
		return line("BOOKMARK", &v1.ConfigMap{ObjectMeta: m})
	case "services":
		return line("BOOKMARK", &v1.Service{ObjectMeta: m})
	case "replicationcontrollers":
		return line("BOOKMARK", &v1.ReplicationController{ObjectMeta: m})
	case "replicasets":
		return line("BOOKMARK", &appsv1.ReplicaSet{ObjectMeta: m})
	case "statefulsets":
		return line("BOOKMARK", &appsv1.StatefulSet{ObjectMeta: m})
	case deviceClasses:
		return line("BOOKMARK", &resourcev1.DeviceClass{ObjectMeta: m})
	case volumeClaims:
		return line("BOOKMARK", &v1.PersistentVolumeClaim{ObjectMeta: m})
	case volumes:
		return line("BOOKMARK", &v1.PersistentVolume{ObjectMeta: m})
	case storageClasses:
		return line("BOOKMARK", &storagev1.StorageClass{ObjectMeta: m})
	case csiNodes:
		return line("BOOKMARK", &storagev1.CSINode{ObjectMeta: m})
	case csiDrivers:
		return line("BOOKMARK", &storagev1.CSIDriver{ObjectMeta: m})
	case capacities:
		return line("BOOKMARK", &storagev1.CSIStorageCapacity{ObjectMeta: m})
	case attachments:
		return line("BOOKMARK", &storagev1.VolumeAttachment{ObjectMeta: m})
	case kubeGroups:
		if len(objects) > 0 {
			if u, untyped := objects[0].(*unstructured.Unstructured); untyped {
				u = u.DeepCopy()
				u.SetResourceVersion(m.ResourceVersion)
				u.SetAnnotations(m.Annotations)
				return line("BOOKMARK", u)
			}
		}
		return line("BOOKMARK", &schedulingv1beta1.PodGroup{TypeMeta: metav1.TypeMeta{Kind: "PodGroup", APIVersion: kubeServed}, ObjectMeta: m})
	case volcanoGroups:
		u := volcanoGroup("", 0)
		if len(objects) > 0 { // it has their version
			u.SetAPIVersion(objects[0].(*unstructured.Unstructured).GetAPIVersion())
		}
		u.SetResourceVersion(m.ResourceVersion)
		u.SetAnnotations(m.Annotations)
		return line("BOOKMARK", u)
	}
	return line("BOOKMARK", &v1.Node{ObjectMeta: m})
}

func (s *watched) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	resource := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	s.mu.Lock()
	down, denied, missing, objects := s.unavailable, s.denied[resource], s.missing[resource], s.start[resource]
	s.queries[resource] = r.URL.Query()
	s.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler)
	}
	if denied {
		status(apierrors.NewForbidden(v1.Resource(resource), "", errors.New("no rights")))(w, r)
		return
	}
	if missing {
		http.NotFound(w, r) // as an API server says of a path that it does not know
		return
	}
	if r.URL.Query().Get("watch") == "" {
		http.Error(w, "only watches here", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	send := func(l string) {
		fmt.Fprintln(w, l)
		w.(http.Flusher).Flush()
	}
	w.(http.Flusher).Flush()
	if r.URL.Query().Get("sendInitialEvents") == "true" {
		for _, o := range objects {
			send(line("ADDED", o))
		}
		send(bookmark(resource, objects))
	}
	for {
		select {
		case l := <-s.live[resource]:
			if l == "cut" {
				return
			}
			send(l)
		case <-r.Context().Done():
			return
		}
	}
}

func (s *watched) lack(resource string, missing bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.missing[resource] = missing
}

func (s *watched) deny(resource string, denied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[resource] = denied
}

// asked returns the resources that were asked for.
func (s *watched) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.queries))
}

func (s *watched) setDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unavailable = down
}

// safeBuffer takes the log of several goroutines.
type safeBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// follow starts a watch of the server.
func follow(t *testing.T, server *watched, selector string) (*Watch, *sink, *safeBuffer) {
	t.Helper()
	return followWith(t, server, WatchOptions{Nodes: selector})
}

// followWith starts a watch of the server with the given options.
func followWith(t *testing.T, server *watched, o WatchOptions) (*Watch, *sink, *safeBuffer) {
	t.Helper()
	c, _ := serve(t, server.ServeHTTP)
	w, s, log := prepare(t, c, o)
	require.ErrorContains(t, w.Check(), "deviceclasses and namespaces and nodes and persistentvolumeclaims and persistentvolumes and pods ")
	begin(t, w)
	return w, s, log
}

// prepare makes a watch that asks again soon for what may not be read.
func prepare(t *testing.T, c *Client, o WatchOptions) (*Watch, *sink, *safeBuffer) {
	t.Helper()
	s, log := &sink{}, &safeBuffer{}
	o.Scheduler, o.Log = "sluice", slog.New(slog.NewTextHandler(log, nil))
	w, err := NewWatch(c, o, s)
	require.NoError(t, err)
	w.again = 50 * time.Millisecond
	for _, d := range w.denials {
		d.again = w.again
	}
	return w, s, log
}

// begin runs a watch until the test ends.
func begin(t *testing.T, w *Watch) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { w.Run(ctx); close(ended) }()
	t.Cleanup(func() { cancel(); <-ended })
}

// awaitWords gathers events until they are as wanted, in any order between the two watches.
func awaitWords(t *testing.T, s *sink, want ...string) {
	t.Helper()
	var got []string
	ok := func() bool {
		got = append(got, words(s.take())...)
		return len(got) >= len(want)
	}
	require.Eventually(t, ok, 15*time.Second, time.Millisecond, "want %q", want)
	require.ElementsMatch(t, want, got)
}

func TestWatchSyncsAndFollows(t *testing.T) {
	server := newWatched()
	server.start["pods"] = []runtime.Object{pod("a", "1", ""), at(pod("b", "2", "n1"), foreign)}
	server.start["nodes"] = []runtime.Object{node("n1")}
	server.start["namespaces"] = []runtime.Object{namespace("default", "root.a")}
	w, s, _ := follow(t, server, "pool=batch,!reserved")
	<-w.Synced()
	require.NoError(t, w.Check())
	require.ElementsMatch(t, []string{"pod 1 on ", "pod 2 on n1", "node n1", "namespace default: root.a"}, words(s.take()), "all of it is in the sink by then")

	server.live["pods"] <- line("MODIFIED", pod("a", "1", "n1"))
	awaitWords(t, s, "pod 1 on n1")
	server.live["nodes"] <- line("DELETED", node("n1")) // also what a node gets whose labels stop matching
	awaitWords(t, s, "node n1 gone")
	server.live["nodes"] <- line("ADDED", node("n1"))
	awaitWords(t, s, "node n1")
	server.live["namespaces"] <- line("MODIFIED", namespace("default", "root.b"))
	awaitWords(t, s, "namespace default: root.b")
	server.live["namespaces"] <- line("DELETED", namespace("default", "root.b"))
	awaitWords(t, s, "namespace default gone")

	server.mu.Lock()
	defer server.mu.Unlock()
	require.Equal(t, "pool=batch,!reserved", server.queries["nodes"].Get("labelSelector"))
	require.Equal(t, "status.phase!=Succeeded,status.phase!=Failed", server.queries["pods"].Get("fieldSelector"))
	require.Empty(t, server.queries["namespaces"].Get("fieldSelector")+server.queries["namespaces"].Get("labelSelector"))
}

// Without the right to namespaces everything else works, one line says what is missing, and the right takes effect when it is given.
func TestNamespacesThatMayNotBeReadAreDoneWithout(t *testing.T) {
	server := newWatched()
	server.start["pods"] = []runtime.Object{pod("a", "1", "")}
	server.start["namespaces"] = []runtime.Object{namespace("default", "root.a")}
	server.deny("namespaces", true)
	w, s, log := follow(t, server, "")
	<-w.Synced()
	require.NoError(t, w.Check())
	awaitWords(t, s, "pod 1 on ", "namespaces hidden true")
	time.Sleep(300 * time.Millisecond) // it keeps asking
	require.Equal(t, 1, strings.Count(log.String(), "no right to read namespaces, going on without: queues and quotas"), log.String())
	require.Contains(t, log.String(), "deploy/base/rbac.yaml")
	require.Contains(t, w.Note(), "has a namespaceSelector are held")
	require.Zero(t, w.Stats().Outages)
	server.live["pods"] <- line("MODIFIED", pod("a", "1", "n1"))
	awaitWords(t, s, "pod 1 on n1")

	server.deny("namespaces", false)
	awaitWords(t, s, "namespace default: root.a", "namespaces hidden false")
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "namespaces can be read now") }, 15*time.Second, time.Millisecond)
	require.Zero(t, w.Stats().Relists)
	require.NotContains(t, log.String(), "is back after")
}

// Services and controllers are watched only where a node order spreads pods by their selectors; those that may not be read are done without.
func TestSelectorsAreWatchedIfTheyAreAskedFor(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "default", Name: "web"}
	selector := &metav1.LabelSelector{MatchLabels: map[string]string{"app": "web"}}
	server := newWatched()
	server.start["services"] = []runtime.Object{&v1.Service{ObjectMeta: meta, Spec: v1.ServiceSpec{Selector: map[string]string{"app": "web"}}}}
	server.start["replicasets"] = []runtime.Object{&appsv1.ReplicaSet{ObjectMeta: meta, Spec: appsv1.ReplicaSetSpec{Selector: selector}}}
	server.start["replicationcontrollers"] = []runtime.Object{&v1.ReplicationController{ObjectMeta: meta}}
	w, s, _ := follow(t, server, "")
	<-w.Synced()
	require.Empty(t, s.take())
	require.NotContains(t, server.asked(), "services")

	server.deny("statefulsets", true)
	w, s, log := followWith(t, server, WatchOptions{Extra: cluster.Extra{Selectors: true}})
	<-w.Synced()
	awaitWords(t, s, "selector 1 default/web app=web", "selector 2 default/web ", "selector 3 default/web app=web")
	require.Contains(t, log.String(), "no right to read statefulsets, going on without: pods are not spread by their selectors")
	require.Equal(t, "no right to read statefulsets, going on without: pods are not spread by their selectors", w.Note())
	server.live["services"] <- line("MODIFIED", &v1.Service{ObjectMeta: meta, Status: v1.ServiceStatus{Conditions: []metav1.Condition{{Type: "noise"}}}, Spec: v1.ServiceSpec{Selector: map[string]string{"app": "web"}}})
	server.live["services"] <- line("MODIFIED", &v1.Service{ObjectMeta: meta, Spec: v1.ServiceSpec{Selector: map[string]string{"app": "db"}}})
	awaitWords(t, s, "selector 1 default/web app=db")
	server.live["replicasets"] <- line("DELETED", &appsv1.ReplicaSet{ObjectMeta: meta})
	awaitWords(t, s, "selector 3 default/web gone")

	server.deny("statefulsets", false)
	server.live["statefulsets"] <- line("ADDED", &appsv1.StatefulSet{ObjectMeta: meta, Spec: appsv1.StatefulSetSpec{Selector: selector}})
	awaitWords(t, s, "selector 4 default/web app=web")
	require.Empty(t, w.Note())
}

// TestDeviceClassesAreOptional: an API server may not have them, or not let Sluice read them.
func TestDeviceClassesAreOptional(t *testing.T) {
	for name, c := range map[string]struct {
		keep func(*watched, bool)
		says string
	}{
		"no such API":   {func(s *watched, keep bool) { s.lack(deviceClasses, keep) }, "level=INFO msg=\"this API server has no deviceclasses, going on without: "},
		"no such right": {func(s *watched, keep bool) { s.deny(deviceClasses, keep) }, "level=WARN msg=\"no right to read deviceclasses, going on without: "},
	} {
		t.Run(name, func(t *testing.T) {
			server := newWatched()
			name := "example.com/gpu"
			server.start[deviceClasses] = []runtime.Object{&resourcev1.DeviceClass{
				ObjectMeta: metav1.ObjectMeta{Name: "gpus"}, Spec: resourcev1.DeviceClassSpec{ExtendedResourceName: &name},
			}}
			c.keep(server, true)
			w, s, log := follow(t, server, "")
			<-w.Synced()
			require.NoError(t, w.Check())
			time.Sleep(300 * time.Millisecond) // it keeps asking
			require.Equal(t, 1, strings.Count(log.String(), c.says), log.String())
			require.Zero(t, w.Stats().Outages)
			require.Contains(t, w.Note(), "deviceclasses, going on without: pods that ask for")
			c.keep(server, false)
			awaitWords(t, s, "class gpus: example.com/gpu")
			server.live[deviceClasses] <- line("MODIFIED", &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: "gpus"}})
			awaitWords(t, s, "class gpus: ")
			server.live[deviceClasses] <- line("DELETED", &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: "gpus"}})
			awaitWords(t, s, "class gpus gone")
		})
	}
}

// Pods and nodes it cannot do without: it waits and says so.
func TestPodsThatMayNotBeReadAreWaitedFor(t *testing.T) {
	server := newWatched()
	server.deny("pods", true)
	w, _, log := follow(t, server, "")
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "lost the API server: ") }, 15*time.Second, time.Millisecond)
	require.Eventually(t, func() bool {
		return strings.HasPrefix(w.Check().Error(), "not all pods have been read from ")
	}, 15*time.Second, time.Millisecond, "the others are there")
	server.deny("pods", false)
	<-w.Synced()
}

func TestWatchSurvivesACut(t *testing.T) {
	server := newWatched()
	server.start["pods"] = []runtime.Object{pod("a", "1", "")}
	w, s, _ := follow(t, server, "")
	<-w.Synced()
	awaitWords(t, s, "pod 1 on ")
	server.live["pods"] <- line("ADDED", pod("b", "2", ""))
	awaitWords(t, s, "pod 2 on ")
	server.live["pods"] <- "cut"
	server.live["pods"] <- line("ADDED", pod("c", "3", ""))
	awaitWords(t, s, "pod 3 on ")
	require.Zero(t, w.Stats().Outages)
}

func TestWatchRelistsWhenItCannotResume(t *testing.T) {
	server := newWatched()
	server.start["pods"] = []runtime.Object{pod("a", "1", ""), pod("b", "2", "")}
	w, s, log := follow(t, server, "")
	<-w.Synced()
	awaitWords(t, s, "pod 1 on ", "pod 2 on ")
	server.mu.Lock()
	server.start["pods"] = []runtime.Object{pod("b", "9", "")}
	server.mu.Unlock()
	server.live["pods"] <- `{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}}`
	awaitWords(t, s, "pod 1 gone", "pod 2 gone", "pod 9 on ")
	require.EqualValues(t, 1, w.Stats().Relists)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "relisted") }, 10*time.Second, time.Millisecond)
}

func TestAnOutageIsToldOnce(t *testing.T) {
	server := newWatched()
	server.start["pods"] = []runtime.Object{pod("a", "1", "")}
	w, s, log := follow(t, server, "")
	<-w.Synced()
	awaitWords(t, s, "pod 1 on ")
	server.setDown(true)
	server.live["pods"] <- "cut"
	server.live["nodes"] <- "cut"
	require.Eventually(t, func() bool { return w.Stats().Outages == 1 }, 15*time.Second, time.Millisecond)
	time.Sleep(500 * time.Millisecond) // it keeps trying
	server.setDown(false)
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "API server is back after") }, 30*time.Second, 5*time.Millisecond)
	require.Equal(t, 1, strings.Count(log.String(), "lost the API server: "), log.String())
	require.EqualValues(t, 1, w.Stats().Outages)
	server.live["pods"] <- line("MODIFIED", pod("a", "1", "n1"))
	awaitWords(t, s, "pod 1 on n1")
}

func TestOutageEndsWhenAllAreBack(t *testing.T) {
	log := &safeBuffer{}
	o := newOutage("https://api", slog.New(slog.NewTextHandler(log, nil)))
	o.worked("pods")
	o.failed(t.Context(), "pods", &url.Error{Op: "Get", URL: "https://api/very/long", Err: errors.New("refused")})
	o.failed(t.Context(), "nodes", errors.New("refused"))
	o.worked("pods")
	require.NotContains(t, log.String(), "is back")
	o.worked("nodes")
	require.Contains(t, log.String(), "API server is back after 0s")
	require.Contains(t, log.String(), `msg="lost the API server: refused; retrying"`)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	o.failed(over, "pods", context.Canceled)
	require.EqualValues(t, 1, o.count.Load(), "ending is no outage")
}

func TestABrokenSelectorIsRefused(t *testing.T) {
	_, err := NewWatch(&Client{}, WatchOptions{Nodes: "a in (", Log: quietLog()}, &sink{})
	require.ErrorContains(t, err, "parse the node selector")
}
