package queues_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/config"
	"github.com/sluice-scheduler/sluice/pkg/config/queues"
)

// What a reader starts from loads, without a warning.
func TestExampleFilesLoad(t *testing.T) {
	files, err := filepath.Glob("../../../deploy/examples/queues*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		loaded, err := queues.Load(file)
		require.NoError(t, err)
		require.Empty(t, loaded.Warnings, file)
		require.NoError(t, loaded.CheckOrders([]string{"default"}), file)
		requireSound(t, loaded.Tree)
	}
}

// What a reader copies from the page on queues loads, as a queues file or as a configuration.
func TestExamplesOfThePageOnQueuesLoad(t *testing.T) {
	text, err := os.ReadFile("../../../docs/queues.md")
	require.NoError(t, err)
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, examples, 2)
	for _, e := range examples {
		if strings.HasPrefix(e[1], "apiVersion:") {
			_, err = config.Parse("sluice.yaml", []byte(e[1]))
		} else {
			_, err = queues.Parse("queues.yaml", []byte(e[1]))
		}
		require.NoError(t, err)
	}
}
