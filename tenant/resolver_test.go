package tenant_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func newResolver(t testing.TB, ids ...tenant.ID) (*tenant.Resolver, *directory, *clock) {
	t.Helper()
	c := newClock()
	d := newDirectory(c, ids...)
	r := tenant.NewResolver(d, tenant.Options{Now: c.Now})
	if err := r.Refresh(t.Context()); err != nil { // past the changes that made the tenants
		t.Fatal(err)
	}
	return r, d, c
}

func resolve(t *testing.T, r *tenant.Resolver, names ...tenant.Name) *tenant.Tenant {
	t.Helper()
	got, err := r.Resolve(t.Context(), names...)
	if err != nil {
		t.Fatalf("Resolve(%v): %v", names, err)
	}
	return got
}

func refresh(t *testing.T, r *tenant.Resolver) {
	t.Helper()
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func id(s string) tenant.Name      { return tenant.Name{ID: s} }
func issuer(s string) tenant.Name  { return tenant.Name{Issuer: s} }
func service(s string) tenant.Name { return tenant.Name{ServiceID: s} }

func TestResolve(t *testing.T) {
	r, d, _ := newResolver(t, "acme", "globex", "off")
	d.put("off", func(r *tenant.Record) { r.Enabled = false })
	const acme = "https://id.example/t/acme"
	for _, tt := range []struct {
		rule  string
		names []tenant.Name
		want  tenant.ID
		err   error
	}{
		{"no name names nobody", nil, "", tenant.ErrUnnamed},
		{"an id names its tenant", []tenant.Name{id("acme")}, "acme", nil},
		{"an issuer names its tenant", []tenant.Name{issuer(acme)}, "acme", nil},
		{"a service number names its tenant", []tenant.Name{service("1000001")}, "acme", nil},
		{"names that agree are one", []tenant.Name{id("acme"), issuer(acme), service("1000001")}, "acme", nil},
		{"names that do not are a contradiction", []tenant.Name{id("acme"), issuer("https://id.example/t/globex")}, "", tenant.ErrContradiction},
		{"a known and an unknown name are a contradiction", []tenant.Name{id("acme"), id("nobody")}, "", tenant.ErrContradiction},
		{"an unknown and a known name are, too", []tenant.Name{id("nobody"), id("acme")}, "", tenant.ErrContradiction},
		{"two unknown names are, too", []tenant.Name{id("nobody"), issuer("https://id.example/t/nobody")}, "", tenant.ErrContradiction},
		{"a disabled tenant contradicts itself", []tenant.Name{id("off"), issuer("https://id.example/t/off")}, "", tenant.ErrContradiction},
		{"an unknown id is unknown", []tenant.Name{id("nobody")}, "", tenant.ErrUnknown},
		{"a disabled tenant is unknown", []tenant.Name{id("off")}, "", tenant.ErrUnknown},
		{"so is its issuer", []tenant.Name{issuer("https://id.example/t/off")}, "", tenant.ErrUnknown},
		{"an id in upper case is malformed", []tenant.Name{id("ACME")}, "", tenant.ErrUnknown},
		{"an id with a dot is malformed", []tenant.Name{id("acme.")}, "", tenant.ErrUnknown},
		{"an id with an escape is malformed", []tenant.Name{id("ac%6de")}, "", tenant.ErrUnknown},
		{"an id of 64 bytes is malformed", []tenant.Name{id(strings.Repeat("a", 64))}, "", tenant.ErrUnknown},
		{"an empty name is malformed", []tenant.Name{{}}, "", tenant.ErrUnknown},
		{"a name of two kinds is malformed", []tenant.Name{{ID: "acme", Issuer: acme}}, "", tenant.ErrUnknown},
		{"an issuer and number in one is malformed", []tenant.Name{{ServiceID: "1000001", Issuer: acme}}, "", tenant.ErrUnknown},
		{"an issuer is compared as bytes: slash", []tenant.Name{issuer(acme + "/")}, "", tenant.ErrUnknown},
		{"an issuer is compared as bytes: case", []tenant.Name{issuer("https://ID.example/t/acme")}, "", tenant.ErrUnknown},
		{"an issuer is compared as bytes: port", []tenant.Name{issuer("https://id.example:443/t/acme")}, "", tenant.ErrUnknown},
		{"an issuer without end is malformed", []tenant.Name{issuer(acme + strings.Repeat("a", 1000))}, "", tenant.ErrUnknown},
		{"a number with a leading zero is malformed", []tenant.Name{service("01000001")}, "", tenant.ErrUnknown},
		{"a number with a sign is malformed", []tenant.Name{service("+1000001")}, "", tenant.ErrUnknown},
		{"a number that is none is malformed", []tenant.Name{service("acme")}, "", tenant.ErrUnknown},
		{"a number without end is malformed", []tenant.Name{service(strings.Repeat("1", 40))}, "", tenant.ErrUnknown},
	} {
		got, err := r.Resolve(t.Context(), tt.names...)
		if !errors.Is(err, tt.err) || err != nil && err != tt.err {
			t.Errorf("%s: error %v, want %v", tt.rule, err, tt.err)
		}
		if err == nil && got.ID != tt.want {
			t.Errorf("%s: %s, want %s", tt.rule, got.ID, tt.want)
		}
	}
}

func TestMalformedNamesCostNoRead(t *testing.T) {
	r, d, _ := newResolver(t)
	for _, n := range []tenant.Name{{}, id("A"), id(strings.Repeat("a", 64)), issuer(strings.Repeat("a", 1000)), service("x")} {
		_, _ = r.Resolve(t.Context(), n)
	}
	if finds, loads, _, _ := d.count(); finds+loads != 0 {
		t.Errorf("%d finds and %d loads, want none", finds, loads)
	}
}

func TestWhatIsLoadedIsReadOnce(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	d.putClient("acme", &tenant.Client{ID: "web"})
	for range 10 {
		a := resolve(t, r, issuer("https://id.example/t/acme"))
		if a != resolve(t, r, id("acme")) {
			t.Fatal("two snapshots of one tenant")
		}
		if c, err := a.Clients.Client(t.Context(), "web"); err != nil || c.ID != "web" {
			t.Fatal(c, err)
		}
	}
	if finds, loads, lookups, _ := d.count(); finds != 1 || loads != 1 || lookups != 1 {
		t.Errorf("%d finds, %d loads, %d client lookups; want one each", finds, loads, lookups)
	}
}

func TestManyCallersShareOneRead(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	d.putClient("acme", &tenant.Client{ID: "web"})
	gate := make(chan struct{})
	d.snapshot = func(tenant.ID) { <-gate }
	d.client = func(string) { time.Sleep(10 * time.Millisecond) }
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			a, err := r.Resolve(t.Context(), issuer("https://id.example/t/acme"))
			if err == nil {
				_, err = a.Clients.Client(t.Context(), "web")
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(20 * time.Millisecond) // lets them pile up; one that comes later finds the value
	close(gate)
	wg.Wait()
	if finds, loads, lookups, _ := d.count(); finds != 1 || loads != 1 || lookups != 1 {
		t.Errorf("%d finds, %d loads, %d client lookups; want one each", finds, loads, lookups)
	}
}

func TestOneCallersEndIsNotTheOthers(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	gate, reading := make(chan struct{}), make(chan struct{}, 2)
	d.snapshot = func(tenant.ID) { reading <- struct{}{}; <-gate }
	ctx, cancel := context.WithCancel(t.Context())
	first := make(chan error, 1)
	go func() { _, err := r.Resolve(ctx, id("acme")); first <- err }()
	<-reading
	second := make(chan error, 1)
	go func() { _, err := r.Resolve(t.Context(), id("acme")); second <- err }()
	cancel()
	close(gate)
	<-first // either answer is right
	if err := <-second; err != nil {
		t.Errorf("the second caller got %v", err)
	}
}

func TestAbsenceIsRememberedBriefly(t *testing.T) {
	r, d, c := newResolver(t, "acme")
	ask := func() {
		for _, n := range []tenant.Name{id("nobody"), issuer("https://id.example/t/nobody")} {
			if _, err := r.Resolve(t.Context(), n); err != tenant.ErrUnknown {
				t.Fatal(err)
			}
		}
		if _, err := resolve(t, r, id("acme")).Clients.Client(t.Context(), "none"); err != tenant.ErrNoClient {
			t.Fatal(err)
		}
	}
	for range 5 {
		ask()
	}
	if finds, loads, lookups, _ := d.count(); finds != 1 || loads != 2 || lookups != 1 {
		t.Errorf("%d finds, %d loads, %d lookups; want 1, 2 (nobody and acme), 1", finds, loads, lookups)
	}
	c.Advance(11 * time.Second)
	ask()
	if finds, loads, lookups, _ := d.count(); finds != 2 || loads != 3 || lookups != 2 {
		t.Errorf("after its life: %d finds, %d loads, %d lookups; want 2, 3, 2", finds, loads, lookups)
	}
	d.put("nobody", nil)
	d.putClient("acme", &tenant.Client{ID: "none"})
	refresh(t, r)
	resolve(t, r, id("nobody"))
	resolve(t, r, issuer("https://id.example/t/nobody"))
	if _, err := resolve(t, r, id("acme")).Clients.Client(t.Context(), "none"); err != nil {
		t.Error("a client that was made is not found:", err)
	}
}

func TestErrorsAreNotRemembered(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	d.down = errAway
	for _, n := range []tenant.Name{id("acme"), issuer("https://id.example/t/acme")} {
		if _, err := r.Resolve(t.Context(), n); err != errAway {
			t.Errorf("%v: %v, want the directory's own error", n, err)
		}
		if _, err := r.Resolve(t.Context(), id("acme"), n); err != errAway {
			t.Errorf("%v, twice: %v, want the directory's own error", n, err)
		}
	}
	d.set(func(d *directory) { d.down = nil })
	a := resolve(t, r, id("acme"))
	resolve(t, r, issuer("https://id.example/t/acme"))
	d.set(func(d *directory) { d.down = errAway })
	if _, err := a.Clients.Client(t.Context(), "web"); err != errAway {
		t.Errorf("client: %v, want the directory's own error", err)
	}
	d.set(func(d *directory) { d.down = nil })
	d.putClient("acme", &tenant.Client{ID: "web"})
	if _, err := a.Clients.Client(t.Context(), "web"); err != nil {
		t.Error(err)
	}
}

func TestWhatIsLoadedOutlivesTheDatabase(t *testing.T) {
	r, d, c := newResolver(t, "acme")
	resolve(t, r, issuer("https://id.example/t/acme"))
	d.set(func(d *directory) { d.down = errAway })
	for range 60 {
		c.Advance(5 * time.Second)
		resolve(t, r, issuer("https://id.example/t/acme"))
	}
}

func TestNumberOfSnapshotsIsBounded(t *testing.T) {
	c := newClock()
	d := newDirectory(c)
	for i := range 200 {
		d.put(tenant.ID(fmt.Sprintf("t%d", i)), nil)
	}
	r := tenant.NewResolver(d, tenant.Options{Now: c.Now, Tenants: 20, Clients: 20})
	for range 2 {
		for i := range 200 {
			resolve(t, r, id(fmt.Sprintf("t%d", i)))
		}
	}
	r.Clean()
	if n := r.Loaded(); n > 20 {
		t.Errorf("%d snapshots are loaded, want at most 20", n)
	}
}

func TestIdleSnapshotsGo(t *testing.T) {
	r, d, c := newResolver(t, "acme", "globex")
	resolve(t, r, id("acme"))
	resolve(t, r, id("globex"))
	for range 3 {
		c.Advance(5 * time.Minute)
		resolve(t, r, id("acme"))
	}
	resolve(t, r, id("globex"))
	if _, loads, _, _ := d.count(); loads < 3 {
		t.Errorf("%d loads: an idle snapshot stayed", loads)
	}
}

func TestDeletedTenantsClientsAreNotTheNextOnes(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	d.putClient("acme", &tenant.Client{ID: "web"})
	if _, err := resolve(t, r, id("acme")).Clients.Client(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	d.remove("acme")
	refresh(t, r)
	if _, err := r.Resolve(t.Context(), id("acme")); err != tenant.ErrUnknown {
		t.Fatal(err)
	}
	d.put("acme", nil)
	refresh(t, r)
	if c, err := resolve(t, r, id("acme")).Clients.Client(t.Context(), "web"); err != tenant.ErrNoClient {
		t.Errorf("the new tenant has the old one's client %v (%v)", c, err)
	}
}

func TestAnIssuerMayMoveToAnotherTenant(t *testing.T) {
	r, d, _ := newResolver(t, "acme")
	const host = "https://login.example"
	d.put("acme", func(r *tenant.Record) { r.Issuer = host })
	if got := resolve(t, r, issuer(host)); got.ID != "acme" {
		t.Fatal(got.ID)
	}
	d.put("acme", func(r *tenant.Record) { r.Issuer = "https://else.example" })
	d.put("globex", func(r *tenant.Record) { r.Issuer = host })
	refresh(t, r)
	if got := resolve(t, r, issuer(host)); got.ID != "globex" {
		t.Errorf("got %s, want globex", got.ID)
	}
	d.remove("globex")
	refresh(t, r)
	if _, err := r.Resolve(t.Context(), issuer(host)); err != tenant.ErrUnknown {
		t.Errorf("got %v, want ErrUnknown", err)
	}
}

func TestEqualIDsOfTwoTenantsDoNotMeet(t *testing.T) {
	r, d, _ := newResolver(t, "acme", "globex")
	d.putClient("acme", &tenant.Client{ID: "web", Number: 1})
	d.putClient("globex", &tenant.Client{ID: "web", Number: 2})
	a, g := resolve(t, r, id("acme")), resolve(t, r, id("globex"))
	for range 100 {
		for want, of := range map[int64]*tenant.Tenant{1: a, 2: g} {
			if c, err := of.Clients.Client(t.Context(), "web"); err != nil || c.Number != want {
				t.Fatalf("client %v (%v), want number %d", c, err, want)
			}
		}
	}
}

func BenchmarkResolve(b *testing.B) {
	d := newDirectory(newClock(), "acme")
	r := tenant.NewResolver(d, tenant.Options{Now: time.Now, Interval: time.Hour})
	for _, n := range []tenant.Name{id("acme"), issuer("https://id.example/t/acme")} {
		b.Run(strings.TrimRight(fmt.Sprintf("%+v", n), "}")[1:9], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Resolve(b.Context(), n); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	d.putClient("acme", &tenant.Client{ID: "web"})
	t, _ := r.Resolve(b.Context(), id("acme"))
	b.Run("client", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := t.Clients.Client(b.Context(), "web"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
