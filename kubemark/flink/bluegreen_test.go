package flink

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const shop = `
apiVersion: flink.apache.org/v1beta1
kind: FlinkBlueGreenDeployment
metadata: {name: shop}
spec:
  configuration: {kubernetes.operator.bluegreen.deployment-deletion.delay: "5 s"}
  template:
    spec: {flinkVersion: v1_20, image: "flink:1.20", job: {parallelism: 1}}
`

// edit changes an object as a user would.
func (b *bench) edit(o string, change func(u *unstructured.Unstructured)) {
	r := deployResource
	if o == "shop" {
		r = blueGreenResource
	}
	u, err := b.dyn.Resource(r).Namespace("default").Get(context.Background(), o, metav1.GetOptions{})
	require.NoError(b.t, err)
	change(u)
	u.SetGeneration(u.GetGeneration() + 1)
	_, err = b.dyn.Resource(r).Namespace("default").Update(context.Background(), u, metav1.UpdateOptions{})
	require.NoError(b.t, err)
	time.Sleep(time.Second)
}

func (b *bench) shopImage(image string) {
	b.edit("shop", func(u *unstructured.Unstructured) {
		require.NoError(b.t, unstructured.SetNestedField(u.Object, image, "spec", "template", "spec", "image"))
	})
}

func (b *bench) shopState() string { return b.status(blueGreenResource, "shop", "blueGreenState") }

func (b *bench) clusters() (names []string) {
	all, err := b.dyn.Resource(deployResource).Namespace("default").List(context.Background(), metav1.ListOptions{})
	require.NoError(b.t, err)
	for _, u := range all.Items {
		names = append(names, u.GetName())
	}
	return names
}

func (b *bench) colourRuns(name, pod string) {
	b.jobManager(name, pod)
	time.Sleep(2 * time.Second)
	b.startAll()
}

func TestBlueGreenRunsBothUntilTheNewOneRuns(t *testing.T) {
	run(t, func(b *bench) {
		b.apply(shop)
		require.Contains(t, b.order, "flinkdeployments/shop-blue")
		require.Equal(t, "INITIALIZING_BLUE", b.shopState())
		b.colourRuns("shop-blue", "shop-blue-abc-1")
		require.Equal(t, "ACTIVE_BLUE", b.shopState())

		b.shopImage("flink:1.19")
		require.Equal(t, "TRANSITIONING_TO_GREEN", b.shopState())
		require.Equal(t, []string{"shop-blue", "shop-green"}, b.clusters())
		require.Equal(t, "RUNNING", b.status(deployResource, "shop-blue", "jobStatus", "state"))
		b.colourRuns("shop-green", "shop-green-abc-1")
		require.Equal(t, []string{"shop-blue", "shop-green"}, b.clusters(), "the old one is kept for the deletion delay")
		time.Sleep(6 * time.Second)
		require.Equal(t, []string{"shop-green"}, b.clusters())
		require.Equal(t, "ACTIVE_GREEN", b.shopState())

		b.shopImage("flink:1.18")
		require.Equal(t, "TRANSITIONING_TO_BLUE", b.shopState())
	})
}

func TestBlueGreenIsAbortedWhenTheNewOneDoesNotRun(t *testing.T) {
	run(t, func(b *bench) {
		b.apply(shop)
		b.colourRuns("shop-blue", "shop-blue-abc-1")
		b.shopImage("flink:1.19")
		time.Sleep(10*time.Minute - 5*time.Second)
		require.Equal(t, "TRANSITIONING_TO_GREEN", b.shopState())
		time.Sleep(10 * time.Second)
		require.Equal(t, "ACTIVE_BLUE", b.shopState())
		require.Contains(t, b.status(blueGreenResource, "shop", "error"), `Aborting deployment "shop-green"`)
		require.Equal(t, "SUSPENDED", b.status(deployResource, "shop-green", "jobStatus", "state"))
		require.Equal(t, "RUNNING", b.status(blueGreenResource, "shop", "jobStatus", "state"))
		b.shopImage("flink:1.18")
		require.Equal(t, "TRANSITIONING_TO_GREEN", b.shopState(), "a further change is tried again")
		b.colourRuns("shop-green", "shop-green-abc-1")
		time.Sleep(10 * time.Second)
		require.Equal(t, "ACTIVE_GREEN", b.shopState())
		require.Empty(t, b.status(blueGreenResource, "shop", "error"))
	})
}
