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
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/sluice-scheduler/sluice/pkg/app/flink/spec"
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

// TestOddObjects puts something odd in the place of each value of each object, among the others of its file, and expects that what is told of it makes sense.
func TestOddObjects(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	require.NoError(t, err)
	seen := 0
	for _, file := range files {
		among, all := NewSources(), readObjects(t, file)
		for _, o := range all {
			among.Set(reader.Read(o))
		}
		for _, o := range all {
			u := o.(*unstructured.Unstructured)
			for _, path := range paths(u.Object, nil) {
				for _, odd := range oddities {
					changed := u.DeepCopy()
					if put(changed.Object, path, odd) {
						makesSense(t, changed, among, fmt.Sprint(file, u.GetName(), path, odd))
						among.Set(reader.Read(u))
						seen++
					}
				}
			}
		}
		for _, o := range all {
			if p := reader.Read(o); p != nil {
				among.Gone(p.Key)
			}
		}
		require.Equal(t, NewSources(), among, "nothing is left when all are gone")
	}
	require.Greater(t, seen, 10000)
}

// FuzzConfig reads any configuration of Flink, in both forms, of a cluster with an operator and of one without.
func FuzzConfig(f *testing.F) {
	for _, text := range []string{
		"taskmanager.numberOfTaskSlots: 4\nparallelism.default: 7\n", "a: b: c\n#", "slotmanager.number-of-slots.max: -1\nexternal-resources: x;y\nexternal-resource.x.amount: 9\n",
		"kubernetes.taskmanager.tolerations: key:a,operator:Exists;b\nkubernetes.taskmanager.cpu.amount: 1e309\ntaskmanager.memory.flink.size: 9999999999g\n",
		"{a: {b: [1, 2]}, execution: {target: kubernetes-session}}", "scheduler-mode: reactive\njobmanager.scheduler: adaptive\nslot.request.timeout: 1 y\n",
		"slotmanager.min-total-resource.cpu: 1e300\nslotmanager.min-total-resource.memory: 1t\nkubernetes.jobmanager.replicas: 99999999999\n",
	} {
		f.Add(text, false)
		f.Add(text, true)
	}
	var u unstructured.Unstructured
	if err := yaml.Unmarshal([]byte(orders), &u.Object); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, nested bool) {
		name := spec.FlatFile
		if nested {
			name = spec.NestedFile
		}
		for _, kind := range []string{spec.TypeNative, spec.TypeStandalone} {
			m := &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "rt", Name: "flink-config-orders", Labels: map[string]string{"app": "orders", "type": kind}}}
			m.Data = map[string]string{name: text}
			s := NewSources()
			s.Set(reader.Read(&u))
			for _, c := range s.Set(reader.Read(m)) {
				addsUp(t, c.Fact, text)
			}
		}
	})
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
		makesSense(t, u, NewSources(), string(data))
	})
}

// makesSense expects of an object among others that it is read alike twice, that the numbers it tells fit together, and that what it told is taken back when it is gone.
func makesSense(t *testing.T, o *unstructured.Unstructured, among *Sources, what string) {
	p := reader.Read(o)
	if p == nil {
		return
	}
	for _, c := range among.Set(p) {
		if c.Fact != nil {
			addsUp(t, c.Fact, what)
		}
	}
	require.Empty(t, among.Set(reader.Read(o)), "%s: read alike twice", what)
	for _, c := range among.Gone(p.Key) {
		if c.Fact != nil {
			addsUp(t, c.Fact, what)
		}
	}
	require.NotContains(t, among.pieces, p.Key, what)
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
	require.True(t, len(f.Roles) == 0 || sum == f.Min || f.Origin == cluster.FromGroupLabels && sum < f.Min, "%s: roles have %d of %d", what, sum, f.Min)
	require.False(t, f.Over && f.Why == "" || f.Finished && !f.Over, what)
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
