package kube

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

func claim(name, class string) *v1.PersistentVolumeClaim {
	return &v1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: "uid-1", ResourceVersion: "7"},
		Spec: v1.PersistentVolumeClaimSpec{
			StorageClassName: &class,
			Resources:        v1.VolumeResourceRequirements{Requests: v1.ResourceList{v1.ResourceStorage: apires.MustParse("1Gi")}},
		},
	}
}

func TestEverythingOfVolumesIsTold(t *testing.T) {
	count := int32(3)
	late := storagev1.VolumeBindingWaitForFirstConsumer
	yes, size, pv := true, apires.MustParse("5Gi"), "pv"
	server := newWatched()
	server.start[volumeClaims] = []runtime.Object{claim("data", "late")}
	server.start[volumes] = []runtime.Object{&v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: pv}, Status: v1.PersistentVolumeStatus{Phase: v1.VolumeAvailable}}}
	server.start[storageClasses] = []runtime.Object{&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "late"}, Provisioner: "disk.csi", VolumeBindingMode: &late}}
	server.start[csiNodes] = []runtime.Object{&storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Spec: storagev1.CSINodeSpec{
		Drivers: []storagev1.CSINodeDriver{{Name: "disk.csi", Allocatable: &storagev1.VolumeNodeResources{Count: &count}}},
	}}}
	server.start[csiDrivers] = []runtime.Object{&storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "disk.csi"}, Spec: storagev1.CSIDriverSpec{StorageCapacity: &yes}}}
	server.start[capacities] = []runtime.Object{&storagev1.CSIStorageCapacity{ObjectMeta: metav1.ObjectMeta{Namespace: "csi", Name: "c"}, StorageClassName: "late", Capacity: &size}}
	server.start[attachments] = []runtime.Object{&storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: storagev1.VolumeAttachmentSpec{
		Attacher: "disk.csi", NodeName: "n1", Source: storagev1.VolumeAttachmentSource{PersistentVolumeName: &pv},
	}}}
	w, s, _ := follow(t, server, "")
	<-w.Synced()
	require.ElementsMatch(t, []string{
		"claim default/data late", "volume pv available", "class late waits", "csinode n1 disk.csi=3", "csidriver disk.csi capacity",
		"capacity csi/c late 5368709120", "attachment a disk.csi n1 pv",
	}, words(s.take()))

	for resource, change := range map[string]struct {
		object runtime.Object
		says   string
	}{
		volumeClaims:   {claim("data", "other"), "claim default/data other"},
		volumes:        {&v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: pv}}, "volume pv"},
		storageClasses: {&storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: "late"}}, "class late"},
		csiNodes:       {&storagev1.CSINode{ObjectMeta: metav1.ObjectMeta{Name: "n1"}}, "csinode n1"},
		csiDrivers:     {&storagev1.CSIDriver{ObjectMeta: metav1.ObjectMeta{Name: "disk.csi"}}, "csidriver disk.csi"},
		capacities:     {&storagev1.CSIStorageCapacity{ObjectMeta: metav1.ObjectMeta{Namespace: "csi", Name: "c"}, StorageClassName: "late"}, "capacity csi/c late -1"},
		attachments:    {&storagev1.VolumeAttachment{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: storagev1.VolumeAttachmentSpec{NodeName: "n2"}}, "attachment a  n2 "},
	} {
		server.live[resource] <- line("MODIFIED", change.object)
		awaitWords(t, s, change.says)
		change.object.(metav1.Object).SetResourceVersion("99")
		change.object.(metav1.Object).SetLabels(map[string]string{"app": "noise"})
		if resource != volumes { // of volumes labels matter
			server.live[resource] <- line("MODIFIED", change.object)
		}
		server.live[resource] <- line("DELETED", change.object)
		kind, rest, _ := strings.Cut(change.says, " ")
		name, _, _ := strings.Cut(rest, " ")
		awaitWords(t, s, kind+" "+name+" gone")
	}
}

// Without claims nobody can tell where a pod with claims may run; without the limits of nodes one can go on.
func TestVolumesThatMayNotBeRead(t *testing.T) {
	server := newWatched()
	server.start[volumeClaims] = []runtime.Object{claim("data", "late")}
	server.deny(volumeClaims, true)
	server.deny(csiNodes, true)
	server.lack(capacities, true)
	w, s, log := follow(t, server, "")
	<-w.Synced()
	awaitWords(t, s, "hidden persistentvolumeclaims")
	require.Contains(t, log.String(), "no right to read persistentvolumeclaims, going on without: pods with volume claims are held")
	require.Contains(t, log.String(), "no right to read csinodes, going on without: how many volumes a node can take is not known")
	require.Contains(t, log.String(), "this API server has no csistoragecapacities")
	require.Contains(t, w.Note(), "pods with volume claims are held")

	server.deny(volumeClaims, false)
	awaitWords(t, s, "claim default/data late", "hidden ")
	require.NotContains(t, w.Note(), "claims are held")
}

