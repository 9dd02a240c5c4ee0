package queues

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

func TestQuantity(t *testing.T) {
	const limit = resource.Limit
	for _, c := range []struct {
		text  string
		isCPU bool
		want  int64
		cut   bool
	}{
		{"0", false, 0, false},
		{"10", false, 10, false},
		{"+10", false, 10, false},
		{" 10 Gi ", false, 10 << 30, false},
		{"1k", false, 1000, false},
		{"500M", false, 500_000_000, false},
		{"3G", false, 3_000_000_000, false},
		{"1000T", false, 1_000_000_000_000_000, false},
		{"1P", false, 1_000_000_000_000_000, false},
		{"1Ki", false, 1 << 10, false},
		{"1Mi", false, 1 << 20, false},
		{"1023Ti", false, 1023 << 40, false},
		{"1Pi", false, limit, false},
		{"2P", false, limit, true},
		{"1E", false, limit, true},
		{"8Ei", false, limit, true},
		{"0E", false, 0, false},
		{"99999999999999999999", false, limit, true},
		{"007", false, 7, false},
		{"8", true, 8000, false},
		{"500m", true, 500, false},
		{"0m", true, 0, false},
		{"1k", true, 1_000_000, false},
		{"1E", true, limit, true},
		{"2Pi", true, limit, true},
		{"1099511627776", true, 1_099_511_627_776_000, false},
		{"1125899906843", true, limit, true},
	} {
		got, cut, err := quantity(c.text, c.isCPU)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
		require.Equal(t, c.cut, cut, c.text)
	}
	for _, text := range []string{"", "-1", "1.5", "1e3", "1K", "1gi", "m", "Gi", "0x10", "1_000", "1m", "१", "1Gi1", "++1", "+-1"} {
		_, _, err := quantity(text, false)
		require.Error(t, err, text)
	}
	for _, text := range []string{"0.5", "-500m", "1M m", "500u"} {
		_, _, err := quantity(text, true)
		require.Error(t, err, text)
	}
}

func TestShowIsReadBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		value int64
		want  string
	}{
		{"cpu", 0, "0"},
		{"cpu", 1500, "1500m"},
		{"cpu", 2000, "2"},
		{"memory", 0, "0"},
		{"memory", 1 << 30, "1Gi"},
		{"memory", 1536 << 20, "1536Mi"},
		{"memory", 10_000_000_000, "10G"},
		{"memory", 1001, "1001"},
		{"pods", 110, "110"},
		{"pods", resource.Limit, "1Pi"},
	} {
		require.Equal(t, c.want, show(c.name, c.value))
		back, _, err := quantity(c.want, c.name == "cpu")
		require.NoError(t, err)
		require.Equal(t, c.value, back)
	}
}

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"0": 0, "30s": 30 * time.Second, "1h30m": 90 * time.Minute, "250ms": 250 * time.Millisecond} {
		got, err := duration(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"30", "7200", "-1s", "soon", "1d", ""} {
		_, err := duration(text)
		require.Error(t, err, text)
	}
}

func TestFlagTakesWhatYuniKornsReaderTakes(t *testing.T) {
	for text, want := range map[string]flag{"true": true, "True": true, "YES": true, "on": true, "false": false, "no": false, "Off": false} {
		var f flag
		require.NoError(t, f.UnmarshalText([]byte(text)))
		require.Equal(t, want, f, text)
	}
	require.Error(t, new(flag).UnmarshalText([]byte("1")))
}

func TestLeastAndPlusGoResourceByResource(t *testing.T) {
	a := resource.Amounts{{Name: "cpu", Value: 5}, {Name: "memory", Value: 7}}
	b := resource.Amounts{{Name: "memory", Value: 3}, {Name: "pods", Value: 1}}
	require.Equal(t, resource.Amounts{{Name: "cpu", Value: 5}, {Name: "memory", Value: 3}, {Name: "pods", Value: 1}}, least(a, b))
	require.Equal(t, resource.Amounts{{Name: "cpu", Value: 5}, {Name: "memory", Value: 10}, {Name: "pods", Value: 1}}, plus(a, b))
	require.Equal(t, int64(5), a[0].Value, "neither changes what it is given")
	require.Equal(t, 2*resource.Limit, plus(resource.Amounts{{Name: "cpu", Value: 2 * resource.Limit}}, resource.Amounts{{Name: "cpu", Value: 9}})[0].Value)
}

func TestWeightsOfNodesKeepTheirProportions(t *testing.T) {
	for _, c := range []struct {
		in   map[string]float64
		want []int64 // of a, b
	}{
		{map[string]float64{"a/x": 1, "b/x": 1}, []int64{1, 1}},
		{map[string]float64{"a/x": 0.5, "b/x": 1}, []int64{1, 2}},
		{map[string]float64{"a/x": 0.1, "b/x": 0.3}, []int64{1, 3}},
		{map[string]float64{"a/x": 1000, "b/x": 250}, []int64{100, 25}},
		{map[string]float64{"a/x": 1e9, "b/x": 1}, []int64{100, 1}},
		{map[string]float64{"a/x": 3.14159, "b/x": 1}, []int64{100, 32}},
		{map[string]float64{"a/x": 2, "b/x": 0}, []int64{2}},
	} {
		var got []int64
		for _, r := range (&builder{}).resourceWeights(c.in) {
			got = append(got, r.Weight)
		}
		require.Equal(t, c.want, got, "%v", c.in)
	}
}
