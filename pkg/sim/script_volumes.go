package sim

import (
	"fmt"
	"strconv"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// claim makes claims: claim NAME [count=N] [class=] [size=1Gi] [modes=(ReadWriteOnce)] [volume=] [select=(k=v)] [owner=POD] [lost]. With a volume it is bound.
func (s *Script) claim(a Args, _ string) error {
	names, err := a.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		pvc := &v1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		if old := s.cluster.volumes.claims[name]; old != nil {
			pvc.UID = old.UID
		}
		if pvc.Spec.Resources.Requests, err = storage(a); err != nil {
			return err
		}
		if a.has("class") {
			class := a.one("class", "")
			pvc.Spec.StorageClassName = &class
		}
		pvc.Spec.AccessModes = modes(a)
		if labels := keyValues(a.Values["select"]); labels != nil {
			pvc.Spec.Selector = &metav1.LabelSelector{MatchLabels: labels}
		}
		if owner := s.cluster.Pod(namespace, a.one("owner", "")); owner != nil {
			yes := true
			pvc.OwnerReferences = []metav1.OwnerReference{{Kind: "Pod", Name: owner.Name, UID: owner.UID, Controller: &yes}}
		}
		if a.has("lost") {
			pvc.Status.Phase, pvc.Spec.VolumeName = v1.ClaimLost, a.one("volume", "")
		}
		if err := s.cluster.SetObject(pvc); err != nil {
			return err
		}
		if a.has("volume") && !a.has("lost") {
			if err := s.cluster.BindClaim(name, a.one("volume", "")); err != nil {
				return err
			}
		}
	}
	return nil
}

// volume makes volumes: volume NAME [count=N] [class=] [size=1Gi] [modes=] [labels=(k=v)] [on=(label=value)] [driver=] [handle=] [for=CLAIM].
func (s *Script) volume(a Args, _ string) error {
	names, err := a.names()
	if err != nil {
		return err
	}
	for _, name := range names {
		pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: keyValues(a.Values["labels"])}}
		if old := s.cluster.volumes.volumes[name]; old != nil {
			pv.UID = old.UID
		}
		if pv.Spec.Capacity, err = storage(a); err != nil {
			return err
		}
		pv.Spec.StorageClassName, pv.Spec.AccessModes, pv.Status.Phase = a.one("class", ""), modes(a), v1.VolumeAvailable
		if a.has("on") {
			pv.Spec.NodeAffinity = reachedFrom(keyValues(a.Values["on"]))
		}
		if driver := a.one("driver", ""); driver != "" {
			pv.Spec.CSI = &v1.CSIPersistentVolumeSource{Driver: driver, VolumeHandle: a.one("handle", name)}
		}
		if claim := a.one("for", ""); claim != "" {
			pv.Spec.ClaimRef = &v1.ObjectReference{Namespace: namespace, Name: claim}
		}
		if err := s.cluster.SetObject(pv); err != nil {
			return err
		}
	}
	return nil
}

func storage(a Args) (v1.ResourceList, error) {
	q, err := apires.ParseQuantity(a.one("size", "1Gi"))
	return v1.ResourceList{v1.ResourceStorage: q}, err
}

func modes(a Args) (list []v1.PersistentVolumeAccessMode) {
	for _, m := range a.Values["modes"] {
		list = append(list, v1.PersistentVolumeAccessMode(m))
	}
	if len(list) == 0 {
		return []v1.PersistentVolumeAccessMode{v1.ReadWriteOnce}
	}
	return list
}

func reachedFrom(labels map[string]string) *v1.VolumeNodeAffinity {
	term := v1.NodeSelectorTerm{}
	for _, key := range sortedNames(labels) {
		term.MatchExpressions = append(term.MatchExpressions, v1.NodeSelectorRequirement{
			Key: key, Operator: v1.NodeSelectorOpIn, Values: []string{labels[key]},
		})
	}
	return &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{term}}}
}

// class makes a storage class: storageclass NAME [provisioner=example.com/disk] [immediate] [topology=(label=value)].
func (s *Script) class(a Args, _ string) error {
	mode := storagev1.VolumeBindingWaitForFirstConsumer
	if a.has("immediate") {
		mode = storagev1.VolumeBindingImmediate
	}
	k := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: a.Name}, VolumeBindingMode: &mode, Provisioner: a.one("provisioner", "example.com/disk")}
	labels := keyValues(a.Values["topology"])
	for _, key := range sortedNames(labels) {
		k.AllowedTopologies = append(k.AllowedTopologies, v1.TopologySelectorTerm{
			MatchLabelExpressions: []v1.TopologySelectorLabelRequirement{{Key: key, Values: []string{labels[key]}}},
		})
	}
	return s.cluster.SetObject(k)
}

// csiNode says which drivers a node has and how many of their volumes it takes: csinode NAME drivers=(driver=3).
func (s *Script) csiNode(a Args, _ string) error {
	n := &storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: a.Name}}
	drivers := keyValues(a.Values["drivers"])
	for _, name := range sortedNames(drivers) {
		d := storagev1.CSINodeDriver{Name: name}
		if count, err := strconv.Atoi(drivers[name]); err == nil {
			number := int32(count)
			d.Allocatable = &storagev1.VolumeNodeResources{Count: &number}
		}
		n.Spec.Drivers = append(n.Spec.Drivers, d)
	}
	return s.cluster.SetObject(n)
}

