package oracle

import (
	"fmt"

	v1 "k8s.io/api/core/v1"
)

// Case is all that it takes to ask both sides about one pod.
type Case struct {
	// Start is the world from which Sluice starts, Changes is what happened then, the coming of the pod included.
	Start   *World
	Changes []Change
	// Pod is the pod's key, namespace/name.
	Pod string
}

// Difference is a pair of which the two sides do not say the same, or of which Sluice's fast ways do not say what the slow one does.
type Difference struct {
	Case Case
	// Seed and World give the world again.
	Seed, World uint64
	// Node is empty where the difference is about the pod as a whole.
	Node             string
	Upstream, Sluice Verdict
	// Skipped are the plugins that had nothing to say of the pod.
	Skipped [len(Plugins)]bool
	// Other tells of a difference of another kind, in words.
	Other string
	// Explained names the entry of differences.md that covers it.
	Explained string
}

// Kind is equal for differences that are likely to have one cause.
func (d *Difference) Kind() string {
	if d.Other != "" {
		return "other: " + normal(d.Other)
	}
	return normal(d.Upstream.String()) + " / " + normal(d.Sluice.String())
}

func (d *Difference) String() string {
	if d.Other != "" {
		return fmt.Sprintf("pod %s: %s", d.Case.Pod, d.Other)
	}
	return fmt.Sprintf("pod %s on node %s:\n  kube-scheduler: %s\n  sluice:         %s", d.Case.Pod, d.Node, d.Upstream, d.Sluice)
}

// End is the world as it is in the end.
func (c *Case) End() *World {
	w := c.Start.Copy()
	for _, change := range c.Changes {
		w.Apply(change)
	}
	return w
}

// podOf finds a pod by key.
func podOf(w *World, key string) *v1.Pod {
	for _, p := range w.Pods {
		if p.Namespace+"/"+p.Name == key {
			return p
		}
	}
	return nil
}
