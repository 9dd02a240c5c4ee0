package queues_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config/queues"
)

// TestNodeOrdersAreThoseOfTheConfiguration: what the file names must be configured, or made by the file itself.
func TestNodeOrdersAreThoseOfTheConfiguration(t *testing.T) {
	loaded, err := queues.Parse("queues.yaml", []byte(`queues:
- name: a
  nodeOrder: pack
- name: b
  parent: true
  childtemplate: {nodeOrder: spred}
- name: c
`))
	require.NoError(t, err)
	require.NoError(t, loaded.CheckOrders([]string{"pack", "spred"}))
	require.EqualError(t, loaded.CheckOrders([]string{"default", "spread"}),
		`queues.yaml:3:14: queues[0].nodeOrder: must be a node order of sluice.yaml, which has default, spread, but is "pack"
    3 |   nodeOrder: pack
      |              ^
queues.yaml:6:30: queues[1].childtemplate.nodeOrder: must be a node order of sluice.yaml, which has default, spread, but is "spred"; did you mean spread?
    6 |   childtemplate: {nodeOrder: spred}
      |                              ^
2 faults in queues.yaml; nothing was applied`)
	require.Empty(t, loaded.Tree.Root.NodeOrder)
}

// TestTheOrderOfANodesortpolicyIsThatOfRoot unless root names another.
func TestTheOrderOfANodesortpolicyIsThatOfRoot(t *testing.T) {
	const policy = "nodesortpolicy: {type: binpacking}\n"
	loaded, err := queues.Parse("queues.yaml", []byte(policy+"queues: [{name: a}, {name: b, nodeOrder: nodesortpolicy}]\n"))
	require.NoError(t, err)
	require.Equal(t, queues.OrderName, loaded.Tree.Root.NodeOrder)
	require.NoError(t, loaded.CheckOrders([]string{"default"}))
	require.EqualError(t, loaded.CheckOrders([]string{"nodesortpolicy"}),
		`queues.yaml:1:17: nodesortpolicy: becomes a node order of the name nodesortpolicy, and sluice.yaml has one of that name; rename that one
    1 | nodesortpolicy: {type: binpacking}
      |                 ^
1 fault in queues.yaml; nothing was applied`)

	loaded, err = queues.Parse("queues.yaml", []byte(policy+"queues: [{name: root, nodeOrder: pack}]\n"))
	require.NoError(t, err)
	require.Equal(t, "pack", loaded.Tree.Root.NodeOrder)
}
