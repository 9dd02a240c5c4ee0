package integration

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/kubemark/child"
	"github.com/sluice-scheduler/sluice/kubemark/local"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// patience bounds every wait. It is generous: these tests hold what happens, not how fast.
const patience = 3 * time.Minute

// testLabel is on the nodes of a test; its value is the test's name.
const testLabel = "sluice.dev/test"

// quickElection lets a Sluice that was killed be followed soon.
const quickElection = "leaderElection: {leaseDuration: 6s, renewDeadline: 5s, retryPeriod: 500ms}\n"

// scene is where one test takes place: a namespace, nodes, Sluices, and what is seen of them.
type scene struct {
	*testing.T
	ctx    context.Context
	name   string // of the namespace, and in the names of nodes and Sluices
	client kubernetes.Interface
	// trailFrom is where in the audit log the scene begins.
	trailFrom int64
	instances int
	// serverDown and serverUp are when the scene killed the API server and when that was ready again, if it did.
	serverDown, serverUp time.Time
}

// newScene makes a namespace, and removes it with all pods afterwards.
func newScene(t *testing.T, name string) *scene {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	t.Cleanup(cancel)
	s := &scene{T: t, ctx: ctx, name: name, client: shared.Client()}
	if info, err := os.Stat(auditLog); err == nil {
		s.trailFrom = info.Size()
	}
	s.dropLease()
	require.NoError(t, shared.CreateNamespace(ctx, name))
	t.Cleanup(s.clear)
	t.Cleanup(s.checkRights) // before clear: cleanups run backwards
	return s
}

// dropLease removes the Lease that a killed Sluice of an earlier scene may have left.
func (s *scene) dropLease() {
	s.Helper()
	err := s.client.CoordinationV1().Leases("sluice-system").Delete(s.ctx, "sluice", metav1.DeleteOptions{})
	if !apierrors.IsNotFound(err) {
		require.NoError(s, err)
	}
}

// clear removes the pods and the namespace. The test's own context has ended by now.
func (s *scene) clear() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	zero := int64(0)
	err := s.client.CoreV1().Namespaces().Delete(ctx, s.name, metav1.DeleteOptions{})
	require.NoError(s, err)
	s.eventually("the namespace's pods are gone", func() error {
		err := s.client.CoreV1().Pods(s.name).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &zero}, metav1.ListOptions{})
		if err != nil {
			return err
		}
		left, err := s.client.CoreV1().Pods(s.name).List(ctx, metav1.ListOptions{Limit: 1})
		if err == nil && len(left.Items) > 0 {
			err = fmt.Errorf("pod %s is left", left.Items[0].Name)
		}
		return err
	})
}

// simulate adds nodes that only this scene's Sluices use, and removes them afterwards.
func (s *scene) simulate(g simnode.Group, o simnode.Options) *simnode.Fleet {
	s.Helper()
	g.Name = s.name
	g.Labels = map[string]string{testLabel: s.name}
	o.Groups = []simnode.Group{g}
	fleet, err := shared.Simulate(s.ctx, o)
	require.NoError(s, err)
	s.Cleanup(func() {
		for _, n := range fleet.Names() {
			require.NoError(s, fleet.Remove(context.Background(), n))
		}
		fleet.Stop()
	})
	return fleet
}

// instance is a running Sluice of a scene.
type instance struct {
	*local.Sluice
	scene *scene
	name  string
	// token is what the audit log calls the token that the instance uses.
	token string
}

// options are how a scene's Sluice differs from the usual one.
type options struct {
	// config is added to the configuration.
	config string
	// binary is used instead of sluiceBinary.
	binary string
	// kubeconfig is used instead of a fresh one of Sluice's service account.
	kubeconfig string
	// noWait returns before Sluice is ready.
	noWait bool
}

// sluice starts a Sluice that uses the scene's nodes, with a token of its own, so that the audit log tells its requests from those of others.
func (s *scene) sluice(o options) *instance {
	s.Helper()
	s.instances++
	name := fmt.Sprintf("%s-sluice-%d", s.name, s.instances)
	if o.kubeconfig == "" {
		o.kubeconfig = s.kubeconfig(name)
	}
	if o.binary == "" {
		o.binary = sluiceBinary
	}
	started, err := shared.StartSluice(s.ctx, local.SluiceOptions{
		Binary: o.binary, Name: name, Kubeconfig: o.kubeconfig, NoWait: o.noWait,
		Config: o.config + fmt.Sprintf("nodes: {selector: %q}\n", testLabel+"="+s.name),
	})
	require.NoError(s, err)
	i := &instance{Sluice: started, scene: s, name: name, token: s.credential(o.kubeconfig)}
	s.Cleanup(i.end)
	return i
}

// kubeconfig returns the file of a new token of Sluice's service account.
func (s *scene) kubeconfig(name string) string {
	s.Helper()
	latest, err := shared.InstallSluice(s.ctx)
	require.NoError(s, err)
	data, err := os.ReadFile(latest)
	require.NoError(s, err)
	own := filepath.Join(s.TempDir(), name+".kubeconfig")
	require.NoError(s, os.WriteFile(own, data, 0o600))
	return own
}

// credential is what the audit log calls the token in a kubeconfig: the token's own id, from its second part.
func (s *scene) credential(kubeconfig string) string {
	s.Helper()
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(s, err)
	parts := strings.Split(cfg.BearerToken, ".")
	require.Len(s, parts, 3, "a JSON web token")
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	require.NoError(s, err)
	var claims struct{ JTI string }
	require.NoError(s, json.Unmarshal(data, &claims))
	return "JTI=" + claims.JTI
}

// end stops the instance in good order if it runs, and shows its log's end if the test failed.
func (i *instance) end() {
	if i.Process().Running() {
		require.NoError(i.scene, i.Stop())
	}
	if i.scene.Failed() {
		i.scene.Logf("the end of the log of %s:\n%s", i.name, child.Tail(i.Log(), 40))
	}
}

// log returns what the instance has logged so far.
func (i *instance) log() string {
	data, err := os.ReadFile(i.Log())
	require.NoError(i.scene, err)
	return string(data)
}

// logged waits until the log contains a text.
func (i *instance) logged(text string) {
	i.scene.Helper()
	i.scene.eventually(i.name+" logs "+text, func() error {
		if !strings.Contains(i.log(), text) {
			return fmt.Errorf("it has not")
		}
		return nil
	})
}

// eventually waits until try returns nil, and else fails the test with its last answer.
func (s *scene) eventually(what string, try func() error) {
	s.Helper()
	deadline := time.After(patience)
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, 500*time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			s.Fatalf("waited in vain until %s: %v", what, err)
		case <-time.After(wait):
		}
	}
}
