package core_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/sluice-scheduler/sluice/pkg/core"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// TestGangHistories does what TestRandomHistories does where most pods are members of groups, and things happen to what is told of those. Every third history has volumes as well.
func TestGangHistories(t *testing.T) {
	var sum core.Stats
	started := map[string]int{}
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := newRunner(t, &bytesSource{data: randomBytes(seed+20_000, 3000)})
			r.gather()
			r.storing = seed%3 == 2
			r.run()
			n := r.cores[0].Stats()
			sum.Scheduled += n.Scheduled
			sum.Gangs += n.Gangs
			sum.Kept += n.Kept
			sum.Arrived += n.Arrived
			sum.Lapsed += n.Lapsed
			sum.Stolen += n.Stolen
			for what, count := range r.judge.seen {
				started[what] += count
			}
		})
	}
	t.Logf("%+v, %v", sum, started)
	for what, n := range map[string]uint64{
		"scheduled": sum.Scheduled, "gangs": sum.Gangs, "rooms kept": sum.Kept, "rooms taken": sum.Arrived, "rooms given up": 10 * sum.Lapsed, "stolen": sum.Stolen,
		"starts without volumes": uint64(started["at once"]), "starts with volumes": 40 * uint64(started["after volumes"]), "starts within a domain": 20 * uint64(started["in a domain"]),
		"rooms that are owed and missing": 10 * uint64(started["owed"]), "packings tried": uint64(started["searched"]),
	} {
		require.Greater(t, n, uint64(100), "the histories hardly reach %s", what)
	}
}

// gather makes the history one of groups.
func (r *runner) gather() {
	r.ganging = true
	cfg := core.Config{Budget: 400, RefreshAfter: 20 * time.Second, RetryAfter: time.Minute, HoldFor: time.Minute, ReentryFor: 30 * time.Second}
	if r.src.chance(2) {
		cfg.StarvationAfter = 5 * time.Second
	}
	r.cores = [2]*core.Core{core.New(cfg), core.New(cfg)}
	r.tell(core.QueuesSet{Tree: r.gangTree()})
	for i := range 4 {
		r.tell(core.NodeSet{Node: r.gangNode(fmt.Sprintf("n%d", i))})
	}
}

// somethingOfGroups lets one thing happen.
func (r *runner) somethingOfGroups() {
	happenings := 25
	if r.storing {
		happenings = 35
	}
	switch r.src.below(happenings) {
	case 0:
		r.tell(core.NodeSet{Node: r.gangNode(r.nodeName())})
	case 1:
		if r.src.chance(3) {
			r.tell(core.NodeGone{Name: r.nodeName()})
		}
	case 2, 3, 4, 5, 6, 7:
		r.tell(core.PodSet{Pod: r.gangPod()})
	case 8, 9:
		r.tell(core.PodGone{UID: r.memberUID()})
	case 10, 11, 12, 13:
		r.answer()
	case 14:
		r.now = r.now.Add(time.Duration(r.src.below(20)) * time.Second)
	case 15:
		if len(r.queue) > 0 {
			r.tell(r.queue[r.src.below(len(r.queue))]) // doubled
		}
	case 16:
		r.rareOfGroups()
	case 17, 18, 19:
		r.tell(core.GroupSet{Group: r.groupFact()})
	case 20:
		r.groupGone()
	case 21:
		r.starts()
	case 22:
		r.linger()
	case 23:
		r.wholeGroup()
	case 24:
		r.groupEnds()
	default:
		r.volumeEvent()
	}
}

func (r *runner) rareOfGroups() {
	switch r.src.below(6) {
	case 0, 1:
		r.tell(core.Lead{On: false})
		r.step()
		r.tell(core.Lead{On: true})
	case 2:
		r.tell(core.QueuesSet{Tree: r.gangTree()})
	case 3:
		r.tell(core.Quarantine{UID: r.memberUID(), Why: "fuzz"})
	case 4:
		r.tell(core.BindDone{UID: r.memberUID(), Node: r.nodeName(), Outcome: core.Outcome(r.src.below(3))})
	case 5:
		r.tell(core.Lead{On: r.src.chance(2)})
	}
}

// linger lets the core do what it wants to do for five seconds in which nothing happens; then each gang that can start must have started.
func (r *runner) linger() {
	r.step()
	end := r.now.Add(5 * time.Second)
	for range 500 {
		at, ok := r.cores[0].Wake()
		if !ok || at.After(end) {
			break
		}
		if at.After(r.now) {
			r.now = at
		}
		r.step()
	}
	r.now = end
	r.step()
	r.checkStarts()
}

// memberUID names a pod of a group, or one of a few that are in none.
func (r *runner) memberUID() types.UID { return types.UID(fmt.Sprintf("m%d", r.src.below(members))) }

// members is how many pods there are to name: 7 of each of four groups, and 4 others.
const members = 32

// memberOf returns the group that a pod is made for, and its number there; loners have none.
func memberOf(uid types.UID) (group string, number int) {
	n, _ := strconv.Atoi(string(uid[1:]))
	if n >= 28 {
		return "", n
	}
	return fmt.Sprintf("g%d", n%4), n / 4
}

