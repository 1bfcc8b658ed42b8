package limit

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// clock is a time that stands still until it is moved.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

const acme, globex tenant.ID = "acme", "globex"

func TestAllow(t *testing.T) {
	ctx, c := t.Context(), newClock()
	l := New(c.now, []Limit{
		{Name: "keyed", Keys: []Rate{{1, 3}, {10, 5}}},
		{Name: "whole", Tenant: Rate{2, 4}, Keys: []Rate{{1, 2}}},
	}, nil)
	served := func(n int, id tenant.ID, what string, keys ...string) (ok int, wait time.Duration) {
		for range n {
			w, let := l.Allow(ctx, id, what, keys...)
			if let {
				ok++
			} else {
				wait = w
			}
		}
		return ok, wait
	}
	for _, step := range []struct {
		rule   string
		pass   time.Duration
		n      int
		tenant tenant.ID
		what   string
		keys   []string
		ok     int
		wait   time.Duration
	}{
		{"a burst is served and no more", 0, 9, acme, "keyed", []string{"a", "x"}, 3, time.Second},
		{"another key has its own", 0, 9, acme, "keyed", []string{"b", "y"}, 3, time.Second},
		{"another tenant has its own", 0, 9, globex, "keyed", []string{"a", "x"}, 3, time.Second},
		{"keys in other places are other keys", 0, 9, acme, "keyed", []string{"y", "a"}, 3, time.Second},
		{"after a while it goes on", 2 * time.Second, 9, acme, "keyed", []string{"a", "x"}, 2, time.Second},
		{"a call that is refused for one key is not counted for the other", 0, 9, acme, "keyed", []string{"c", "x"}, 3, time.Second},
		{"rest makes no more than a burst", time.Hour, 9, acme, "keyed", []string{"a", "x"}, 3, time.Second},
		{"a key that is not named is not limited", 0, 9, acme, "keyed", nil, 9, 0},
		{"the tenant as a whole, first key", 0, 9, acme, "whole", []string{"a"}, 2, time.Second},
		{"the tenant as a whole, second key", 0, 9, acme, "whole", []string{"b"}, 2, time.Second},
		{"the tenant as a whole, third key", 0, 9, acme, "whole", []string{"c"}, 0, time.Second / 2},
		{"the third key kept its burst", 10 * time.Second, 9, acme, "whole", []string{"c"}, 2, time.Second},
		{"what has no limit is served", 0, 9, acme, "anything", []string{"a"}, 9, 0},
	} {
		c.pass(step.pass)
		ok, wait := served(step.n, step.tenant, step.what, step.keys...)
		if ok != step.ok || wait != step.wait {
			t.Errorf("%s: %d served and then %v, want %d and %v", step.rule, ok, wait, step.ok, step.wait)
		}
	}
}

func TestDevelopmentServesALoadTest(t *testing.T) {
	c := newClock()
	l := New(c.now, Development(), Guesses())
	for range 10 { // seconds
		for range 10_000 {
			for _, what := range []string{Request, Authorize, Token, Question} {
				if _, ok := l.Allow(t.Context(), acme, what, "one"); !ok {
					t.Fatal(what, "is limited")
				}
			}
		}
		c.pass(time.Second)
	}
}

func TestSite(t *testing.T) {
	for _, c := range []struct{ rule, a, b string }{
		{"addresses of one network are one", "2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"},
		{"a zone makes no difference", "fe80::1%eth0", "fe80::2"},
		{"a mapped address is the one it maps", "::ffff:192.0.2.1", "192.0.2.1"},
	} {
		if site(c.a) != site(c.b) {
			t.Errorf("%s: %q and %q", c.rule, site(c.a), site(c.b))
		}
	}
	for _, c := range []struct{ rule, a, b string }{
		{"other networks are others", "2001:db8:1:2::1", "2001:db8:1:3::1"},
		{"IPv4 addresses are each their own", "192.0.2.1", "192.0.2.2"},
		{"so are mapped ones", "::ffff:192.0.2.1", "::ffff:192.0.2.2"},
		{"so is what is no address", "a:b", "a:c"},
	} {
		if site(c.a) == site(c.b) {
			t.Errorf("%s: %q", c.rule, site(c.a))
		}
	}
	l := New(newClock().now, []Limit{{Name: "call", Keys: []Rate{{1, 1}}}}, guesses())
	for i := range 9 {
		l.Fail(t.Context(), acme, "secret", "alice", fmt.Sprintf("2001:db8::%d", i+1))
		l.Allow(t.Context(), acme, "call", fmt.Sprintf("2001:db8::%d", i+1))
	}
	if _, blocked := l.Blocked(t.Context(), acme, "secret", "alice", "2001:db8::ff"); !blocked {
		t.Error("a guesser has as many tries as addresses")
	}
	if _, ok := l.Allow(t.Context(), acme, "call", "2001:db8::ff"); ok {
		t.Error("a caller has as many calls as addresses")
	}
}

