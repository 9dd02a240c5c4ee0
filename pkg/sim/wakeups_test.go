package sim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/core"
)

// wakeUp is one kind of event after which a pod must be tried again, by kube-scheduler's plugin that asks for it (its EventsToRegister, facts §1.8) or "Sluice"
// where that waits for its safety net. The event must place the pod within one step: no time passes.
type wakeUp struct {
	plugin, event string
	// world are the commands of a scenario, a line each, that leave the pod waits pending; why is in its condition.
	world, why string
	// cause are the commands of the event, and place is what must come of them; "bind waits to a" if empty.
	cause, place string
}

// Parts of worlds.
const (
	nodeA = "node a cpu=2 memory=8Gi pods=10 labels=(zone=a)\n"
	nodeB = "node b cpu=2 memory=8Gi pods=10 labels=(zone=b)\n"
	full  = nodeA + "pod filler cpu=2 on=a\n"

	needy = "apply {metadata: {name: waits}, spec: {containers: [{name: main, restartPolicyRules: [{action: RestartAllContainers, exitCodes: {operator: In, values: [1]}}]}]}}\n"

	later    = "storageclass later\n"
	newForA  = "prepare waits on a: c=new"
	boundNow = "storageclass now immediate\nvolume v class=now\n"
	metered  = "csidriver disk.csi capacity\nstorageclass later provisioner=disk.csi\n"
	limited  = "csinode a drivers=(disk.csi=1)\nstorageclass now immediate provisioner=disk.csi\nvolume v1 class=now driver=disk.csi\nvolume v2 class=now driver=disk.csi\n" +
		"claim c1 class=now volume=v1\nclaim c2 class=now volume=v2\npod one claims=(c1) on=a\n"
)

// disk is a pod manifest with a disk of its own.
func disk(name, spec string) string {
	return web(name, "volumes: [{name: d, gcePersistentDisk: {pdName: d}}], "+spec)
}

// web is a pod manifest with a label; the rest of the spec follows.
func web(name, spec string) string {
	return fmt.Sprintf("apply {metadata: {name: %s, labels: {app: web}}, spec: {containers: [{name: main}], %s}}\n", name, spec)
}

// near and apart are terms about pods of an app in the zone, even is a constraint on them.
func near(app string) string {
	return "affinity: {podAffinity: {requiredDuringSchedulingIgnoredDuringExecution: [{topologyKey: zone, labelSelector: {matchLabels: {app: " + app + "}}}]}}"
}

func apart(app string) string {
	return strings.Replace(near(app), "podAffinity", "podAntiAffinity", 1)
}

func even(more string) string {
	return "topologySpreadConstraints: [{maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}" + more + "}]"
}

