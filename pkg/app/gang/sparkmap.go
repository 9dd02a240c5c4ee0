package gang

import (
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/sluice-scheduler/sluice/pkg/app"
	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// sparkConfig reports whether a ConfigMap's name is one that spark-submit gives to that of a driver: spark-drv-HASH-conf-map.
func sparkConfig(name string) bool {
	return strings.HasPrefix(name, "spark-drv-") && strings.HasSuffix(name, "-conf-map")
}

// readSparkMap reads the ConfigMap that a Spark driver was submitted with. Its executors' template, if there is one, is not in it.
func readSparkMap(r *Reader, m *v1.ConfigMap, into *Piece) {
	s := &spark{properties: javaProperties(m.Data["spark.properties"])}
	id := s.get("spark.app.id")
	if id == "" {
		return
	}
	s.jvm = s.get("spark.kubernetes.resource.type") != "python" && s.get("spark.kubernetes.resource.type") != "r"
	d := &draft{fact: cluster.GroupFact{Namespace: m.Namespace, ID: "spark/" + id, Origin: cluster.FromConfigMap, Object: refer(m, configMaps)}}
	name := s.get("spark.kubernetes.driver.label.sparkoperator.k8s.io/app-name")
	if name != "" {
		d.fact.ID = "sparkapplication/" + name
	}
	s.draft(r, m.Namespace, d, "ConfigMap "+m.Name, &v1.PodTemplateSpec{}, &v1.PodTemplateSpec{}, map[string]string{"spark-app-selector": id})
	for i := range d.roles {
		d.roles[i].bare = d.roles[i].first
	}
	d.end(r, &v1.ConfigMap{}, into)
}

// draft says how many executors there will be, and of which size.
func (s *spark) draft(r *Reader, namespace string, d *draft, what string, driver, executor *v1.PodTemplateSpec, labels map[string]string) {
	least, count, how := s.executors()
	d.add(role{min: 1, count: 1, first: true, member: r.member(namespace, s.pod(app.Driver, driver), labels)})
	d.add(role{min: least, count: count, member: r.member(namespace, s.pod(app.Executor, executor), labels)})
	d.fact.Source = fmt.Sprintf("%s: 1 driver, %s, %s", what, plural(count, "executor"), how)
	d.fact.Soft = s.get("spark.dynamicAllocation.enabled") == "true"
	slices.Sort(s.faults)
	for _, f := range slices.Compact(s.faults) {
		d.fact.Warnings = append(d.fact.Warnings, f+"; Spark's default is taken")
	}
}

// javaProperties reads a file of Java properties: comments from # or !, keys up to the first = or :, escapes with a backslash.
func javaProperties(text string) map[string]string {
	out := map[string]string{}
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(strings.TrimLeft(line, " \t"), "\r")
		if line == "" || line[0] == '#' || line[0] == '!' {
			continue
		}
		key, value := propertyOf(line)
		out[key] = value
	}
	return out
}

// propertyOf splits a line at its first separator that is not escaped.
func propertyOf(line string) (key, value string) {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '=', ':', ' ', '\t':
			return unescape(line[:i]), unescape(afterSeparator(line[i:]))
		}
	}
	return unescape(line), ""
}

// unescape takes the backslashes away that Java puts before separators.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// afterSeparator is the value: what follows one = or : and the blanks around it.
func afterSeparator(s string) string {
	s = strings.TrimLeft(s, " \t")
	if s != "" && (s[0] == '=' || s[0] == ':') {
		s = s[1:]
	}
	return strings.TrimLeft(s, " \t")
}
