package kube

import (
	"slices"

	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	csi "k8s.io/csi-translation-lib"
	"k8s.io/csi-translation-lib/plugins"
	"k8s.io/klog/v2"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// translator knows which CSI driver has taken over which in-tree plugin, and what its volumes are called there.
var translator = csi.New()

// takenOver are the plugins whose volumes drivers attach everywhere; kube-scheduler has the same list.
var takenOver = []string{
	plugins.AWSEBSInTreePluginName, plugins.GCEPDInTreePluginName, plugins.AzureDiskInTreePluginName, plugins.CinderInTreePluginName,
	plugins.PortworxVolumePluginName,
}

// ReadVolume makes the fact of a volume. One of a plugin that a CSI driver has taken over is told as that driver sees it as well.
func ReadVolume(pv *v1.PersistentVolume) *cluster.VolumeFact {
	f := cluster.ReadVolume(pv)
	if !translator.IsPVMigratable(pv) {
		return f
	}
	plugin, err := translator.GetInTreePluginNameFromSpec(pv, nil)
	if err != nil || !slices.Contains(takenOver, plugin) {
		return f
	}
	translated, err := translator.TranslateInTreePVToCSI(klog.Background(), pv)
	if err != nil {
		return f
	}
	f.Plugin = plugin
	f.Translated, _ = cluster.ReadVolumeAffinity(translated)
	if source := translated.Spec.CSI; source != nil {
		f.Driver, f.Handle = source.Driver, source.VolumeHandle
	}
	return f
}

// ReadStorageClass makes the fact of a class. Volumes of a provisioner that a CSI driver has taken over are counted as the driver's.
func ReadStorageClass(c *storagev1.StorageClass) *cluster.StorageClassFact {
	f := cluster.ReadStorageClass(c)
	if !translator.IsMigratableIntreePluginByName(c.Provisioner) {
		return f
	}
	f.Migrated, f.Driver = true, ""
	if driver, err := translator.GetCSINameFromInTreeName(c.Provisioner); err == nil && slices.Contains(takenOver, c.Provisioner) {
		f.Driver = driver
	}
	return f
}

// InlineVolumes are the disks that a pod names itself and that a CSI driver attaches.
func InlineVolumes(pod *v1.Pod) (list []cluster.Attached) {
	for i := range pod.Spec.Volumes {
		v := &pod.Spec.Volumes[i]
		if !translator.IsInlineMigratable(v) {
			continue
		}
		plugin, err := translator.GetInTreePluginNameFromSpec(nil, v)
		if err != nil || !slices.Contains(takenOver, plugin) {
			continue
		}
		pv, err := translator.TranslateInTreeInlineVolumeToCSI(klog.Background(), v, pod.Namespace)
		if err != nil || pv == nil || pv.Spec.CSI == nil {
			continue
		}
		list = append(list, cluster.Attached{Driver: pv.Spec.CSI.Driver, Handle: pv.Spec.CSI.VolumeHandle, Migrated: true})
	}
	return list
}
