package tenant

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// blind is how long a resolver may go without a successful poll before it is not healthy.
	blind = 30 * time.Second
	// forgotten is how long it may go without one before it trusts nothing that it has loaded.
	forgotten = 5 * time.Minute
	// hold is how long a request waits for a poll that is overdue.
	hold = time.Second
	// pruning is how often journals are cleared of what has expired.
	pruning = time.Minute
)

// feed is how far a resolver has followed the directory's changes.
type feed struct {
	turn   chan struct{} // held by the one that polls, who alone uses clock and seen
	clock  time.Time     // the directory's, at the last successful poll
	seen   map[int64]time.Time
	pruned time.Time

	begun  atomic.Int64 // number of polls
	done   atomic.Int64 // number of the last poll that succeeded
	polled atomic.Pointer[time.Time]
	failed atomic.Pointer[time.Time]
	lost   atomic.Bool // the listener broke since the last successful poll
}

// start begins a little before now. The first poll tells the directory's clock.
func (f *feed) start(now time.Time, overlap time.Duration) {
	f.turn = make(chan struct{}, 1)
	f.seen = map[int64]time.Time{}
	f.clock = now.Add(-overlap)
	f.pruned = now
	f.polled.Store(&now)
	f.failed.Store(&time.Time{})
}

// Run follows the directory's changes until ctx ends: it polls every interval, and whenever the directory's
// listener calls. A listener that breaks is set up again; after the next successful poll nothing that was
// loaded before is used. While polls fail, what is loaded stays in use, see Healthy.
func (r *Resolver) Run(ctx context.Context) {
	wake := make(chan struct{}, 1)
	var wg sync.WaitGroup
	wg.Go(func() {
		r.listen(ctx, func() {
			select {
			case wake <- struct{}{}:
			default: // a poll is due already
			}
		})
	})
	defer wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-wake:
		}
		wait := r.o.Interval
		if r.Refresh(ctx) != nil {
			wait *= 2
		}
		timer.Reset(wait)
	}
}

// listen keeps the directory's listener up.
func (r *Resolver) listen(ctx context.Context, wake func()) {
	wait := r.o.Interval
	for {
		since := r.o.Now()
		err := r.dir.Listen(ctx, wake)
		if err == nil || ctx.Err() != nil {
			return
		}
		r.o.Lost(err)
		wait = min(2*wait, blind)
		if r.o.Now().Sub(since) >= r.o.Interval { // it was up
			r.feed.lost.Store(true)
			wait = r.o.Interval
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// Refresh polls the directory's changes now. Once it returns nil, everything that was committed before the
// call holds here.
func (r *Resolver) Refresh(ctx context.Context) error {
	f := &r.feed
	before := f.begun.Load()
	select {
	case f.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-f.turn }()
	if f.done.Load() > before {
		return nil // another's poll began after the call
	}
	return r.poll(ctx)
}

// poll applies the changes that are new since the last poll. The caller has the turn.
func (r *Resolver) poll(ctx context.Context) error {
	f := &r.feed
	number, lost := f.begun.Add(1), f.lost.Swap(false)
	ctx, cancel := context.WithTimeout(ctx, r.o.Timeout)
	defer cancel()
	cs, clock, err := r.dir.Changes(ctx, f.clock.Add(-r.o.Overlap))
	now := r.o.Now()
	r.clock.set(now)
	if err != nil {
		if lost {
			f.lost.Store(true)
		}
		if !errors.Is(err, context.Canceled) {
			f.failed.Store(&now)
			r.o.Lost(err)
		}
		return err
	}
	fresh := cs[:0:0]
	for _, c := range cs {
		if _, ok := f.seen[c.Seq]; !ok {
			f.seen[c.Seq] = c.At
			fresh = append(fresh, c)
		}
	}
	r.apply(fresh)
	if lost || now.Sub(*f.polled.Load()) > forgotten {
		r.drop()
	}
	f.clock = clock
	for seq, at := range f.seen { // twice the overlap: no later poll asks that far back
		if at.Before(clock.Add(-2 * r.o.Overlap)) {
			delete(f.seen, seq)
		}
	}
	if now.Sub(f.pruned) >= pruning {
		r.journals.prune(now)
		f.pruned = now
	}
	f.polled.Store(&now)
	f.done.Store(number)
	return nil
}

// catchUp polls before a request is answered when a poll is overdue, as after the process was suspended, so
// that not even the first answer misses what changed meanwhile. It waits neither long nor where polls just
// failed.
func (r *Resolver) catchUp(ctx context.Context, now time.Time) {
	f, due := &r.feed, 4*r.o.Interval
	if now.Sub(*f.polled.Load()) < due || now.Sub(*f.failed.Load()) < due {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, hold)
	defer cancel()
	if err := r.Refresh(ctx); errors.Is(err, context.DeadlineExceeded) {
		failed := now
		f.failed.Store(&failed)
	}
}

// Healthy returns an error when no poll has succeeded for 30 s: then what is loaded may be too old to answer
// what depends on revocations.
func (r *Resolver) Healthy(now time.Time) error {
	if now.Sub(*r.feed.polled.Load()) > blind {
		return errBlind
	}
	return nil
}

var errBlind = errors.New("tenant: changes could not be read for 30 s")