var wakeUps = []wakeUp{
	// NodeResourcesFit
	{"NodeResourcesFit", "a pod there is deleted", full + "pod waits cpu=1", "Insufficient cpu", "delete pod=filler", ""},
	{"NodeResourcesFit", "a pod there ends", full + "pod waits cpu=1", "Insufficient cpu", "finish filler", ""},
	{"NodeResourcesFit", "a pod there is scaled down", full + "resize filler cpu=1\npod waits cpu=1", "Insufficient cpu", "resize filler done", ""},
	{"NodeResourcesFit", "a resize there is found infeasible", nodeA + "pod filler cpu=1 on=a\nresize filler cpu=30\npod waits cpu=1", "Insufficient cpu", "resize filler infeasible", ""},
	{"NodeResourcesFit", "node added", "pod waits cpu=1", "no nodes available", nodeA, ""},
	{"NodeResourcesFit", "node offers more", full + "pod waits cpu=1", "Insufficient cpu", "node a cpu=4 memory=8Gi pods=10", ""},
	{"NodeResourcesFit", "node takes more pods", "node a cpu=2 memory=8Gi pods=1\npod filler on=a\npod waits", "Too many pods", "node a cpu=2 memory=8Gi pods=2", ""},
	{"NodeResourcesFit", "node offers a new resource", nodeA + "pod waits example.com/gpu=1", "Insufficient example.com/gpu", "node a cpu=2 memory=8Gi pods=10 example.com/gpu=1", ""},
	{"NodeResourcesFit", "the pod itself is scaled down", nodeA + "pod waits cpu=3", "Insufficient cpu", "resize waits cpu=2", ""},
	{"NodeResourcesFit", "a nomination ends", nodeA + "pod theirs cpu=2 scheduler=other nominated=a\npod waits cpu=1", "Insufficient cpu", "nominate theirs", ""},
	{"NodeResourcesFit", "a nominated pod is bound elsewhere", nodeA + "pod theirs cpu=2 scheduler=other nominated=a\npod waits cpu=1", "Insufficient cpu", "bind theirs node=elsewhere", ""},
	// DynamicResources: devices are not allocated, so only what makes them needless helps.
	{"NodeResourcesFit", "the DeviceClass of a resource is deleted", "node a cpu=2 memory=8Gi pods=10 example.com/gpu=0\nclass gpus extended=example.com/gpu\npod waits example.com/gpu=1", "DeviceClass gpus", "node a cpu=2 memory=8Gi pods=10 example.com/gpu=1", ""},
	// NodePorts
	{"NodePorts", "a pod there is deleted", nodeA + "pod filler port=80 on=a\npod waits port=80", "free ports", "delete pod=filler", ""},
	{"NodePorts", "node added", nodeA + "pod filler port=80 on=a\npod waits port=80", "free ports", nodeB, "bind waits to b"},
	// NodeAffinity
	{"NodeAffinity", "node added", nodeB + "pod waits selector=(zone=a)", "node affinity/selector", nodeA, ""},
	{"NodeAffinity", "node label", nodeB + "pod waits selector=(zone=a)", "node affinity/selector", "label b set=(zone=a)", "bind waits to b"},
	{"NodeAffinity", "the node that a pod is pinned to is added", nodeB + "pod waits pin=a", "didn't satisfy plugin(s) [NodeAffinity]", nodeA, ""},
	// TaintToleration, NodeUnschedulable
	{"TaintToleration", "taint taken away", nodeA + "taint a set=(k=v:NoSchedule)\npod waits", "untolerated taint", "taint a", ""},
	{"TaintToleration", "taint becomes a wish", nodeA + "taint a set=(k=v:NoExecute)\npod waits", "untolerated taint", "taint a set=(k=v:PreferNoSchedule)", ""},
	{"TaintToleration", "node added", nodeA + "taint a set=(k=v:NoSchedule)\npod waits", "untolerated taint", nodeB, "bind waits to b"},
	{"TaintToleration", "the pod itself gets a toleration", nodeA + "taint a set=(k=v:NoSchedule)\npod waits", "untolerated taint", "change waits tolerate=(k)", ""},
	{"NodeUnschedulable", "uncordoned", nodeA + "cordon a\npod waits", "unschedulable", "cordon a off", ""},
	{"NodeUnschedulable", "the pod itself gets a toleration", nodeA + "cordon a\npod waits", "unschedulable", "change waits tolerate=(node.kubernetes.io/unschedulable)", ""},
	// NodeDeclaredFeatures
	{"NodeDeclaredFeatures", "node declares it", nodeA + needy, "required features", "declare a set=(RestartAllContainersOnContainerExits)", ""},
	{"NodeDeclaredFeatures", "node added", nodeA + needy, "required features", "node b cpu=2 memory=8Gi pods=10 features=(RestartAllContainersOnContainerExits)", "bind waits to b"},
	// SchedulingGates
	{"SchedulingGates", "gates eliminated", nodeA + "pod waits gated", "", "ungate waits", ""},
	// InterPodAffinity
	{"InterPodAffinity", "a pod is bound that affinity selects", nodeA + nodeB + web("other", "schedulerName: other") + web("waits", near("web")+", nodeSelector: {zone: a}") + "change waits labels=(app=db)", "pod affinity rules", "bind other node=a", ""},
	{"InterPodAffinity", "a pod there is labelled so that affinity selects it", nodeA + "pod other on=a\n" + web("waits", near("db")), "pod affinity rules", "change other labels=(app=db)", ""},
	{"InterPodAffinity", "the last pod is deleted that affinity selects, and the pod selects itself", nodeA + nodeB + web("other", "nodeName: b") + web("waits", near("web")+", nodeSelector: {zone: a}"), "pod affinity rules", "delete pod=other", ""},
	{"InterPodAffinity", "the pod itself is labelled so that it selects itself", nodeA + "apply {metadata: {name: waits}, spec: {containers: [{name: main}], " + near("web") + "}}", "pod affinity rules", "change waits labels=(app=web)", ""},
	{"InterPodAffinity", "node added to a pod's domain", nodeB + web("other", "nodeName: a2") + "node a2 cpu=2 memory=8Gi pods=1 labels=(zone=a)\n" + web("waits", near("web")), "pod affinity rules", nodeA, ""},
	{"InterPodAffinity", "node label", nodeB + web("other", "nodeName: a2") + "node a2 cpu=2 memory=8Gi pods=1 labels=(zone=a)\n" + web("waits", near("web")), "pod affinity rules", "label b set=(zone=a)", "bind waits to b"},
	{"InterPodAffinity", "a pod is deleted that anti-affinity selects", nodeA + web("other", "nodeName: a") + web("waits", apart("web")), "pod anti-affinity rules", "delete pod=other", ""},
	{"InterPodAffinity", "a pod is labelled so that anti-affinity does not select it", nodeA + web("other", "nodeName: a") + web("waits", apart("web")), "pod anti-affinity rules", "change other labels=(app=db)", ""},
	{"InterPodAffinity", "node label takes a pod out of the domain", nodeA + "node a2 cpu=2 memory=8Gi pods=1 labels=(zone=a)\n" + web("other", "nodeName: a2") + web("waits", apart("web")), "pod anti-affinity rules", "label a2 set=(zone=c)", ""},
	{"InterPodAffinity", "a pod is deleted whose anti-affinity selects the pod", nodeA + web("other", "nodeName: a, "+apart("web")) + web("waits", "priority: 0"), "existing pods anti-affinity rules", "delete pod=other", ""},
	{"InterPodAffinity", "the pod itself is labelled so that no anti-affinity selects it", nodeA + web("other", "nodeName: a, "+apart("web")) + web("waits", "priority: 0"), "existing pods anti-affinity rules", "change waits labels=(app=db)", ""},
	{"InterPodAffinity", "a nomination ends", nodeA + "apply {metadata: {name: theirs, labels: {app: web}}, spec: {schedulerName: other, containers: [{name: main}]}, status: {nominatedNodeName: a}}\n" + web("waits", apart("web")), "pod anti-affinity rules", "nominate theirs", ""},
	// PodTopologySpread
	{"PodTopologySpread", "a pod there is deleted", nodeA + nodeB + "cordon b\n" + web("one", "nodeName: a") + web("waits", even("")), "pod topology spread constraints", "delete pod=one", ""},
	{"PodTopologySpread", "a pod is bound where there are fewest", nodeA + nodeB + "cordon b\n" + web("one", "nodeName: a") + web("two", "schedulerName: other") + web("waits", even("")), "pod topology spread constraints", "bind two node=b", ""},
	{"PodTopologySpread", "a pod is labelled so that it counts where there are fewest", nodeA + nodeB + "cordon b\n" + web("one", "nodeName: a") + "pod two on=b\n" + web("waits", even("")), "pod topology spread constraints", "change two labels=(app=web)", ""},
	{"PodTopologySpread", "a pod is labelled so that it does not count", nodeA + nodeB + "cordon b\n" + web("one", "nodeName: a") + web("waits", even("")), "pod topology spread constraints", "change one labels=(app=db)", ""},
	{"PodTopologySpread", "a pod there begins to leave", nodeA + nodeB + "cordon b\n" + web("one", "nodeName: a") + web("waits", even("")), "pod topology spread constraints", "delete pod=one graceful", ""},
	{"PodTopologySpread", "node added", "node c cpu=2 memory=8Gi pods=10\n" + web("waits", even("")), "missing required label", nodeA, ""},
	{"PodTopologySpread", "node added where there are too few domains", nodeA + web("one", "nodeName: a") + web("waits", even(", minDomains: 2")), "pod topology spread constraints", nodeB, "bind waits to b"},
	{"PodTopologySpread", "node deleted, and its domain with it", nodeA + nodeB + "cordon b\n" + web("one", "nodeName: a") + web("waits", even("")), "pod topology spread constraints", "delete node=b", ""},
	{"PodTopologySpread", "node label", "node c cpu=2 memory=8Gi pods=10\n" + web("waits", even("")), "missing required label", "label c set=(zone=c)", "bind waits to c"},
	{"PodTopologySpread", "a taint takes a domain out of account", nodeA + nodeB + "cordon b\n" + web("one", "nodeName: a") + web("waits", even(", nodeTaintsPolicy: Honor")), "pod topology spread constraints", "taint b set=(k=v:NoSchedule)", ""},
	{"PodTopologySpread", "the pod itself is labelled so that it does not count", nodeA + nodeB + "cordon b\n" + web("one", "nodeName: a") + web("waits", even("")), "pod topology spread constraints", "change waits labels=(app=db)", ""},
	// VolumeBinding
	{"VolumeBinding", "claim added", nodeA + later + "pod waits claims=(c)", `persistentvolumeclaim "c" not found`, "claim c class=later", newForA},
	{"VolumeBinding", "the claim of an ephemeral volume is added", nodeA + later + "apply {metadata: {name: waits}, spec: {containers: [{name: main}], volumes: [{name: scratch, ephemeral: {}}]}}", "waiting for ephemeral volume controller", "claim waits-scratch class=later owner=waits", "prepare waits on a: waits-scratch=new"},
	{"VolumeBinding", "claim bound", nodeA + boundNow + "claim c class=now\npod waits claims=(c)", "unbound immediate PersistentVolumeClaims", "bind-claim c volume=v", ""},
	{"VolumeBinding", "volume added", nodeA + boundNow + "delete volume=v\nstorageclass later provisioner=kubernetes.io/no-provisioner\nclaim c class=later\npod waits claims=(c)", "didn't find available persistent volumes", "volume v class=later", "prepare waits on a: c=v"},
	{"VolumeBinding", "volume becomes reachable", nodeA + "storageclass later provisioner=kubernetes.io/no-provisioner\nvolume v class=later on=(zone=c)\nclaim c class=later\npod waits claims=(c)", "didn't find available persistent volumes", "volume v class=later on=(zone=a)", "prepare waits on a: c=v"},
	{"VolumeBinding", "a volume that is bound is added", nodeA + boundNow + "claim c class=now volume=v\ndelete volume=v\npod waits claims=(c)", `persistentvolume "v" not found`, "volume v class=now for=c", ""},
	{"VolumeBinding", "node label makes a volume reachable", nodeB + "storageclass now immediate\nvolume v class=now on=(zone=a)\nclaim c class=now volume=v\npod waits claims=(c)", "didn't match PersistentVolume's node affinity", "label b set=(zone=a)", "bind waits to b"},
	{"VolumeBinding", "node added", nodeB + "storageclass now immediate\nvolume v class=now on=(zone=a)\nclaim c class=now volume=v\npod waits claims=(c)", "didn't match PersistentVolume's node affinity", nodeA, ""},
	{"VolumeBinding", "storage class added", nodeA + "claim c class=later\npod waits claims=(c)", "unbound immediate PersistentVolumeClaims", later, newForA},
	{"VolumeBinding", "storage class may provision elsewhere", nodeA + "storageclass later topology=(zone=c)\nclaim c class=later\npod waits claims=(c)", "didn't find available persistent volumes", "storageclass later topology=(zone=a)", newForA},
	{"VolumeBinding", "capacity added", nodeA + metered + "claim c class=later size=5Gi\npod waits claims=(c)", "did not have enough free storage", "capacity here class=later size=9Gi on=(zone=a)", newForA},
	{"VolumeBinding", "capacity grows", nodeA + metered + "capacity here class=later size=1Gi on=(zone=a)\nclaim c class=later size=5Gi\npod waits claims=(c)", "did not have enough free storage", "capacity here class=later size=9Gi on=(zone=a)", newForA},
	{"VolumeBinding", "driver does not publish capacity any more", nodeA + metered + "claim c class=later size=5Gi\npod waits claims=(c)", "did not have enough free storage", "csidriver disk.csi", newForA},
	// VolumeZone
	{"VolumeZone", "node label", "node b cpu=2 memory=8Gi pods=10 labels=(topology.kubernetes.io/zone=b)\nstorageclass now immediate\nvolume v class=now labels=(topology.kubernetes.io/zone=a)\nclaim c class=now volume=v\npod waits claims=(c)", "no available volume zone", "label b set=(topology.kubernetes.io/zone=a)", "bind waits to b"},
	{"VolumeZone", "volume label", "node b cpu=2 memory=8Gi pods=10 labels=(topology.kubernetes.io/zone=b)\nstorageclass now immediate\nvolume v class=now labels=(topology.kubernetes.io/zone=a)\nclaim c class=now volume=v\npod waits claims=(c)", "no available volume zone", "volume v class=now labels=(topology.kubernetes.io/zone=b) for=c", "bind waits to b"},
	// VolumeRestrictions
	{"VolumeRestrictions", "the only user of a claim is deleted", nodeA + nodeB + "storageclass now immediate\nvolume v class=now modes=(ReadWriteOncePod)\nclaim c class=now modes=(ReadWriteOncePod) volume=v\npod only claims=(c) on=b\ncordon b\npod waits claims=(c)", "ReadWriteOncePod access mode already in-use", "delete pod=only", ""},
	{"VolumeRestrictions", "a pod with the disk is deleted", nodeA + disk("other", "nodeName: a") + disk("waits", "priority: 0"), "no available disk", "delete pod=other", ""},
	// NodeVolumeLimits
	{"NodeVolumeLimits", "a pod there is deleted", nodeA + limited + "pod waits claims=(c2)", "exceed max volume count", "delete pod=one", ""},
	{"NodeVolumeLimits", "an attachment is deleted", nodeA + limited + "attachment at driver=disk.csi node=a volume=v1\ndelete pod=one\npod waits claims=(c2)", "exceed max volume count", "delete attachment=at", ""},
	{"NodeVolumeLimits", "the node takes more", nodeA + limited + "pod waits claims=(c2)", "exceed max volume count", "csinode a drivers=(disk.csi=2)", ""},
	{"NodeVolumeLimits", "a nomination ends", nodeA + limited + "delete pod=one\napply {metadata: {name: theirs}, spec: {schedulerName: other, containers: [{name: main}], volumes: [{name: one, persistentVolumeClaim: {claimName: c1}}]}, status: {nominatedNodeName: a}}\npod waits claims=(c2)", "exceed max volume count", "nominate theirs", ""},
	{"NodeVolumeLimits", "the claim of a nominated pod is of another driver now", nodeA + limited + "delete pod=one\napply {metadata: {name: theirs}, spec: {schedulerName: other, containers: [{name: main}], volumes: [{name: one, persistentVolumeClaim: {claimName: c1}}]}, status: {nominatedNodeName: a}}\npod waits claims=(c2)", "exceed max volume count", "volume v1 class=now driver=other.csi for=c1", ""},
	{"NodeVolumeLimits", "a needed driver is installed", nodeA + limited + "csidriver disk.csi needed\ndelete csinode=a\npod waits claims=(c2)", "CSI driver is not installed", "csinode a drivers=(disk.csi=2)", ""},
	{"NodeVolumeLimits", "the driver is not needed any more", nodeA + limited + "csidriver disk.csi needed\ndelete csinode=a\npod waits claims=(c2)", "CSI driver is not installed", "csidriver disk.csi", ""},
}

