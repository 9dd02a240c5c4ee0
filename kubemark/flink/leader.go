package flink

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
)

const (
	// leaderAnnotation is where client-go's older elections keep who leads; Flink's still does.
	leaderAnnotation = "control-plane.alpha.kubernetes.io/leader"
	// leaseDuration and retryPeriod are Flink's defaults of high-availability.kubernetes.leader-election.*.
	leaseDuration = 15 * time.Second
	retryPeriod   = 5 * time.Second
)

// highlyAvailable says whether JobManagers elect a leader by a ConfigMap.
func highlyAvailable(c *spec.Cluster) bool {
	kind, _ := c.Config.Get("high-availability.type", "high-availability")
	return strings.EqualFold(kind, "kubernetes") || strings.HasSuffix(kind, ".KubernetesHaServicesFactory")
}

// renew keeps the ConfigMap by which a highly available cluster's JobManagers elect their leader: it changes every few seconds for as long as one leads, beside the
// ConfigMaps that hold what the cluster is, with the same labels and one more. It returns when to do so again. Unlike Flink's it is owned by the FlinkDeployment, so that it goes with it.
func (s *Simulator) renew(ctx context.Context, c *spec.Cluster, j *job, leader string) (time.Duration, error) {
	if !highlyAvailable(c) || leader == "" {
		return 0, nil
	}
	now, period := s.now(), time.Duration(float64(retryPeriod)/s.options.Pace)
	if left := j.renewed.Add(period).Sub(now); left > 0 {
		return left, nil
	}
	value, err := json.Marshal(map[string]any{
		"holderIdentity": leader, "leaseDuration": leaseDuration.Seconds(), "renewTime": now.UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		return 0, err
	}
	if err := s.putLeader(ctx, c, string(value)); err != nil {
		return 0, err
	}
	j.renewed = now
	return period, nil
}

func (s *Simulator) putLeader(ctx context.Context, c *spec.Cluster, value string) error {
	maps, name := s.kube.CoreV1().ConfigMaps(c.Namespace), c.ID+"-cluster-config-map"
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{leaderAnnotation: value}}})
	if err != nil {
		return err
	}
	_, err = maps.Patch(ctx, name, types.MergePatchType, patch, metav1.PatchOptions{})
	if apierrors.IsNotFound(err) {
		labels := c.Labels("")
		labels["configmap-type"] = "high-availability"
		_, err = maps.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: name, Namespace: c.Namespace, Labels: labels, Annotations: map[string]string{leaderAnnotation: value},
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "flink.apache.org/v1beta1", Kind: string(kindDeployment), Name: c.ID, UID: c.UID}},
		}}, metav1.CreateOptions{})
	}
	if err != nil {
		return fmt.Errorf("renew the leader of %s: %w", c.ID, err)
	}
	return nil
}
