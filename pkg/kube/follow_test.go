package kube

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	schedulingv1beta1 "k8s.io/api/scheduling/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"

	"github.com/sluice-scheduler/sluice/pkg/app/gang"
)

const (
	kubeGroups    = "podgroups.scheduling.k8s.io"
	volcanoGroups = "podgroups.scheduling.volcano.sh"
)

// extended is an API server whose kinds come and go.
type extended struct {
	*watched
	mu sync.Mutex
	// serves are the resources by group and version.
	serves map[string][]string
	// hidden: it does not tell which groups it has. broken are groups of which it cannot tell what is in them, failing resources that it cannot give.
	hidden          bool
	broken, failing map[string]bool
}

func newExtended() *extended {
	e := &extended{watched: newWatched(), serves: map[string][]string{}, broken: map[string]bool{}, failing: map[string]bool{}}
	for _, name := range []string{kubeGroups, volcanoGroups} {
		e.live[name] = make(chan string, 10)
	}
	return e
}

// change changes it under its lock.
func (e *extended) change(how func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	how()
}

func (e *extended) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if parts[0] != "apis" || len(parts) > 1 && !strings.HasPrefix(parts[1], "scheduling.") {
		e.watched.ServeHTTP(w, r)
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	at := strings.Join(parts[1:min(len(parts), 3)], "/")
	switch resources := e.serves[at]; {
	case len(parts) == 1 && e.hidden:
		status(apierrors.NewForbidden(v1.Resource("apis"), "", errors.New("no rights")))(w, r)
	case len(parts) == 1:
		inJSON(w, e.groups())
	case len(parts) == 3 && e.broken[at]:
		http.Error(w, "the server beside is away", http.StatusServiceUnavailable)
	case len(resources) == 0:
		http.NotFound(w, r)
	case len(parts) == 3:
		list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{Kind: "APIResourceList", APIVersion: "v1"}, GroupVersion: at}
		for _, name := range resources {
			list.APIResources = append(list.APIResources, metav1.APIResource{Name: name})
		}
		inJSON(w, list)
	case e.failing[parts[1]]:
		status(apierrors.NewInternalError(errors.New("conversion webhook failed")))(w, r)
	default:
		r.URL.Path += "." + parts[1]
		e.mu.Unlock()
		e.watched.ServeHTTP(w, r)
		e.mu.Lock()
	}
}

func inJSON(w http.ResponseWriter, o any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(o)
}

func (e *extended) groups() metav1.APIGroupList {
	list := metav1.APIGroupList{TypeMeta: metav1.TypeMeta{Kind: "APIGroupList", APIVersion: "v1"}}
	for at := range e.serves {
		name, version, _ := strings.Cut(at, "/")
		v := metav1.GroupVersionForDiscovery{GroupVersion: at, Version: version}
		list.Groups = append(list.Groups, metav1.APIGroup{Name: name, Versions: []metav1.GroupVersionForDiscovery{v}, PreferredVersion: v})
	}
	return list
}

// gangsOf are the kinds of a group.
func gangsOf(groups ...string) (kinds []gang.Kind) {
	for _, k := range gang.Kinds {
		for _, g := range groups {
			if k.Group == g {
				kinds = append(kinds, k)
			}
		}
	}
	return kinds
}

var bothGangs = gangsOf("scheduling.k8s.io", "scheduling.volcano.sh")

func awaitSync(t *testing.T, w *Watch) {
	t.Helper()
	select {
	case <-w.Synced():
	case <-time.After(8 * time.Second):
		require.NoError(t, w.Check())
	}
}

// followGangs starts a watch of the server that looks for kinds ten times a second.
func followGangs(t *testing.T, server *extended) (*Watch, *sink, *safeBuffer) {
	t.Helper()
	c, err := connect(&rest.Config{Host: serverURL(t, server.ServeHTTP)}, Access{Agent: "sluice/test", QPS: -1, Burst: 1})
	require.NoError(t, err)
	w, s, log := prepare(t, c, WatchOptions{Gangs: bothGangs})
	w.find = 100 * time.Millisecond
	begin(t, w)
	return w, s, log
}

func kubeGroup(name string, least int32) *schedulingv1beta1.PodGroup {
	return &schedulingv1beta1.PodGroup{
		TypeMeta:   metav1.TypeMeta{Kind: "PodGroup", APIVersion: "scheduling.k8s.io/v1beta1"},
		ObjectMeta: metav1.ObjectMeta{Namespace: "lab", Name: name, UID: "u"},
		Spec: schedulingv1beta1.PodGroupSpec{SchedulingPolicy: schedulingv1beta1.PodGroupSchedulingPolicy{
			Gang: &schedulingv1beta1.GangSchedulingPolicy{MinCount: least},
		}},
	}
}

func volcanoGroup(name string, least int64) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "scheduling.volcano.sh/v1beta1", "kind": "PodGroup", "metadata": map[string]any{"namespace": "lab", "name": name},
		"spec": map[string]any{"minMember": least},
	}}
}

