package tenant_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func TestAChangeDropsTheSnapshot(t *testing.T) {
	r, d, _ := newResolver(t, "acme", "globex")
	a, g := resolve(t, r, id("acme")), resolve(t, r, id("globex"))
	d.put("acme", func(r *tenant.Record) { r.Settings.Name = "new" })
	if resolve(t, r, id("acme")) != a {
		t.Error("a snapshot went although nobody polled")
	}
	refresh(t, r)
	if b := resolve(t, r, id("acme")); b.Settings.Name != "new" || b.Version != a.Version+1 || a.Settings.Name != "" {
		t.Errorf("after the change: %+v; the old snapshot: %+v", b.Settings, a.Settings)
	}
	if resolve(t, r, id("globex")) != g {
		t.Error("another tenant's snapshot went, too")
	}
	d.put("acme", func(r *tenant.Record) { r.Enabled = false })
	refresh(t, r)
	if _, err := r.Resolve(t.Context(), issuer("https://id.example/t/acme")); err != tenant.ErrUnknown {
		t.Errorf("disabled: %v", err)
	}
	d.put("acme", func(r *tenant.Record) { r.Enabled = true })
	refresh(t, r)
	resolve(t, r, issuer("https://id.example/t/acme"))
}

func TestAClientsChangeDropsThatClient(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	d.putClient("acme", &tenant.Client{ID: "web"})
	d.putClient("acme", &tenant.Client{ID: "app"})
	refresh(t, r)
	a := resolve(t, r, id("acme"))
	for _, c := range []string{"web", "app"} {
		if _, err := a.Clients.Client(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	d.putClient("acme", &tenant.Client{ID: "web", Disabled: true})
	refresh(t, r)
	if resolve(t, r, id("acme")) != a {
		t.Error("the snapshot went")
	}
	if c, err := a.Clients.Client(t.Context(), "web"); err != nil || !c.Disabled {
		t.Errorf("got %v (%v), want the changed client", c, err)
	}
	before, _, lookups, _ := d.count()
	_, _ = a.Clients.Client(t.Context(), "app")
	if after, _, now, _ := d.count(); now != lookups || after != before {
		t.Error("another client went, too")
	}
}

func TestChangesAreAppliedOnce(t *testing.T) {
	r, d, c := newResolver(t, "acme")
	d.put("acme", nil)
	refresh(t, r)
	a := resolve(t, r, id("acme"))
	for range 20 { // all of them ask for the change again, as far as the overlap reaches
		c.Advance(time.Second)
		refresh(t, r)
		if resolve(t, r, id("acme")) != a {
			t.Fatal("a change was applied twice")
		}
	}
}

func TestALateCommitIsSeen(t *testing.T) {
	r, d, c := newResolver(t, "acme")
	refresh(t, r)
	a := resolve(t, r, id("acme"))
	began := c.Now()
	for range 10 {
		c.Advance(time.Second)
		d.put("globex", nil)
		refresh(t, r)
	}
	d.set(func(d *directory) { // commits now, with an earlier number and time
		r := d.records["acme"]
		r.Version++
		d.records["acme"] = r
		d.changes = append(d.changes, tenant.Change{Seq: -1, Tenant: "acme", At: began})
	})
	refresh(t, r)
	if resolve(t, r, id("acme")) == a {
		t.Error("a change that became visible late was missed")
	}
}

func TestPollsOverlap(t *testing.T) {
	r, d, c := newResolver(t)
	refresh(t, r)
	at := c.Now()
	c.Advance(time.Minute)
	refresh(t, r)
	if got := d.since[len(d.since)-1]; !got.Equal(at.Add(-15 * time.Second)) {
		t.Errorf("asked since %v, want 15 s before the last poll, %v", got, at)
	}
}

// A read that began before a change was seen must not put back what the change made old.
func TestAStaleLoadDoesNotStay(t *testing.T) {
	for _, tt := range []struct {
		rule string
		all  bool
	}{
		{"the tenant changed", false},
		{"everything was dropped", true},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			r, d, c := newResolver(t, "acme")
			d.putClient("acme", &tenant.Client{ID: "web"})
			refresh(t, r)
			reading, gate := make(chan struct{}), make(chan struct{})
			var once sync.Once
			stop := func() { once.Do(func() { close(reading); <-gate }) }
			d.snapshot = func(tenant.ID) { stop() }
			got := make(chan *tenant.Tenant, 1)
			go func() {
				a, err := r.Resolve(t.Context(), id("acme"))
				if err != nil {
					t.Error(err)
				}
				got <- a
			}()
			<-reading // the old version is read, but not yet returned
			if tt.all {
				d.set(func(d *directory) { d.records["acme"] = withName(d.records["acme"]) })
				c.Advance(6 * time.Minute)
			} else {
				d.put("acme", func(r *tenant.Record) { *r = withName(*r) })
			}
			refresh(t, r)
			close(gate)
			if a := <-got; a.Settings.Name != "new" {
				t.Error("the waiting caller got the old snapshot")
			}
			if resolve(t, r, id("acme")).Settings.Name != "new" {
				t.Error("the old snapshot stayed")
			}
		})
	}
	t.Run("the client changed", func(t *testing.T) {
		r, d, _ := newResolver(t, "acme")
		d.putClient("acme", &tenant.Client{ID: "web"})
		refresh(t, r)
		a := resolve(t, r, id("acme"))
		reading, gate := make(chan struct{}), make(chan struct{})
		var once sync.Once
		d.client = func(string) { once.Do(func() { close(reading); <-gate }) }
		done := make(chan struct{})
		go func() { _, _ = a.Clients.Client(t.Context(), "web"); close(done) }()
		<-reading
		d.putClient("acme", &tenant.Client{ID: "web", Disabled: true})
		refresh(t, r)
		close(gate)
		<-done
		if c, err := a.Clients.Client(t.Context(), "web"); err != nil || !c.Disabled {
			t.Errorf("the old client stayed: %v (%v)", c, err)
		}
	})
	t.Run("the tenant was made", func(t *testing.T) {
		r, d, _ := newResolver(t)
		for _, n := range []tenant.Name{id("acme"), issuer("https://id.example/t/acme")} {
			d.remove("acme")
			refresh(t, r)
			reading, gate := make(chan struct{}), make(chan struct{})
			var once sync.Once
			stop := func() { once.Do(func() { close(reading); <-gate }) }
			d.set(func(d *directory) {
				d.snapshot = func(tenant.ID) { stop() }
				d.find = func(tenant.Name) { stop() }
			})
			done := make(chan struct{})
			go func() { _, _ = r.Resolve(t.Context(), n); close(done) }()
			<-reading
			d.put("acme", nil)
			refresh(t, r)
			close(gate)
			<-done
			resolve(t, r, n)
		}
	})
}

