package flink

import (
	_ "embed"
	"fmt"

	"sigs.k8s.io/yaml"
)

//go:embed bounds.yaml
var boundsFile []byte

// Bound is what Sluice must reach of one figure. Several may hold of one.
type Bound struct {
	// Case is a pattern of the names of cases.
	Case   string `json:"case"`
	Figure string `json:"figure"`
	// Over and Minus name who else's figure, of the same round, Sluice's is divided by or that is taken away; at most one is given. "ceiling" is the ceiling, whatever its number in flight.
	Over  string `json:"over,omitempty"`
	Minus string `json:"minus,omitempty"`
	// AtMost and AtLeast are the bound; one of them is given.
	AtMost  *float64 `json:"atMost,omitempty"`
	AtLeast *float64 `json:"atLeast,omitempty"`
}

// readBounds reads bounds.yaml.
func readBounds() ([]Bound, error) {
	var file struct {
		From   string   `json:"from"`
		Runs   []string `json:"runs"`
		Bounds []Bound  `json:"bounds"`
	}
	if err := yaml.UnmarshalStrict(boundsFile, &file); err != nil {
		return nil, fmt.Errorf("read bounds.yaml: %w", err)
	}
	for i, b := range file.Bounds {
		if (b.AtMost == nil) == (b.AtLeast == nil) || b.Over != "" && b.Minus != "" {
			return nil, fmt.Errorf("bounds.yaml: bound %d needs one of atMost and atLeast, and not both of over and minus", i+1)
		}
	}
	return file.Bounds, nil
}