const (
	kubeServed    = "scheduling.k8s.io/v1beta1"
	volcanoServed = "scheduling.volcano.sh/v1beta1"
)

// TestKindsThatComeAndGo: the start waits for none that is not there, those that come are watched without a restart, and what one told that goes is taken back.
func TestKindsThatComeAndGo(t *testing.T) {
	server := newExtended()
	server.serves[kubeServed] = []string{"podgroups", "podgroups/status"}
	server.start[kubeGroups] = []runtime.Object{kubeGroup("a", 3)}
	w, s, log := followGangs(t, server)
	awaitSync(t, w)
	awaitWords(t, s, "group lab podgroup/a of 3")
	require.Empty(t, w.Note(), "that there is nothing of Volcano is nobody's concern")
	server.live[kubeGroups] <- line("MODIFIED", kubeGroup("a", 4))
	awaitWords(t, s, "group lab podgroup/a of 4")

	server.start[volcanoGroups] = []runtime.Object{volcanoGroup("v", 2)}
	server.change(func() { server.serves[volcanoServed] = []string{"queues", "podgroups"} })
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 2")
	server.live[volcanoGroups] <- line("ADDED", volcanoGroup("x", 5))
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/x of 5")

	server.change(func() { delete(server.serves, volcanoServed) })
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v gone", "group lab podgroup.scheduling.volcano.sh/x gone")
	require.Eventually(t, func() bool { return strings.Contains(log.String(), "does not serve "+volcanoGroups+" any more") }, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, 1, strings.Count(log.String(), "tell of gangs is heeded"), "of what has come since the start")
	server.change(func() { server.serves[volcanoServed] = []string{"podgroups"} })
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 2")
	server.live[kubeGroups] <- line("DELETED", kubeGroup("a", 4))
	awaitWords(t, s, "group lab podgroup/a gone")
	require.Zero(t, w.Stats().Relists)
	require.Zero(t, w.Stats().Outages)
}

// TestAnotherVersionWillDo: what is read of objects does not differ between the versions of a kind.
func TestAnotherVersionWillDo(t *testing.T) {
	server := newExtended()
	server.serves["scheduling.volcano.sh/v1"] = []string{"podgroups"}
	v := volcanoGroup("v", 2)
	v.SetAPIVersion("scheduling.volcano.sh/v1")
	server.start[volcanoGroups] = []runtime.Object{v}
	_, s, _ := followGangs(t, server)
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 2")
}

// TestAKindIsFoundInWhicheverVersionHasIt: groups serve some kinds in one version alone.
func TestAKindIsFoundInWhicheverVersionHasIt(t *testing.T) {
	server := newExtended()
	server.serves[volcanoServed] = []string{"queues"}
	server.serves["scheduling.volcano.sh/v2"] = []string{"podgroups"}
	v := volcanoGroup("v", 2)
	v.SetAPIVersion("scheduling.volcano.sh/v2")
	server.start[volcanoGroups] = []runtime.Object{v}
	_, s, _ := followGangs(t, server)
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 2")
}

// TestAnotherVersionOfATypedKindIsReadWithoutItsType: the type of that version is not the one that is read.
func TestAnotherVersionOfATypedKindIsReadWithoutItsType(t *testing.T) {
	server := newExtended()
	server.serves["scheduling.k8s.io/v1alpha3"] = []string{"podgroups"}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(kubeGroup("a", 3))
	require.NoError(t, err)
	g := &unstructured.Unstructured{Object: content}
	g.SetAPIVersion("scheduling.k8s.io/v1alpha3")
	server.start[kubeGroups] = []runtime.Object{g}
	_, s, _ := followGangs(t, server)
	awaitWords(t, s, "group lab podgroup/a of 3")
}

// TestVersionsOfAKindAreWatchedOnce.
func TestVersionsOfAKindAreWatchedOnce(t *testing.T) {
	w, _, _ := prepare(t, &Client{}, WatchOptions{Gangs: gang.Kinds})
	names := map[string]bool{}
	for _, k := range w.kinds {
		require.False(t, names[kindName(k)], kindName(k))
		names[kindName(k)] = true
	}
	require.True(t, names["mpijobs.kubeflow.org"])
	require.True(t, names["configmaps"])
}

// TestGangsThatMayNotBeRead are done without, and said once; the right takes effect when it is given, and what was told is taken back when it is withdrawn.
func TestGangsThatMayNotBeRead(t *testing.T) {
	server := newExtended()
	server.serves[kubeServed] = []string{"podgroups"}
	server.start[kubeGroups] = []runtime.Object{kubeGroup("a", 3)}
	server.deny(kubeGroups, true)
	w, s, log := followGangs(t, server)
	awaitSync(t, w)
	time.Sleep(300 * time.Millisecond) // it keeps asking
	const says = "no right to read " + kubeGroups + ", going on without: pods that name a PodGroup are held"
	require.Equal(t, 1, strings.Count(log.String(), says), log.String())
	require.Equal(t, says, w.Note())
	require.Zero(t, w.Stats().Outages)
	server.deny(kubeGroups, false)
	awaitWords(t, s, "group lab podgroup/a of 3")
	require.Empty(t, w.Note())
	server.deny(kubeGroups, true)
	server.live[kubeGroups] <- `{"type": "ERROR", "object": {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410}}`
	awaitWords(t, s, "group lab podgroup/a gone")
	require.Equal(t, says, w.Note())
}

