package conformance

import (
	"crypto/rand"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var tenants = []promise{
	{"a tenant is read as it was created", func(k *kit) {
		id := tenant.ID(newLabel())
		r, err := k.db.CreateTenant(k.ctx, k.record(id), k.event(audit.TenantCreated))
		k.must(err)
		if r.ServiceID < 1000000 {
			k.Errorf("service number %d", r.ServiceID)
		}
		got, err := k.db.Tenant(k.ctx, id)
		k.must(err)
		k.same(*got, r)
		k.same(got.Secret.Bytes(), r.Secret.Bytes())
		want, err := r.Keys[0].PrivateDER()
		k.must(err)
		der, err := got.Keys[0].PrivateDER()
		k.must(err)
		k.same(der, want)
	}},
	{"an id that is taken is ErrExists, and nothing of the tenant there changes", func(k *kit) {
		before, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		r := k.record(k.t)
		r.Issuer = "https://elsewhere.example"
		_, err = k.db.CreateTenant(k.ctx, r, k.event(audit.TenantCreated))
		k.is(err, tenant.ErrExists)
		after, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(after, before)
	}},
	{"an issuer that is taken is ErrExists", func(k *kit) {
		r := k.record(tenant.ID(newLabel()))
		r.Issuer = k.record(k.t).Issuer
		_, err := k.db.CreateTenant(k.ctx, r, k.event(audit.TenantCreated))
		k.is(err, tenant.ErrExists)
		_, err = k.db.Tenant(k.ctx, r.ID)
		k.is(err, tenant.ErrUnknown)
	}},
	{"a tenant that is disabled is still read", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.db.UpdateTenant(k.ctx, k.t, r.Version, r.Settings, false, k.at(time.Minute), k.event(audit.TenantUpdated)))
		got, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		r.Enabled, r.Version, r.UpdatedAt = false, r.Version+1, k.at(time.Minute)
		k.same(got, r)
	}},
	{"an unknown tenant is ErrUnknown to every method", func(k *kit) {
		id := tenant.ID(newLabel())
		_, err := k.db.Tenant(k.ctx, id)
		k.is(err, tenant.ErrUnknown)
		k.is(k.db.UpdateTenant(k.ctx, id, 1, tenant.Settings{}, true, k.now, k.event(audit.TenantUpdated)), tenant.ErrUnknown)
		k.is(k.db.DeleteTenant(k.ctx, id, k.event(audit.TenantDeleted)), tenant.ErrUnknown)
		k.is(k.db.PutKeys(k.ctx, id, 1, nil, k.now, k.event(audit.KeysRotated)), tenant.ErrUnknown)
		k.is(k.db.PutToken(k.ctx, id, tenant.APIToken{ID: "x", Hash: hash("x"), CreatedAt: k.now}, k.event(audit.TokenCreated)), tenant.ErrUnknown)
		k.is(k.db.DropToken(k.ctx, id, 1, "x", k.event(audit.TokenRevoked)), tenant.ErrUnknown)
	}},
	{"settings change at the version that was read", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		s := tenant.Settings{Name: "renamed"}
		k.must(k.db.UpdateTenant(k.ctx, k.t, r.Version, s, true, k.now, k.event(audit.TenantUpdated)))
		k.is(k.db.UpdateTenant(k.ctx, k.t, r.Version, tenant.Settings{}, true, k.now, k.event(audit.TenantUpdated)), tenant.ErrConflict)
		got, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(got.Settings, s)
		k.same(k.events(), []audit.Kind{audit.TenantUpdated})
		k.same(k.feed(), []tenant.Change{{Tenant: k.t}})
	}},
	{"the key list is replaced whole", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		fresh, err := keys.Generate(keys.EdDSA, rand.Reader, k.now)
		k.must(err)
		third, err := keys.Generate(keys.EdDSA, rand.Reader, k.now)
		k.must(err)
		kept := r.Keys[0]
		kept.RetiredAt, kept.GoneAt = k.at(time.Hour), k.at(2*time.Hour)
		k.must(k.db.PutKeys(k.ctx, k.t, r.Version, []keys.Key{fresh, kept}, k.now, k.event(audit.KeysRotated)))
		k.is(k.db.PutKeys(k.ctx, k.t, r.Version, []keys.Key{third}, k.now, k.event(audit.KeysRotated)), tenant.ErrConflict)
		got, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(got.Keys, []keys.Key{fresh, kept})
		k.must(k.db.PutKeys(k.ctx, k.t, got.Version, []keys.Key{third}, k.now, k.event(audit.KeysRotated)))
		got, err = k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(got.Keys, []keys.Key{third})
	}},
	{"an API token comes and goes, and raises the version", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		token := tenant.APIToken{ID: "second", Label: "l", Hash: hash("second"), APIs: []tenant.API{tenant.KeyAPI}, CreatedAt: k.at(time.Second), ExpiresAt: k.at(time.Hour)}
		k.must(k.db.PutToken(k.ctx, k.t, token, k.event(audit.TokenCreated)))
		got, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(got.Tokens, append(r.Tokens, token))
		k.must(k.db.DropToken(k.ctx, k.t, got.Version, "second", k.event(audit.TokenRevoked)))
		got, err = k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(got.Tokens, r.Tokens)
		k.same(got.Version, r.Version+2)
		k.same(k.feed(), []tenant.Change{{Tenant: k.t}, {Tenant: k.t}})
		k.same(k.events(), []audit.Kind{audit.TokenRevoked, audit.TokenCreated})
	}},
	{"a deleted tenant is gone, and another of the same id inherits nothing", func(k *kit) {
		k.fill()
		old, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)))
		_, err = k.db.Tenant(k.ctx, k.t)
		k.is(err, tenant.ErrUnknown)
		_, _, err = k.db.Snapshot(k.ctx, k.t, k.now)
		k.is(err, tenant.ErrUnknown)
		k.now = k.now.Add(time.Second)
		k.must(k.create(k.t))
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		if r.ServiceID == old.ServiceID || r.Version <= old.Version {
			k.Errorf("service number %d after %d, version %d after %d", r.ServiceID, old.ServiceID, r.Version, old.Version)
		}
		empty := newKit(k.TB, k.db)
		k.same(k.dump().unmarked(), empty.dump().unmarked())
	}},
	{"what happened to a deleted tenant is told to the platform", func(k *kit) {
		ev := k.event(audit.TenantDeleted)
		k.must(k.db.DeleteTenant(k.ctx, k.t, ev))
		evs, err := k.db.Events(k.ctx, tenant.Platform, time.Time{}, 100)
		k.must(err)
		for _, e := range evs {
			if e.Detail["tenant"] == string(k.t) && e.Kind == ev.Kind && e.Actor == ev.Actor {
				return
			}
		}
		k.Errorf("not among %v", evs)
	}},
	{"tenants are listed by id, in pages, without what is secret", func(k *kit) {
		id := newLabel()
		a, b := tenant.ID("0a"+id), tenant.ID("0b"+id)
		k.must(k.create(b))
		k.must(k.create(a))
		rs, err := k.db.Tenants(k.ctx, a[:len(a)-1], 2)
		k.must(err)
		if len(rs) != 2 || rs[0].ID != a || rs[0].Keys != nil || rs[0].Secret.Bytes() != nil || rs[0].Tokens != nil || rs[0].Settings.Name != mark(a) {
			k.Errorf("got %+v", rs)
		}
		rs, err = k.db.Tenants(k.ctx, b, 1)
		k.must(err)
		if len(rs) > 0 && rs[0].ID <= b {
			k.Errorf("after %s comes %s", b, rs[0].ID)
		}
	}},
	{"keys are due where the newest of an algorithm became active before a time", func(k *kit) {
		due, fresh, other := tenant.ID("0c"+newLabel()), tenant.ID("0d"+newLabel()), tenant.ID("0e"+newLabel())
		now := k.now
		k.now = now.Add(-100 * time.Hour)
		k.must(k.create(due))
		k.must(k.create(fresh))
		k.must(k.create(other))
		k.now = now
		r, err := k.db.Tenant(k.ctx, fresh)
		k.must(err)
		newest, err := keys.Generate(keys.EdDSA, rand.Reader, now)
		k.must(err)
		k.must(k.db.PutKeys(k.ctx, fresh, r.Version, keys.Rotate(r.Keys, newest, now, 0, 0), now, k.event(audit.KeysRotated)))
		r, err = k.db.Tenant(k.ctx, other)
		k.must(err)
		opens, err := keys.Generate(keys.ECDHES, rand.Reader, now)
		k.must(err)
		k.must(k.db.PutKeys(k.ctx, other, r.Version, keys.Rotate(r.Keys, opens, now, 0, 0), now, k.event(audit.KeysRotated)))
		ids, err := k.db.KeysDue(k.ctx, now.Add(-time.Hour), "0c", 100)
		k.must(err)
		k.same(ids, []tenant.ID{due, other})
		ids, err = k.db.KeysDue(k.ctx, now.Add(-time.Hour), due, 100)
		k.must(err)
		k.same(ids, []tenant.ID{other})
		ids, err = k.db.KeysDue(k.ctx, now.Add(-time.Hour), other, 100)
		k.must(err)
		k.same(ids, []tenant.ID(nil))
	}},
	{"events are listed newest first, in pages", func(k *kit) {
		for i := range 5 {
			ev := k.event(audit.UserUpdated)
			ev.At = k.at(time.Duration(i) * time.Second)
			k.must(k.db.RevokeToken(k.ctx, k.t, nil, k.now, k.revocation("g"), ev))
		}
		evs, err := k.db.Events(k.ctx, k.t, k.at(3*time.Second), 2)
		k.must(err)
		want := k.event(audit.UserUpdated)
		want.At = k.at(2 * time.Second)
		next := want
		next.At = k.at(time.Second)
		k.same(evs, []audit.Event{want, next})
	}},
}

// newLabel returns a tenant id that no other case uses.
func newLabel() string {
	const letters = "abcdefghijklmnop"
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = letters[b[i]&15]
	}
	return string(b)
}
