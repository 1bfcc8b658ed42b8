package limit

import (
	"time"

	"golang.org/x/time/rate"
)

// A bucket is what is left of a rate.
type bucket struct{ *rate.Limiter }

func (b bucket) worth(now time.Time) float64 {
	return max(0, float64(b.Burst())-b.TokensAt(now)) / float64(b.Burst())
}

// A want is one bucket that a call draws on.
type want struct {
	key uint64
	Rate
}

// take draws one from each bucket, or from none, and then returns how long until they all have one.
func (s *shelf) take(now time.Time, wants []want) (retryAfter time.Duration) {
	var drawn [maxKeys + 1]*rate.Reservation
	for i, w := range wants {
		b, ok := s.m[w.key].(bucket)
		if !ok {
			b = bucket{rate.NewLimiter(rate.Limit(w.PerSecond), max(1, w.Burst))}
			s.put(now, w.key, b)
		}
		drawn[i] = b.ReserveN(now, 1)
		retryAfter = max(retryAfter, drawn[i].DelayFrom(now))
	}
	if retryAfter > 0 {
		for _, r := range drawn[:len(wants)] {
			r.CancelAt(now)
		}
	}
	return retryAfter
}