// csiDriver makes a driver: csidriver NAME [capacity] [needed].
func (s *Script) csiDriver(a Args, _ string) error {
	capacity, needed := a.has("capacity"), a.has("needed")
	return s.cluster.SetObject(&storagev1.CSIDriver{
		ObjectMeta: metav1.ObjectMeta{Name: a.Name}, Spec: storagev1.CSIDriverSpec{StorageCapacity: &capacity, PreventPodSchedulingIfMissing: &needed},
	})
}

// capacity says how much is left of a class: capacity NAME class= size= [on=(label=value)].
func (s *Script) capacity(a Args, _ string) error {
	q, err := apires.ParseQuantity(a.one("size", "1Gi"))
	if err != nil {
		return err
	}
	return s.cluster.SetObject(&storagev1.CSIStorageCapacity{
		ObjectMeta: metav1.ObjectMeta{Namespace: "storage", Name: a.Name}, StorageClassName: a.one("class", ""), Capacity: &q,
		NodeTopology: &metav1.LabelSelector{MatchLabels: keyValues(a.Values["on"])},
	})
}

// attachment attaches a volume to a node: attachment NAME driver= node= volume=.
func (s *Script) attachment(a Args, _ string) error {
	volume := a.one("volume", "")
	return s.cluster.SetObject(&storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: a.Name}, Spec: storagev1.VolumeAttachmentSpec{
		Attacher: a.one("driver", ""), NodeName: a.one("node", ""), Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &volume},
	}})
}

// bindClaim is the controller of volumes binding a claim: bind-claim NAME volume=.
func (s *Script) bindClaim(a Args, _ string) error {
	return s.cluster.BindClaim(a.Name, a.one("volume", ""))
}

// provision is a provisioner making the volume of a claim; with failed it gives up: provision NAME [failed].
func (s *Script) provision(a Args, _ string) error {
	if !a.has("failed") {
		return s.cluster.Provision(a.Name)
	}
	pvc := s.cluster.volumes.claims[a.Name]
	if pvc == nil {
		return fmt.Errorf("no such claim")
	}
	s.cluster.change(pvc.DeepCopy(), func(o metav1.Object) {
		delete(o.GetAnnotations(), cluster.SelectedNodeAnnotation)
	})
	return nil
}

// spoiled makes the next preparation of a pod's volumes fail: spoil POD why=.
func (s *Script) spoiled(a Args, _ string) error {
	s.spoil[a.Name] = a.one("why", "refused")
	return nil
}

// stalled keeps the answer to the next preparation of a pod's volumes back for good.
func (s *Script) stalled(a Args, _ string) error {
	s.stall[a.Name] = true
	return nil
}

func (s *Script) refuseVolumes(e core.PrepareVolumes) (why string, answered bool) {
	name := e.Pod.Name
	why, answered = s.spoil[name], !s.stall[name]
	delete(s.spoil, name)
	delete(s.stall, name)
	return why, answered
}

func preparations(e core.PrepareVolumes) (text string) {
	for _, b := range e.Bindings {
		text += " " + b.Claim.Name + "=" + b.Volume
	}
	for _, c := range e.Provisions {
		text += " " + c.Name + "=new"
	}
	return text
}

// hide takes the right to read volumes or namespaces away, or gives both back: hide [what].
func (s *Script) hide(a Args, _ string) error {
	spaces := a.Name == "namespaces"
	s.cluster.tell(core.NamespacesHidden{Hidden: spaces})
	if spaces {
		return nil
	}
	s.cluster.tell(core.VolumesHidden{What: a.Name})
	return nil
}

// deleteObject deletes an object of storage, if the arguments name one.
func (s *Script) deleteObject(a Args) bool {
	v, c := s.cluster.volumes, s.cluster
	for key, remove := range map[string]func(name string) core.Event{
		"claim": func(n string) core.Event {
			delete(v.claims, n)
			return core.VolumeClaimGone{Namespace: namespace, Name: n}
		},
		"volume":    func(n string) core.Event { delete(v.volumes, n); return core.VolumeGone{Name: n} },
		"class":     func(n string) core.Event { delete(v.classes, n); return core.StorageClassGone{Name: n} },
		"csinode":   func(n string) core.Event { delete(v.csiNodes, n); return core.CSINodeGone{Name: n} },
		"csidriver": func(n string) core.Event { delete(v.drivers, n); return core.CSIDriverGone{Name: n} },
		"capacity": func(n string) core.Event {
			delete(v.capacities, n)
			return core.CapacityGone{Namespace: "storage", Name: n}
		},
		"attachment": func(n string) core.Event { delete(v.attachments, n); return core.AttachmentGone{Name: n} },
	} {
		if a.has(key) {
			c.tell(remove(a.one(key, "")))
			return true
		}
	}
	return false
}
