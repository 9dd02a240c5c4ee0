package integration

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"
)

// sluiceUser is who the API server takes Sluice for.
const sluiceUser = "system:serviceaccount:sluice-system:sluice"

// entry is a line of the API server's audit log, as far as it is looked at.
type entry struct {
	Stage string
	Verb  string
	User  struct {
		Username string
		Extra    map[string][]string
	}
	ObjectRef struct {
		Resource, Subresource, Namespace, Name, UID string
	}
	ResponseStatus struct {
		Code    int
		Message string
	}
	RequestReceivedTimestamp time.Time
	StageTimestamp           time.Time
	RequestObject            json.RawMessage
}

// token tells the instances of Sluice apart: it is unique to the token that was used.
func (e *entry) token() string {
	if ids := e.User.Extra["authentication.kubernetes.io/credential-id"]; len(ids) == 1 {
		return ids[0]
	}
	return ""
}

// is tells whether the request is of a kind, such as create pods/binding.
func (e *entry) is(verb, resource, subresource string) bool {
	return e.Verb == verb && e.ObjectRef.Resource == resource && e.ObjectRef.Subresource == subresource
}

// bindTarget is the node that a binding names; empty if the request ended before it was read.
func (e *entry) bindTarget(s *scene) string {
	if len(e.RequestObject) == 0 {
		return ""
	}
	var b struct{ Target struct{ Name string } }
	require.NoError(s, json.Unmarshal(e.RequestObject, &b))
	return b.Target.Name
}

// trail returns the answered requests since the scene began, in the order of their answers.
func (s *scene) trail(keep func(*entry) bool) []*entry {
	s.Helper()
	f, err := os.Open(auditLog)
	require.NoError(s, err)
	defer f.Close()
	_, err = f.Seek(s.trailFrom, io.SeekStart)
	require.NoError(s, err)
	var out []*entry
	for lines := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return out // a line without an end is being written
		}
		require.NoError(s, err)
		e := &entry{}
		require.NoError(s, json.Unmarshal(line, e), string(line))
		if e.Stage == "ResponseComplete" && keep(e) {
			out = append(out, e)
		}
	}
}

// binds returns the bindings of the scene's pods that Sluice asked for.
func (s *scene) binds() []*entry {
	s.Helper()
	return s.trail(func(e *entry) bool {
		return e.User.Username == sluiceUser && e.is("create", "pods", "binding") && e.ObjectRef.Namespace == s.name
	})
}

// patches returns the condition writes of the scene's pods, by pod name.
func (s *scene) patches() map[string][]*entry {
	s.Helper()
	out := map[string][]*entry{}
	for _, e := range s.trail(func(e *entry) bool {
		return e.User.Username == sluiceUser && e.is("patch", "pods", "status") && e.ObjectRef.Namespace == s.name
	}) {
		out[e.ObjectRef.Name] = append(out[e.ObjectRef.Name], e)
	}
	return out
}

// boundOnce checks that the API server carried out at most one binding per pod, and that each of the n pods that is on a node is on one
// that Sluice named in a binding which was carried out, or whose caller did not live to see the answer: the API server notes 5xx then. An
// API server that is killed leaves some that it has carried out unrecorded, at most so many.
func (o *observer) boundOnce(n, unrecorded int) {
	s := o.scene
	s.Helper()
	done, doubtful := map[string]string{}, map[string][]string{}
	for _, e := range s.binds() {
		pod, node := e.ObjectRef.Name, e.bindTarget(s)
		switch code := e.ResponseStatus.Code; {
		case code == http.StatusCreated:
			require.Empty(s, done[pod], "pod %s was bound twice, at last to %s", pod, node)
			done[pod] = node
		case code >= http.StatusInternalServerError:
			doubtful[pod] = append(doubtful[pod], node)
		}
	}
	pods := o.all()
	require.Equal(s, n, len(pods), "pods")
	for name, p := range pods {
		on := p.Spec.NodeName
		if on == "" || done[name] == on || slices.Contains(doubtful[name], on) {
			continue
		}
		require.Empty(s, done[name], "pod %s is on %s", name, on)
		unrecorded--
	}
	require.GreaterOrEqual(s, unrecorded, 0, "pods on nodes that Sluice did not name")
}

// checkRights fails the test if a Sluice asked for something that it may not do. An API server that has just been started has not read the
// rights yet and forbids everything; that does not count, nor that nothing may be created in the namespace of an earlier scene, which is on its way out.
func (s *scene) checkRights() {
	asked := s.trail(func(e *entry) bool {
		starting := e.StageTimestamp.After(s.serverDown) && e.StageTimestamp.Before(s.serverUp)
		ending := e.Verb == "create" && strings.Contains(e.ResponseStatus.Message, "because it is being terminated")
		return e.User.Username == sluiceUser && !starting && !ending
	})

	for _, e := range asked {
		require.NotContains(s, []int{http.StatusUnauthorized, http.StatusForbidden}, e.ResponseStatus.Code,
			"%s %s/%s %s", e.Verb, e.ObjectRef.Resource, e.ObjectRef.Subresource, e.ObjectRef.Name)
	}
}