// homeOf is the namespace of a group.
func homeOf(group string) string {
	if group == "g3" {
		return "ns2"
	}
	return "ns"
}

// gangTree is one of two queues, each with some bound.
func (r *runner) gangTree() *cluster.Tree {
	leaf := func(name string) *cluster.QueueSpec {
		q := &cluster.QueueSpec{Name: name, Weight: 1, Sort: cluster.SortFIFO, Submit: cluster.ACL{Everybody: true}}
		if r.src.chance(2) {
			q.Max = resource.Amounts{{Name: "cpu", Value: int64(3+r.src.below(6)) * 1000}}
		}
		return q
	}
	root := &cluster.QueueSpec{Name: "root", Weight: 1, Parent: true, Submit: cluster.ACL{Everybody: true}}
	root.Children = []*cluster.QueueSpec{leaf("a"), leaf("b")}
	return &cluster.Tree{Hash: fmt.Sprint(r.src.below(256)), Root: root}
}

func (r *runner) gangNode(name string) *cluster.NodeFact {
	n := &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, UID: types.UID("uid-" + name), Labels: map[string]string{}}}
	n.Status.Allocatable = v1.ResourceList{
		"cpu": apires.MustParse(pick(r.src, []string{"4", "3", "2", "6", "1"})), "memory": apires.MustParse("8Gi"), "pods": apires.MustParse(pick(r.src, []string{"10", "10", "3"})),
	}
	if r.src.below(6) > 0 {
		n.Labels["zone"] = pick(r.src, []string{"z", "y"})
	}
	if r.src.chance(8) {
		n.Spec.Taints = []v1.Taint{{Key: "k", Effect: v1.TaintEffectNoSchedule}}
	}
	n.Spec.Unschedulable = r.src.chance(10)
	return r.read.ReadNode(n)
}

// gangPod is a pod that has come or changed.
func (r *runner) gangPod() *cluster.PodFact { return r.gangPodNamed(r.memberUID()) }

func (r *runner) gangPodNamed(uid types.UID) *cluster.PodFact {
	group, number := memberOf(uid)
	priority := int32(0)
	if r.src.chance(5) {
		priority = 1
	}
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: string(uid), Namespace: homeOf(group), UID: uid}}
	p.CreationTimestamp = metav1.NewTime(r.now.Truncate(time.Second).Add(-time.Duration(r.src.below(3)) * time.Second))
	old := r.judge.pods[uid]
	if old != nil {
		p.CreationTimestamp, priority = metav1.NewTime(old.Created), old.Priority
		p.Spec.NodeName = old.Node // the API never unbinds
	}
	p.Spec.Priority, p.Spec.SchedulerName = &priority, "sluice"
	if foreign := r.src.chance(20); r.judge.foreign(uid, foreign) {
		p.Spec.SchedulerName = "other"
	}
	cpu := cpuOf(group, number)
	if r.src.chance(8) {
		cpu = pick(r.src, []string{"1", "2", "1500m", "0"})
	}
	p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{"cpu": apires.MustParse(cpu)}}}}
	r.peculiar(p)
	if r.storing {
		volumesOf(uid, &p.Spec)
	}
	f := r.read.ReadPod(p, "sluice")
	r.judge.objects[f.Demand] = p
	if old != nil && old.Node != "" {
		f.Scheduled, f.Ready = old.Scheduled, old.Ready
	}
	if claim := r.judge.claims[uid]; claim != nil && r.src.below(10) > 0 {
		f.Claim = claim
	} else {
		f.Claim = r.memberClaim(group, number)
	}
	return f
}

// cpuOf is what the pods of a group ask for: those first less than the others, those of the third group this or that.
func cpuOf(group string, number int) string {
	switch {
	case group == "" || number == 0:
		return "500m"
	case group == "g2":
		return []string{"1", "2", "1500m"}[number%3]
	}
	return "1"
}

// peculiar makes something of a pod unusual.
func (r *runner) peculiar(p *v1.Pod) {
	switch r.src.below(40) {
	case 1:
		p.Spec.NodeSelector = map[string]string{"zone": "z"}
	case 2:
		p.Spec.Tolerations = []v1.Toleration{{Operator: v1.TolerationOpExists}}
	case 3:
		p.Spec.Containers[0].Ports = []v1.ContainerPort{{HostPort: 80}}
	case 4:
		p.Spec.Affinity = pinned(r.nodeName())
	case 5:
		p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "g"}}
	case 6:
		p.DeletionTimestamp = &metav1.Time{Time: r.now}
	case 7, 8:
		p.Status.Phase = v1.PodFailed
	case 9:
		if p.Spec.NodeName == "" {
			p.Spec.NodeName = r.nodeName() // somebody else bound it
		}
	case 10:
		p.Status.ContainerStatuses = []v1.ContainerStatus{{Name: "main", AllocatedResources: v1.ResourceList{"cpu": apires.MustParse("2")}}}
	}
}

