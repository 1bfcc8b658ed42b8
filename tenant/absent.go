package tenant

import (
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
)

// absent remembers for a short while what does not exist, so that asking again costs no read.
type absent[K comparable] struct {
	cache *otter.Cache[K, struct{}]
	epoch *atomic.Int64 // raised by forget
}

func newAbsent[K comparable](size int, life time.Duration, c clock) absent[K] {
	return absent[K]{
		cache: otter.Must(&otter.Options[K, struct{}]{
			MaximumSize: size, ExpiryCalculator: otter.ExpiryWriting[K, struct{}](life), Clock: c,
		}),
		epoch: new(atomic.Int64),
	}
}

func (a absent[K]) has(k K) bool {
	_, ok := a.cache.GetIfPresent(k)
	return ok
}

// note remembers that k was not there at a read that began in that epoch, unless forget came since.
func (a absent[K]) note(k K, epoch int64) {
	a.cache.Set(k, struct{}{})
	if a.epoch.Load() != epoch {
		a.cache.Invalidate(k)
	}
}

func (a absent[K]) forget() {
	a.epoch.Add(1)
	a.cache.InvalidateAll()
}

// clock is the time of the caches, as the resolver last read it: that is cheaper than to read it for each.
type clock struct{ at *atomic.Int64 }

func newClock(now time.Time) clock {
	c := clock{new(atomic.Int64)}
	c.at.Store(now.UnixNano())
	return c
}

// set moves the clock, in steps of at least a millisecond, so that concurrent requests seldom write.
func (c clock) set(now time.Time) {
	at := now.UnixNano()
	if d := at - c.at.Load(); d >= int64(time.Millisecond) || d < 0 {
		c.at.Store(at)
	}
}

func (c clock) NowNano() int64 { return c.at.Load() }

func (c clock) Tick(d time.Duration) <-chan time.Time { return time.Tick(d) }
