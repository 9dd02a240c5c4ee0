package kube

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Prepare keeps volumes for claims and selects the node for which claims are to be provisioned, and returns the versions at which that is stored, as
// core.VolumesDone wants them. Everything is read first and written only if it is not so yet, under the version that was read; so it does no harm to ask again after an
// answer that was lost, and what somebody else has decided meanwhile is refused and not overwritten.
func (c *Client) Prepare(ctx context.Context, e core.PrepareVolumes) (versions []string, a Answer) {
	for _, b := range e.Bindings {
		version, err := c.keep(ctx, b)
		if err != nil {
			return nil, answerOfPreparing(err)
		}
		versions = append(versions, version)
	}
	for _, claim := range e.Provisions {
		version, err := c.selectNode(ctx, claim, e.Node)
		if err != nil {
			return nil, answerOfPreparing(err)
		}
		versions = append(versions, version)
	}
	return versions, Answer{}
}

// contradiction is that an object is not as it was when it was decided upon.
type contradiction string

// Error says what is the case.
func (c contradiction) Error() string { return string(c) }

func answerOfPreparing(err error) Answer {
	if c := contradiction(""); errors.As(err, &c) {
		return Answer{Verdict: Refused, Err: err}
	}
	return answerOf(err)
}

// keep has a volume kept for a claim. The controller of volumes does the rest.
func (c *Client) keep(ctx context.Context, b core.VolumeBinding) (version string, err error) {
	pv := &v1.PersistentVolume{}
	if err := c.core.RESTClient().Get().MaxRetries(0).Resource(volumes).Name(b.Volume).Do(ctx).Into(pv); err != nil {
		return "", c.rights.heed(volumes, false, err)
	}
	ref := pv.Spec.ClaimRef
	named := ref != nil && ref.Namespace == b.Claim.Namespace && ref.Name == b.Claim.Name && (ref.UID == "" || ref.UID == b.Claim.UID)
	switch {
	case pv.UID != b.UID:
		return "", contradiction(fmt.Sprintf("volume %s has been replaced", b.Volume))
	case ref != nil && !named:
		return "", contradiction(fmt.Sprintf("volume %s has been claimed by %s/%s", b.Volume, ref.Namespace, ref.Name))
	case named && ref.UID != "":
		return pv.ResourceVersion, nil
	}
	metadata := unchanged(pv.UID, pv.ResourceVersion)
	if !named {
		metadata["annotations"] = map[string]string{cluster.BoundByControllerAnnotation: "yes"}
	}
	claim := v1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: b.Claim.Namespace, Name: b.Claim.Name, UID: b.Claim.UID}
	err = c.patch(ctx, "", volumes, b.Volume, map[string]any{"metadata": metadata, "spec": map[string]any{"claimRef": claim}}, pv)
	return pv.ResourceVersion, err
}

// selectNode has a claim provisioned for a node. Its provisioner does the rest.
func (c *Client) selectNode(ctx context.Context, claim cluster.ClaimRef, node string) (version string, err error) {
	pvc := &v1.PersistentVolumeClaim{}
	err = c.core.RESTClient().Get().MaxRetries(0).Namespace(claim.Namespace).Resource(volumeClaims).Name(claim.Name).Do(ctx).Into(pvc)
	if err != nil {
		return "", c.rights.heed(volumeClaims, false, err)
	}
	chosen, selected := pvc.Annotations[cluster.SelectedNodeAnnotation]
	switch {
	case pvc.UID != claim.UID:
		return "", contradiction(fmt.Sprintf("claim %s/%s has been replaced", claim.Namespace, claim.Name))
	case selected && chosen != node:
		return "", contradiction(fmt.Sprintf("claim %s/%s has been selected for node %s", claim.Namespace, claim.Name, chosen))
	case selected:
		return pvc.ResourceVersion, nil
	}
	metadata := unchanged(pvc.UID, pvc.ResourceVersion)
	metadata["annotations"] = map[string]string{cluster.SelectedNodeAnnotation: node}
	err = c.patch(ctx, claim.Namespace, volumeClaims, claim.Name, map[string]any{"metadata": metadata}, pvc)
	return pvc.ResourceVersion, err
}

// unchanged is the metadata of a patch that is refused with a conflict if the object has changed.
func unchanged(uid types.UID, version string) map[string]any {
	return map[string]any{"uid": uid, "resourceVersion": version}
}

// patch changes an object and reads the outcome.
func (c *Client) patch(ctx context.Context, namespace, resource, name string, change any, into runtime.Object) error {
	body, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("encode a change of %s: %w", name, err)
	}
	r := c.core.RESTClient().Patch(types.MergePatchType).MaxRetries(0)
	if namespace != "" {
		r = r.Namespace(namespace)
	}
	return c.rights.heed(resource, true, r.Resource(resource).Name(name).Body(body).Do(ctx).Into(into))
}
