package report

import (
	"math/bits"
	"time"
)

// Times says how long something took, in microseconds.
type Times struct {
	Count uint64 `json:"count"`
	P50   int64  `json:"p50_us"`
	P95   int64  `json:"p95_us"`
	P99   int64  `json:"p99_us"`
	Max   int64  `json:"max_us"`
}

// Of returns one of the times as a duration.
func Of(us int64) time.Duration { return time.Duration(us) * time.Microsecond }

// fine is how many classes a doubling of time has.
const fine = 16

// histogram counts times in classes.
type histogram struct {
	classes [64 * fine]uint64
	count   uint64
	max     int64
}

func (h *histogram) add(us int64) {
	us = max(us, 0)
	h.classes[class(uint64(us))]++
	h.count++
	h.max = max(h.max, us)
}

// class returns the class of a time: below fine each has its own, above the
// leading bit and the four after it tell.
func class(us uint64) int {
	if us < fine {
		return int(us)
	}
	shift := bits.Len64(us) - 5
	return (shift+1)*fine + int(us>>shift) - fine //nolint:gosec // a time of 63 bits has class 63*16-1 at most
}

// top returns the longest time of a class.
func top(class int) int64 {
	if class < fine {
		return int64(class)
	}
	shift := class/fine - 1
	return (int64(class%fine+fine)+1)<<shift - 1
}

// quantile returns a time that so many of a thousand do not exceed, to about six
// percent.
func (h *histogram) quantile(perMille uint64) int64 {
	rank := (h.count*perMille + 999) / 1000
	for i, n := range h.classes {
		if n >= rank && rank > 0 {
			return min(top(i), h.max)
		}
		rank -= n
	}
	return h.max
}

func (h *histogram) times() Times {
	return Times{Count: h.count, P50: h.quantile(500), P95: h.quantile(950), P99: h.quantile(990), Max: h.max}
}
