package resource

// Vector holds one value per slot of a Space, in base units. A slot beyond its end reads as zero.
type Vector []int64

// At returns the value of a slot.
func (v Vector) At(slot int) int64 {
	if slot < len(v) {
		return v[slot]
	}
	return 0
}

// AddTo adds sign × w to v and returns v, grown when w is longer. Addition wraps on overflow, so that a later subtraction
// of the same vector restores v exactly.
func (v Vector) AddTo(w Vector, sign int64) Vector {
	for len(v) < len(w) {
		v = append(v, 0)
	}
	for i, x := range w {
		v[i] += sign * x
	}
	return v
}

// Fits reports whether request fits into total beside used: for every requested slot used + request ≤ total. Slots of which
// nothing is requested are not looked at, so a pod that asks for no memory fits a node whose memory is overcommitted.
func Fits(request, used, total Vector) bool {
	for i, r := range request {
		if r > 0 && r > total.At(i)-used.At(i) {
			return false
		}
	}
	return true
}

// Equal compares slot by slot; a missing slot equals zero.
func (v Vector) Equal(w Vector) bool {
	for i := range max(len(v), len(w)) {
		if v.At(i) != w.At(i) {
			return false
		}
	}
	return true
}

// Want is an amount that is asked for of one slot.
type Want struct {
	Slot  int
	Value int64
}

// Wants lists the slots of which something is asked for.
func (v Vector) Wants() []Want {
	var wants []Want
	for slot, value := range v {
		if value > 0 {
			wants = append(wants, Want{slot, value})
		}
	}
	return wants
}
