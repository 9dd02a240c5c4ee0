package oracle

import (
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/component-helpers/storage/volume"
	"k8s.io/kubernetes/pkg/scheduler/framework/plugins/names"
)

// mark is something about a pod that makes a plugin take a certain way through its rules.
type mark struct{ plugin, what string }

// marks are those of a pod, in a world that holds its claims.
func marks(p *v1.Pod, w *World) []mark {
	m := &marker{}
	m.tolerations(p)
	m.nodeAffinity(p)
	m.ports(p)
	m.requests(p)
	m.volumes(p, w)
	m.spread(p)
	m.neighbours(p)
	return m.list
}

type marker struct{ list []mark }

func (m *marker) put(plugin string, is bool, what string) {
	if is {
		m.list = append(m.list, mark{plugin, what})
	}
}

func (m *marker) tolerations(p *v1.Pod) {
	for _, t := range p.Spec.Tolerations {
		m.put(names.TaintToleration, t.Key == "", "tolerates every key")
		m.put(names.TaintToleration, t.Operator == v1.TolerationOpExists, "operator Exists")
		m.put(names.TaintToleration, t.Operator == v1.TolerationOpEqual || t.Operator == "", "operator Equal, or none")
		m.put(names.TaintToleration, t.Operator == v1.TolerationOpGt || t.Operator == v1.TolerationOpLt, "operators Gt and Lt, whose gate is off")
		m.put(names.TaintToleration, t.Effect == "", "tolerates every effect")
		m.put(names.NodeUnschedulable, t.Key == v1.TaintNodeUnschedulable || t.Key == "", "may tolerate a cordon")
	}
}

func (m *marker) nodeAffinity(p *v1.Pod) {
	m.put(names.NodeAffinity, len(p.Spec.NodeSelector) > 0, "node selector")
	a := p.Spec.Affinity
	if a == nil || a.NodeAffinity == nil || a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return
	}
	terms := a.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
	m.put(names.NodeAffinity, len(terms) == 0, "no terms")
	m.put(names.NodeAffinity, len(terms) > 1, "several terms")
	for _, t := range terms {
		m.put(names.NodeAffinity, len(t.MatchExpressions)+len(t.MatchFields) == 0, "empty term")
		for _, r := range t.MatchExpressions {
			m.put(names.NodeAffinity, true, "labels: "+operator(r))
		}
		for _, r := range t.MatchFields {
			m.put(names.NodeAffinity, true, "fields: "+operator(r))
		}
	}
}

// operator is that of a requirement, if it can be read.
func operator(r v1.NodeSelectorRequirement) string {
	single := r.Operator == v1.NodeSelectorOpGt || r.Operator == v1.NodeSelectorOpLt
	none := r.Operator == v1.NodeSelectorOpExists || r.Operator == v1.NodeSelectorOpDoesNotExist
	switch {
	case strings.Contains(r.Key, "!"), r.Operator == "Unknown", single && len(r.Values) != 1, none && len(r.Values) > 0, !single && !none && len(r.Values) == 0:
		return "cannot be read"
	}
	return string(r.Operator)
}

func (m *marker) ports(p *v1.Pod) {
	for _, c := range p.Spec.InitContainers {
		m.put(names.NodePorts, len(c.Ports) > 0 && c.RestartPolicy != nil, "port of a sidecar")
		m.put(names.NodePorts, len(c.Ports) > 0 && c.RestartPolicy == nil, "port of an init container that ends, which does not count")
	}
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			m.put(names.NodePorts, port.HostIP == "" || port.HostIP == "0.0.0.0", "every address")
			m.put(names.NodePorts, port.HostIP != "" && port.HostIP != "0.0.0.0", "one address")
			m.put(names.NodePorts, port.Protocol == "", "no protocol")
			m.put(names.NodePorts, port.Protocol == v1.ProtocolUDP || port.Protocol == v1.ProtocolSCTP, "protocols but TCP")
			m.put(names.NodePorts, port.HostPort == 0, "port of the container alone")
		}
	}
}

func (m *marker) requests(p *v1.Pod) {
	sidecars, extended := false, false
	for _, c := range p.Spec.InitContainers {
		sidecars = sidecars || c.RestartPolicy != nil
	}
	asks := len(p.Spec.Overhead) > 0 || p.Spec.Resources != nil
	for _, c := range append(p.Spec.Containers[:len(p.Spec.Containers):len(p.Spec.Containers)], p.Spec.InitContainers...) {
		asks = asks || len(c.Resources.Requests) > 0
		for name := range c.Resources.Requests {
			extended = extended || strings.Contains(string(name), "/")
		}
	}
	m.put(names.NodeResourcesFit, !asks, "no requests")
	m.put(names.NodeResourcesFit, len(p.Spec.InitContainers) > 0, "init containers")
	m.put(names.NodeResourcesFit, sidecars, "sidecars")
	m.put(names.NodeResourcesFit, len(p.Spec.Overhead) > 0, "overhead")
	m.put(names.NodeResourcesFit, p.Spec.Resources != nil, "amounts for the pod as a whole")
	m.put(names.NodeResourcesFit, extended, "extended resources")
}