func TestVolumesOfPluginsThatDriversHaveTakenOver(t *testing.T) {
	pv := &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv", Labels: map[string]string{v1.LabelTopologyZone: "us-east1-a"}}}
	pv.Spec.GCEPersistentDisk = &v1.GCEPersistentDiskVolumeSource{PDName: "disk"}
	f := ReadVolume(pv)
	require.Equal(t, "kubernetes.io/gce-pd", f.Plugin)
	require.Equal(t, "pd.csi.storage.gke.io", f.Driver)
	require.Equal(t, "projects/UNSPECIFIED/zones/us-east1-a/disks/disk", f.Handle)
	require.Nil(t, f.Affinity)
	require.NotNil(t, f.Translated)

	class := ReadStorageClass(&storagev1.StorageClass{Provisioner: "kubernetes.io/aws-ebs"})
	require.Equal(t, "ebs.csi.aws.com", class.Driver)
	require.True(t, class.Migrated)
	require.Equal(t, "kubernetes.io/aws-ebs", class.Provisioner)
	class = ReadStorageClass(&storagev1.StorageClass{Provisioner: "kubernetes.io/vsphere-volume"})
	require.Empty(t, class.Driver, "no node has its driver by kube-scheduler's rules")
	class = ReadStorageClass(&storagev1.StorageClass{Provisioner: "disk.csi"})
	require.Equal(t, "disk.csi", class.Driver)

	p := pod("a", "1", "")
	p.Spec.Volumes = []v1.Volume{
		{Name: "d", VolumeSource: v1.VolumeSource{AzureDisk: &v1.AzureDiskVolumeSource{DiskName: "d", DataDiskURI: "uri"}}},
		{Name: "e", VolumeSource: v1.VolumeSource{EmptyDir: &v1.EmptyDirVolumeSource{}}},
	}
	needs := newReader("sluice", false, quietLog()).pod(p).Needs
	require.Equal(t, []cluster.Attached{{Driver: "disk.csi.azure.com", Handle: "uri", Migrated: true}}, needs.Inline)
}

// objectStore is an API server with one volume and one claim, which are patched as JSON merge patches would.
type objectStore struct {
	volume *v1.PersistentVolume
	claim  *v1.PersistentVolumeClaim
	// stale: that many patches are refused with a conflict.
	stale int
	// forbidden says why all patches are forbidden.
	forbidden string
}

func (o *objectStore) ServeHTTP(w http.ResponseWriter, r *http.Request, body []byte) {
	object := runtime.Object(o.claim)
	if strings.Contains(r.URL.Path, volumes) {
		object = o.volume
	}
	if r.Method == http.MethodGet {
		reply(w, http.StatusOK, object)
		return
	}
	if o.forbidden != "" {
		status(apierrors.NewForbidden(v1.Resource(volumes), "pv", errors.New(o.forbidden)))(w, r)
		return
	}
	if o.stale > 0 {
		o.stale--
		status(apierrors.NewConflict(v1.Resource(volumes), "pv", nil))(w, r)
		return
	}
	if err := json.Unmarshal(body, object); err != nil {
		panic(err)
	}
	object.(metav1.Object).SetResourceVersion("42")
	reply(w, http.StatusOK, object)
}

func storeOf(t *testing.T, o *objectStore) (*Client, func() []seen) {
	var c *Client
	var all func() []seen
	c, all = serve(t, func(w http.ResponseWriter, r *http.Request) {
		saw := all()
		o.ServeHTTP(w, r, saw[len(saw)-1].body)
	})
	return c, all
}

