package kube

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-scheduler/sluice/pkg/config"
)

func configMap(data map[string]string) *v1.ConfigMap {
	return &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "batch", Name: "queues", UID: "uid-queues", ResourceVersion: "1"}, Data: data}
}

// followText starts a watch of the server that follows the text queues.yaml of ConfigMap batch/queues.
func followText(t *testing.T, server *watched) (*Watch, chan Text, *safeBuffer) {
	t.Helper()
	told := make(chan Text, 100)
	w, _, log := followWith(t, server, WatchOptions{
		Text: config.ConfigMapKey{Namespace: "batch", Name: "queues", Key: "queues.yaml"}, TellText: func(x Text) { told <- x },
	})
	return w, told, log
}

func TestATextIsFollowed(t *testing.T) {
	server := newWatched()
	server.start["configmaps"] = []runtime.Object{configMap(map[string]string{"queues.yaml": "one", "other": "x"})}
	_, told, _ := followText(t, server)
	first := <-told
	require.NoError(t, first.Err)
	require.Equal(t, "one", string(first.Data))
	require.EqualValues(t, "uid-queues", first.Object.UID)
	require.Equal(t, "batch/queues", first.Object.Namespace+"/"+first.Object.Name)

	server.live["configmaps"] <- line("MODIFIED", configMap(map[string]string{"queues.yaml": "two"}))
	require.Equal(t, "two", string((<-told).Data))
	server.live["configmaps"] <- line("MODIFIED", configMap(map[string]string{"b": "x", "a": "x"}))
	keyless := <-told
	require.EqualError(t, keyless.Err, "ConfigMap batch/queues has no key queues.yaml; it has a, b")
	require.EqualValues(t, "uid-queues", keyless.Object.UID)
	binary := configMap(nil)
	binary.BinaryData = map[string][]byte{"queues.yaml": {0xff}}
	server.live["configmaps"] <- line("MODIFIED", binary)
	require.Equal(t, []byte{0xff}, (<-told).Data)
	server.live["configmaps"] <- line("DELETED", binary)
	require.EqualError(t, (<-told).Err, "ConfigMap batch/queues was deleted")
	server.live["configmaps"] <- line("ADDED", configMap(map[string]string{"queues.yaml": "three"}))
	require.Equal(t, "three", string((<-told).Data))

	server.mu.Lock()
	defer server.mu.Unlock()
	require.Equal(t, "metadata.name=queues", server.queries["configmaps"].Get("fieldSelector"), "so that the right to this one is enough")
}

func TestATextThatIsNotThereIsNotWaitedFor(t *testing.T) {
	server := newWatched()
	w, told, _ := followText(t, server)
	<-w.Synced()
	require.EqualError(t, (<-told).Err, "there is no ConfigMap batch/queues")
	server.live["configmaps"] <- line("ADDED", configMap(map[string]string{"queues.yaml": "one"}))
	require.Equal(t, "one", string((<-told).Data))
}

// Without the right everything else works, one line says what is missing, and the right takes effect when it is given.
func TestATextThatMayNotBeReadIsToldOnce(t *testing.T) {
	server := newWatched()
	server.start["configmaps"] = []runtime.Object{configMap(map[string]string{"queues.yaml": "one"})}
	server.deny("configmaps", true)
	w, told, log := followText(t, server)
	<-w.Synced()
	require.EqualError(t, (<-told).Err, "there is no right to read ConfigMap batch/queues")
	require.EqualError(t, (<-told).Err, "there is no right to read ConfigMap batch/queues", "it asks again")
	require.Equal(t, 1, strings.Count(log.String(), "no right to read ConfigMap batch/queues, what it says is not known"), log.String())
	require.Contains(t, log.String(), "deploy/base/rbac.yaml")
	require.Zero(t, w.Stats().Outages)

	server.deny("configmaps", false)
	require.Eventually(t, func() bool { return string((<-told).Data) == "one" }, 15*time.Second, time.Millisecond)
	require.Contains(t, log.String(), "ConfigMap batch/queues can be read now")
}
