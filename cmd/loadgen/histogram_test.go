package main

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestHistogramQuantilesAreWithinTwoPercent(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h, other histogram
	var all []time.Duration
	for i := range 20_000 {
		d := time.Duration(rng.Int64N(1 << rng.IntN(40)))
		all = append(all, d)
		if i%2 == 0 {
			h.add(d)
		} else {
			other.add(d)
		}
	}
	h.join(&other)
	slices.Sort(all)
	for _, q := range []float64{0, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
		want := all[min(int(q*float64(len(all))), len(all)-1)]
		got := h.quantile(q)
		if got < want || float64(got-want) > 0.02*float64(want) {
			t.Errorf("quantile %v is %v, of the durations themselves %v", q, got, want)
		}
	}
	if h.max != all[len(all)-1] || h.n != uint64(len(all)) {
		t.Errorf("max %v of %d", h.max, h.n)
	}
}

func TestEveryDurationLiesInItsBucket(t *testing.T) {
	for d := time.Duration(0); d >= 0 && d < 1<<61; d = d*9/8 + 1 {
		if i := bucket(d); floor(i) > d || floor(i+1) <= d {
			t.Fatalf("%d ns is in bucket %d, from %d to %d", d, i, floor(i), floor(i+1))
		}
	}
	if (&histogram{}).quantile(0.5) != 0 {
		t.Error("an empty histogram has a median")
	}
	var h histogram
	h.add(-time.Second) // a clock that was set back
	if h.n != 1 || h.counts[0] != 1 {
		t.Error("a negative duration is not counted as none")
	}
}
