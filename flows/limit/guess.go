package limit

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// remembered is how long a right guess vouches for its source.
const remembered = 24 * time.Hour

// doublings end the counting of wrong guesses, so that it is forgotten in good time how many there were.
const doublings = 16

// A tally counts wrong guesses.
type tally struct {
	Backoff
	level int       // wrong guesses that are not forgotten, at since
	since time.Time // from when forgetting is counted
	until time.Time // blocked until then
}

// settle forgets what is due at now.
func (y *tally) settle(now time.Time) {
	if y.Forgive <= 0 || now.Before(y.since) {
		return
	}
	n := int(min(now.Sub(y.since)/y.Forgive, time.Duration(y.level)))
	y.level -= n
	y.since = y.since.Add(time.Duration(n) * y.Forgive)
	if y.level == 0 {
		y.since = now
	}
}

func (y *tally) fail(now time.Time) {
	y.settle(now)
	y.level = min(y.level+1, y.Free+doublings)
	if over := y.level - y.Free; over > 0 {
		y.until = now.Add(min(y.Longest, y.First<<(over-1)))
	}
}

func (y *tally) blocked(now time.Time) time.Duration { return max(0, y.until.Sub(now)) }

func (y *tally) worth(now time.Time) float64 {
	y.settle(now)
	return float64(y.level) + y.blocked(now).Seconds()
}

// vouched notes that a source guessed right.
type vouched struct{ until time.Time }

// worth is above that of a single wrong guess, which a flood of made-up names leaves, and below that of several.
func (v vouched) worth(now time.Time) float64 {
	if now.Before(v.until) {
		return 1.5
	}
	return 0
}

// spots are where the counters of one guess stand.
type spots struct{ pair, key, source, vouched uint64 }

func (l *Limiter) spots(what, key, source string) spots {
	source = site(source)
	return spots{
		pair:    l.key(what, "pair", key, source),
		key:     l.key(what, "key", key),
		source:  l.key(what, "source", source),
		vouched: l.key(what, "vouched", key, source),
	}
}

// Blocked reports whether a guess at what of that key from that source is refused just now, and for how long. The
// bound of a key as a whole does not concern a source that guessed it right within the last day.
func (l *Limiter) Blocked(_ context.Context, t tenant.ID, what, key, source string) (retryAfter time.Duration, blocked bool) {
	s := l.tallies.shelf(t, false)
	if s == nil {
		return 0, false
	}
	defer s.mu.Unlock()
	now, at := l.now(), l.spots(what, key, source)
	retryAfter = max(s.blocked(now, at.pair), s.blocked(now, at.source))
	if v, ok := s.m[at.vouched].(vouched); !ok || !now.Before(v.until) {
		retryAfter = max(retryAfter, s.blocked(now, at.key))
	}
	return retryAfter, retryAfter > 0
}

// Fail counts a wrong guess. An empty source is counted for the key only: it stands for nobody in particular.
func (l *Limiter) Fail(_ context.Context, t tenant.ID, what, key, source string) {
	g, ok := l.guesses[what]
	if !ok {
		return
	}
	s := l.tallies.shelf(t, true)
	defer s.mu.Unlock()
	now, at := l.now(), l.spots(what, key, source)
	s.fail(now, at.pair, g.Pair)
	s.fail(now, at.key, g.Key)
	if source != "" {
		s.fail(now, at.source, g.Source)
	}
}

// Succeed forgets the wrong guesses at that key from that source, and vouches for the source.
func (l *Limiter) Succeed(_ context.Context, t tenant.ID, what, key, source string) {
	g, ok := l.guesses[what]
	if !ok {
		return
	}
	s := l.tallies.shelf(t, true)
	defer s.mu.Unlock()
	now, at := l.now(), l.spots(what, key, source)
	s.forget(at.pair)
	if g.Key != (Backoff{}) && source != "" {
		s.forget(at.vouched)
		s.put(now, at.vouched, vouched{now.Add(remembered)})
	}
}

func (s *shelf) blocked(now time.Time, key uint64) time.Duration {
	if y, ok := s.m[key].(*tally); ok {
		return y.blocked(now)
	}
	return 0
}

func (s *shelf) fail(now time.Time, key uint64, b Backoff) {
	if b == (Backoff{}) {
		return
	}
	y, ok := s.m[key].(*tally)
	if !ok {
		y = &tally{Backoff: b, since: now}
		s.put(now, key, y)
	}
	y.fail(now)
}
