package oracle

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEveryDifferenceIsDescribed ties the predicates to the document.
func TestEveryDifferenceIsDescribed(t *testing.T) {
	text, err := os.ReadFile("differences.md")
	require.NoError(t, err)
	var described []string
	for _, m := range regexp.MustCompile(`(?m)^## (.*)$`).FindAllStringSubmatch(string(text), -1) {
		described = append(described, m[1])
	}
	var covered []string
	for _, d := range deliberate {
		covered = append(covered, d.name)
	}
	require.Equal(t, described, covered)
}
