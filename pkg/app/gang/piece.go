package gang

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Key names an object that tells of groups.
type Key struct {
	// APIGroup is that of the kind, without version; empty for the core's.
	APIGroup, Kind, Namespace, Name string
}

// Piece is what one object tells of groups, alone or together with others. It is immutable and may be kept in place of the object.
type Piece struct {
	Key Key
	// whole are the facts that the object tells by itself.
	whole []*cluster.GroupFact
	// part is what it contributes to facts that several objects make; nil for nothing.
	part part
	// conf is the Flink configuration in a ConfigMap, for those whose pods mount it; nil for none.
	conf spec.Config
}

// Silent reports whether the object tells of no group, nor helps another to.
func (p *Piece) Silent() bool { return p == nil || len(p.whole) == 0 && p.part == nil && p.conf == nil }

// part is one object's contribution to the fact of a group that several objects make.
type part interface {
	// group is the ID of the group.
	group() string
	// origin is that of the fact.
	origin() cluster.Origin
	// mounts is the ConfigMap that the fact depends on, too; the zero key for none.
	mounts() Key
	// join makes the fact from all parts of the group, this one among them, sorted by their keys, and from the configurations that they mount. It returns nil while
	// they are too few to tell anything.
	join(all []part, mounted func(Key) spec.Config) *cluster.GroupFact
}

// Reader reads whole objects. It may be used by several goroutines.
type Reader struct {
	// Schedulers are the schedulerNames whose pods are ours.
	Schedulers []string
	// TrustUser says that users and groups on pods may be believed; see app.Identify.
	TrustUser bool
}

// Read reads an object of one of the Kinds, in its Go type or unstructured. It returns nil for any other object. The object is not kept.
func (r *Reader) Read(object metav1.Object) *Piece {
	source := sourceOf(object)
	if source.read == nil {
		return nil
	}
	p := &Piece{Key: Key{source.kind.Group, source.kind.Kind, object.GetNamespace(), object.GetName()}}
	source.read(r, object, p)
	return p
}

// source is how a kind of objects is read.
type source struct {
	kind Kind
	read func(r *Reader, object metav1.Object, into *Piece)
}

var sources = []source{
	{podGroups, typed(readPodGroup)},
	{volcanoPodGroups, readVolcano},
	{pluginPodGroups, readPlugin},
	{kaiPodGroups, readKAI},
	{flinkDeployments, readFlinkDeployment},
	{flinkSessionJobs, readSessionJob},
	{configMaps, typed(readConfigMap)},
	{deployments, typed(readDeployment)},
	{statefulSets, typed(readStatefulSet)},
	{jobs, typed(readAnyJob)},
	{sparkApplications, readSparkApplication},
	{rayClusters, readRayCluster},
	{jobSets, readJobSet},
	{leaderWorkerSets, readLeaderWorkerSet},
	{pyTorchJobs, readTraining(pyTorchJobs)},
	{tfJobs, readTraining(tfJobs)},
	{mpiJobs, readTraining(mpiJobs)},
	{xgBoostJobs, readTraining(xgBoostJobs)},
	{paddleJobs, readTraining(paddleJobs)},
	{jaxJobs, readTraining(jaxJobs)},
}

// sourceOf finds how an object is read; the zero source for one of another kind.
func sourceOf(object metav1.Object) source {
	group, kind := kindOf(object)
	for _, s := range sources {
		if s.kind.Kind == kind && s.kind.Group == group {
			return s
		}
	}
	return source{}
}

// tell adds a fact that the object tells by itself. It is copied, so that what it was drafted with is not kept with it.
func (p *Piece) tell(f *cluster.GroupFact) {
	own := *f
	p.whole = append(p.whole, &own)
}

// content is an object of a kind that has no Go type here.
func content(object metav1.Object) map[string]any {
	if u, ok := object.(*unstructured.Unstructured); ok && u != nil {
		return u.Object
	}
	return nil
}
