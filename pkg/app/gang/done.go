package gang

import "fmt"

// spend takes off the pods that have succeeded: none comes in their place, so nothing is owed for them. Those that are left start with as many as were
// to start together, or with all that are left. Where none is left the application has ended, whatever its status says yet.
func (d *draft) spend() {
	done, left := 0, 0
	for i := range d.roles {
		r := &d.roles[i]
		gone := min(r.done, max(r.count, r.min))
		r.count = max(r.count, r.min) - gone
		r.min = min(r.min, r.count)
		r.bare = r.bare || gone > 0 && r.count == 0 // nothing is to be said of what does not come
		done, left = done+gone, left+r.count
	}
	if done == 0 {
		return
	}
	d.fact.Source += fmt.Sprintf(", %d succeeded", done)
	if left == 0 && !d.fact.Over {
		d.ended("all of its pods have succeeded")
	}
}