// TestWakeUps lets each event happen once, and expects the pod that it helps to be placed within the step that is told of it.
func TestWakeUps(t *testing.T) {
	for _, w := range wakeUps {
		t.Run(w.plugin+"/"+w.event, func(t *testing.T) {
			s := NewScript()
			say := func(commands string) (out string) {
				for line := range strings.Lines(commands) {
					if line == "\n" {
						continue
					}
					command, args, input := parseCommand(t, strings.TrimSpace(line))
					said, err := s.Do(command, args, input)
					require.NoError(t, err, line)
					out += said
				}
				return out
			}
			say(w.world + "\nrun\n")
			x := s.cluster.Core.Explain(namespace, "waits")
			require.NotEqual(t, core.StandingBound, x.Standing, "it was to wait")
			require.Contains(t, x.Message, w.why)
			require.Empty(t, say("step"), "nothing helps it yet")

			placed := say(w.cause + "\nstep\n")
			want := "0s " + or(w.place, "bind waits to a")
			require.True(t, slices.Contains(strings.Split(placed, "\n"), want), "the step gave:\n%s", placed)
		})
	}
}

func or(s, none string) string {
	if s == "" {
		return none
	}
	return s
}

// parseCommand reads a line as a scenario's; the manifest of apply stands on the same line.
func parseCommand(t *testing.T, line string) (command string, args Args, input string) {
	t.Helper()
	command, rest, _ := strings.Cut(line, " ")
	args.Values = map[string][]string{}
	if command == "apply" {
		require.NoError(t, yaml.UnmarshalStrict([]byte(rest), &v1.Pod{}), rest)
		return command, args, rest
	}
	for i, word := range strings.Fields(rest) {
		key, value, has := strings.Cut(word, "=")
		switch {
		case !has && i == 0 && args.Name == "":
			args.Name = key
			args.Values[key] = nil
		case !has:
			args.Values[key] = nil
		case strings.HasPrefix(value, "("):
			args.Values[key] = strings.Split(strings.Trim(value, "()"), ",")
		default:
			args.Values[key] = []string{value}
		}
	}
	return command, args, ""
}
