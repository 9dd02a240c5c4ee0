package manifest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sluice-scheduler/sluice/pkg/manifest"
)

const two = `# a comment first

apiVersion: v1
kind: ConfigMap
metadata:
  name: one
---
# only a comment
---   # a separator with a comment

apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: two}}
- {apiVersion: v1, kind: Secret, metadata: {name: three}, data: {n: "2048m"}}
`

func TestReadKeepsLinesAndUnfoldsLists(t *testing.T) {
	objects, err := manifest.Read("a.yaml", []byte(two))
	require.NoError(t, err)
	var got []string
	for _, o := range objects {
		got = append(got, o.Where()+" "+o.GetKind()+"/"+o.GetName())
	}
	require.Equal(t, []string{"a.yaml:3 ConfigMap/one", "a.yaml:11 Secret/two", "a.yaml:11 Secret/three"}, got)
}

func TestFaultsNameFileAndLine(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"indentation":    {"a: 1\n---\napiVersion: v1\nkind: Pod\n metadata:\n", "f.yaml:5: mapping values are not allowed in this context"},
		"tab":            {"---\nkind: Pod\n\tname: x\n", "f.yaml:3: found a tab character that violates indentation"},
		"doubled key":    {"kind: Pod\nkind: Job\n", `f.yaml:2: key "kind" already set in map`},
		"no kind":        {"\n\napiVersion: v1\n", "f.yaml:3: kind is missing or not a string"},
		"no name":        {"apiVersion: v1\nkind: Pod\nmetadata: {}\n", "f.yaml:1: Pod has no metadata.name"},
		"metadata list":  {"apiVersion: v1\nkind: Pod\nmetadata: [a]\n", "f.yaml:1: Pod has no metadata.name"},
		"not an object":  {"---\n- a\n- b\n", "f.yaml:2: expected an object with apiVersion and kind"},
		"scalar":         {"hello\n", "f.yaml:1: expected an object with apiVersion and kind"},
		"bad list items": {"apiVersion: v1\nkind: List\nitems: [4]\n", "f.yaml:1: items[0] is not an object"},
	} {
		t.Run(name, func(t *testing.T) {
			objects, err := manifest.Read("f.yaml", []byte(c.text))
			require.ErrorContains(t, err, c.want)
			require.Empty(t, objects)
		})
	}
}

func TestAllFaultyDocumentsAreReported(t *testing.T) {
	_, err := manifest.Read("f.yaml", []byte("kind: A\n---\napiVersion: v1\n"))
	require.EqualError(t, err, "f.yaml:1: apiVersion is missing or not a string\nf.yaml:3: kind is missing or not a string")
}
