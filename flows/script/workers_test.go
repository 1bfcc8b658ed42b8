package script

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Many calls of many tenants at once see what is theirs, and nothing else.
func TestManyAtOnce(t *testing.T) {
	s := newStage(t)
	s.Workers = &Workers{Command: workers.Command}
	defer s.Workers.Close()
	s.Host["secret"] = func(_ context.Context, c *Call, _ Args) (any, error) { return "of " + c.Tenant.ID, nil }
	source := `globalThis.leak = (globalThis.leak || '') + '!'
		exports.onChallenge = async (event, api) => {
			leak += event.tenant_id;
			const [a, b] = await Promise.all([api.secret('x'), api.user.find('y')]);
			api.deny('x', [leak, a, b.tenant].join())
		}`
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			of := acme(t)
			of.ID = tenant.ID(fmt.Sprint("t", i%8))
			for range 5 {
				o, err := s.asks(of, source)
				if want := fmt.Sprintf("!%[1]s,of %[1]s,%[1]s", of.ID); err != nil || o.Description != want {
					t.Errorf("%v, %q, want %q", err, o.Description, want)
				}
			}
		})
	}
	all.Wait()
	s.Workers.mu.Lock()
	if n := len(s.Workers.idle); n == 0 || n > s.Workers.leased.places {
		t.Error(n, "workers")
	}
	s.Workers.mu.Unlock()
}

// Scripts that have to be ended are not run for a while; those of other tenants are, and trials.
func TestScriptsThatMisbehavePause(t *testing.T) {
	s, acme := newStage(t), acme(t)
	globex := *acme
	globex.ID = "globex"
	loop, fine := handler(`for (;;);`), handler(`api.allow('alice')`)
	for range tolerated {
		if _, err := s.asks(acme, loop); !errors.Is(err, errCPU) {
			t.Fatal(err)
		}
	}
	if _, err := s.asks(acme, fine); !errors.Is(err, oauth.Unavailable()) || !errors.Is(err, errOpen) {
		t.Error(err)
	}
	if last := s.wrote[len(s.wrote)-1]; !strings.HasPrefix(last.Text, "not run: ") {
		t.Error(last)
	}
	if _, err := s.asks(&globex, fine); err != nil {
		t.Error("another tenant's:", err)
	}
	if _, _, err := s.Try(t.Context(), acme, of(fine), Event{Hook: tenant.HookChallenge}); err != nil {
		t.Error("a trial:", err)
	}
	// Scripts that merely throw cost little, and go on.
	for range 2 * tolerated {
		if _, err := s.asks(&globex, handler(`throw 1`)); errors.Is(err, errOpen) {
			t.Fatal(err)
		}
	}
}

func TestWhatTakesTooLongEnds(t *testing.T) {
	s := newStage(t)
	began := time.Now()
	_, err := s.asks(acme(t), handler(`await api.fetch('https://slow.example')`))
	if took := time.Since(began); !errors.Is(err, errWall) || took < deadline || took > 2*deadline {
		t.Error(err, took)
	}
}

// A tenant that waits long takes no processor from others.
func TestWaitingTakesNoPlace(t *testing.T) {
	s, acme := newStage(t), acme(t)
	s.Workers = &Workers{Command: workers.Command}
	defer s.Workers.Close()
	globex := *acme
	globex.ID = "globex"
	hold := make(chan struct{})
	s.Host["fetch"] = func(ctx context.Context, c *Call, _ Args) (any, error) {
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return map[string]any{"status": 200}, nil
	}
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			if o, err := s.asks(acme, handler(`await api.fetch('https://slow.example'); api.allow('alice')`)); err != nil || o.Subject != "alice" {
				t.Error(o, err)
			}
		})
	}
	for range 20 {
		if _, err := s.asks(&globex, handler(`api.deny()`)); err != nil {
			t.Error(err)
		}
	}
	close(hold)
	all.Wait()
}

