package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// aGroup has all that the examples of the page have no case of.
const aGroup = `{
	"namespace": "rt", "id": "podgroup/x", "standing": "draining", "min": 3, "applications": ["a", "b"], "queue": "root.rt",
	"source": {"origin": "pod-group"}, "overruled": [{"origin": "object", "text": "FlinkDeployment x: 2 TaskManagers"}, {"origin": "config-map"}],
	"topology": {"key": "zone", "required": true}, "reason": "Unschedulable", "message": "no room", "faults": ["one"], "warnings": ["two", "three"], "remedy": "room",
	"roles": [{"role": "", "min": 3, "count": 0, "existing": 8, "bound": 0, "assumed": 1, "waiting": 7, "expected": 0, "request": {},
		"kept": [{"node": "n1", "pods": 2}, {"node": "n2", "pods": 1}, {"node": "n3", "pods": 1}, {"node": "n4", "pods": 1}, {"node": "n5", "pods": 1}, {"node": "n6", "pods": 1}]}]
}`

func TestAnExplanationOfAGroupHasALineForEachThing(t *testing.T) {
	url := answering(t, http.StatusOK, "application/json", `{"leading": false, "group": `+aGroup+`}`)
	out, _, err := client("", "explain", "group", "rt/x", "--server", url)
	require.NoError(t, err)
	require.Equal(t, ""+
		"Group:       rt/podgroup/x\n"+
		"Standing:    draining (it has waited long, and room is kept for all of it as it falls free)\n"+
		"Told by:     pod-group\n"+
		"Overruled:   FlinkDeployment x: 2 TaskManagers\n"+
		"Overruled:   config-map\n"+
		"Starts with: 3 pods together\n"+
		"Within:      one value of zone, or it waits\n"+
		"Application: a, b\n"+
		"Queue:       root.rt\n"+
		"Room kept:   for 7 pods\n"+
		"Reason:      Unschedulable\n"+
		"Message:     no room\n"+
		"Fault:       one\n"+
		"Warning:     two\n"+
		"Warning:     three\n"+
		"Would help:  room\n"+
		"Note:        this Sluice stands by; the leader may have decided already, and it alone keeps room\n"+
		"\n"+
		"ROLE    MIN  COUNT  BOUND  ON ITS WAY  WAITING  TO COME  KEPT  EACH ASKS FOR  KEPT ON\n"+
		"(none)    3      0      0           1        7        0     7  -              n1 (2), n2, n3, n4, n5, 1 more\n", out)
	out, _, err = client("", "explain", "group", "rt/x", "--server", url, "-o", "json")
	require.NoError(t, err)
	require.Equal(t, `{"leading": false, "group": `+aGroup+`}`, out, "as it is")
}

func TestTheTableOfGroups(t *testing.T) {
	url := answering(t, http.StatusOK, "application/json", `{"leading": false, "groups": [`+aGroup+`, {"namespace": "rt", "id": "y", "standing": "empty", "min": 2, "roles": []}]}`)
	out, problems, err := client("", "groups", "-o", "wide", "--server", url)
	require.NoError(t, err)
	require.Equal(t, "note: the Sluice at "+url+" stands by; it keeps no room, and what the leader has decided and not yet bound is shown as waiting\n", problems)
	require.Equal(t, ""+
		"NAMESPACE  GROUP       STANDING  MIN  BOUND  WAITING  TO COME  KEPT  QUEUE    MARKS                SOURCE\n"+
		"rt         podgroup/x  draining    3    0/8        8        0     7  root.rt  1 fault, 2 warnings  pod-group\n"+
		"rt         y           empty       2    0/2        0        0     0  -                             -\n", out)
}

func TestObjectsOfSeveralGroupsHaveAllOfThemExplained(t *testing.T) {
	url := answering(t, http.StatusOK, "application/json", `{"leading": true, "groups": [{"namespace": "a", "id": "b", "standing": "over", "roles": []}, {"namespace": "a", "id": "c", "standing": "odd", "roles": []}]}`)
	out, _, err := client("", "explain", "rayjob", "a/b", "--server", url)
	require.NoError(t, err)
	require.Equal(t, "Group:       a/b\nStanding:    over (the application has ended or is not to run: nothing is kept for it)\n\nGroup:       a/c\nStanding:    odd\n", out)
}

// TestGroupsAreAskedForAsTheyAreMeant: the namespace and the queue reach the server, names with slashes as well.
func TestGroupsAreAskedForAsTheyAreMeant(t *testing.T) {
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.RequestURI)
		fmt.Fprint(w, `{"leading": true, "groups": [{"namespace": "a", "id": "b"}]}`)
	}))
	defer s.Close()
	t.Setenv(serverVariable, s.URL)
	for _, args := range [][]string{
		{"groups"},
		{"groups", "-A"},
		{"groups", "-n", "rt", "--queue", "root.a b"},
		{"explain", "group", "rt/flink/orders"},
		{"explain", "group", "-n", "rt", "flink/orders"},
		{"explain", "flinkdeployment", "rt/orders"},
		{"explain", "flinkdep", "-n", "rt", "orders"},
		{"explain", "podgroup", "rt/x"},
	} {
		_, _, err := client("", args...)
		require.NoError(t, err, args)
	}
	require.Equal(t, []string{
		"/api/v1/groups", "/api/v1/groups", "/api/v1/groups?namespace=rt&queue=root.a+b", "/api/v1/groups/rt/flink%2Forders", "/api/v1/groups/rt/flink%2Forders",
		"/api/v1/groups?namespace=rt&object=FlinkDeployment%2Forders", "/api/v1/groups?namespace=rt&object=FlinkDeployment%2Forders", "/api/v1/groups?namespace=rt&object=PodGroup%2Fx",
	}, asked)
}

// TestAllStandingsHaveWords, in the order of the core.
func TestAllStandingsHaveWords(t *testing.T) {
	var words []core.GroupStanding
	for _, s := range groupStandings() {
		words = append(words, core.GroupStanding(s[0]))
	}
	require.Equal(t, core.GroupStandings(), words)
	require.NotEmpty(t, standings[string(core.StandingGathered)])
}

func TestGroupsOfARealCoreAreTheSameInEachForm(t *testing.T) {
	w := gangWorld(t)
	all, err := w.queries.Groups(t.Context())
	require.NoError(t, err)
	one, known, err := w.queries.Group(t.Context(), "rt", "flink/orders")
	require.NoError(t, err)
	require.True(t, known)
	require.Contains(t, all.Groups, one.Group)
	require.Equal(t, "FlinkDeployment", one.Group.Source.Object.Kind)
	require.Equal(t, []api.KeptRoom{{Node: "cpu-1", Pods: 2}, {Node: "cpu-2", Pods: 2}}, one.Group.Roles[1].Kept)
}
