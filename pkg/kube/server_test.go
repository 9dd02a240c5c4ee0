package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// seen is one request as the server got it.
type seen struct {
	method, path, query string
	contentType, agent  string
	body                []byte
}

// serve starts an API server that is what answer says, and returns a client of it and what it saw.
func serve(t *testing.T, answer http.HandlerFunc) (*Client, func() []seen) {
	t.Helper()
	var mu sync.Mutex
	var all []seen
	c := serveRaw(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		mu.Lock()
		all = append(all, seen{
			r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Get("Content-Type"), r.Header.Get("User-Agent"), body,
		})
		mu.Unlock()
		answer(w, r)
	}))
	return c, func() []seen {
		mu.Lock()
		defer mu.Unlock()
		return append([]seen(nil), all...)
	}
}

// serveRaw starts a server and returns a client of it.
func serveRaw(t *testing.T, h http.Handler) *Client {
	t.Helper()
	c, err := connect(&rest.Config{Host: serverURL(t, h.ServeHTTP)}, Access{Agent: "sluice/test", QPS: -1, Burst: 1})
	require.NoError(t, err)
	return c
}

// serverURL starts a server and returns its address.
func serverURL(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// reply writes an object in protobuf.
func reply(w http.ResponseWriter, code int, o runtime.Object) {
	info, _ := runtime.SerializerInfoForMediaType(scheme.Codecs.SupportedMediaTypes(), protobuf)
	version := v1.SchemeGroupVersion
	if kinds, _, err := scheme.Scheme.ObjectKinds(o); err == nil && len(kinds) == 1 {
		version = kinds[0].GroupVersion()
	}
	data, err := runtime.Encode(scheme.Codecs.EncoderForVersion(info.Serializer, version), o)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", protobuf)
	w.WriteHeader(code)
	w.Write(data)
}

// decode reads a protobuf body into an object.
func decode(t *testing.T, body []byte, into runtime.Object) {
	t.Helper()
	_, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, into)
	require.NoError(t, err)
}

func status(err *apierrors.StatusError) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		if s := err.ErrStatus.Details; s != nil && s.RetryAfterSeconds > 0 {
			w.Header().Set("Retry-After", "3")
		}
		s := err.Status()
		s.TypeMeta = metav1.TypeMeta{Kind: "Status", APIVersion: "v1"}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(int(s.Code))
		json.NewEncoder(w).Encode(s)
	}
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

// sink gathers events.
type sink struct {
	mu     sync.Mutex
	events []core.Event
}

func (s *sink) Put(events ...core.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, events...)
}

// take returns the events since the last call.
func (s *sink) take() []core.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.events
	s.events = nil
	return out
}

// storageWords tells an event of volumes briefly.
func storageWords(e core.Event) string {
	switch e := e.(type) {
	case core.VolumeClaimSet:
		return "claim " + e.Claim.Namespace + "/" + e.Claim.Name + " " + e.Claim.Class
	case core.VolumeClaimGone:
		return "claim " + e.Namespace + "/" + e.Name + " gone"
	case core.VolumeSet:
		return strings.TrimSpace("volume " + e.Volume.Name + " " + map[bool]string{true: "available"}[e.Volume.Available])
	case core.VolumeGone:
		return "volume " + e.Name + " gone"
	case core.StorageClassSet:
		return strings.TrimSpace("class " + e.Class.Name + " " + map[bool]string{true: "waits"}[e.Class.Waits])
	case core.StorageClassGone:
		return "class " + e.Name + " gone"
	case core.CSINodeSet:
		said := "csinode " + e.Node.Name
		for _, d := range e.Node.Drivers {
			said += fmt.Sprintf(" %s=%d", d.Driver, d.Max)
		}
		return said
	case core.CSINodeGone:
		return "csinode " + e.Name + " gone"
	case core.CSIDriverSet:
		return strings.TrimSpace("csidriver " + e.Driver.Name + " " + map[bool]string{true: "capacity"}[e.Driver.Capacity])
	case core.CSIDriverGone:
		return "csidriver " + e.Name + " gone"
	case core.CapacitySet:
		return fmt.Sprintf("capacity %s/%s %s %d", e.Capacity.Namespace, e.Capacity.Name, e.Capacity.Class, e.Capacity.Most)
	case core.CapacityGone:
		return "capacity " + e.Namespace + "/" + e.Name + " gone"
	case core.AttachmentSet:
		return "attachment " + e.Attachment.Name + " " + e.Attachment.Driver + " " + e.Attachment.Node + " " + e.Attachment.Volume
	case core.AttachmentGone:
		return "attachment " + e.Name + " gone"
	case core.VolumesHidden:
		return "hidden " + e.What
	case core.NamespacesHidden:
		return fmt.Sprint("namespaces hidden ", e.Hidden)
	}
	return ""
}

// words tells events briefly.
func words(events []core.Event) (out []string) {
	for _, e := range events {
		if said := storageWords(e); said != "" {
			out = append(out, said)
		}
		switch e := e.(type) {
		case core.PodSet:
			out = append(out, "pod "+string(e.Pod.UID)+" on "+e.Pod.Node)
		case core.PodGone:
			out = append(out, "pod "+string(e.UID)+" gone")
		case core.NodeSet:
			out = append(out, "node "+e.Node.Name)
		case core.NodeGone:
			out = append(out, "node "+e.Name+" gone")
		case core.NamespaceSet:
			out = append(out, "namespace "+e.Namespace.Name+": "+e.Namespace.Queue)
		case core.NamespaceGone:
			out = append(out, "namespace "+e.Name+" gone")
		case core.SelectorSet:
			f := e.Selector
			out = append(out, fmt.Sprintf("selector %d %s/%s %s", f.Kind, f.Namespace, f.Name, f.Labels.AsSelector().Add(f.Requirements...)))
		case core.SelectorGone:
			out = append(out, fmt.Sprintf("selector %d %s/%s gone", e.ID.Kind, e.ID.Namespace, e.ID.Name))
		case core.DeviceClassSet:
			out = append(out, "class "+e.Class.Name+": "+e.Class.Extended)
		case core.DeviceClassGone:
			out = append(out, "class "+e.Name+" gone")
		case core.GroupSet:
			out = append(out, fmt.Sprintf("group %s %s of %d", e.Group.Namespace, e.Group.ID, e.Group.Min))
		case core.GroupGone:
			out = append(out, "group "+e.Namespace+" "+e.ID+" gone")
		case core.PodRejected:
			out = append(out, "pod "+string(e.UID)+" rejected: "+e.Reason)
		}
	}
	return out
}

func pod(name, uid, node string) *v1.Pod {
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(uid), ResourceVersion: "1"},
		Spec:       v1.PodSpec{SchedulerName: "sluice", NodeName: node},
	}
}

func node(name string) *v1.Node {
	return &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), ResourceVersion: "1"}}
}

// namespace is one whose applications queue there unless they say otherwise.
func namespace(name, queue string) *v1.Namespace {
	return &v1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: name, ResourceVersion: "1", Annotations: map[string]string{"sluice.dev/queue": queue},
	}}
}

func podRef(name string) core.PodRef {
	return core.PodRef{UID: types.UID("uid-" + name), Namespace: "default", Name: name}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}
