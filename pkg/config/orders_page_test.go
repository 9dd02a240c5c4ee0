package config_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/core/order"
)

// What a reader copies from the page on node orders works, and says what the page says it does.
func TestExamplesOfThePageOnNodeOrdersLoad(t *testing.T) {
	text, err := os.ReadFile("../../docs/node-orders.md")
	require.NoError(t, err)
	specs := map[string]order.Spec{}
	for _, e := range regexp.MustCompile("(?s)```yaml\n(apiVersion.*?)```").FindAllStringSubmatch(string(text), -1) {
		c, err := config.Parse("example", []byte(e[1]))
		require.NoError(t, err)
		for _, s := range c.Orders() {
			specs[s.Name] = s
		}
	}
	require.Equal(t, order.Default().Evaluators, specs["spread"].Evaluators, "the order spread is the built-in one")
	require.Equal(t, []order.Evaluator{
		{Kind: order.TaintToleration, Weight: 3},
		{Kind: order.NodeAffinity, Weight: 2},
		{Kind: order.PodTopologySpread, Weight: 2},
		{Kind: order.DefaultSpread, Weight: 2},
		{Kind: order.InterPodAffinity, Weight: 2, HardWeight: 1},
		{Kind: order.RequestLeastAllocated, Weight: 1},
		{Kind: order.Balanced, Weight: 1},
		{Kind: order.ImageLocality, Weight: 1},
	}, specs["kube-scheduler"].Evaluators)
}
