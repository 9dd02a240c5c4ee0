package resource

import (
	"fmt"
	"math"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"
	apires "k8s.io/apimachinery/pkg/api/resource"
)

// Names of the resources that have a fixed slot in every space.
const (
	Pods             = string(v1.ResourcePods)
	CPU              = string(v1.ResourceCPU)
	Memory           = string(v1.ResourceMemory)
	EphemeralStorage = string(v1.ResourceEphemeralStorage)
)

// Limit is the largest value an Amount may have: 2^50, that is a pebibyte of memory or a trillion cores. It is far
// above any machine and leaves room to add thousands of such amounts without overflow. Larger quantities are cut to it.
const Limit int64 = 1 << 50

// Amount is a quantity of one named resource in that resource's base unit (millicores, bytes, pieces).
type Amount struct {
	Name  string
	Value int64
}

// Amounts are sorted by name, each name once, none of them zero.
type Amounts []Amount

// FromList turns an API resource list into amounts. Zero quantities are left out, those above Limit are cut to it and
// negative ones become zero; both are named in faults, because no cluster can mean them.
func FromList(list v1.ResourceList) (amounts Amounts, faults []string) {
	for name, q := range list {
		value, fault := baseUnits(name, q)
		if fault != "" {
			faults = append(faults, fault)
		}
		if value != 0 {
			amounts = append(amounts, Amount{Name: string(name), Value: value})
		}
	}
	slices.SortFunc(amounts, func(a, b Amount) int { return strings.Compare(a.Name, b.Name) })
	slices.Sort(faults)
	return amounts, faults
}

func baseUnits(name v1.ResourceName, q apires.Quantity) (value int64, fault string) {
	scale := apires.Scale(0)
	if name == v1.ResourceCPU {
		scale = apires.Milli
	}
	switch {
	case q.Sign() < 0:
		return 0, fmt.Sprintf("%s is negative (%s)", name, q.String())
	case q.CmpInt64(limitIn(scale)) > 0:
		return Limit, fmt.Sprintf("%s is absurdly large (%s)", name, q.String())
	}
	return q.ScaledValue(scale), ""
}

// limitIn is Limit counted in whole units, so that a quantity can be compared before it is scaled and could overflow.
func limitIn(scale apires.Scale) int64 {
	if scale == apires.Milli {
		return Limit / 1000
	}
	return Limit
}

// Get returns the amount of the named resource, zero when there is none.
func (a Amounts) Get(name string) int64 {
	for i := range a {
		if a[i].Name == name {
			return a[i].Value
		}
	}
	return 0
}

// Equal reports whether both hold the same amounts of the same resources.
func (a Amounts) Equal(b Amounts) bool { return slices.Equal(a, b) }

// String lists the amounts as name=value in base units, sorted by name.
func (a Amounts) String() string {
	parts := make([]string, len(a))
	for i, x := range a {
		parts[i] = fmt.Sprintf("%s=%d", x.Name, x.Value)
	}
	return strings.Join(parts, " ")
}

// Share returns part/whole in units of one in scale, rounded down; a whole of zero gives zero. The result lies in
// [0, scale] when 0 ≤ part ≤ whole. Amounts within Limit and scales up to 2^13 cannot overflow.
func Share(part, whole, scale int64) int64 {
	if whole <= 0 {
		return 0
	}
	if part > math.MaxInt64/scale {
		part = math.MaxInt64 / scale
	}
	return part * scale / whole
}
