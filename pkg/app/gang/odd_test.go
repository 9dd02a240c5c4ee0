package gang

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/sluice-scheduler/sluice/pkg/core/cluster"
)

// oddities are put in the place of every value of every object in testdata.
var oddities = []any{
	nil, "", "x", "-1", "1e300", "\x00\xff", true, int64(-1), int64(0), int64(1) << 40, 0.5, -1e300,
	[]any{},
	[]any{nil},
	map[string]any{},
	map[string]any{"x": nil},
}

// TestOddObjects puts something odd in the place of each value of each object, and expects that what is told of it makes sense.
func TestOddObjects(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	seen := 0
	for _, file := range files {
		for _, o := range readObjects(t, file) {
			u := o.(*unstructured.Unstructured)
			for _, path := range paths(u.Object, nil) {
				for _, odd := range oddities {
					changed := u.DeepCopy()
					if put(changed.Object, path, odd) {
						makesSense(t, changed, fmt.Sprint(file, u.GetName(), path, odd))
						seen++
					}
				}
			}
		}
	}
	require.Greater(t, seen, 10000)
}

// FuzzObjects promises the same of any object.
func FuzzObjects(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		for _, o := range readObjects(f, file) {
			data, err := json.Marshal(o)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(bytes.TrimSpace(data))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		u := &unstructured.Unstructured{}
		if json.Unmarshal(data, &u.Object) != nil || u.Object == nil {
			return
		}
		makesSense(t, u, string(data))
	})
}

// makesSense expects of an object that it is read alike twice, that the numbers it tells fit together, and that nothing is left of it when it is gone.
func makesSense(t *testing.T, o *unstructured.Unstructured, what string) {
	p := reader.Read(o)
	if p == nil {
		return
	}
	s, clean := NewSources(), NewSources()
	changes := s.Set(p)
	again := reader.Read(o)
	require.Empty(t, s.Set(again), "%s: read alike twice", what)
	for _, c := range changes {
		require.NotNil(t, c.Fact, what)
		addsUp(t, c.Fact, what)
	}
	require.Len(t, s.Gone(p.Key), len(changes), what)
	require.Equal(t, clean, s, what)
}

func addsUp(t *testing.T, f *cluster.GroupFact, what string) {
	sum := 0
	for i := range f.Roles {
		r := &f.Roles[i]
		sum += r.Min
		require.True(t, 0 <= r.Min && r.Min <= r.Count && r.Count <= most, "%s: role %s has %d of %d", what, r.Role, r.Min, r.Count)
		require.True(t, r.Template == nil || r.Template.Demand != nil && r.Template.Claim.Role == r.Role && r.Template.Claim.Group == f.ID, what)
	}
	require.True(t, f.ID != "" && f.Source != "" && f.Min >= 0, what)
	require.True(t, len(f.Roles) == 0 || sum == f.Min, "%s: roles have %d of %d", what, sum, f.Min)
	require.False(t, f.Over && f.Why == "", what)
}

// paths are the ways to all values below one, apiVersion and kind left out.
func paths(value any, at []string) (all [][]string) {
	if len(at) > 0 {
		all = append(all, slices.Clone(at))
	}
	switch v := value.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			if len(at) > 0 || k != "apiVersion" && k != "kind" {
				all = append(all, paths(v[k], append(at, k))...)
			}
		}
	case []any:
		for i := range v {
			all = append(all, paths(v[i], append(at, strconv.Itoa(i)))...)
		}
	}
	return all
}

// put sets what is at a path, and reports whether there is such a place.
func put(in any, path []string, value any) bool {
	last := len(path) == 1
	switch v := in.(type) {
	case map[string]any:
		if last {
			v[path[0]] = value
			return true
		}
		return put(v[path[0]], path[1:], value)
	case []any:
		i, err := strconv.Atoi(path[0])
		if err != nil || i >= len(v) {
			return false
		}
		if last {
			v[i] = value
			return true
		}
		return put(v[i], path[1:], value)
	}
	return false
}

// TestPropertiesOfJava reads the writings of one property that Java knows.
func TestPropertiesOfJava(t *testing.T) {
	got := javaProperties(strings.Join([]string{"# no", "! no", "", "a=1", " b : 2 ", "c 3", `d\ e\=f=x\:y`, "g", "h=", `i=a\\b`, "j==k"}, "\r\n"))
	require.Equal(t, map[string]string{"a": "1", "b": "2 ", "c": "3", "d e=f": "x:y", "g": "", "h": "", "i": `a\b`, "j": "=k"}, got)
}