func TestATenantFloodsItsCounters(t *testing.T) {
	ctx, c := t.Context(), newClock()
	l := New(c.now, []Limit{{Name: "call", Keys: []Rate{{1, 10}}}}, guesses())
	for range 9 {
		l.Fail(ctx, acme, "secret", "alice", "bot")
		l.Fail(ctx, globex, "secret", "alice", "bot")
	}
	for range 10 {
		l.Allow(ctx, globex, "call", "client")
	}
	for i := range 3 * perTenant {
		l.Fail(ctx, acme, "secret", fmt.Sprint("made up ", i), fmt.Sprint("source ", i))
		l.Allow(ctx, acme, "call", fmt.Sprint("made up ", i))
	}
	for _, all := range []*shelves{l.buckets, l.tallies} {
		s := all.shelf(acme, true)
		n := len(s.m)
		s.mu.Unlock()
		if n > perTenant {
			t.Errorf("the tenant has %d counters", n)
		}
	}
	if _, blocked := l.Blocked(ctx, acme, "secret", "alice", "bot"); !blocked {
		t.Error("the flood washed out what was learned about a guesser")
	}
	if _, blocked := l.Blocked(ctx, globex, "secret", "alice", "bot"); !blocked {
		t.Error("the flood washed out another tenant's guesser")
	}
	if _, ok := l.Allow(ctx, globex, "call", "client"); ok {
		t.Error("the flood washed out another tenant's rate")
	}
}

func TestAllTenantsFlood(t *testing.T) {
	all := newShelves(1000, 5000, time.Hour)
	now := newClock().now()
	fill := func(id tenant.ID, n int) {
		s := all.shelf(id, true)
		defer s.mu.Unlock()
		for i := range n {
			s.take(now, []want{{uint64(i), Rate{1, 10}}})
		}
	}
	for i := range 100 {
		fill(tenant.ID(fmt.Sprint("t", i)), 2000)
	}
	if got := all.count.Load(); got > 5000+1000+100*share {
		t.Errorf("there are %d counters", got)
	}
	counted := int64(0)
	for _, s := range all.cache.All() {
		counted += int64(len(s.m))
	}
	if counted != all.count.Load() {
		t.Errorf("there are %d counters, and %d are counted", counted, all.count.Load())
	}
	fill("late", 50)
	s := all.shelf("late", false)
	defer s.mu.Unlock()
	if len(s.m) != 50 {
		t.Errorf("a tenant that comes late has %d counters of 50", len(s.m))
	}
}

func TestAShelfThatWasTakenDown(t *testing.T) {
	all := newShelves(10, 100, time.Hour)
	now := newClock().now()
	s := all.shelf(acme, true)
	s.take(now, []want{{1, Rate{1, 1}}})
	s.mu.Unlock()
	all.cache.Invalidate(acme)
	for deadline := time.Now().Add(5 * time.Second); all.count.Load() != 0; {
		if time.Now().After(deadline) {
			t.Fatal("its counters are still counted")
		}
		time.Sleep(time.Millisecond)
	}
	s = all.shelf(acme, true)
	defer s.mu.Unlock()
	if s.take(now, []want{{1, Rate{1, 1}}}) != 0 || all.count.Load() != 1 {
		t.Error("it does not begin anew")
	}
}

func TestManyAtOnce(t *testing.T) {
	c := newClock()
	l := New(c.now, []Limit{{Name: "call", Keys: []Rate{{1, 500}}}}, guesses())
	var all sync.WaitGroup
	var mu sync.Mutex
	served := 0
	for range 16 {
		all.Go(func() {
			for range 100 {
				_, ok := l.Allow(t.Context(), acme, "call", "one")
				l.Fail(t.Context(), acme, "secret", "alice", "here")
				l.Blocked(t.Context(), acme, "secret", "alice", "here")
				mu.Lock()
				if ok {
					served++
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if served != 500 {
		t.Errorf("%d calls were served, want 500", served)
	}
}

func BenchmarkAllow(b *testing.B) {
	l := New(time.Now, Production(), Guesses())
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Allow(context.Background(), acme, Token, "client")
		}
	})
}

func BenchmarkBlocked(b *testing.B) {
	l := New(time.Now, Production(), Guesses())
	b.Run("nobody has guessed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Blocked(context.Background(), acme, ClientSecret, "client", "192.0.2.1")
		}
	})
	l.Fail(context.Background(), acme, ClientSecret, "another", "192.0.2.1")
	b.Run("somebody has", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l.Blocked(context.Background(), acme, ClientSecret, "client", "192.0.2.1")
		}
	})
}

func BenchmarkFlood(b *testing.B) {
	l := New(time.Now, Production(), Guesses())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l.Fail(context.Background(), acme, Password, fmt.Sprint(i), fmt.Sprint(i))
	}
}
