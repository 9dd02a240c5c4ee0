package flink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/jobmanager"
	"github.com/sluice-scheduler/sluice/pkg/sim/flink/rules"
)

// digestAnnotation on a Deployment tells what of the FlinkDeployment's spec it was made from, the parts aside that can change while the cluster lives.
const digestAnnotation = "flink-simulator.sluice.dev/spec"

// digest is the value of that annotation: a reactive job can change how many TaskManagers it has, an adaptive one the parallelism of its vertices. The
// digests of other jobs change with every change of their spec.
func digest(cr *unstructured.Unstructured, c *spec.Cluster) string {
	body := (&unstructured.Unstructured{Object: map[string]any{"spec": cr.Object["spec"]}}).DeepCopy().Object
	switch rules.Mode(c) {
	case jobmanager.Reactive:
		unstructured.RemoveNestedField(body, "spec", "taskManager", "replicas")
		unstructured.RemoveNestedField(body, "spec", "job", "parallelism")
	case jobmanager.Adaptive:
		unstructured.RemoveNestedField(body, "spec", "flinkConfiguration", "pipeline.jobvertex-parallelism-overrides")
	}
	data, err := json.Marshal(body)
	if err != nil { // it came as JSON
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:12])
}

// rescale brings a Deployment to the present generation without making it anew, with as many replicas as are wanted now.
func (s *Simulator) rescale(ctx context.Context, c *spec.Cluster, is, want *appsv1.Deployment) (*appsv1.Deployment, error) {
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": is.UID, "annotations": map[string]string{
			objects.GenerationAnnotation: strconv.FormatInt(c.Generation, 10),
		}},
		"spec": map[string]any{"replicas": want.Spec.Replicas},
	})
	if err != nil {
		return nil, err
	}
	s.log.Info("cluster is rescaled in place", "cluster", c.Namespace+"/"+c.ID, "deployment", is.Name, "replicas", *want.Spec.Replicas)
	is, err = s.kube.AppsV1().Deployments(is.Namespace).Patch(ctx, is.Name, types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil {
		return nil, fmt.Errorf("rescale Deployment %s: %w", want.Name, err)
	}
	return is, nil
}
