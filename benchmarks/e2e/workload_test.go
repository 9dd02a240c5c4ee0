package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func small() Workload {
	return Workload{
		Nodes: 200, Pods: 1000, Shapes: 100, Zones: 4, Hardware: 3, TaintEvery: 20,
		Select: 15, Affinity: 15, Tolerate: 20, Port: 5, Seed: 1,
	}
}

func TestWorkloadIsWhatItSays(t *testing.T) {
	w := small()
	pods := w.PodObjects()
	require.Equal(t, pods, w.PodObjects(), "equal workloads make different pods")
	shapes := map[string]bool{}
	var selects, affinity, tolerates, ports, inOrder int
	for i, p := range pods {
		s := &p.Spec
		shapes[s.Containers[0].Resources.Requests.Cpu().String()+s.Containers[0].Resources.Requests.Memory().String()] = true
		selects += count(len(s.NodeSelector) > 0)
		affinity += count(s.Affinity != nil)
		tolerates += count(len(s.Tolerations) > 0)
		ports += count(len(s.Containers[0].Ports) > 0)
		inOrder += count(i > 0 && p.Labels["app"] == pods[i-1].Labels["app"])
	}
	require.Len(t, shapes, w.Shapes)
	require.Equal(t, []int{150, 150, 200, 50}, []int{selects, affinity, tolerates, ports})
	require.Less(t, inOrder, 50, "the shapes are not shuffled")

	tainted := 0
	for _, n := range w.NodeObjects() {
		tainted += count(len(n.Spec.Taints) > 0)
	}
	require.Equal(t, 10, tainted)
}

func count(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// A simple-minded first fit must be able to place every case, else it would measure something else than speed.
func TestEveryCaseFits(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	require.NotEmpty(t, cases)
	for _, c := range cases {
		nodes, pods := c.Workload.NodeObjects(), c.Workload.PodObjects()
		require.NoError(t, seat(pods, nodes), "case %s", c.Name)
		require.NoError(t, Judge(values(nodes), values(pods)), "case %s", c.Name)
	}
}

func values[T any](pointers []*T) (all []T) {
	for _, p := range pointers {
		all = append(all, *p)
	}
	return all
}

func TestSeatedPodsAreTheFirst(t *testing.T) {
	w := small()
	w.Bound = 400
	pods, err := w.Seated()
	require.NoError(t, err)
	require.Equal(t, 600, w.ToPlace())
	for i, p := range pods {
		require.Equal(t, i < 400, p.Spec.NodeName != "", p.Name)
	}
	require.NoError(t, Judge(values(w.NodeObjects()), values(pods[:400])))

	w.Nodes = 2
	require.ErrorContains(t, seat(w.PodObjects(), w.NodeObjects()), "fits nowhere")
}

func TestWorkloadsThatMakeNoSense(t *testing.T) {
	for want, spoil := range map[string]func(*Workload){
		"at least 1":           func(w *Workload) { w.Nodes = 0 },
		"left to place":        func(w *Workload) { w.Bound = 1000 },
		"percentages":          func(w *Workload) { w.Select = 70 },
		"more than 20 a node":  func(w *Workload) { w.Pods = 5000 },
		"too many for one hos": func(w *Workload) { w.Shapes = 10 },
	} {
		w := small()
		spoil(&w)
		require.ErrorContains(t, w.validate(), want)
	}
	require.NoError(t, small().validate())
}

func TestChoose(t *testing.T) {
	cases, err := Cases()
	require.NoError(t, err)
	chosen, err := Choose(cases, nil, nil)
	require.NoError(t, err)
	require.Len(t, chosen, len(cases)-2, "the cases on request are among them")
	chosen, err = Choose(cases, []string{"10000x2000"}, []Mode{While})
	require.NoError(t, err)
	require.Len(t, chosen, 1)
	require.Equal(t, []Mode{While}, chosen[0].Modes)
	_, err = Choose(cases, []string{"10x10"}, nil)
	require.ErrorContains(t, err, `no case "10x10"`)
}
