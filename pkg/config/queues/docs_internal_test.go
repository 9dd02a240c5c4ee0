package queues

import (
	"fmt"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const page = "../../../docs/queues-file.md"

// What a reader copies from the page works, and the page shows faults as they are.
func TestExamplesOfThePageLoad(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	examples := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	require.Len(t, examples, 6)
	for i, e := range examples {
		loaded, err := Parse("queues.yaml", []byte(e[1]))
		if i == 1 {
			require.Error(t, err)
			require.Contains(t, string(text), "```text\n"+err.Error()+"\n```")
			continue
		}
		require.NoError(t, err, "example %d", i+1)
		require.Empty(t, loaded.Warnings)
		if i == 0 {
			require.Contains(t, string(text), fmt.Sprintf("3 queues, 2 leaves, 0 placement rules (hash %s)", loaded.Tree.Hash))
		}
	}
}

// Every key that a file may have is on the page, and so is every key that gives a warning.
func TestEveryKeyIsOnThePage(t *testing.T) {
	text, err := os.ReadFile(page)
	require.NoError(t, err)
	seen := map[reflect.Type]bool{}
	for _, key := range append(keys(reflect.TypeFor[file](), seen),
		"checksum", "statedumpfilepath", "usergroupresolver", "application.unschedasks.backoff", "application.unschedasks.backoff.delay") {
		require.Regexp(t, regexp.MustCompile("[`.( ]"+regexp.QuoteMeta(key)+"[`: ]"), string(text), "the page does not tell of %s", key)
	}
}

func keys(of reflect.Type, seen map[reflect.Type]bool) []string {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return keys(of.Elem(), seen)
	case reflect.Struct:
	default:
		return nil
	}
	if seen[of] {
		return nil
	}
	seen[of] = true
	var names []string
	for i := range of.NumField() {
		f := of.Field(i)
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "" {
			names = append(names, name)
		}
		names = append(names, keys(f.Type, seen)...)
	}
	return names
}
