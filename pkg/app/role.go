package app

import "strings"

// Roles whose names are not simply what an engine wrote on its pods. Others are, such as executor, head or master.
const (
	Driver   = "driver"
	Executor = "executor"
	Leader   = "leader"
	Worker   = "worker"
)

// role is the pod's part in its application, in lower case; empty if nothing tells. Labels of engines are read whatever decides the
// application.
func role(m *marks) string {
	if own, _ := m.get(RoleName); own != "" {
		return strings.ToLower(own)
	}
	if of := engineRole(m); of != "" {
		return of
	}
	if index, _ := m.label("leaderworkerset.sigs.k8s.io/worker-index"); index == "0" {
		return Leader
	} else if index != "" {
		return Worker
	}
	if name, _ := m.first(roleNames); name != "" {
		return strings.ToLower(name)
	}
	task, _ := m.annotation(taskGroupName)
	return strings.ToLower(task)
}

// engineRole is the role in Flink, Spark or Ray, whose first pods start the others. Workers of Ray are told apart by their group, for each group has its own size.
func engineRole(m *marks) string {
	if component := flinkComponent(m); component != "" {
		return component
	}
	if of := sparkRole(m); of != "" {
		return of
	}
	node, _ := m.label("ray.io/node-type")
	of, _ := m.label("ray.io/group")
	if node == Worker && of != "" {
		return strings.ToLower(Worker + "/" + of)
	}
	return strings.ToLower(node)
}
