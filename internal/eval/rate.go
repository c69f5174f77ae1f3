package eval

import (
	"fmt"
	"math"
)

// Rate is how many of some items something is true of.
type Rate struct {
	Count int `json:"count"`
	Of    int `json:"of"`
}

// add counts one item.
func (r *Rate) add(is bool) {
	r.Of++
	if is {
		r.Count++
	}
}

// Share returns the rate, from 0 to 1; 0 of nothing.
func (r *Rate) Share() float64 {
	if r.Of == 0 {
		return 0
	}
	return float64(r.Count) / float64(r.Of)
}

// Interval returns the bounds between which the share lies with a confidence of
// 95 %, after Wilson: it holds for small samples and for shares near 0 and 1.
func (r *Rate) Interval() (low, high float64) {
	if r.Of == 0 {
		return 0, 1
	}
	const z = 1.959964 // standard deviations that hold 95 % of a normal distribution
	n, p := float64(r.Of), r.Share()
	scale := 1 + z*z/n
	middle := (p + z*z/(2*n)) / scale
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n)) / scale
	return max(0, middle-half), min(1, middle+half)
}

// String returns the rate with its interval, in per cent.
func (r *Rate) String() string {
	if r.Of == 0 {
		return "-"
	}
	low, high := r.Interval()
	return fmt.Sprintf("%d/%d = %.1f %% [%.1f-%.1f]", r.Count, r.Of, 100*r.Share(), 100*low, 100*high)
}
