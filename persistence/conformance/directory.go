package conformance

import (
	"context"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

var directory = []promise{
	{"a tenant is found by its id, its issuer and its number", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		for _, n := range []tenant.Name{{ID: string(k.t)}, {Issuer: r.Issuer}, {ServiceID: strconv.FormatInt(r.ServiceID, 10)}} {
			id, err := k.db.Find(k.ctx, n)
			k.is(err, nil)
			k.same(id, k.t)
		}
	}},
	{"a name that differs in one byte is ErrUnknown", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		number := strconv.FormatInt(r.ServiceID, 10)
		for _, n := range []tenant.Name{{ID: string(k.t) + " "}, {ID: "T" + string(k.t)[1:]}, {Issuer: r.Issuer + "/"}, {Issuer: "HTTPS" + r.Issuer[5:]},
			{ServiceID: "0" + number}, {ServiceID: "+" + number}, {ServiceID: number + ".0"}, {ServiceID: "99999999999999999999"}, {ID: "a\x00b"}, {ID: "\xff"}, {}} {
			id, err := k.db.Find(k.ctx, n)
			k.is(err, tenant.ErrUnknown)
			k.same(id, tenant.ID(""))
		}
	}},
	{"a disabled tenant is ErrUnknown until it is enabled again", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.db.UpdateTenant(k.ctx, k.t, r.Version, r.Settings, false, k.now, k.event(audit.TenantUpdated)))
		_, err = k.db.Find(k.ctx, tenant.Name{ID: string(k.t)})
		k.is(err, tenant.ErrUnknown)
		_, _, err = k.db.Snapshot(k.ctx, k.t, k.now)
		k.is(err, tenant.ErrUnknown)
		k.must(k.db.UpdateTenant(k.ctx, k.t, r.Version+1, r.Settings, true, k.now, k.event(audit.TenantUpdated)))
		_, _, err = k.db.Snapshot(k.ctx, k.t, k.now)
		k.is(err, nil)
	}},
	{"a snapshot has the revocations that live, and each once", func(k *kit) {
		one := k.revocation("one")
		later := one
		later.At, later.ExpiresAt = k.at(time.Minute), k.at(2*time.Hour)
		two := tenant.Revocation{Subject: "alice", Actor: "bob", ClientID: "app", At: k.now, ExpiresAt: k.at(time.Minute)}
		over := tenant.Revocation{Token: "jti", At: k.now, ExpiresAt: k.now}
		for _, r := range []tenant.Revocation{one, later, one, two, over} {
			k.must(k.db.RevokeToken(k.ctx, k.t, nil, k.now, r, audit.Event{}))
		}
		_, rs, err := k.db.Snapshot(k.ctx, k.t, k.now)
		k.must(err)
		k.same(byGrant(rs), byGrant([]tenant.Revocation{later, two}))
		_, rs, err = k.db.Snapshot(k.ctx, k.t, k.at(time.Minute))
		k.must(err)
		k.same(rs, []tenant.Revocation{later})
	}},
	{"changes are read since a time of the database's clock", func(k *kit) {
		_, before, err := k.db.Changes(k.ctx, k.at(time.Hour))
		k.must(err)
		if d := time.Since(before).Abs(); d > time.Minute {
			k.Errorf("the database's clock is %v off", d)
		}
		k.must(k.db.RevokeToken(k.ctx, k.t, nil, k.now, k.revocation("g"), audit.Event{}))
		_, err = k.db.CreateClient(k.ctx, k.t, k.client("app"), 9, audit.Event{})
		k.must(err)
		cs, clock, err := k.db.Changes(k.ctx, before.Add(-time.Millisecond))
		k.must(err)
		seen, mine := map[int64]bool{}, 0
		for _, c := range cs {
			if seen[c.Seq] {
				k.Errorf("change %d is told twice", c.Seq)
			}
			seen[c.Seq] = true
			if c.Tenant == k.t && !c.At.Before(before.Add(-time.Millisecond)) && !c.At.After(clock) {
				mine++
			}
		}
		if mine < 2 {
			k.Errorf("%d changes of the tenant, want 2: %v", mine, cs)
		}
		cs, _, err = k.db.Changes(k.ctx, clock.Add(time.Hour))
		k.must(err)
		k.same(len(cs), 0)
		r := k.revocation("g")
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, Revocation: &r}, {Tenant: k.t, ClientID: "app"}})
	}},
	{"listening ends without an error when it is told to", func(k *kit) {
		ctx, cancel := context.WithCancel(k.ctx)
		cancel()
		k.is(k.db.Listen(ctx, func() {}), nil)
	}},
	{"who listens is woken by a change of settings, where the engine can tell", func(k *kit) {
		ctx, cancel := context.WithTimeout(k.ctx, 10*time.Second)
		defer cancel()
		woken, ended := make(chan struct{}, 100), make(chan error, 1)
		go func() { ended <- k.db.Listen(ctx, func() { woken <- struct{}{} }) }()
		select {
		case err := <-ended: // it cannot
			k.is(err, nil)
			return
		case <-woken: // it listens
		}
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.db.UpdateTenant(k.ctx, k.t, r.Version, r.Settings, true, k.now, k.event(audit.TenantUpdated)))
		select {
		case <-woken:
		case err := <-ended:
			k.Errorf("stopped listening: %v", err)
		}
		cancel()
		k.is(<-ended, nil)
	}},
}

// byGrant sorts two revocations, those of a grant last.
func byGrant(rs []tenant.Revocation) []tenant.Revocation {
	if len(rs) == 2 && rs[0].Grant != "" {
		rs[0], rs[1] = rs[1], rs[0]
	}
	return rs
}
