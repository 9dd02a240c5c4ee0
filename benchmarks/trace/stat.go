package trace

import "math"

// Estimate is a mean and half the width of its 95 % confidence interval.
type Estimate struct {
	Mean float64 `json:"mean"`
	Half float64 `json:"half"`
}

// student is the 97.5 % quantile of Student's t distribution for 1, 2, … degrees of freedom.
var student = [...]float64{
	12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
	2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086,
	2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
}

// Of estimates the mean of what the values are a sample of. Of a single value nothing is known but the value: its interval is infinite, given as
// half a width of -1.
func Of(values []float64) Estimate {
	n := float64(len(values))
	if n == 0 {
		return Estimate{Half: -1}
	}
	var e Estimate
	for _, v := range values {
		e.Mean += v / n
	}
	if n < 2 {
		e.Half = -1
		return e
	}
	var squares float64
	for _, v := range values {
		squares += (v - e.Mean) * (v - e.Mean)
	}
	t := student[min(len(values)-2, len(student)-1)] // beyond the table a little too wide
	e.Half = t * math.Sqrt(squares/(n-1)/n)
	return e
}

// Surely reports whether the whole interval is above the bound.
func (e Estimate) Surely(bound float64) bool { return e.Half >= 0 && e.Mean-e.Half > bound }

// difference returns a − b, pair by pair.
func difference(a, b []float64) []float64 {
	d := make([]float64, len(a))
	for i := range a {
		d[i] = a[i] - b[i]
	}
	return d
}
