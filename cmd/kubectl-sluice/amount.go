package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/sluice-scheduler/sluice/pkg/web/api"
)

// quiet are resources that only the wide table shows: every pod has them.
var quiet = []string{"ephemeral-storage", "pods"}

// shownOf lists the resources that a table shows: cpu, memory, and then the others by name.
func shownOf(resources map[string]api.Resource, wide bool) (names []string) {
	for name := range maps.Keys(resources) {
		if wide || !slices.Contains(quiet, name) {
			names = append(names, name)
		}
	}
	rank := func(name string) int { return (slices.Index([]string{"cpu", "memory"}, name) + 3) % 3 }
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b)) })
	return names
}

// units is an amount in millicores, bytes or pieces; 0 when it cannot be read.
func units(name string, q api.Quantity) int64 {
	v, err := resource.ParseQuantity(q)
	if err != nil {
		return 0
	}
	if name == "cpu" {
		return v.MilliValue()
	}
	return v.Value()
}

// readable writes an amount with three digits or so; "-" stands for none.
func readable(name string, q api.Quantity) string {
	if q == "" {
		return "-"
	}
	v := units(name, q)
	switch name {
	case "cpu":
		if v > -1000 && v < 1000 && v != 0 {
			return fmt.Sprintf("%dm", v)
		}
		return digits(float64(v) / 1000)
	case "memory", "ephemeral-storage":
		return binarySize(v)
	}
	return fmt.Sprint(v)
}

func binarySize(v int64) string {
	amount, unit := float64(v), 0
	suffixes := []string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}
	for (amount >= 1024 || amount <= -1024) && unit < len(suffixes)-1 {
		amount /= 1024
		unit++
	}
	return digits(amount) + suffixes[unit]
}

// digits writes a number with three digits, or all of those before the point.
func digits(v float64) string {
	places := 2
	for size := max(v, -v); size >= 10 && places > 0; size /= 10 {
		places--
	}
	text := fmt.Sprintf("%.*f", places, v)
	if places > 0 {
		text = strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
	}
	return text
}
