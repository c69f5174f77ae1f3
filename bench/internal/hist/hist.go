// Package hist is a log-linear latency histogram with a bounded relative error.
package hist

import (
	"math/bits"
	"time"
)

const (
	subBits = 7 // 128 buckets per power of two: error below 0.8 %
	sub     = 1 << subBits
	buckets = (64 - subBits + 1) * sub
)

// Hist counts durations. The zero value is ready; it is not safe for
// concurrent use, so each worker keeps one and they are merged at the end.
type Hist struct {
	counts   [buckets]uint32
	n        uint64
	sum      time.Duration
	min, max time.Duration
}

func index(v uint64) int {
	if v < sub {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)<<subBits + int(v>>shift) - sub
}

// mid is the middle of bucket i.
func mid(i int) time.Duration {
	if i < sub {
		return time.Duration(i)
	}
	shift := i>>subBits - 1
	low := uint64(i&(sub-1)+sub) << shift
	return time.Duration(low + (uint64(1)<<shift)/2)
}

// Add records one duration.
func (h *Hist) Add(d time.Duration) {
	d = max(d, 0)
	h.counts[index(uint64(d))]++
	if h.n == 0 || d < h.min {
		h.min = d
	}
	h.max = max(h.max, d)
	h.sum += d
	h.n++
}

// Merge adds o's counts to h.
func (h *Hist) Merge(o *Hist) {
	if o.n == 0 {
		return
	}
	for i, c := range &o.counts {
		h.counts[i] += c
	}
	if h.n == 0 || o.min < h.min {
		h.min = o.min
	}
	h.max = max(h.max, o.max)
	h.sum += o.sum
	h.n += o.n
}

// Quantile returns the q-th quantile (0 <= q <= 1), or 0 when empty.
func (h *Hist) Quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := uint64(q * float64(h.n))
	if float64(rank) < q*float64(h.n) || rank == 0 {
		rank++
	}
	var seen uint64
	for i, c := range &h.counts {
		if seen += uint64(c); seen >= rank {
			return min(max(mid(i), h.min), h.max)
		}
	}
	return h.max
}

// Count is how many durations were recorded.
func (h *Hist) Count() uint64 { return h.n }

// Max is the longest of them.
func (h *Hist) Max() time.Duration { return h.max }

// Mean is their arithmetic mean, or 0 when there is none.
func (h *Hist) Mean() time.Duration {
	if h.n == 0 {
		return 0
	}
	return h.sum / time.Duration(h.n)
}
