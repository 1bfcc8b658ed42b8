package conformance

import (
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// markDeleted marks the tenant deleted for a day.
func (k *kit) markDeleted() error {
	return k.db.MarkDeleted(k.ctx, k.t, k.now, k.at(24*time.Hour), k.event(audit.TenantDeleted))
}

func (k *kit) restore(at time.Time) error {
	return k.db.RestoreTenant(k.ctx, k.t, at, k.event(audit.TenantRestored))
}

func (k *kit) removeDeleted() error {
	return k.db.RemoveDeleted(k.ctx, k.t, k.now, k.event(audit.TenantDeleted))
}

var deletedTenants = []promise{
	{"a deleted tenant is removed before its time when its id is wanted, and no other", func(k *kit) {
		k.is(k.removeDeleted(), tenant.ErrUnknown)
		_, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.markDeleted())
		k.must(k.removeDeleted())
		k.is(k.restore(k.now), tenant.ErrUnknown)
		k.is(k.removeDeleted(), tenant.ErrUnknown)
	}},
	{"a tenant that is marked deleted is unknown to every method", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.markDeleted())
		k.same(k.feed(), []tenant.Change{{Tenant: k.t}})
		_, err = k.db.Tenant(k.ctx, k.t)
		k.is(err, tenant.ErrUnknown)
		_, _, err = k.db.Snapshot(k.ctx, k.t, k.now)
		k.is(err, tenant.ErrUnknown)
		_, err = k.db.Find(k.ctx, tenant.Name{ID: string(k.t)})
		k.is(err, tenant.ErrUnknown)
		_, err = k.db.Find(k.ctx, tenant.Name{Issuer: r.Issuer})
		k.is(err, tenant.ErrUnknown)
		_, err = k.db.Access(k.ctx, k.t)
		k.is(err, tenant.ErrUnknown)
		k.is(k.db.UpdateTenant(k.ctx, k.t, r.Version+1, r.Settings, true, k.now, k.event(audit.TenantUpdated)), tenant.ErrUnknown)
		k.is(k.db.PutKeys(k.ctx, k.t, r.Version+1, r.Keys, k.now, k.event(audit.KeysRotated)), tenant.ErrUnknown)
		k.is(k.db.PutToken(k.ctx, k.t, tenant.APIToken{ID: "x", Hash: hash("x"), CreatedAt: k.now}, k.event(audit.TokenCreated)), tenant.ErrUnknown)
		k.is(k.db.DropToken(k.ctx, k.t, r.Version+1, "token", k.event(audit.TokenRevoked)), tenant.ErrUnknown)
		k.is(k.markDeleted(), tenant.ErrUnknown)
		for _, find := range []func() ([]tenant.Record, error){
			func() ([]tenant.Record, error) { return k.db.Tenants(k.ctx, "", 100_000) },
			func() ([]tenant.Record, error) {
				return k.db.FindTenants(k.ctx, admin.TenantFilter{}, "", 100_000)
			},
			func() ([]tenant.Record, error) {
				rs, _, err := k.db.NumberedTenants(k.ctx, 0, 100_000)
				return rs, err
			},
		} {
			rs, err := find()
			k.must(err)
			for _, r := range rs {
				if r.ID == k.t {
					k.Errorf("it is listed")
				}
			}
		}
		ids, err := k.db.KeysDue(k.ctx, k.at(time.Hour), "", 100_000)
		k.must(err)
		for _, id := range ids {
			if id == k.t {
				k.Errorf("its keys are due")
			}
		}
	}},
	{"it is found where deleted tenants are asked for", func(k *kit) {
		k.must(k.markDeleted())
		rs, err := k.db.FindTenants(k.ctx, admin.TenantFilter{Deleted: true, Query: string(k.t)}, "", 100)
		k.must(err)
		for _, r := range rs {
			if r.ID == k.t {
				k.same([]time.Time{r.DeletedAt, r.PurgeAt}, []time.Time{k.now, k.at(24 * time.Hour)})
				return
			}
		}
		k.Errorf("not among %v", rs)
	}},
	{"its id and issuer stay taken", func(k *kit) {
		k.must(k.markDeleted())
		k.is(k.create(k.t), tenant.ErrExists)
		r := k.record(tenant.ID(newLabel()))
		r.Issuer = k.record(k.t).Issuer
		_, err := k.db.CreateTenant(k.ctx, r, k.event(audit.TenantCreated))
		k.is(err, tenant.ErrExists)
	}},
	{"restored it is as it was, but for its version", func(k *kit) {
		k.fill()
		before, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.markDeleted())
		k.must(k.restore(k.at(time.Hour)))
		got, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		before.Version, before.UpdatedAt = before.Version+2, k.at(time.Hour)
		k.same(got, before)
		_, err = k.db.Find(k.ctx, tenant.Name{ID: string(k.t)})
		k.must(err)
		_, err = k.db.Client(k.ctx, k.t, "app")
		k.must(err)
	}},
	{"a disabled tenant is restored disabled", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.db.UpdateTenant(k.ctx, k.t, r.Version, r.Settings, false, k.now, k.event(audit.TenantUpdated)))
		k.must(k.markDeleted())
		k.must(k.restore(k.now))
		got, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(got.Enabled, false)
	}},
	{"what is not deleted, or was for too long, cannot be restored", func(k *kit) {
		k.is(k.restore(k.now), tenant.ErrUnknown)
		k.must(k.markDeleted())
		k.is(k.restore(k.at(24*time.Hour)), tenant.ErrUnknown)
	}},
	{"deletion and return are told to the tenant and to the platform", func(k *kit) {
		k.must(k.markDeleted())
		k.must(k.restore(k.now))
		k.same(k.events(), []audit.Kind{audit.TenantRestored, audit.TenantDeleted})
		evs, err := k.db.Events(k.ctx, tenant.Platform, time.Time{}, 1000)
		k.must(err)
		told := 0
		for _, e := range evs {
			if e.Detail["tenant"] == string(k.t) {
				told++
			}
		}
		k.same(told, 2)
	}},
	{"after its time it is swept in portions, and not before", func(k *kit) {
		k.fill()
		other := newKit(k.TB, k.db)
		other.fill()
		spared := other.dump()
		k.must(k.markDeleted())
		_, err := k.db.Sweep(k.ctx, k.now, 100_000)
		k.must(err)
		k.must(k.restore(k.now))
		_, err = k.db.Client(k.ctx, k.t, "app")
		k.must(err)
		k.must(k.db.MarkDeleted(k.ctx, k.t, k.now, k.at(-time.Hour), k.event(audit.TenantDeleted)))
		rounds := 0
		for ; rounds < 10_000; rounds++ {
			n, err := k.db.Sweep(k.ctx, k.now, 3)
			k.must(err)
			if n == 0 {
				break
			}
		}
		if rounds < 3 {
			k.Errorf("swept in %d rounds", rounds)
		}
		k.is(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)), tenant.ErrUnknown)
		k.same(other.dump(), spared)
		k.must(k.create(k.t))
		empty := newKit(k.TB, k.db)
		k.same(k.dump().unmarked(), empty.dump().unmarked())
	}},
	{"it can be removed before its time", func(k *kit) {
		k.must(k.markDeleted())
		k.must(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)))
		k.is(k.restore(k.now), tenant.ErrUnknown)
		k.must(k.create(k.t))
	}},
}
