package script

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// fair shares places among tenants: whoever waits is served in turn, tenant by tenant, and burdens after the others.
type fair struct {
	burdens *burdens
	places  int // there are
	each    int // that one tenant may have
	kept    int // that no burden may have, and of others only who has none yet

	mu      sync.Mutex
	taken   int
	has     map[tenant.ID]int
	waiting map[tenant.ID][]chan struct{}
	order   []tenant.ID // that wait, the next one first
	queue   int         // how many wait
	passed  int         // how often a burden was passed over since one was served
	pressed int         // how often a burden made way at once since one had its slice
	turns   map[*turn]bool
	began   bool        // a turn did since they were looked at
	looking *time.Timer // at the turns; nil: it was not needed yet
	looks   bool        // it is set
}

// What may wait at most, for how many others a burden waits, and for how many it makes way at once.
const (
	maxWaiting       = 1024
	maxTenantWaiting = 128
	maxPassed        = 8
	maxPressed       = 128
)

var errBusy = errors.New("script: too many calls are waiting")

func newFair(places, each, kept int, b *burdens) *fair {
	return &fair{burdens: b, places: places, each: each, kept: kept, has: map[tenant.ID]int{}, waiting: map[tenant.ID][]chan struct{}{}, turns: map[*turn]bool{}}
}

// enter waits for a place, which the caller must leave. It fails with errBusy where too many wait already, and with that of
// ctx when that ends.
func (f *fair) enter(ctx context.Context, t tenant.ID) error {
	f.mu.Lock()
	if f.free(t, time.Now()) && len(f.waiting[t]) == 0 {
		f.take(t)
		f.mu.Unlock()
		return nil
	}
	if f.queue >= maxWaiting || len(f.waiting[t]) >= maxTenantWaiting {
		f.mu.Unlock()
		return errBusy
	}
	turn := make(chan struct{})
	if len(f.waiting[t]) == 0 {
		f.order = append(f.order, t)
	}
	f.waiting[t] = append(f.waiting[t], turn)
	f.queue++
	f.hurry(t)
	f.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.waiting[t], turn); i >= 0 {
		f.waiting[t] = slices.Delete(f.waiting[t], i, i+1)
		f.queue--
		f.forget(t)
		return ctx.Err()
	}
	f.give(t, maxPassed) // it came at the last moment
	return ctx.Err()
}

// leave gives a place back.
func (f *fair) leave(t tenant.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.give(t, maxPassed)
}

// hurry takes the place of a turn of another tenant that t need not wait for. It is done by whoever comes, at once: on a busy
// machine it may take long until anybody else is woken.
func (f *fair) hurry(t tenant.ID) {
	now := time.Now()
	for w := range f.turns {
		if w.t == t || !w.mu.TryLock() {
			continue
		}
		full := now.Sub(w.placed) >= slice
		parked := (full || f.yields(w.t, t, now)) && w.park()
		w.mu.Unlock()
		if parked {
			f.press(full)
			f.give(w.t, maxWaiting) // to t, or who came before it, but to no burden
			return
		}
	}
}

// yields reports whether t makes way for that other at once at now, even if its slice is not over.
func (f *fair) yields(t, other tenant.ID, now time.Time) bool {
	return f.pressed < maxPressed && f.burdens.is(t, now) && !f.burdens.is(other, now)
}

// press counts that a turn made way, after its full slice or before.
func (f *fair) press(full bool) {
	if f.pressed++; full {
		f.pressed = 0
	}
}

// begin makes w a turn whose place others may take, and end makes it none.
func (f *fair) begin(w *turn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turns[w], f.began = true, true
}

func (f *fair) end(w *turn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.turns, w)
}

// look has turns be looked after that have begun. One timer does for them all: most end long before, and setting one costs as
// much as some of them.
func (f *fair) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.looks:
		return
	case f.looking == nil:
		f.looking = time.AfterFunc(slice, f.watch)
	default:
		f.looking.Reset(slice)
	}
	f.looks = true
}

// watch looks after all turns, for as long as there are some.
func (f *fair) watch() {
	f.mu.Lock()
	turns := slices.Collect(maps.Keys(f.turns))
	f.looks, f.began = f.began || len(turns) > 0, false
	again := f.looks
	f.mu.Unlock()
	for _, w := range turns {
		w.watch()
	}
	if again {
		f.looking.Reset(slice / 2)
	}
}

// wanted reports whether another tenant is to have the place that t has had for a full slice, or for less than that.
func (f *fair) wanted(t tenant.ID, full bool) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	wanted := slices.ContainsFunc(f.order, func(id tenant.ID) bool { return id != t && (full || f.yields(t, id, now)) })
	if wanted {
		f.press(full)
	}
	return wanted
}

// free reports whether t may have a place at now.
func (f *fair) free(t tenant.ID, now time.Time) bool {
	if f.taken >= f.places || f.has[t] >= f.each {
		return false
	}
	switch {
	case f.kept == 0:
		return true
	case f.has[t] > 0 && f.taken >= f.places-f.kept:
		return false
	case !f.burdens.is(t, now):
		return true
	}
	theirs := 0
	for id, n := range f.has {
		if f.burdens.is(id, now) {
			theirs += n
		}
	}
	return theirs < f.places-f.kept
}

func (f *fair) take(t tenant.ID) {
	f.taken++
	f.has[t]++
}

// give takes a place back from t, and hands it to whoever is next. A burden that was passed over that often is.
func (f *fair) give(t tenant.ID, patience int) {
	f.taken--
	if f.has[t]--; f.has[t] == 0 {
		delete(f.has, t)
	}
	if i := slices.Index(f.order, t); i >= 0 { // who has just been served comes last
		f.order = append(slices.Delete(f.order, i, i+1), t)
	}
	for i := f.next(patience); i >= 0; i = f.next(patience) {
		next := f.order[i]
		f.take(next)
		close(f.waiting[next][0])
		f.waiting[next] = f.waiting[next][1:]
		f.queue--
		f.order = slices.Delete(f.order, i, i+1)
		if len(f.waiting[next]) > 0 {
			f.order = append(f.order, next)
		} else {
			delete(f.waiting, next)
		}
	}
}

// next is which of order gets a free place, or -1.
func (f *fair) next(patience int) int {
	now, burden := time.Now(), -1
	for i, t := range f.order {
		switch {
		case !f.free(t, now):
		case !f.burdens.is(t, now) && (burden < 0 || f.passed < patience):
			if burden >= 0 {
				f.passed++
			}
			return i
		case burden < 0:
			burden = i
		}
	}
	if burden >= 0 {
		f.passed = 0
	}
	return burden
}

// forget drops t from those that wait, where nobody of it does.
func (f *fair) forget(t tenant.ID) {
	if len(f.waiting[t]) == 0 {
		delete(f.waiting, t)
		f.order = slices.DeleteFunc(f.order, func(id tenant.ID) bool { return id == t })
	}
}
