package oracle

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
)

// TestShrinkLeavesOutAllThatIsNotNeeded makes up a difference that needs a node with a label and a pod with a host port, and nothing else.
func TestShrinkLeavesOutAllThatIsNotNeeded(t *testing.T) {
	made := 0
	for number := uint64(0); made < 5; number++ {
		g := NewGenerator(3, number)
		c := Case{Start: g.World().Copy()}
		c.Changes = g.Changes()
		wanted := func(c *Case) ([]Difference, error) {
			if w := c.End(); hasPort(w) && hasLabel(w) {
				return []Difference{{Case: *c, Other: "made up"}}, nil
			}
			return nil, nil
		}
		found, _ := wanted(&c)
		if len(found) == 0 {
			continue
		}
		made++
		small, err := shrink(found[0], wanted)
		require.NoError(t, err)
		w := small.Case.Start
		require.Empty(t, small.Case.Changes)
		require.Len(t, w.Nodes, 1)
		require.Len(t, w.Pods, 1)
		require.Empty(t, w.Namespaces)
		require.Equal(t, map[string]string{"disk": "ssd"}, w.Nodes[0].Labels)
		require.Empty(t, w.Nodes[0].Status.Allocatable)
		require.Empty(t, w.Pods[0].Labels)
		require.Nil(t, w.Pods[0].Spec.Affinity)
		require.Equal(t, []v1.Container{{Name: w.Pods[0].Spec.Containers[0].Name, Ports: []v1.ContainerPort{{HostPort: 80}}}}, w.Pods[0].Spec.Containers)

		var text bytes.Buffer
		small.Write(&text)
		back, err := ReadCase(text.Bytes())
		require.NoError(t, err, text.String())
		require.Equal(t, w.Nodes, back.Start.Nodes)
		require.Equal(t, w.Pods, back.Start.Pods)
	}
}

func hasPort(w *World) bool {
	for _, p := range w.Pods {
		for _, c := range p.Spec.Containers {
			for _, port := range c.Ports {
				if port.HostPort == 80 {
					return true
				}
			}
		}
	}
	return false
}

func hasLabel(w *World) bool {
	for _, n := range w.Nodes {
		if n.Labels["disk"] == "ssd" {
			return true
		}
	}
	return false
}
