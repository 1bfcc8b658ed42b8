package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var nowhere = &site{tenants: []*tenant{{ID: "a"}, {ID: "b"}, {ID: "c"}}}

func TestAStallIsChargedToAllThatWaitedBehindIt(t *testing.T) {
	var stalled atomic.Bool
	began := time.Now()
	op := operation{name: "stalls once", do: func(context.Context, *caller) error {
		if time.Since(began) > 100*time.Millisecond && stalled.CompareAndSwap(false, true) {
			time.Sleep(200 * time.Millisecond)
		}
		return nil
	}}
	r, err := drive(t.Context(), nowhere, op, plan{Connections: 1, Rate: 1000, Duration: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	// Of some 500 operations, those of 200 ms were late, by 100 ms on average.
	if p50, p90 := r.Latency.quantile(0.5), r.Latency.quantile(0.9); p90 < 100*time.Millisecond || r.Latency.n < 300 {
		t.Errorf("%d operations, p50 %v, p90 %v", r.Latency.n, p50, p90)
	}
}

func TestRateIsKept(t *testing.T) {
	var n atomic.Int64
	op := operation{name: "counts", do: func(context.Context, *caller) error { n.Add(1); return nil }}
	if _, err := drive(t.Context(), nowhere, op, plan{Connections: 8, Rate: 200, Duration: 500 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	if n.Load() < 50 || n.Load() > 101 {
		t.Errorf("%d operations in half a second, at 200 per second", n.Load())
	}
}

func TestFailuresAreToldByKind(t *testing.T) {
	var turn atomic.Int64
	op := operation{name: "fails", do: func(context.Context, *caller) error {
		time.Sleep(time.Millisecond)
		switch turn.Add(1) % 3 {
		case 0:
			return &unexpected{status: 503, code: "server_error"}
		case 1:
			return errors.New("connection reset")
		}
		return nil
	}}
	r, err := drive(t.Context(), nowhere, op, plan{Connections: 2, Duration: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if r.Failures["503 server_error"] == 0 || r.Failures["connection"] == 0 || r.Latency.n == 0 || r.Failed() != r.Failures["503 server_error"]+r.Failures["connection"] {
		t.Errorf("%d succeeded, failures %v", r.Latency.n, r.Failures)
	}
	var b strings.Builder
	if err := newPrinter(&b, "table").print(r); err != nil || !strings.Contains(b.String(), "503 server_error") {
		t.Errorf("printed %q, %v", b.String(), err)
	}
}

func TestCallersTakeTenantsInTurn(t *testing.T) {
	seen := map[string]int{}
	for i := range 3 {
		c := nowhere.caller(i)
		for range 3 {
			seen[c.tenant().ID]++
		}
	}
	if seen["a"] != 3 || seen["b"] != 3 || seen["c"] != 3 {
		t.Errorf("tenants were called %v", seen)
	}
}

func TestWarmupIsNotMeasured(t *testing.T) {
	began := time.Now()
	op := operation{name: "is slow at first", do: func(context.Context, *caller) error {
		if time.Since(began) < 100*time.Millisecond {
			time.Sleep(50 * time.Millisecond)
			return errors.New("cold")
		}
		time.Sleep(time.Millisecond)
		return nil
	}}
	r, err := drive(t.Context(), nowhere, op, plan{Connections: 1, Warmup: 250 * time.Millisecond, Duration: 100 * time.Millisecond})
	if err != nil || r.Failed() != 0 || r.Latency.n == 0 {
		t.Errorf("failures %v, %d measured, %v", r.Failures, r.Latency.n, err)
	}
}
