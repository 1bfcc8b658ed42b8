package tenant_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func TestARevocationReachesTheJournal(t *testing.T) {
	until := epoch.Add(time.Hour)
	is := func(j *tenant.Journal, grant string) bool { return j.Revoked(tenant.Issued{Grant: grant, At: epoch}) }
	t.Run("of a loaded tenant, without a new snapshot", func(t *testing.T) {
		r, d, _ := newResolver(t, "acme", "globex")
		a, g := resolve(t, r, id("acme")), resolve(t, r, id("globex"))
		d.revoke("acme", tenant.Revocation{Grant: "g", At: epoch, ExpiresAt: until})
		refresh(t, r)
		if !is(a.Revoked, "g") || resolve(t, r, id("acme")) != a {
			t.Error("the journal does not hold it, or the snapshot went")
		}
		if is(g.Revoked, "g") {
			t.Error("another tenant's journal holds it")
		}
	})
	t.Run("of a tenant loaded later", func(t *testing.T) {
		r, d, _ := newResolver(t, "acme")
		d.revoke("acme", tenant.Revocation{Grant: "g", At: epoch, ExpiresAt: until})
		refresh(t, r)
		if a := resolve(t, r, id("acme")); !is(a.Revoked, "g") {
			t.Error("the journal does not hold it")
		}
	})
	t.Run("and survives a new snapshot", func(t *testing.T) {
		r, d, _ := newResolver(t, "acme")
		a := resolve(t, r, id("acme"))
		d.put("acme", nil)
		d.revoke("acme", tenant.Revocation{Grant: "g", At: epoch, ExpiresAt: until})
		refresh(t, r)
		b := resolve(t, r, id("acme"))
		if a == b || a.Revoked != b.Revoked || !is(a.Revoked, "g") {
			t.Error("the new snapshot has another journal, or one without it")
		}
		runtime.KeepAlive(a)
	})
	t.Run("also while nothing but the request holds the tenant", func(t *testing.T) {
		r, d, _ := newResolver(t, "acme")
		a := resolve(t, r, id("acme"))
		d.put("acme", nil)
		refresh(t, r)
		runtime.GC()
		d.revoke("acme", tenant.Revocation{Grant: "g", At: epoch, ExpiresAt: until})
		refresh(t, r)
		if !is(a.Revoked, "g") {
			t.Error("the old snapshot's journal does not hold it")
		}
	})
	t.Run("committed and seen between the read and its end", func(t *testing.T) {
		r, d, _ := newResolver(t, "acme")
		refresh(t, r)
		reading, gate := make(chan struct{}), make(chan struct{})
		d.snapshot = func(tenant.ID) { close(reading); <-gate }
		got := make(chan *tenant.Tenant, 1)
		go func() { a, _ := r.Resolve(t.Context(), id("acme")); got <- a }()
		<-reading
		d.revoke("acme", tenant.Revocation{Grant: "g", At: epoch, ExpiresAt: until})
		refresh(t, r)
		close(gate)
		if a := <-got; !is(a.Revoked, "g") {
			t.Error("the journal does not hold it")
		}
	})
}

func TestNoRevocationIsLostWhileEverythingMoves(t *testing.T) {
	r, d, c := newResolver(t, "acme")
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, _ = r.Resolve(t.Context(), id("acme"))
			}
		})
	}
	wg.Go(func() {
		for ctx.Err() == nil {
			d.put("acme", nil)
			_ = r.Refresh(t.Context())
			runtime.GC()
		}
	})
	for i := range 200 {
		g := string(rune('A' + i))
		d.revoke("acme", tenant.Revocation{Grant: g, At: c.Now(), ExpiresAt: c.Now().Add(time.Hour)})
		refresh(t, r)
		a := resolve(t, r, id("acme"))
		if !a.Revoked.Revoked(tenant.Issued{Grant: g, At: c.Now()}) {
			t.Errorf("revocation %d is not known", i)
		}
	}
	cancel()
	wg.Wait()
}
