package account

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func TestTenantsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hasher{Parallel: 1, Wait: time.Hour}
		var served []tenant.ID
		var all sync.WaitGroup
		come := func(id tenant.ID) {
			all.Go(func() {
				if err := h.turn(t.Context(), id, func() error {
					time.Sleep(time.Second)
					served = append(served, id) // one at a time
					return nil
				}); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait()
		}
		for range 5 {
			come("crowd")
		}
		come("b")
		come("c")
		come("b")
		all.Wait()
		if want := []tenant.ID{"crowd", "crowd", "b", "c", "crowd", "b", "crowd", "crowd"}; !slices.Equal(served, want) {
			t.Errorf("served %v, want %v", served, want)
		}
	})
}

func TestLineIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hasher{Parallel: 2, PerTenant: 3, Most: 4, Wait: 2 * time.Second}
		busy := make(chan struct{})
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() { _ = h.turn(t.Context(), "a", func() error { <-busy; return nil }) })
		}
		synctest.Wait()
		var late []error
		var mu sync.Mutex
		wait := func(id tenant.ID) {
			all.Go(func() {
				err := h.turn(t.Context(), id, func() error { return nil })
				mu.Lock()
				defer mu.Unlock()
				late = append(late, err)
			})
			synctest.Wait()
		}
		refused := func(id tenant.ID, rule string) {
			err := h.turn(t.Context(), id, func() error { t.Error(rule); return nil })
			if !errors.Is(err, oauth.Unavailable()) {
				t.Error(rule, err)
			}
		}
		for range 3 {
			wait("a")
		}
		refused("a", "a tenant's line is full")
		wait("b")
		refused("c", "the line of all is full")
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if len(late) != 4 || slices.ContainsFunc(late, func(err error) bool { return !errors.Is(err, oauth.Unavailable()) }) {
			t.Error("those that waited too long were told", late)
		}
		close(busy)
		all.Wait()
		if h.line.busy != 0 || h.line.count != 0 || len(h.line.waiting) != 0 || len(h.line.order) != 0 {
			t.Errorf("afterwards somebody is still in line: %+v", &h.line)
		}
	})
}

func TestLeavingTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &Hasher{Parallel: 1, Wait: time.Hour}
		busy := make(chan struct{})
		go func() { _ = h.turn(t.Context(), "a", func() error { <-busy; return nil }) }()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		var impatient error
		go func() { impatient = h.turn(ctx, "a", func() error { return nil }) }()
		synctest.Wait()
		cancel()
		synctest.Wait()
		if !errors.Is(impatient, context.Canceled) {
			t.Error("got", impatient)
		}
		close(busy)
		synctest.Wait()
		if err := h.turn(t.Context(), "a", func() error { return nil }); err != nil {
			t.Error("the turn of one who left is lost:", err)
		}
	})
}

func TestTheTurnComesAsOneLeaves(t *testing.T) {
	for range 100 {
		l := &line{}
		b := bounds{turns: 1, perTenant: 1, most: 1}
		if err := l.enter(t.Context(), "a", b); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error)
		go func() { left <- l.enter(ctx, "a", b) }()
		for waits := false; !waits; {
			l.mu.Lock()
			waits = l.count == 1
			l.mu.Unlock()
		}
		cancel()
		l.leave()
		if err := <-left; err == nil {
			l.leave()
		}
		if l.busy != 0 {
			t.Fatal("the turn is lost")
		}
	}
}
