package oracle

import (
	"math/rand/v2"

	apires "k8s.io/apimachinery/pkg/api/resource"
)

// draw makes random choices. Equal seeds make equal choices.
type draw struct{ *rand.Rand }

// chance is true in so many percent of cases.
func (d draw) chance(percent int) bool { return d.IntN(100) < percent }

// between returns a number from low to high, both included.
func (d draw) between(low, high int) int { return low + d.IntN(high-low+1) }

// one returns one of a list.
func one[T any](d draw, list ...T) T { return list[d.IntN(len(list))] }

// some returns some of a list, in order; it may be none.
func some[T any](d draw, percent int, list ...T) (out []T) {
	for _, x := range list {
		if d.chance(percent) {
			out = append(out, x)
		}
	}
	return out
}

// several calls make from low to high times.
func several[T any](d draw, low, high int, make func() T) (out []T) {
	for range d.between(low, high) {
		out = append(out, make())
	}
	return out
}

func ref[T any](x T) *T { return &x }

func milli(n int64) apires.Quantity { return *apires.NewMilliQuantity(n, apires.DecimalSI) }
func whole(n int64) apires.Quantity { return *apires.NewQuantity(n, apires.BinarySI) }