func (m *marker) volumes(p *v1.Pod, w *World) {
	for i := range p.Spec.Volumes {
		v := &p.Spec.Volumes[i]
		m.put(names.VolumeRestrictions, v.GCEPersistentDisk != nil, "GCE disk")
		m.put(names.VolumeRestrictions, v.AWSElasticBlockStore != nil, "EBS volume")
		m.put(names.VolumeRestrictions, v.ISCSI != nil, "iSCSI target")
		m.put(names.VolumeRestrictions, v.RBD != nil, "RBD image")
		m.put(names.NodeVolumeLimits, v.AWSElasticBlockStore != nil || v.GCEPersistentDisk != nil || v.AzureDisk != nil, "disk that a CSI driver has taken over")
		m.put(names.VolumeBinding, v.Ephemeral != nil, "ephemeral volume")
		if v.PersistentVolumeClaim != nil {
			for _, c := range w.Claims {
				if c.Namespace == p.Namespace && c.Name == v.PersistentVolumeClaim.ClaimName {
					m.claim(c, w)
				}
			}
		}
	}
}

func (m *marker) claim(c *v1.PersistentVolumeClaim, w *World) {
	_, selected := c.Annotations[volume.AnnSelectedNode]
	waits := c.Spec.VolumeName == ""
	m.put(names.VolumeBinding, !waits, "bound claim")
	m.put(names.VolumeBinding, waits && selected, "claim for a selected node")
	m.put(names.VolumeBinding, waits && !selected, "claim that waits for its first consumer")
	m.put(names.VolumeBinding, waits && c.Spec.Selector != nil, "claim that selects volumes")
	m.put(names.VolumeRestrictions, len(c.Spec.AccessModes) == 1 && c.Spec.AccessModes[0] == v1.ReadWriteOncePod, "claim for one pod alone")
	for _, v := range w.Volumes {
		if v.Name == c.Spec.VolumeName {
			_, old := v.Labels[v1.LabelFailureDomainBetaZone]
			m.put(names.VolumeZone, old, "zone by the old label")
			m.put(names.VolumeZone, strings.Contains(v.Labels[v1.LabelTopologyZone]+v.Labels[v1.LabelFailureDomainBetaZone], "__"), "several zones")
			m.put(names.VolumeBinding, v.Spec.NodeAffinity != nil, "volume with node affinity")
			m.put(names.NodeVolumeLimits, v.Spec.CSI != nil, "CSI volume")
			m.put(names.NodeVolumeLimits, v.Spec.AWSElasticBlockStore != nil, "volume that a CSI driver has taken over")
		}
	}
}

func (m *marker) spread(p *v1.Pod) {
	for _, c := range p.Spec.TopologySpreadConstraints {
		if c.WhenUnsatisfiable != v1.DoNotSchedule {
			continue
		}
		m.selector(names.PodTopologySpread, c.LabelSelector)
		m.put(names.PodTopologySpread, c.MinDomains != nil, "minDomains")
		m.put(names.PodTopologySpread, c.NodeAffinityPolicy != nil && *c.NodeAffinityPolicy == v1.NodeInclusionPolicyIgnore, "nodeAffinityPolicy Ignore")
		m.put(names.PodTopologySpread, c.NodeTaintsPolicy != nil && *c.NodeTaintsPolicy == v1.NodeInclusionPolicyHonor, "nodeTaintsPolicy Honor")
		m.put(names.PodTopologySpread, len(c.MatchLabelKeys) > 0, "matchLabelKeys")
		m.put(names.PodTopologySpread, c.TopologyKey == v1.LabelHostname, "by host name")
	}
	m.put(names.PodTopologySpread, len(p.Spec.TopologySpreadConstraints) > 1, "several constraints")
}

func (m *marker) selector(plugin string, s *metav1.LabelSelector) {
	m.put(plugin, s == nil, "no selector")
	m.put(plugin, s != nil && len(s.MatchLabels)+len(s.MatchExpressions) == 0, "empty selector")
	if s != nil {
		for _, r := range s.MatchExpressions {
			m.put(plugin, true, "selector: "+string(r.Operator))
		}
	}
}

func (m *marker) neighbours(p *v1.Pod) {
	a := p.Spec.Affinity
	if a == nil || a.PodAffinity == nil && a.PodAntiAffinity == nil {
		m.put(names.InterPodAffinity, true, "no terms of its own")
		return
	}
	if a.PodAffinity != nil {
		m.terms("affinity", a.PodAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
	}
	if a.PodAntiAffinity != nil {
		m.terms("anti-affinity", a.PodAntiAffinity.RequiredDuringSchedulingIgnoredDuringExecution)
	}
}

func (m *marker) terms(kind string, list []v1.PodAffinityTerm) {
	m.put(names.InterPodAffinity, len(list) > 0, kind)
	m.put(names.InterPodAffinity, len(list) > 1, kind+": several terms")
	for i := range list {
		t := &list[i]
		m.selector(names.InterPodAffinity, t.LabelSelector)
		m.put(names.InterPodAffinity, len(t.Namespaces) > 0, kind+": namespaces by name")
		m.put(names.InterPodAffinity, t.NamespaceSelector != nil && len(t.NamespaceSelector.MatchLabels)+len(t.NamespaceSelector.MatchExpressions) == 0, kind+": all namespaces")
		m.put(names.InterPodAffinity, t.NamespaceSelector != nil && len(t.NamespaceSelector.MatchLabels)+len(t.NamespaceSelector.MatchExpressions) > 0, kind+": namespaces by label")
		m.put(names.InterPodAffinity, len(t.MatchLabelKeys) > 0, kind+": matchLabelKeys")
		m.put(names.InterPodAffinity, len(t.MismatchLabelKeys) > 0, kind+": mismatchLabelKeys")
	}
}
