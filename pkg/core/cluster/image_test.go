package cluster

import (
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
)

func TestImagesOfANode(t *testing.T) {
	n := &v1.Node{}
	n.Status.Images = []v1.ContainerImage{
		{Names: []string{"registry/b@sha256:1", "registry/b:1"}, SizeBytes: 20},
		{Names: []string{"registry/a:latest"}, SizeBytes: 10},
		{Names: nil, SizeBytes: 5},
	}
	require.Nil(t, Extra{}.ReadNode(n).Images, "nobody asked")
	f := Extra{Images: true}.ReadNode(n)
	require.Len(t, f.Images, 3)
	for name, want := range map[string]int64{"registry/a:latest": 10, "registry/b:1": 20, "registry/b@sha256:1": 20} {
		size, has := f.Image(name)
		require.True(t, has)
		require.Equal(t, want, size)
	}
	_, has := f.Image("registry/b")
	require.False(t, has)
	n.Status.Images[0], n.Status.Images[1] = n.Status.Images[1], n.Status.Images[0]
	require.Equal(t, f.Images, Extra{Images: true}.ReadNode(n).Images, "their order on the node means nothing")
}

func TestANodeWithOtherImagesHasChangedAndIsNotBetter(t *testing.T) {
	s := New()
	n := &v1.Node{}
	n.Name = "n"
	read := Extra{Images: true}
	s.SetNode(read.ReadNode(n))
	s.TakeBetter()
	s.SetNode(read.ReadNode(n))
	version := s.Node("n").Version
	n.Status.Images = []v1.ContainerImage{{Names: []string{"a:1"}, SizeBytes: 10}}
	s.SetNode(read.ReadNode(n))
	require.Greater(t, s.Node("n").Version, version)
	require.Empty(t, s.TakeBetter())
}

func TestNamesOfImages(t *testing.T) {
	for name, want := range map[string]string{
		"app":                        "app:latest",
		"app:1":                      "app:1",
		"registry:5000/app":          "registry:5000/app:latest",
		"registry:5000/app:1":        "registry:5000/app:1",
		"registry/app@sha256:abcdef": "registry/app@sha256:abcdef",
		"":                           ":latest",
	} {
		require.Equal(t, want, imageName(name))
	}
}

func TestLikingsOfAPod(t *testing.T) {
	p := ownedBy("apps/v1", "ReplicaSet", "rs")
	p.Spec.InitContainers = []v1.Container{{Image: "b"}}
	p.Spec.Containers = []v1.Container{{Image: "c:1"}, {Image: "b:latest"}}
	p.Spec.Volumes = []v1.Volume{{Name: "v", VolumeSource: v1.VolumeSource{Image: &v1.ImageVolumeSource{Reference: "a"}}}, {Name: "w"}}
	require.Nil(t, Extra{}.ReadPod(p, "sluice").Liking, "nobody asked")
	l := Extra{Images: true, Selectors: true}.ReadPod(p, "sluice").Liking
	require.Equal(t, []string{"a:latest", "b:latest", "b:latest", "c:1"}, l.Images)
	require.Equal(t, SelectorID{ReplicaSet, "ns", "rs"}, l.Owner)

	q := p.DeepCopy()
	require.Equal(t, l, Extra{Images: true, Selectors: true}.ReadPod(q, "sluice").Liking)
	q.Namespace = "other"
	require.NotEqual(t, l.Key, Extra{Images: true, Selectors: true}.ReadPod(q, "sluice").Liking.Key, "its owner is another")
	q = p.DeepCopy()
	q.Spec.Containers[1].Image = "b:2"
	require.NotEqual(t, l.Key, Extra{Images: true, Selectors: true}.ReadPod(q, "sluice").Liking.Key)
	require.Equal(t, ReadPod(p, "sluice").Demand.Key, ReadPod(q, "sluice").Demand.Key, "their shape is the same")
}
