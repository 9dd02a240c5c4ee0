package app

import "strings"

// Roles whose names are not simply what an engine wrote on its pods. Others are, such as executor, head or master.
const (
	Driver = "driver"
	Leader = "leader"
	Worker = "worker"
)

// role is the pod's part in its application, in lower case; empty if nothing tells. Labels of engines are read whatever decides the
// application.
func role(m *marks) string {
	if own, _ := m.get(RoleName); own != "" {
		return strings.ToLower(own)
	}
	if component := flinkComponent(m); component != "" {
		return component
	}
	if index, _ := m.label("leaderworkerset.sigs.k8s.io/worker-index"); index == "0" {
		return Leader
	} else if index != "" {
		return Worker
	}
	name, _ := m.first(roleNames)
	return strings.ToLower(name)
}
