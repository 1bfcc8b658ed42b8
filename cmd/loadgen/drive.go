package main

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// plan is how an operation is driven.
type plan struct {
	Connections int
	Rate        float64 // operations begun per second; 0: as fast as the answers come
	Warmup      time.Duration
	Duration    time.Duration
}

// result is what was measured of one operation. With a rate, latency counts from when the operation was due, so that
// a server that stalls is not spared the operations that had to wait behind the stall.
type result struct {
	Operation string
	Took      time.Duration
	Latency   histogram      // of those that succeeded
	Failures  map[string]int // by kind
}

// Failed is how many operations failed.
func (r *result) Failed() int {
	n := 0
	for _, k := range r.Failures {
		n += k
	}
	return n
}

// drive prepares op once per connection and repeats it as p says. Operations that began in the warm-up, or end after
// the time, are not counted. Its error is that of the preparation.
func drive(ctx context.Context, s *site, op operation, p plan) (*result, error) {
	callers := make([]*caller, p.Connections)
	for i := range callers {
		callers[i] = s.caller(i)
		if op.prepare != nil {
			if err := op.prepare(ctx, callers[i]); err != nil {
				return nil, err
			}
		}
	}
	began := time.Now()
	from, to := began.Add(p.Warmup), began.Add(p.Warmup+p.Duration)
	last, cancel := context.WithDeadline(ctx, to) // what is under way then may end
	defer cancel()

	var next atomic.Int64
	due := func() time.Time {
		if p.Rate == 0 {
			return time.Now()
		}
		at := began.Add(time.Duration(float64(next.Add(1)-1) / p.Rate * float64(time.Second)))
		sleepUntil(last, at)
		return at
	}

	parts := make([]result, len(callers))
	var wg sync.WaitGroup
	for i, c := range callers {
		parts[i].Failures = map[string]int{}
		wg.Go(func() {
			for last.Err() == nil {
				at := due()
				if last.Err() != nil {
					return
				}
				err := op.do(ctx, c)
				now := time.Now()
				switch {
				case at.Before(from) || now.After(to) || ctx.Err() != nil:
				case err != nil:
					parts[i].Failures[kind(err)]++
				default:
					parts[i].Latency.add(now.Sub(at))
				}
			}
		})
	}
	wg.Wait()

	sum := &result{Operation: op.name, Took: p.Duration, Failures: map[string]int{}}
	for i := range parts {
		sum.Latency.join(&parts[i].Latency)
		for k, n := range parts[i].Failures {
			sum.Failures[k] += n
		}
	}
	return sum, nil
}

func sleepUntil(ctx context.Context, at time.Time) {
	wait := time.Until(at)
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// kind sorts an error into few kinds.
func kind(err error) string {
	var bad *unexpected
	if errors.As(err, &bad) {
		return bad.kind()
	}
	return "connection"
}