// memberClaim is what a pod of a group claims: mostly what its group does.
func (r *runner) memberClaim(group string, number int) *cluster.Claim {
	c := &cluster.Claim{App: group, AppFrom: "the test", Role: roleOf(group, number), Group: group, Queue: "root.a", QueueFrom: "the test"}
	switch group {
	case "":
		c.App = fmt.Sprintf("loner-%d", number)
		c.Queue = pick(r.src, []string{"root.a", "root.b"})
	case "g1":
		c.Queue = "root.b"
	case "g2":
		least := 3
		if r.src.chance(10) {
			least = 2
		}
		c.Gang = &cluster.GroupFact{Namespace: homeOf(group), ID: group, Origin: cluster.FromAnnotations, Source: "annotations", Min: least, Key: fmt.Sprint("least ", least)}
	case "g3":
		c.Awaits = pick(r.src, []cluster.Awaits{cluster.AwaitsNothing, cluster.AwaitsSoon, cluster.AwaitsAlways})
	}
	switch r.src.below(20) {
	case 0:
		c.Queue = pick(r.src, []string{"root.a", "root.b", "nope"})
	case 1:
		c.App = fmt.Sprintf("other-%d", number)
	case 2:
		c.Role = pick(r.src, []string{"", "jobmanager", "taskmanager", "unheard"})
	case 3:
		c.Group = pick(r.src, []string{"", "g0", "g1"})
	}
	return c
}

func roleOf(group string, number int) string {
	switch {
	case group == "" || group == "g2":
		return ""
	case number == 0:
		return "jobmanager"
	}
	return "taskmanager"
}

// groupFact is what a source tells of a group.
func (r *runner) groupFact() *cluster.GroupFact {
	id := fmt.Sprintf("g%d", r.src.below(4))
	f := &cluster.GroupFact{
		Namespace: homeOf(id), ID: id, Source: "the test", Min: r.src.below(7), Soft: r.src.chance(6), Together: r.src.chance(6), Over: r.src.chance(16),
		Origin: pick(r.src, []cluster.Origin{cluster.FromPodGroup, cluster.FromGroupLabels, cluster.FromObject, cluster.FromObject, cluster.FromConfigMap}),
	}
	switch r.src.below(5) {
	case 0, 1, 2:
		least := r.src.below(6)
		f.Min = 1 + least
		f.Roles = []cluster.RoleFact{
			{Role: "jobmanager", Min: 1, Count: 1, First: true, Template: r.template(id, 0)},
			{Role: "taskmanager", Min: least, Count: least + r.src.below(2), Template: r.template(id, 1)},
		}
		if r.src.chance(8) {
			f.Min = r.src.below(8) // not what its roles add up to
		}
	case 3:
		f.Roles = []cluster.RoleFact{{Role: "taskmanager", Min: r.src.below(4), Count: 4}}
		f.Min += f.Roles[0].Min
	}
	if r.src.chance(4) {
		f.Topology = &cluster.GroupTopology{Key: "zone", Required: r.src.chance(2)}
	}
	if r.src.chance(16) {
		f.Faults = []string{"it contradicts itself"}
	}
	return f
}

// template is a pod as it is foreseen.
func (r *runner) template(group string, number int) *cluster.PodFact {
	cpu := cpuOf(group, number)
	if r.src.chance(6) {
		cpu = pick(r.src, []string{"2", "500m"})
	}
	p := &v1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: homeOf(group)}}
	p.Spec.SchedulerName = "sluice"
	p.Spec.Containers = []v1.Container{{Name: "main", Resources: v1.ResourceRequirements{Requests: v1.ResourceList{"cpu": apires.MustParse(cpu)}}}}
	if r.src.chance(10) {
		p.Spec.NodeSelector = map[string]string{"zone": "z"}
	}
	f := r.read.ReadPod(p, "sluice")
	r.judge.objects[f.Demand] = p
	return f
}

func (r *runner) groupGone() {
	id := fmt.Sprintf("g%d", r.src.below(4))
	r.tell(core.GroupGone{Namespace: homeOf(id), ID: id, Origin: cluster.Origin(r.src.below(int(cluster.Origins)))})
}

// starts tells that a bound pod runs.
func (r *runner) starts() {
	p := r.judge.pods[r.memberUID()]
	if p == nil || p.Node == "" {
		return
	}
	now := *p
	now.Started, now.Scheduled = true, p.Scheduled
	if now.Scheduled.IsZero() {
		now.Scheduled = r.now.Truncate(time.Second)
	}
	if r.src.chance(2) {
		now.Ready = r.now.Truncate(time.Second)
	}
	r.tell(core.PodSet{Pod: &now})
}

// groupEnds lets all pods of a group go.
func (r *runner) groupEnds() {
	group := r.src.below(4)
	for n := range 7 {
		r.tell(core.PodGone{UID: types.UID(fmt.Sprintf("m%d", 4*n+group))})
	}
}

// wholeGroup lets many pods of a group come at once.
func (r *runner) wholeGroup() {
	group, first := r.src.below(4), r.src.below(3)
	for n := first; n < 7; n++ {
		r.tell(core.PodSet{Pod: r.gangPodNamed(types.UID(fmt.Sprintf("m%d", 4*n+group)))})
	}
}
