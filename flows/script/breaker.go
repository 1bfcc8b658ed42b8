package script

import (
	"errors"
	"sync"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// When a hook is not called for a while.
const (
	tolerated = 5                // failures in a row
	shortest  = 5 * time.Second  // the first pause, which each failed trial doubles
	longest   = 60 * time.Second // the last
	remembers = 10_000           // hooks that fail, at most
)

var errOpen = errors.New("script: the hook failed too often and is not called for a while")

// breaker keeps us from waiting for hooks that are down. A hook that failed five times in a row is not called for a while;
// then one call tries it. It knows only hooks that failed last.
type breaker struct {
	mu    sync.Mutex
	known map[hook]*circuit
}

type hook struct {
	tenant tenant.ID
	name   string
	url    string // one that the tenant replaces says nothing of the next; empty: of a script
}

type circuit struct {
	failures int
	until    time.Time // no calls before
	trying   bool      // one is on trial
}

// enter asks whether h may be called at now.
func (b *breaker) enter(h hook, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.known[h]
	switch {
	case c == nil || c.failures < tolerated:
		return true
	case c.trying || now.Before(c.until):
		return false
	}
	c.trying = true
	return true
}

// What became of a call, as far as a breaker is concerned.
type fate int

const (
	answered  fate = iota
	failed         // it is down, or slow
	forgotten      // the caller left before there was an answer
)

// leave notes what became of a call that entered.
func (b *breaker) leave(h hook, now time.Time, f fate) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.known[h]
	switch {
	case f == answered:
		delete(b.known, h)
		return
	case f == forgotten:
		if c != nil {
			c.trying = false
		}
		return
	case c == nil:
		if len(b.known) >= remembers {
			b.forget(now)
		}
		if b.known == nil {
			b.known = map[hook]*circuit{}
		}
		c = &circuit{}
		b.known[h] = c
	}
	c.trying = false
	if c.failures++; c.failures >= tolerated {
		c.until = now.Add(min(longest, shortest<<min(c.failures-tolerated, 8)))
	}
}

// forget drops what is known of hooks that may be called, or of all where none may.
func (b *breaker) forget(now time.Time) {
	for h, c := range b.known {
		if !now.Before(c.until) && !c.trying {
			delete(b.known, h)
		}
	}
	if len(b.known) >= remembers {
		clear(b.known)
	}
}