func TestPrepareWritesWhatIsNotSoYet(t *testing.T) {
	o := &objectStore{volume: &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv", UID: "uid-pv", ResourceVersion: "3"}}, claim: claim("data", "late")}
	c, all := storeOf(t, o)
	ref := cluster.ClaimRef{Namespace: "default", Name: "data", UID: "uid-1"}
	ask := core.PrepareVolumes{
		Node: "n1", Bindings: []core.VolumeBinding{{Volume: "pv", UID: "uid-pv", Claim: ref}}, Provisions: []cluster.ClaimRef{ref},
	}
	versions, a := c.Prepare(t.Context(), ask)
	require.Equal(t, Answer{}, a)
	require.Equal(t, []string{"42", "42"}, versions)
	require.Equal(t, &v1.ObjectReference{Kind: "PersistentVolumeClaim", APIVersion: "v1", Namespace: "default", Name: "data", UID: "uid-1"}, o.volume.Spec.ClaimRef)
	require.Equal(t, map[string]string{"pv.kubernetes.io/bound-by-controller": "yes"}, o.volume.Annotations)
	require.Equal(t, map[string]string{"volume.kubernetes.io/selected-node": "n1"}, o.claim.Annotations)
	require.Len(t, all(), 4)
	require.JSONEq(t, `{"metadata":{"uid":"uid-1","resourceVersion":"7","annotations":{"volume.kubernetes.io/selected-node":"n1"}}}`, string(all()[3].body))
	require.Equal(t, "/api/v1/namespaces/default/persistentvolumeclaims/data", all()[3].path)
	require.Equal(t, "application/merge-patch+json", all()[3].contentType)

	_, a = c.Prepare(t.Context(), ask)
	require.Equal(t, Answer{}, a)
	require.Len(t, all(), 6, "it is so, so nothing is written")
}

func TestPrepareOverwritesNobodysDecision(t *testing.T) {
	ref := cluster.ClaimRef{Namespace: "default", Name: "data", UID: "uid-1"}
	keep := core.PrepareVolumes{Node: "n1", Bindings: []core.VolumeBinding{{Volume: "pv", UID: "uid-pv", Claim: ref}}}
	choose := core.PrepareVolumes{Node: "n1", Provisions: []cluster.ClaimRef{ref}}
	for name, c := range map[string]struct {
		change  func(*objectStore)
		ask     core.PrepareVolumes
		verdict Verdict
		says    string
	}{
		"claimed by another": {func(o *objectStore) {
			o.volume.Spec.ClaimRef = &v1.ObjectReference{Namespace: "x", Name: "y", UID: "z"}
		}, keep, Refused, "claimed by x/y"},
		"another volume":       {func(o *objectStore) { o.volume.UID = "other" }, keep, Refused, "replaced"},
		"another claim":        {func(o *objectStore) { o.claim.UID = "other" }, choose, Refused, "replaced"},
		"selected for another": {func(o *objectStore) { o.claim.Annotations = map[string]string{cluster.SelectedNodeAnnotation: "n2"} }, choose, Refused, "selected for node n2"},
		"changed meanwhile":    {func(o *objectStore) { o.stale = 1 }, choose, Conflict, "fulfill"},
	} {
		t.Run(name, func(t *testing.T) {
			o := &objectStore{volume: &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv", UID: "uid-pv"}}, claim: claim("data", "late")}
			c.change(o)
			client, all := storeOf(t, o)
			_, a := client.Prepare(t.Context(), c.ask)
			require.Equal(t, c.verdict, a.Verdict)
			require.ErrorContains(t, a.Err, c.says)
			if c.verdict == Refused {
				require.Len(t, all(), 1, "nothing was written")
			}
		})
	}
	// A volume that a person has kept for the claim by name alone gets its UID, and no word that a controller did it.
	o := &objectStore{volume: &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv", UID: "uid-pv"}}, claim: claim("data", "late")}
	o.volume.Spec.ClaimRef = &v1.ObjectReference{Namespace: "default", Name: "data"}
	client, _ := storeOf(t, o)
	_, a := client.Prepare(t.Context(), keep)
	require.Equal(t, Done, a.Verdict)
	require.EqualValues(t, "uid-1", o.volume.Spec.ClaimRef.UID)
	require.Empty(t, o.volume.Annotations)
}

// TestMissingRights: a right that is missing is told from what admission forbids, and is missing until something could be written.
func TestMissingRights(t *testing.T) {
	ref := cluster.ClaimRef{Namespace: "default", Name: "data", UID: "uid-1"}
	ask := core.PrepareVolumes{Node: "n1", Bindings: []core.VolumeBinding{{Volume: "pv", UID: "uid-pv", Claim: ref}}}
	o := &objectStore{volume: &v1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: "pv", UID: "uid-pv"}}, claim: claim("data", "late")}
	c, _ := storeOf(t, o)
	prepare := func() Verdict { _, a := c.Prepare(t.Context(), ask); return a.Verdict }

	o.forbidden = "a policy of this cluster"
	require.Equal(t, Refused, prepare())
	require.Empty(t, c.MissingRights())
	o.forbidden = `User "sluice" cannot patch resource "persistentvolumes" in API group "" at the cluster scope`
	require.Equal(t, Refused, prepare())
	require.Equal(t, []string{volumes}, c.MissingRights())
	_, a := c.Prepare(t.Context(), core.PrepareVolumes{Node: "n1"})
	require.Equal(t, Done, a.Verdict)
	require.Equal(t, []string{volumes}, c.MissingRights(), "nothing was written")
	o.forbidden = ""
	require.Equal(t, Done, prepare())
	require.Empty(t, c.MissingRights())
}