func withName(r tenant.Record) tenant.Record {
	r.Settings.Name = "new"
	r.Version++
	return r
}

func TestHealthy(t *testing.T) {
	r, d, c := newResolver(t, "acme")
	if err := r.Healthy(c.Now()); err != nil {
		t.Error("a new resolver is not healthy:", err)
	}
	d.set(func(d *directory) { d.down = errAway })
	c.Advance(29 * time.Second)
	if err := r.Refresh(t.Context()); err != errAway {
		t.Error("Refresh hides why it failed:", err)
	}
	if err := r.Healthy(c.Now()); err != nil {
		t.Error("not healthy after 29 s:", err)
	}
	c.Advance(2 * time.Second)
	if r.Healthy(c.Now()) == nil {
		t.Error("healthy after 31 s without a poll")
	}
	d.set(func(d *directory) { d.down = nil })
	refresh(t, r)
	if err := r.Healthy(c.Now()); err != nil {
		t.Error("not healthy after a poll:", err)
	}
}

// A process that was suspended, or whose polls stopped for another reason, asks before it answers.
func TestTheFirstAnswerAfterAPauseIsCurrent(t *testing.T) {
	r, d, c := newResolver(t, "acme")
	resolve(t, r, id("acme"))
	d.put("acme", func(r *tenant.Record) { r.Enabled = false })
	c.Advance(30 * time.Second)
	if _, err := r.Resolve(t.Context(), id("acme")); err != tenant.ErrUnknown {
		t.Errorf("got %v, want ErrUnknown", err)
	}
	_, _, _, polls := d.count()
	for range 10 {
		_, _ = r.Resolve(t.Context(), id("acme"))
	}
	if _, _, _, now := d.count(); now != polls {
		t.Error("every request polls")
	}
	d.set(func(d *directory) { d.down = errAway })
	c.Advance(10 * time.Second)
	for range 10 {
		_, _ = r.Resolve(t.Context(), id("acme"))
	}
	if _, _, _, now := d.count(); now != polls+1 {
		t.Errorf("%d polls in vain, want one", now-polls)
	}
}

