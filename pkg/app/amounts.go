package app

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"

	"github.com/sluice-scheduler/sluice/pkg/core/resource"
)

// quantities reads a JSON object of quantities, all of them strings; why says what is wrong with it.
func quantities(text string) (written map[string]string, why string) {
	if err := json.Unmarshal([]byte(text), &written); err != nil {
		return nil, `it is not JSON like {"cpu": "64", "memory": "100Gi"}, with every quantity in quotes`
	}
	return written, ""
}

// readAmounts turns quantities by name of resource into amounts, zeros included; why says what is wrong with the first one that is.
func readAmounts(written map[string]string) (amounts resource.Amounts, why string) {
	list := v1.ResourceList{}
	for _, name := range slices.Sorted(maps.Keys(written)) {
		q, err := apires.ParseQuantity(written[name])
		switch {
		case name == "":
			return nil, "a resource has no name"
		case name == "vcore":
			return nil, "the resource is called cpu here, not vcore"
		case err != nil:
			return nil, quoted(written[name]) + " of " + quoted(name) + " is not a quantity"
		}
		list[v1.ResourceName(name)] = q
	}
	amounts, faults := resource.FromList(list)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	for name, q := range list {
		if q.IsZero() {
			amounts = append(amounts, resource.Amount{Name: string(name)})
		}
	}
	slices.SortFunc(amounts, func(a, b resource.Amount) int { return strings.Compare(a.Name, b.Name) })
	return amounts, ""
}

// quoted shows a value that may be anything.
func quoted(value string) string {
	tamed, _ := tame(value)
	return strconv.Quote(tamed)
}
