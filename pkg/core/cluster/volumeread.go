package cluster

import (
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
)

// Annotations of claims by which scheduler, controller and provisioner agree.
const (
	// SelectedNodeAnnotation names the node for which a claim is to be provisioned.
	SelectedNodeAnnotation = "volume.kubernetes.io/selected-node"
	bindCompleted          = "pv.kubernetes.io/bind-completed"
	// BoundByControllerAnnotation on a volume says that it was not a person who bound it.
	BoundByControllerAnnotation = "pv.kubernetes.io/bound-by-controller"
)

// NoProvisioner is the provisioner of classes whose volumes are made by hand.
const NoProvisioner = "kubernetes.io/no-provisioner"

// ReadVolumeClaim makes the fact of a claim.
func ReadVolumeClaim(pvc *v1.PersistentVolumeClaim) *VolumeClaimFact {
	f := &VolumeClaimFact{
		Namespace: pvc.Namespace, Name: pvc.Name, UID: pvc.UID, ResourceVersion: pvc.ResourceVersion,
		Class:      classOf(pvc.Annotations, deref(pvc.Spec.StorageClassName)),
		Volume:     pvc.Spec.VolumeName,
		Lost:       pvc.Status.Phase == v1.ClaimLost,
		Deleting:   pvc.DeletionTimestamp != nil,
		Modes:      pvc.Spec.AccessModes,
		Block:      isBlock(pvc.Spec.VolumeMode),
		Attributes: deref(pvc.Spec.VolumeAttributesClassName),
	}
	_, f.Bound = pvc.Annotations[bindCompleted]
	f.Bound = f.Bound && f.Volume != ""
	f.SelectedNode, f.Selected = pvc.Annotations[SelectedNodeAnnotation]
	f.Request, f.Sized = pvc.Spec.Resources.Requests[v1.ResourceStorage]
	if owner := metav1.GetControllerOf(pvc); owner != nil {
		f.Owner = owner.UID
	}
	if pvc.Spec.Selector != nil {
		f.Selector = selectorOf(pvc.Spec.Selector)
	}
	return f
}

// classOf is the class of a claim or volume: the annotation of old goes first.
func classOf(annotations map[string]string, spec string) string {
	if class, ok := annotations[v1.BetaStorageClassAnnotation]; ok {
		return class
	}
	return spec
}

// selectorOf parses a selector. One that cannot be parsed, which the API server lets nobody write, matches nothing.
func selectorOf(s *metav1.LabelSelector) labels.Selector {
	parsed, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		return labels.Nothing()
	}
	return parsed
}

