package gang

import (
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/objects"
	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// readConfigMap reads the ConfigMaps of Flink clusters and of Spark drivers, and nothing else of any other.
func readConfigMap(r *Reader, m *v1.ConfigMap, into *Piece) {
	id, kind := m.Labels[spec.LabelApp], m.Labels[spec.LabelType]
	switch {
	case sparkConfig(m.Name):
		readSparkMap(r, m, into)
	case isFlinkType(kind) && id != "" && (m.Name == objects.ConfigMapName(id) || m.Name == objects.TemplateMapName(id)):
		if p := flinkMap(r, m, id, kind); p != nil {
			into.part, into.conf = p, p.conf
		}
	default: // perhaps of a cluster of plain manifests
		into.conf, _, _ = spec.ParseConfig(m.Data)
	}
}

func isFlinkType(kind string) bool { return kind == spec.TypeNative || kind == spec.TypeStandalone }

// flinkPart is one of the two ConfigMaps of a Flink cluster: its configuration, or its TaskManagers' pod template.
type flinkPart struct {
	reader   *Reader
	id       string
	mode     spec.Mode
	object   cluster.ObjectRef
	conf     spec.Config
	template *v1.Pod
	fault    error
}

func flinkMap(r *Reader, m *v1.ConfigMap, id, kind string) *flinkPart {
	p := &flinkPart{reader: r, id: id, mode: spec.Native, object: refer(m, configMaps)}
	if kind == spec.TypeStandalone {
		p.mode = spec.Standalone
	}
	if m.Name == objects.TemplateMapName(id) {
		p.template, p.fault = spec.ParseTemplate(m.Data[spec.TemplateFile])
		return p
	}
	var ok bool
	if p.conf, ok, p.fault = spec.ParseConfig(m.Data); !ok {
		return nil
	}
	if p.conf == nil {
		p.conf = spec.Config{}
	}
	return p
}

func (p *flinkPart) group() string          { return flinkGroup + p.id }
func (p *flinkPart) origin() cluster.Origin { return cluster.FromConfigMap }
func (p *flinkPart) mounts() Key            { return Key{} }

// join needs the configuration, and the template if the configuration says that there is one.
func (p *flinkPart) join(all []part, _ func(Key) spec.Config) *cluster.GroupFact {
	var conf *flinkPart
	var template *v1.Pod
	var faults []string
	for _, other := range all {
		o := other.(*flinkPart)
		if o.fault != nil {
			faults = append(faults, "ConfigMap "+o.object.Name+": "+o.fault.Error())
		}
		if o.conf != nil {
			conf = o
		} else {
			template = o.template
		}
	}
	if conf == nil || template == nil && conf.templated() && len(faults) == 0 {
		return nil
	}
	return conf.fact(template, faults)
}

// templated reports whether TaskManagers have a pod template.
func (p *flinkPart) templated() bool {
	_, ok := p.conf.Get("kubernetes.pod-template-file.taskmanager", "kubernetes.pod-template-file.default", "kubernetes.pod-template-file")
	return ok && p.mode == spec.Native
}

func (p *flinkPart) fact(template *v1.Pod, faults []string) *cluster.GroupFact {
	d := &draft{fact: cluster.GroupFact{Namespace: p.object.Namespace, ID: p.group(), Origin: p.origin(), Object: p.object}}
	d.fact.Source = "ConfigMap " + p.object.Name
	c, err := spec.FromConfig(p.id, p.object.Namespace, p.mode, p.conf, template)
	if err != nil {
		faults = append(faults, strings.Split(err.Error(), "\n")...)
	}
	for _, f := range faults {
		d.fact.Warnings = append(d.fact.Warnings, "it cannot be read, so its pods start one by one: "+f)
	}
	if len(faults) > 0 {
		d.fact.Min = 1
		return &d.fact
	}
	f := flink{reader: p.reader, cluster: c, draft: d}
	f.roles(f.manager(), f.worker())
	for i := range d.roles {
		if d.roles[i].first { // what else its template has is not kept in the cluster, and the pod is there before this is known
			d.roles[i].bare = true
		}
	}
	f.say("ConfigMap " + p.object.Name)
	d.wishes(&v1.ConfigMap{})
	return d.finish(p.reader)
}
