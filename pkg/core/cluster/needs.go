package cluster

import (
	"slices"
	"strconv"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/component-helpers/storage/ephemeral"
)

// Needs is what a pod asks of volumes, as its spec says it: only those that restrict where it may run. It is immutable.
type Needs struct {
	// Key is the canonical text of all other fields and the namespace.
	Key string
	// Claims in the order of the spec, each once.
	Claims []ClaimUse
	// Pod and UID are set if one of the claims is ephemeral: it must have been made for this very pod.
	Pod string
	UID types.UID
	// Disks are those that exclude other pods.
	Disks []Disk
	// Inline are disks that the pod names itself and that a CSI driver attaches in truth. ReadNeeds leaves them out; see WithInline.
	Inline []Attached
}

// ClaimUse is a claim by name.
type ClaimUse struct {
	Name string
	// Ephemeral: the claim is made for the pod's own volume and goes with it.
	Ephemeral bool
}

// ReadNeeds reads what a pod asks of volumes; nil if nothing.
func ReadNeeds(pod *v1.Pod) *Needs {
	if !slices.ContainsFunc(pod.Spec.Volumes, restricts) {
		return nil // as most: their volumes are configuration and scratch space
	}
	n := &Needs{Disks: disksOf(pod.Spec.Volumes)}
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		use := ClaimUse{}
		switch {
		case v.PersistentVolumeClaim != nil:
			use.Name = v.PersistentVolumeClaim.ClaimName
		case v.Ephemeral != nil:
			use = ClaimUse{ephemeral.VolumeClaimName(pod, v), true}
			n.Pod, n.UID = pod.Name, pod.UID
		default:
			continue
		}
		if !slices.Contains(n.Claims, use) {
			n.Claims = append(n.Claims, use)
		}
	}
	return n.keyed(pod.Namespace)
}

// restricts reports whether a volume says anything about where its pod may run.
func restricts(v v1.Volume) bool {
	return v.PersistentVolumeClaim != nil || v.Ephemeral != nil || v.GCEPersistentDisk != nil || v.AWSElasticBlockStore != nil || v.ISCSI != nil || v.RBD != nil
}

// WithInline returns the needs with disks that a CSI driver attaches; n may be nil.
func (n *Needs) WithInline(namespace string, inline []Attached) *Needs {
	if len(inline) == 0 {
		return n
	}
	with := Needs{}
	if n != nil {
		with = *n
	}
	with.Inline = inline
	return with.keyed(namespace)
}

// keyed sets the key; nil if there is nothing.
func (n *Needs) keyed(namespace string) *Needs {
	if len(n.Claims)+len(n.Disks)+len(n.Inline) == 0 {
		return nil
	}
	b := make([]byte, 0, 64)
	put := func(parts ...string) {
		for _, p := range parts {
			b = append(strconv.AppendQuote(b, p), ' ')
		}
	}
	put(namespace, n.Pod, string(n.UID))
	for _, c := range n.Claims {
		put("c", c.Name, strconv.FormatBool(c.Ephemeral))
	}
	for _, d := range n.Disks {
		put("d", strconv.Itoa(int(d.Kind)), d.Name, d.Pool, strconv.FormatBool(d.ReadOnly), strconv.Itoa(len(d.Monitors)))
		put(d.Monitors...)
	}
	for _, a := range n.Inline {
		put("i", a.Driver, a.Handle)
	}
	n.Key = string(b)
	return n
}