func deref(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func isBlock(m *v1.PersistentVolumeMode) bool { return m != nil && *m == v1.PersistentVolumeBlock }

// ReadVolume makes the fact of a volume. Its label map is shared with the fact.
func ReadVolume(pv *v1.PersistentVolume) *VolumeFact {
	f := &VolumeFact{
		Name: pv.Name, UID: pv.UID, ResourceVersion: pv.ResourceVersion,
		Class:      classOf(pv.Annotations, pv.Spec.StorageClassName),
		Capacity:   pv.Spec.Capacity[v1.ResourceStorage],
		Modes:      pv.Spec.AccessModes,
		Block:      isBlock(pv.Spec.VolumeMode),
		Attributes: deref(pv.Spec.VolumeAttributesClassName),
		Labels:     pv.Labels,
		Available:  pv.Status.Phase == v1.VolumeAvailable,
		Deleting:   pv.DeletionTimestamp != nil,
		Zones:      zonesOf(pv.Labels),
	}
	if r := pv.Spec.ClaimRef; r != nil {
		f.ClaimRef = &ClaimRef{r.Namespace, r.Name, r.UID}
	}
	f.Affinity, f.Pin = ReadVolumeAffinity(pv)
	if csi := pv.Spec.CSI; csi != nil {
		f.Driver, f.Handle = csi.Driver, csi.VolumeHandle
	}
	return f
}

// ReadVolumeAffinity reads from which nodes a volume can be reached.
func ReadVolumeAffinity(pv *v1.PersistentVolume) (*nodeaffinity.LazyErrorNodeSelector, Pin) {
	if pv.Spec.NodeAffinity == nil || pv.Spec.NodeAffinity.Required == nil {
		return nil, Pin{}
	}
	required := pv.Spec.NodeAffinity.Required
	return nodeaffinity.NewLazyErrorNodeSelector(required), pinOfTerms(required.NodeSelectorTerms)
}

// pinOfTerms finds a label that must have one certain value.
func pinOfTerms(terms []v1.NodeSelectorTerm) Pin {
	if len(terms) != 1 {
		return Pin{}
	}
	for _, r := range terms[0].MatchExpressions {
		if r.Operator == v1.NodeSelectorOpIn && len(r.Values) == 1 {
			return Pin{r.Key, r.Values[0]}
		}
	}
	return Pin{}
}

// zoneLabels are the labels of volumes that plugin VolumeZone reads, in its order.
var zoneLabels = [...]string{
	v1.LabelFailureDomainBetaZone, v1.LabelFailureDomainBetaRegion, v1.LabelTopologyZone, v1.LabelTopologyRegion,
}

// zonesOf reads the zone labels of a volume, each of which may name several zones with "__" between them. A label with an empty name in it is ignored.
func zonesOf(labels map[string]string) (zones []Zone) {
	for _, key := range zoneLabels {
		value, ok := labels[key]
		if !ok {
			continue
		}
		names := strings.Split(value, "__")
		for i := range names {
			names[i] = strings.TrimSpace(names[i])
		}
		if !slices.Contains(names, "") {
			zones = append(zones, Zone{key, names})
		}
	}
	return zones
}

// ReadStorageClass makes the fact of a class.
func ReadStorageClass(c *storagev1.StorageClass) *StorageClassFact {
	f := &StorageClassFact{
		Name: c.Name, ResourceVersion: c.ResourceVersion, Provisioner: c.Provisioner, Driver: c.Provisioner,
		Waits: c.VolumeBindingMode != nil && *c.VolumeBindingMode == storagev1.VolumeBindingWaitForFirstConsumer,
	}
	for _, t := range c.AllowedTopologies {
		f.Topologies = append(f.Topologies, topologyOf(t))
	}
	return f
}

// topologyOf makes a selector of a topology term; an empty one selects nothing.
func topologyOf(t v1.TopologySelectorTerm) labels.Selector {
	if len(t.MatchLabelExpressions) == 0 {
		return nil
	}
	s := &metav1.LabelSelector{}
	for _, e := range t.MatchLabelExpressions {
		s.MatchExpressions = append(s.MatchExpressions, metav1.LabelSelectorRequirement{
			Key: e.Key, Operator: metav1.LabelSelectorOpIn, Values: e.Values,
		})
	}
	return selectorOf(s)
}

// ReadCSINode makes the fact of a node's CSI drivers.
func ReadCSINode(c *storagev1.CSINode) *CSINodeFact {
	f := &CSINodeFact{Name: c.Name, ResourceVersion: c.ResourceVersion}
	for _, d := range c.Spec.Drivers {
		limit := CSILimit{Driver: d.Name}
		if d.Allocatable != nil && d.Allocatable.Count != nil {
			limit.Limited, limit.Max = true, int(*d.Allocatable.Count)
		}
		f.Drivers = append(f.Drivers, limit)
	}
	if list := c.Annotations[v1.MigratedPluginsAnnotationKey]; list != "" {
		f.Migrated = strings.Split(list, ",")
	}
	return f
}

// ReadCSIDriver makes the fact of a driver.
func ReadCSIDriver(d *storagev1.CSIDriver) *CSIDriverFact {
	isTrue := func(b *bool) bool { return b != nil && *b }
	return &CSIDriverFact{
		Name: d.Name, ResourceVersion: d.ResourceVersion,
		Capacity: isTrue(d.Spec.StorageCapacity), Needed: isTrue(d.Spec.PreventPodSchedulingIfMissing),
	}
}

// ReadCapacity makes the fact of a driver's capacity.
func ReadCapacity(c *storagev1.CSIStorageCapacity) *CapacityFact {
	f := &CapacityFact{Namespace: c.Namespace, Name: c.Name, ResourceVersion: c.ResourceVersion, Class: c.StorageClassName, Most: -1}
	most := c.Capacity
	if c.MaximumVolumeSize != nil {
		most = c.MaximumVolumeSize // it says more exactly what fits
	}
	if most != nil {
		f.Most = most.Value()
	}
	if t := c.NodeTopology; t != nil {
		f.Topology = selectorOf(t)
		for _, key := range sortedKeys(t.MatchLabels) {
			f.Pin = Pin{key, t.MatchLabels[key]}
		}
	}
	return f
}

// ReadAttachment makes the fact of an attachment.
func ReadAttachment(a *storagev1.VolumeAttachment) *AttachmentFact {
	return &AttachmentFact{
		Name: a.Name, ResourceVersion: a.ResourceVersion, Driver: a.Spec.Attacher, Node: a.Spec.NodeName,
		Volume: deref(a.Spec.Source.PersistentVolumeName),
	}
}
