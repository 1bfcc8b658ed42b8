package main

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets that are at most 1/64 wide, relative to what they hold, so that every
// quantile it tells is right within two percent. The zero histogram is empty.
type histogram struct {
	counts [64 << sub]uint64
	n      uint64
	max    time.Duration
}

// sub is the number of bits that divide each power of two.
const sub = 6

// bucket is where d is counted: durations below 2^sub ns have a bucket each.
func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < 1<<sub {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - sub
	return (shift+1)<<sub + int(v>>shift) - 1<<sub
}

// floor is the shortest duration of bucket i.
func floor(i int) time.Duration {
	if i < 1<<sub {
		return time.Duration(i)
	}
	shift := i>>sub - 1
	return time.Duration(uint64(1<<sub+i&(1<<sub-1)) << shift)
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.n++
	h.max = max(h.max, d)
}

// join adds what o has counted.
func (h *histogram) join(o *histogram) {
	for i, n := range o.counts {
		h.counts[i] += n
	}
	h.n += o.n
	h.max = max(h.max, o.max)
}

// quantile is the duration that a share q of all do not exceed; 0 where there are none.
func (h *histogram) quantile(q float64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := min(uint64(q*float64(h.n)), h.n-1)
	for i, n := range h.counts {
		if rank < n {
			return min(floor(i+1)-1, h.max)
		}
		rank -= n
	}
	return h.max
}
