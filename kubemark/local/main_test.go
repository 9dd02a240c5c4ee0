package local_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluice-scheduler/sluice/kubemark/local"
	"github.com/sluice-scheduler/sluice/kubemark/simnode"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"
)

// The environment variable that makes the test program play another part.
const roleEnv = "SLUICE_TEST_ROLE"

// The parts.
const (
	roleOwner = "owner" // starts a cluster, says where on standard output, and waits to be killed
	roleSleep = "sleep" // does nothing
)

// The one cluster that most tests share: 200 simulated nodes and 2 hollow ones.
var (
	shared       *local.Cluster
	sharedFleet  *simnode.Fleet
	sharedHollow []*local.Hollow
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "run" {
		runAsScheduler()
	}
	switch os.Getenv(roleEnv) {
	case roleOwner:
		ownCluster()
	case roleSleep:
		time.Sleep(time.Hour)
	}
	os.Exit(withCluster(m))
}

// withCluster runs the tests with the shared cluster.
func withCluster(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	var err error
	if shared, err = local.Start(ctx, local.Options{Progress: os.Stderr}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if err := shared.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	sharedFleet, err = shared.Simulate(ctx, simnode.Options{Groups: []simnode.Group{
		{Count: 199},
		{Name: "gpu", Count: 1, CPU: "4", Memory: "8Gi", Pods: 10, Extended: map[string]string{"example.com/gpu": "2"}},
	}})
	if err == nil {
		sharedHollow, err = shared.AddHollow(ctx, local.HollowOptions{
			Count: 2, CPU: "4", Memory: "8Gi", Pods: 10, Extended: map[string]string{"example.com/gpu": "2"},
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// ownCluster is the part of the owner.
func ownCluster() {
	c, err := local.Start(context.Background(), local.Options{})
	if err == nil {
		_, err = c.AddHollow(context.Background(), local.HollowOptions{Count: 1})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(c.Dir())
	select {}
}

// runAsScheduler is what `sluice run --config F --kubeconfig F` must be able to do to be
// started by StartSluice: read the configuration, use the kubeconfig, and serve /readyz at
// web.address once both worked. It also serves who the API server takes it for.
func runAsScheduler() {
	flags := map[string]string{}
	for i := 2; i+1 < len(os.Args); i += 2 {
		flags[strings.TrimPrefix(os.Args[i], "--")] = os.Args[i+1]
	}
	if err := serveAsScheduler(flags["config"], flags["kubeconfig"]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serveAsScheduler never returns without an error.
func serveAsScheduler(config, kubeconfig string) error {
	data, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	var doc struct {
		APIVersion, Kind, StateDirectory string
		Web                              struct{ Address string }
		Nodes                            struct{ Selector string }
	}
	if err := yaml.UnmarshalStrict(data, &doc); err != nil {
		return err
	}
	cfg, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return err
	}
	me, err := client.AuthenticationV1().SelfSubjectReviews().Create(context.Background(),
		&authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	http.HandleFunc("/readyz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("/me", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(map[string]any{"user": me.Status.UserInfo.Username, "pid": os.Getpid(), "config": doc})
	})
	fmt.Fprintln(os.Stderr, "serving", doc.Web.Address)
	return http.ListenAndServe(doc.Web.Address, nil)
}