// Tenants whose scripts wait long leave workers to others, however many of them there are: at first they leave some to tenants that
// have none, and then they are burdens.
func TestWaitingTakesFewWorkers(t *testing.T) {
	s, acme := newStage(t), acme(t)
	s.Workers = &Workers{Command: workers.Command}
	defer s.Workers.Close()
	hold := make(chan struct{})
	s.Host["fetch"] = func(ctx context.Context, c *Call, _ Args) (any, error) {
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return map[string]any{"status": 200}, nil
	}
	var all sync.WaitGroup
	waits := func(id tenant.ID, callers int) {
		theirs := *acme
		theirs.ID = id
		for range callers {
			all.Go(func() {
				if _, err := s.asks(&theirs, handler(`await api.fetch('https://slow.example'); api.deny()`)); err != nil && !errors.Is(err, errBusy) {
					t.Error(err)
				}
			})
		}
	}
	globex := *acme
	globex.ID = "globex"
	s.Workers.init()
	for _, id := range []tenant.ID{"a", "b", "c"} {
		waits(id, s.Workers.leased.places)
	}
	began := time.Now()
	for most := s.Workers.leased.places - s.Workers.leased.kept; s.Workers.taken() < most; time.Sleep(time.Millisecond) {
		if time.Since(began) > deadline {
			t.Fatal("who waits has too few workers")
		}
	}
	began = time.Now()
	for range 10 {
		if _, err := s.asks(&globex, handler(`api.deny()`)); err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(began); took > deadline/2 {
		t.Error("others wait", took)
	}
	for !s.Workers.burdens.is("a", time.Now()) {
		if time.Since(began) > deadline {
			t.Fatal("who waits for long is no burden")
		}
		time.Sleep(10 * time.Millisecond)
	}
	if s.Workers.burdens.is("globex", time.Now()) {
		t.Error("who did not wait is a burden")
	}
	close(hold)
	all.Wait()
}

func (w *Workers) taken() int {
	w.leased.mu.Lock()
	defer w.leased.mu.Unlock()
	return w.leased.taken
}

// Who leaves ends the call, and blames nobody.
func TestACallerThatLeaves(t *testing.T) {
	s, acme := newStage(t), acme(t)
	for range 2 * tolerated {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		_, err := s.Run(ctx, acme, of(handler(`await api.fetch('https://slow.example')`)), Event{Hook: tenant.HookChallenge})
		cancel()
		if !errors.Is(err, oauth.Unavailable()) || errors.Is(err, errOpen) {
			t.Fatal(err)
		}
	}
}

func TestSources(t *testing.T) {
	s, acme := newStage(t), acme(t)
	for _, c := range []struct{ rule, source, want string }{
		{"a script", handler(`api.allow('a')`), ""},
		{"what would fail later", `null.x`, ""},
		{"no JavaScript", "\n\nexports.x = {", "the script failed: SyntaxError: script: Line 3:"},
		{"too deep", strings.Repeat("[", 60_000), "the script failed"},
	} {
		err := s.Check(t.Context(), acme, c.source)
		if got := fmt.Sprint(err); (err != nil) != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}

func TestWorkersEndWhenTheyAreDismissed(t *testing.T) {
	s, acme := newStage(t), acme(t)
	s.Workers = &Workers{Command: workers.Command}
	if _, err := s.asks(acme, twoSteps); err != nil {
		t.Fatal(err)
	}
	p := s.Workers.idle[0]
	s.Workers.drop(p)
	if <-p.gone; len(s.Workers.idle) != 0 {
		t.Error("it is still there")
	}
	if _, err := s.asks(acme, twoSteps); err != nil {
		t.Error("the next one:", err)
	}
	p = s.Workers.idle[0]
	s.Workers.Close()
	<-p.gone
}

// A worker that has dropped a program is sent it again.
func TestPrograms(t *testing.T) {
	s, acme := newStage(t), acme(t)
	s.Workers = &Workers{Command: workers.Command}
	defer s.Workers.Close()
	for range 2 {
		for i := range shelfPrograms + 10 {
			if o, err := s.asks(acme, handler(fmt.Sprintf(`api.allow('a%d')`, i))); err != nil || o.Subject != fmt.Sprint("a", i) {
				t.Fatal(o, err)
			}
		}
	}
	var shelf shelf[int]
	for i := range 1000 {
		shelf.put(fmt.Sprint(i), i, 1+i*1000%shelfSize)
		if shelf.order.Len() > shelfPrograms || shelf.size > shelfSize || len(shelf.kept) != shelf.order.Len() {
			t.Fatal(shelf.order.Len(), shelf.size)
		}
	}
}

func TestPlacesAreShared(t *testing.T) {
	f := newFair(1, 1, 0, &burdens{})
	if err := f.enter(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var served []tenant.ID
	var all sync.WaitGroup
	for i, id := range []tenant.ID{"a", "a", "a", "b", "b", "c"} {
		all.Go(func() {
			if err := f.enter(t.Context(), id); err != nil {
				t.Error(err)
			}
			mu.Lock()
			served = append(served, id)
			mu.Unlock()
			f.leave(id)
		})
		for f.waits() <= i {
			runtime.Gosched()
		}
	}
	if !f.wanted("a", true) || !f.wanted("", true) {
		t.Error("nobody wants it")
	}
	f.leave("a")
	all.Wait()
	if want := []tenant.ID{"b", "c", "a", "b", "a", "a"}; !slices.Equal(served, want) {
		t.Errorf("served %v, want %v", served, want)
	}
	if f.taken != 0 || len(f.has)+len(f.waiting)+len(f.order)+f.queue != 0 {
		t.Errorf("left over: %+v", f)
	}
}

// A tenant whose scripts took long is served after the others, but served, and keeps a part of the places free for them.
func TestBurdensComeAfterOthers(t *testing.T) {
	b := &burdens{}
	b.put("heavy", time.Now())
	f := newFair(4, 4, 1, b)
	var held []tenant.ID
	for range 4 {
		if now := time.Now(); f.free("heavy", now) {
			f.take("heavy")
			held = append(held, "heavy")
		}
	}
	if len(held) != 3 || !f.free("light", time.Now()) {
		t.Errorf("a burden has %d of 4 places", len(held))
	}

	f = newFair(4, 2, 1, b)
	f.take("light")
	f.take("light")
	f.take("second")
	if now := time.Now(); f.free("second", now) || !f.free("third", now) {
		t.Error("the places that are kept are not for those that have none")
	}

	f = newFair(1, 1, 0, b)
	_ = f.enter(t.Context(), "x")
	var mu sync.Mutex
	var served []tenant.ID
	var all sync.WaitGroup
	queue := []tenant.ID{"heavy"}
	for range maxPassed + 2 {
		queue = append(queue, "light")
	}
	for i, id := range queue {
		all.Go(func() {
			if err := f.enter(t.Context(), id); err != nil {
				t.Error(err)
			}
			mu.Lock()
			served = append(served, id)
			mu.Unlock()
			f.leave(id)
		})
		for f.waits() <= i {
			runtime.Gosched()
		}
	}
	f.leave("x")
	all.Wait()
	if at := slices.Index(served, "heavy"); at != maxPassed {
		t.Errorf("a burden is served after %d others", at)
	}

	for i := range 2*maxPressed + 2 {
		full := i == maxPressed || i == 2*maxPressed+1
		if got := f.yields("heavy", "light", time.Now()); got == full {
			t.Fatalf("after making way %d times at once: %v", i, got)
		}
		f.press(full)
	}
	if f.yields("light", "heavy", time.Now()) || f.yields("heavy", "heavy", time.Now()) {
		t.Error("who makes way for a burden?")
	}

	for i := range mostKnown + 10 {
		b.put(tenant.ID(fmt.Sprint(i)), time.Now())
	}
	if len(b.until) > mostKnown || !b.is(tenant.ID(fmt.Sprint(mostKnown+9)), time.Now()) || b.is("heavy", time.Now().Add(2*remembered)) {
		t.Error(len(b.until), "burdens are known")
	}
}

func (f *fair) waits() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.queue
}

func TestQueuesAreBounded(t *testing.T) {
	f := newFair(1, 1, 0, &burdens{})
	_ = f.enter(t.Context(), "a")
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range maxTenantWaiting {
		all.Go(func() {
			if err := f.enter(ctx, "a"); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	for f.waits() < maxTenantWaiting {
		runtime.Gosched()
	}
	if err := f.enter(ctx, "a"); !errors.Is(err, errBusy) {
		t.Error(err)
	}
	cancel()
	all.Wait()
	f.leave("a")
	if f.taken != 0 || len(f.has)+len(f.waiting)+len(f.order)+f.queue != 0 {
		t.Errorf("left over: %+v", f)
	}
}