func TestRefreshSeesWhatWasCommittedBeforeTheCall(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	a := resolve(t, r, id("acme"))
	polling, gate := make(chan struct{}), make(chan struct{})
	var once sync.Once
	d.feed = func() { once.Do(func() { close(polling); <-gate }) }
	first := make(chan error, 1)
	go func() { first <- r.Refresh(t.Context()) }()
	<-polling
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			if err := r.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
			if resolve(t, r, id("acme")) == a {
				t.Error("Refresh returned, and the old snapshot is still used")
			}
		})
	}
	d.put("acme", nil)
	time.Sleep(100 * time.Millisecond) // lets them pile up; one that comes later polls for itself
	close(gate)
	wg.Wait()
	if err := <-first; err != nil {
		t.Error(err)
	}
	if _, _, _, polls := d.count(); polls > 8 {
		t.Errorf("%d polls for 17 callers", polls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Refresh(ctx); err == nil {
		t.Error("Refresh succeeds for a caller that is gone")
	}
}

// run starts r.Run and returns a function that ends it and waits.
func run(t *testing.T, r *tenant.Resolver) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	t.Cleanup(func() {
		cancel()
		select {
		case <-done:
		case <-time.After(5 * time.Second):
			t.Error("Run did not end with its context")
		}
	})
}

// eventually waits until ok, for at most 5 s.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

func TestRunPolls(t *testing.T) {
	d := newDirectory(newClock(), "acme")
	r := tenant.NewResolver(d, tenant.Options{Now: time.Now, Interval: 5 * time.Millisecond})
	d.clock.Advance(time.Until(epoch)) // the directory's clock is about the real one
	run(t, r)
	eventually(t, "it does not poll", func() bool { _, _, _, polls := d.count(); return polls > 3 })
	d.set(func(d *directory) { d.down = errAway })
	_, _, _, before := d.count()
	eventually(t, "it gave up after errors", func() bool { _, _, _, polls := d.count(); return polls > before+3 })
	d.set(func(d *directory) { d.down = nil })
	a := resolve(t, r, id("acme"))
	d.put("acme", nil)
	eventually(t, "it does not see a change", func() bool { return resolve(t, r, id("acme")) != a })
}

func TestTheListenerWakesThePoll(t *testing.T) {
	d := newDirectory(newClock(), "acme")
	wakes := make(chan func(), 1)
	d.listen = func(ctx context.Context, wake func()) error {
		wakes <- wake
		<-ctx.Done()
		return ctx.Err()
	}
	r := tenant.NewResolver(d, tenant.Options{Now: d.clock.Now, Interval: time.Hour})
	run(t, r)
	wake := <-wakes
	refresh(t, r) // past the changes that made the tenant
	a := resolve(t, r, id("acme"))
	d.put("acme", nil)
	wake()
	eventually(t, "the listener does not wake the poll", func() bool { return resolve(t, r, id("acme")) != a })
}

func TestALostListenerDropsEverythingOnceTheDatabaseAnswers(t *testing.T) {
	d := newDirectory(newClock(), "acme", "globex")
	d.putClient("acme", &tenant.Client{ID: "web"})
	breaks, up := make(chan struct{}), make(chan struct{}, 8)
	d.listen = func(ctx context.Context, wake func()) error {
		up <- struct{}{}
		select {
		case <-breaks:
			return errors.New("the connection broke")
		case <-ctx.Done():
			return nil
		}
	}
	lost := make(chan error, 100)
	r := tenant.NewResolver(d, tenant.Options{Now: d.clock.Now, Interval: 5 * time.Millisecond, Lost: func(err error) {
		select {
		case lost <- err:
		default:
		}
	}})
	run(t, r)
	<-up
	refresh(t, r) // past the changes that made the tenants
	a, g := resolve(t, r, id("acme")), resolve(t, r, id("globex"))
	d.set(func(d *directory) { d.down = errAway })
	<-lost
	d.clock.Advance(10 * time.Millisecond)
	breaks <- struct{}{}
	<-up // it is set up again
	if resolve(t, r, id("acme")) != a {
		t.Error("the snapshot went while there is no way to load another")
	}
	d.set(func(d *directory) { d.down = nil })
	eventually(t, "the snapshots were not dropped", func() bool {
		return resolve(t, r, id("acme")) != a && resolve(t, r, id("globex")) != g
	})
}

func TestAfterALongTimeWithoutPollsNothingIsTrusted(t *testing.T) {
	r, d, c := newResolver(t, "acme")
	a := resolve(t, r, id("acme"))
	d.set(func(d *directory) { d.down = errAway })
	for range 6 { // used all the time, so that it does not expire
		c.Advance(time.Minute)
		if resolve(t, r, id("acme")) != a {
			t.Fatal("the snapshot went while the database is away")
		}
	}
	d.set(func(d *directory) { d.down = nil })
	refresh(t, r)
	if resolve(t, r, id("acme")) == a {
		t.Error("the old snapshot stayed")
	}
}
