package limit

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func guesses() []Guess {
	return []Guess{{
		Name:   "secret",
		Pair:   Backoff{Free: 3, First: time.Second, Longest: 8 * time.Second, Forgive: time.Minute},
		Key:    Backoff{Free: 10, First: time.Second, Longest: 4 * time.Second, Forgive: time.Minute},
		Source: Backoff{Free: 20, First: time.Second, Longest: 4 * time.Second, Forgive: time.Minute},
	}}
}

func TestGuessing(t *testing.T) {
	ctx, c := t.Context(), newClock()
	l := New(c.now, nil, guesses())
	wait := func(id tenant.ID, key, source string) time.Duration {
		d, blocked := l.Blocked(ctx, id, "secret", key, source)
		if blocked != (d > 0) {
			t.Error("blocked for", d)
		}
		return d
	}
	// Each further failure after those that are free blocks for twice as long, up to the longest.
	for i, want := range []time.Duration{0, 0, 0, 1, 2, 4, 8, 8} {
		l.Fail(ctx, acme, "secret", "alice", "here")
		if got := wait(acme, "alice", "here"); got != want*time.Second {
			t.Errorf("after %d failures: %v, want %v s", i+1, got, want)
		}
		if got := wait(acme, "alice", "there"); got != 0 {
			t.Errorf("after %d failures, from elsewhere: %v", i+1, got)
		}
		if got := wait(acme, "bob", "here"); got != 0 {
			t.Errorf("after %d failures, another key: %v", i+1, got)
		}
		if got := wait(globex, "alice", "here"); got != 0 {
			t.Errorf("after %d failures, another tenant: %v", i+1, got)
		}
		c.pass(wait(acme, "alice", "here"))
		if got := wait(acme, "alice", "here"); got != 0 {
			t.Errorf("after %d failures and the wait: %v", i+1, got)
		}
	}
	// What is forgotten no longer counts.
	c.pass(5 * time.Minute)
	l.Fail(ctx, acme, "secret", "alice", "here")
	if got := wait(acme, "alice", "here"); got != time.Second {
		t.Error("after five minutes a failure blocks for", got)
	}
	c.pass(time.Hour)
	for range 3 {
		l.Fail(ctx, acme, "secret", "alice", "here")
	}
	if got := wait(acme, "alice", "here"); got != 0 {
		t.Error("after an hour the first failures block for", got)
	}
	// A right guess starts anew.
	l.Succeed(ctx, acme, "secret", "alice", "here")
	for range 3 {
		l.Fail(ctx, acme, "secret", "alice", "here")
	}
	if got := wait(acme, "alice", "here"); got != 0 {
		t.Error("after a right guess the first failures block for", got)
	}
	// What cannot be guessed is not counted.
	for range 99 {
		l.Fail(ctx, acme, "other", "alice", "here")
	}
	if _, blocked := l.Blocked(ctx, acme, "other", "alice", "here"); blocked {
		t.Error("something unknown is blocked")
	}
}

func TestForgettingTakesItsTime(t *testing.T) {
	ctx, c := t.Context(), newClock()
	l := New(c.now, nil, guesses())
	for _, step := range []struct {
		pass  time.Duration
		fails int
		want  time.Duration // blocked for, after the last of them
	}{
		{0, 5, 2 * time.Second},
		{time.Minute, 1, 2 * time.Second}, // one was forgotten
		{0, 1, 4 * time.Second},           // and no more than that
		{59 * time.Second, 1, 8 * time.Second},
		{time.Second, 1, 8 * time.Second},
		{5 * time.Minute, 0, 0},
	} {
		c.pass(step.pass)
		for range step.fails {
			l.Fail(ctx, acme, "secret", "alice", "here")
		}
		if got, _ := l.Blocked(ctx, acme, "secret", "alice", "here"); got != step.want {
			t.Errorf("after %+v: %v", step, got)
		}
	}
}

func TestManySourcesGuessAtOneKey(t *testing.T) {
	ctx, c := t.Context(), newClock()
	l := New(c.now, nil, guesses())
	l.Succeed(ctx, acme, "secret", "alice", "home")
	for i := range 100 {
		l.Fail(ctx, acme, "secret", "alice", fmt.Sprint("bot ", i))
	}
	if d, blocked := l.Blocked(ctx, acme, "secret", "alice", "bot 1000"); !blocked || d > 4*time.Second {
		t.Error("a new source is blocked for", d)
	}
	if _, blocked := l.Blocked(ctx, acme, "secret", "alice", "home"); blocked {
		t.Error("the owner is locked out")
	}
	c.pass(25 * time.Hour)
	for i := range 100 {
		l.Fail(ctx, acme, "secret", "alice", fmt.Sprint("bot ", i))
	}
	if _, blocked := l.Blocked(ctx, acme, "secret", "alice", "home"); !blocked {
		t.Error("a right guess vouches for more than a day")
	}
}

func TestOneSourceGuessesAtManyKeys(t *testing.T) {
	ctx, c := t.Context(), newClock()
	l := New(c.now, nil, guesses())
	for i := range 30 {
		l.Fail(ctx, acme, "secret", fmt.Sprint("user ", i), "bot")
		l.Fail(ctx, acme, "secret", fmt.Sprint("user ", i), "")
	}
	if _, blocked := l.Blocked(ctx, acme, "secret", "alice", "bot"); !blocked {
		t.Error("the source is not blocked for a new key")
	}
	if _, blocked := l.Blocked(ctx, acme, "secret", "alice", "elsewhere"); blocked {
		t.Error("another source is blocked")
	}
	if _, blocked := l.Blocked(ctx, acme, "secret", "alice", ""); blocked {
		t.Error("those of unknown source are blocked together")
	}
}