// TestABrokenKindHoldsNothingUp: what it told stays until it can be read again.
func TestABrokenKindHoldsNothingUp(t *testing.T) {
	server := newExtended()
	server.serves[volcanoServed] = []string{"podgroups"}
	server.start[volcanoGroups] = []runtime.Object{volcanoGroup("v", 2)}
	server.failing["scheduling.volcano.sh"] = true
	w, s, log := followGangs(t, server)
	awaitSync(t, w)
	require.Contains(t, w.Note(), "the API server fails to give "+volcanoGroups+", going on without: pods in groups of Volcano start one by one")
	require.NotContains(t, log.String(), "lost the API server")
	server.change(func() { server.failing["scheduling.volcano.sh"] = false })
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 2")

	server.change(func() { server.broken[volcanoServed] = true })
	server.live[volcanoGroups] <- "cut"
	time.Sleep(300 * time.Millisecond)
	require.Empty(t, s.take(), "that the server cannot tell what it serves does not mean that it serves nothing")
}

// TestAServerThatDoesNotTellWhatItServes is asked for everything.
func TestAServerThatDoesNotTellWhatItServes(t *testing.T) {
	server := newExtended()
	server.hidden = true
	server.serves[kubeServed] = []string{"podgroups"}
	server.start[kubeGroups] = []runtime.Object{kubeGroup("a", 3)}
	w, s, log := followGangs(t, server)
	awaitSync(t, w)
	awaitWords(t, s, "group lab podgroup/a of 3")
	require.Equal(t, 1, strings.Count(log.String(), "no right to ask which API groups there are"))
	require.Contains(t, w.Note(), "this API server has no "+volcanoGroups)
	server.start[volcanoGroups] = []runtime.Object{volcanoGroup("v", 2)}
	server.change(func() { server.serves[volcanoServed] = []string{"podgroups"} })
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 2")
}

// TestASlipOfTheServerIsNoEnd: one list of groups without a kind takes nothing back that its objects told, but many in a row do.
func TestASlipOfTheServerIsNoEnd(t *testing.T) {
	server := newExtended()
	server.serves[volcanoServed] = []string{"podgroups"}
	server.serves["scheduling.volcano.sh/v1"] = []string{"podgroups"}
	server.start[volcanoGroups] = []runtime.Object{volcanoGroup("v", 2)}
	c, err := connect(&rest.Config{Host: serverURL(t, server.ServeHTTP)}, Access{Agent: "sluice/test", QPS: -1, Burst: 1})
	require.NoError(t, err)
	w, s, _ := prepare(t, c, WatchOptions{Gangs: bothGangs})
	ctx, cancel := context.WithCancel(t.Context())
	running, k := map[gang.Kind]*followed{}, gangsOf("scheduling.volcano.sh")[0]
	heed := func(times int, o offer) {
		for range times {
			w.heedOffer(ctx, running, k, o, slog.LevelInfo)
		}
	}
	defer func() { cancel(); <-running[k].ended }()
	heed(1, offer{version: "v1beta1"})
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 2")
	for range 3 {
		heed(missingFor-1, offer{})
		heed(5, offer{unknown: true})
		heed(1, offer{version: "v1beta1"})
	}
	require.Empty(t, s.take(), "nothing is taken back")

	later := volcanoGroup("v", 3)
	later.SetAPIVersion("scheduling.volcano.sh/v1")
	server.change(func() { server.start[volcanoGroups] = []runtime.Object{later} })
	heed(1, offer{version: "v1"})
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 3") // and was not gone in between
	heed(missingFor, offer{})
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v gone")
	require.Empty(t, running)
	heed(1, offer{version: "v1"})
	awaitWords(t, s, "group lab podgroup.scheduling.volcano.sh/v of 3")
}

// TestOneRefusalTakesNothingBack: rights that are applied anew may be missing for a moment.
func TestOneRefusalTakesNothingBack(t *testing.T) {
	w, _, _ := prepare(t, &Client{}, WatchOptions{Gangs: bothGangs})
	d, forgotten := w.denials[kubeGroups], 0
	d.begun = func() { forgotten++ }
	absent := apierrors.NewNotFound(schedulingv1beta1.Resource("podgroups"), "")
	forbidden := apierrors.NewForbidden(schedulingv1beta1.Resource("podgroups"), "", errors.New("no rights"))
	for range 3 {
		d.deny(absent)
		d.deny(forbidden)
		d.deny(apierrors.NewInternalError(errors.New("conversion webhook failed")))
		require.True(t, d.denied.Load())
		d.granted()
	}
	require.Zero(t, forgotten)
	for range 9 {
		d.deny(forbidden)
	}
	require.Equal(t, 1, forgotten, "once, after the third")
}
