package fit

import "github.com/sluice-scheduler/sluice/pkg/core/cluster"

// ports refuses nodes on which a wanted host port is taken (plugin NodePorts).
var ports = check{
	fits: func(a Ask, n *cluster.Node) bool {
		return n.PortsFree(a.Shape.Ports) && (len(n.Nominees) == 0 || portsFreeBeside(a, n))
	},
	why: func(_ Ask, _ *cluster.Node, to []Reason) []Reason {
		return append(to, Reason{Kind: PortTaken, Code: Unschedulable})
	},
}
