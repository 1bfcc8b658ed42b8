package script

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// crowd is 64 callers who run the scripts that mean harm, and some that take what they may, until it is stopped.
func (s *stage) crowd(theirs *tenant.Tenant) (stop func()) {
	ctx, cancel := context.WithCancel(s.t.Context())
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				source := busy
				if n%2 == 0 {
					source = attacks[n/2%len(attacks)].source
				}
				if _, err := s.Run(ctx, theirs, of(source), Event{Hook: tenant.HookChallenge}); errors.Is(err, errOpen) {
					time.Sleep(20 * time.Millisecond) // as long as it takes to come again
				}
			}
		})
	}
	return func() { cancel(); all.Wait() }
}

// While others misbehave, the server lives and a neighbour is served as before; and all workers together stay small.
func TestNeighbours(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	s, acme := newStage(t), acme(t)
	globex := *acme
	globex.ID = "globex"
	s.Workers = &Workers{Command: workers.Command}
	defer s.Workers.Close()
	neighbour := func() (p99 time.Duration) {
		return percentile(timed(500, func() {
			if o, err := s.asks(&globex, twoSteps); err != nil || o.Code != "otp_required" {
				t.Fatal(o, err)
			}
		}), 99)
	}
	neighbour()
	const rounds = 5
	var quiet, loud []time.Duration
	for range rounds {
		quiet = append(quiet, neighbour())
		stop := s.crowd(acme)
		loud = append(loud, neighbour())
		stop()
	}
	slices.Sort(quiet)
	slices.Sort(loud)
	t.Logf("a neighbour's p99: quiet %v, beside 64 attackers %v", quiet, loud)
}
