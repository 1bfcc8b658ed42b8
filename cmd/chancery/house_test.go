package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The house is kept by one instance at a time: of all that come at once one does the work, who dies is followed by another
// in the next round, and who stops makes room at once.
func TestTheHouseIsKeptByOneInstanceAtATime(t *testing.T) {
	conf := &config{Data: t.TempDir(), Env: "development", Listen: "127.0.0.1:8080"}
	a, err := newApp(t.Context(), conf, &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	var did atomic.Int64
	var fails error
	chore := func(every time.Duration) *work {
		return &work{name: "chore", every: every, do: func(_ *app, _ context.Context, more func() bool) error {
			if !more() {
				t.Error("who has its turn is told to stop")
			}
			did.Add(1)
			return fails
		}}
	}
	all := func(w *work, holders ...string) {
		t.Helper()
		did.Store(0)
		var group sync.WaitGroup
		for _, h := range holders {
			group.Go(func() { a.turn(t.Context(), w, h) })
		}
		group.Wait()
		if n := did.Load(); n != 1 {
			t.Errorf("%d of %d instances do it", n, len(holders))
		}
	}
	w := chore(time.Second)
	all(w, "a", "b", "c", "d")
	if w.done.Load() == 0 {
		t.Error("nobody knows that it was done")
	}
	time.Sleep(1100 * time.Millisecond) // the lease of whoever died has run out
	all(chore(time.Hour), "e", "f")
	for _, h := range []string{"e", "f"} {
		if err := a.db.EndLeases(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	fails = errors.New("it fails")
	w = chore(time.Hour)
	all(w, "g", "h")
	if w.done.Load() != 0 {
		t.Error("what failed counts as done")
	}
	own := &work{name: "own", every: time.Hour, own: true, do: w.do}
	did.Store(0)
	fails = nil
	for _, h := range []string{"a", "b"} {
		a.turn(t.Context(), own, h)
	}
	if did.Load() != 2 {
		t.Error("what each instance does for itself is done", did.Load(), "times")
	}
}

// An instance whose lease was taken over by another, as it was frozen, stops in the middle.
func TestWhoLostItsTurnStops(t *testing.T) {
	conf := &config{Data: t.TempDir(), Env: "development", Listen: "127.0.0.1:8080"}
	a, err := newApp(t.Context(), conf, &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	went := 0
	a.turn(t.Context(), &work{name: "chore", every: time.Hour, do: func(_ *app, ctx context.Context, more func() bool) error {
		for went = 1; more() && went < 5; went++ {
			if went == 2 {
				later := time.Now().Add(2 * time.Hour)
				if won, err := a.db.TakeLease(ctx, "chore", "another", later, later.Add(time.Hour)); !won || err != nil {
					t.Error(won, err)
				}
			}
		}
		return nil
	}}, "frozen")
	if went != 3 {
		t.Errorf("it goes on for %d portions", went)
	}
}

// A round of key rotation ends although the database is away.
func TestARoundEndsWithoutADatabase(t *testing.T) {
	conf := &config{Data: t.TempDir(), Env: "development", Listen: "127.0.0.1:8080"}
	a, err := newApp(t.Context(), conf, &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	a.close()
	done := make(chan error, 1)
	go func() { done <- a.rotate(t.Context(), func() bool { return true }) }()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it is well")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("it goes round and round")
	}
}
