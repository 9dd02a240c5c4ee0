package provisioner

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Annotations by which scheduler, binder and provisioner agree.
const (
	selectedNode       = "volume.kubernetes.io/selected-node"
	storageProvisioner = "volume.kubernetes.io/storage-provisioner"
	provisionedBy      = "pv.kubernetes.io/provisioned-by"
)

// seeClaim makes the volume of a claim, if it is time.
func (p *Provisioner) seeClaim(ctx context.Context, i item) error {
	claim, err := p.claims.PersistentVolumeClaims(i.namespace).Get(i.name)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	class := p.class(claim)
	if class == nil {
		return nil
	}
	select {
	case <-time.After(p.o.Delay):
	case <-ctx.Done():
		return nil
	}
	node := claim.Annotations[selectedNode]
	if p.o.Fails != nil {
		if why := p.o.Fails(claim, node); why != nil {
			p.o.Log(fmt.Sprintf("no volume for %s/%s on %q: %v", claim.Namespace, claim.Name, node, why))
			return p.giveBack(ctx, claim)
		}
	}
	return p.make(ctx, claim, class, node)
}

// giveBack takes the selected node back, so that the scheduler chooses anew.
func (p *Provisioner) giveBack(ctx context.Context, claim *corev1.PersistentVolumeClaim) error {
	change, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": claim.ResourceVersion, "annotations": map[string]any{selectedNode: nil},
	}})
	if err != nil {
		return err
	}
	_, err = p.client.CoreV1().PersistentVolumeClaims(claim.Namespace).Patch(ctx, claim.Name, types.MergePatchType, change, metav1.PatchOptions{})
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil // it has changed, so it will be seen again
	}
	return err
}

// make creates the volume. Its name is that of the claim's UID, so that it is made once.
func (p *Provisioner) make(ctx context.Context, claim *corev1.PersistentVolumeClaim, class *storagev1.StorageClass, node string) error {
	affinity, err := p.reachable(ctx, node)
	if apierrors.IsNotFound(err) {
		return p.giveBack(ctx, claim)
	}
	if err != nil {
		return err
	}
	name := "pvc-" + string(claim.UID)
	reclaim := corev1.PersistentVolumeReclaimDelete
	if class.ReclaimPolicy != nil {
		reclaim = *class.ReclaimPolicy
	}
	_, err = p.client.CoreV1().PersistentVolumes().Create(ctx, &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{provisionedBy: p.o.Driver}},
		Spec: corev1.PersistentVolumeSpec{
			StorageClassName: class.Name, AccessModes: claim.Spec.AccessModes, VolumeMode: claim.Spec.VolumeMode, PersistentVolumeReclaimPolicy: reclaim,
			Capacity: corev1.ResourceList{corev1.ResourceStorage: claim.Spec.Resources.Requests[corev1.ResourceStorage]},
			ClaimRef: &corev1.ObjectReference{
				Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: claim.Namespace, Name: claim.Name, UID: claim.UID,
			},
			NodeAffinity:           affinity,
			PersistentVolumeSource: corev1.PersistentVolumeSource{CSI: &corev1.CSIPersistentVolumeSource{Driver: p.o.Driver, VolumeHandle: name}},
		},
	}, metav1.CreateOptions{})
	if err == nil {
		p.o.Log(fmt.Sprintf("made %s for %s/%s on %q", name, claim.Namespace, claim.Name, node))
	}
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}

// reachable is from where a volume that is made for a node can be reached; nil for everywhere.
func (p *Provisioner) reachable(ctx context.Context, node string) (*corev1.VolumeNodeAffinity, error) {
	if p.o.Topology == "" || node == "" {
		return nil, nil
	}
	n, err := p.client.CoreV1().Nodes().Get(ctx, node, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	return &corev1.VolumeNodeAffinity{Required: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{
		MatchExpressions: []corev1.NodeSelectorRequirement{{
			Key: p.o.Topology, Operator: corev1.NodeSelectorOpIn, Values: []string{n.Labels[p.o.Topology]},
		}},
	}}}}, nil
}

// seeVolume deletes a volume of ours whose claim is gone, if it is to be deleted then.
func (p *Provisioner) seeVolume(ctx context.Context, name string) error {
	pv, err := p.volumes.Get(name)
	if err != nil || pv.Annotations[provisionedBy] != p.o.Driver || pv.Status.Phase != corev1.VolumeReleased ||
		pv.Spec.PersistentVolumeReclaimPolicy != corev1.PersistentVolumeReclaimDelete {
		return nil
	}
	err = p.client.CoreV1().PersistentVolumes().Delete(ctx, name, metav1.DeleteOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	p.o.Log("deleted " + name)
	return err
}
