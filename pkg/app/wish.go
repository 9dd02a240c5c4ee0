package app

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// Labels or annotations of our own that make a group, or say of one that Sluice knows how it is to start.
const (
	// GroupName puts a pod into the group of that name. It goes with MinMembers.
	GroupName = "sluice.dev/group"
	// MinMembers is how many pods start together: a number, all, or a number per role as in "jobmanager=1, taskmanager=3".
	MinMembers = "sluice.dev/min-members"
	// GroupTopology is the node label of which all pods of the group are to have one value; GroupTopologyRequired: "true" makes them wait for that.
	GroupTopology         = "sluice.dev/topology"
	GroupTopologyRequired = "sluice.dev/topology-required"
)

// Kueue's names for the same.
const (
	kueueRequired  = "kueue.x-k8s.io/podset-required-topology"
	kueuePreferred = "kueue.x-k8s.io/podset-preferred-topology"
)

// mostMembers bounds what may be asked for.
const mostMembers = 1 << 20

// Wish is what labels and annotations ask of a group.
type Wish struct {
	// Asked: MinMembers is there and can be read. All: all pods that there are to be; else Min of them, of which Roles by role, if it is written by role.
	Asked bool
	All   bool
	Min   int
	Roles map[string]int
	// Topology is nil if none is asked for.
	Topology *cluster.GroupTopology
	// Faults say what could not be read.
	Faults []string
}

// ReadWish reads what the labels and annotations of an object, or of the template of its pods, ask of the group.
func ReadWish(o *metav1.ObjectMeta) Wish {
	m := &marks{pod: &v1.Pod{ObjectMeta: *o}}
	w := readWish(m)
	w.Faults = m.faults
	return w
}

// Text is the wish for members as it is written; empty for none.
func (w *Wish) Text() string {
	switch {
	case !w.Asked:
		return ""
	case w.All:
		return "all"
	case w.Roles == nil:
		return strconv.Itoa(w.Min)
	}
	parts := make([]string, 0, len(w.Roles))
	for _, role := range slices.Sorted(maps.Keys(w.Roles)) {
		parts = append(parts, fmt.Sprintf("%s=%d", role, w.Roles[role]))
	}
	return strings.Join(parts, ", ")
}

// Over is the wish with what it leaves open taken from another.
func (w Wish) Over(other Wish) Wish {
	if !w.Asked {
		w.Asked, w.All, w.Min, w.Roles = other.Asked, other.All, other.Min, other.Roles
	}
	if w.Topology == nil {
		w.Topology = other.Topology
	}
	for _, f := range other.Faults {
		if !slices.Contains(w.Faults, f) {
			w.Faults = append(slices.Clip(w.Faults), f)
		}
	}
	return w
}

func readWish(m *marks) (w Wish) {
	w.Topology = topology(m)
	text, from := m.get(MinMembers)
	switch {
	case text == "":
		return w
	case text == "all":
		w.Asked, w.All = true, true
		return w
	case strings.Contains(text, "="):
		w.Roles, w.Min = roleMins(text)
		w.Asked = w.Roles != nil
	default:
		w.Min, w.Asked = members(text)
	}
	if !w.Asked {
		m.fault(fmt.Sprintf(`%s is ignored: %s is neither a number from 0 to %d, nor all, nor a number per role like "driver=1, executor=4"`, from, quoted(text), mostMembers))
	}
	return w
}

func members(text string) (n int, ok bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil && n >= 0 && n <= mostMembers
}

// roleMins reads "role=1, other=2"; nil if it cannot be read.
func roleMins(text string) (roles map[string]int, sum int) {
	roles = map[string]int{}
	for _, part := range strings.Split(text, ",") {
		role, number, _ := strings.Cut(part, "=")
		role = strings.ToLower(strings.TrimSpace(role))
		n, ok := members(number)
		if _, twice := roles[role]; !ok || role == "" || twice {
			return nil, 0
		}
		roles[role] = n
		sum += n
	}
	return roles, sum
}

func topology(m *marks) *cluster.GroupTopology {
	if key, _ := m.get(GroupTopology); key != "" {
		required, from := m.get(GroupTopologyRequired)
		if required != "" && required != "true" && required != "false" {
			m.fault(from + " is ignored: " + quoted(required) + " is neither true nor false")
		}
		return &cluster.GroupTopology{Key: key, Required: required == "true"}
	}
	if key, _ := m.get(kueueRequired); key != "" {
		return &cluster.GroupTopology{Key: key, Required: true}
	}
	if key, _ := m.get(kueuePreferred); key != "" {
		return &cluster.GroupTopology{Key: key}
	}
	return nil
}
