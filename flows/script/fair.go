package script

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// fair shares places among tenants: whoever waits is served in turn, tenant by tenant.
type fair struct {
	mu      sync.Mutex
	places  int // there are
	each    int // that one tenant may have while others could want them
	taken   int
	has     map[tenant.ID]int
	waiting map[tenant.ID][]chan struct{}
	order   []tenant.ID // that wait, the next one first
	queue   int         // how many wait
	turns   map[*turn]bool
}

// What may wait at most.
const (
	maxWaiting       = 1024
	maxTenantWaiting = 128
)

var errBusy = errors.New("script: too many calls are waiting")

func newFair(places, each int) *fair {
	return &fair{places: places, each: each, has: map[tenant.ID]int{}, waiting: map[tenant.ID][]chan struct{}{}, turns: map[*turn]bool{}}
}

// enter waits for a place, which the caller must leave. It fails with errBusy where too many wait already, and with that of
// ctx when that ends.
func (f *fair) enter(ctx context.Context, t tenant.ID) error {
	f.mu.Lock()
	if f.free(t) && len(f.waiting[t]) == 0 {
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
	f.give(t) // it came at the last moment
	return ctx.Err()
}

// leave gives a place back.
func (f *fair) leave(t tenant.ID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.give(t)
}

// hurry takes the place of a turn of another tenant that has had it for its slice. It is done by whoever comes, at once: on a busy
// machine it may take long until anybody else is woken.
func (f *fair) hurry(t tenant.ID) {
	for w := range f.turns {
		if w.t == t || !w.mu.TryLock() {
			continue
		}
		parked := time.Since(w.placed) >= slice && w.park()
		w.mu.Unlock()
		if parked {
			f.give(w.t)
			return
		}
	}
}

// begin makes w a turn whose place others may take, and end makes it none.
func (f *fair) begin(w *turn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.turns[w] = true
}

func (f *fair) end(w *turn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.turns, w)
}

// wanted reports whether another tenant waits for a place.
func (f *fair) wanted(t tenant.ID) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.order) > 1 || len(f.order) == 1 && f.order[0] != t
}

func (f *fair) free(t tenant.ID) bool { return f.taken < f.places && f.has[t] < f.each }

func (f *fair) take(t tenant.ID) {
	f.taken++
	f.has[t]++
}

// give takes a place back, and hands it to whoever is next.
func (f *fair) give(t tenant.ID) {
	f.taken--
	if f.has[t]--; f.has[t] == 0 {
		delete(f.has, t)
	}
	if i := slices.Index(f.order, t); i >= 0 { // who has just been served comes last
		f.order = append(slices.Delete(f.order, i, i+1), t)
	}
	for i := 0; i < len(f.order); {
		next := f.order[i]
		if !f.free(next) {
			i++
			continue
		}
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

// forget drops t from those that wait, where nobody of it does.
func (f *fair) forget(t tenant.ID) {
	if len(f.waiting[t]) == 0 {
		delete(f.waiting, t)
		f.order = slices.DeleteFunc(f.order, func(id tenant.ID) bool { return id == t })
	}
}
