package outbound

import (
	"context"
	"errors"
	"sync"
)

// queued is how many may wait for each that is let in.
const queued = 4

var errBusy = errors.New("too many calls for one key or to one target")

// A gate lets so many in at once for each name.
type gate struct {
	limit int
	mu    sync.Mutex
	names map[string]*turnstile
}

type turnstile struct {
	inside chan struct{}
	users  int // inside or waiting
}

func newGate(limit int) *gate { return &gate{limit: limit, names: map[string]*turnstile{}} }

// enter waits until there is room for name, and returns what leaves again. It fails when ctx ends before, and at once
// where too many wait already.
func (g *gate) enter(ctx context.Context, name string) (leave func(), err error) {
	g.mu.Lock()
	t := g.names[name]
	if t == nil {
		t = &turnstile{inside: make(chan struct{}, g.limit)}
		g.names[name] = t
	}
	if t.users >= g.limit*(1+queued) {
		g.mu.Unlock()
		return nil, errBusy
	}
	t.users++
	g.mu.Unlock()
	select {
	case t.inside <- struct{}{}:
		return func() { <-t.inside; g.forget(name, t) }, nil
	case <-ctx.Done():
		g.forget(name, t)
		return nil, errBusy
	}
}

// forget takes one user off, and the name with the last.
func (g *gate) forget(name string, t *turnstile) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(g.names, name)
	}
}
