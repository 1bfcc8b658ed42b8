package conformance

import (
	"errors"
	"fmt"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

func (k *kit) alias(name string) admin.Alias {
	return admin.Alias{ID: "alias " + name, Issuer: "https://" + name + "." + mark(k.t) + ".example", CreatedAt: k.now}
}

// putAlias records an alias at the version that the tenant has.
func (k *kit) putAlias(a admin.Alias) error {
	r, err := k.db.Tenant(k.ctx, k.t)
	k.must(err)
	return k.db.PutAlias(k.ctx, k.t, r.Version, a, k.event(audit.AliasAdded))
}

var aliases = []promise{
	{"a tenant is found by its aliases, and its snapshot has them", func(k *kit) {
		one, two := k.alias("one"), k.alias("two")
		k.must(k.putAlias(two))
		k.must(k.putAlias(one))
		as, err := k.db.Aliases(k.ctx, k.t)
		k.must(err)
		k.same(as, []admin.Alias{one, two})
		for _, a := range as {
			id, err := k.db.Find(k.ctx, tenant.Name{Issuer: a.Issuer})
			k.is(err, nil)
			k.same(id, k.t)
			_, err = k.db.Find(k.ctx, tenant.Name{Issuer: a.Issuer + "/"})
			k.is(err, tenant.ErrUnknown)
		}
		r, _, err := k.db.Snapshot(k.ctx, k.t, k.now)
		k.must(err)
		k.same(r.Aliases, []string{one.Issuer, two.Issuer})
		k.same(k.events(), []audit.Kind{audit.AliasAdded, audit.AliasAdded})
		k.same(k.feed(), []tenant.Change{{Tenant: k.t}, {Tenant: k.t}})
		k.must(k.db.DropAlias(k.ctx, k.t, one.ID, k.now, k.event(audit.AliasRemoved)))
		_, err = k.db.Find(k.ctx, tenant.Name{Issuer: one.Issuer})
		k.is(err, tenant.ErrUnknown)
		k.is(k.db.DropAlias(k.ctx, k.t, one.ID, k.now, k.event(audit.AliasRemoved)), admin.ErrNoAlias)
		k.same(len(k.feed()), 3)
	}},
	{"an issuer is one tenant's, be it an alias or not", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.putAlias(k.alias("one")))
		other := newKit(k.TB, k.db)
		for _, issuer := range []string{r.Issuer, k.alias("one").Issuer} {
			a := other.alias("one")
			a.Issuer = issuer
			if err := other.putAlias(a); !errors.Is(err, tenant.ErrExists) && !errors.Is(err, tenant.ErrConflict) {
				k.Errorf("%s a second time: %v", issuer, err)
			}
			late := k.record(tenant.ID(newLabel()))
			late.Issuer = issuer
			_, err := k.db.CreateTenant(k.ctx, late, k.event(audit.TenantCreated))
			k.is(err, tenant.ErrExists)
		}
		k.is(k.putAlias(k.alias("one")), tenant.ErrExists)
		k.same(len(other.events()), 0)
	}},
	{"a tenant may be made with aliases, all or none", func(k *kit) {
		k.must(k.putAlias(k.alias("taken")))
		r := k.record(tenant.ID(newLabel()))
		one, two := "https://one."+mark(r.ID)+".example", "https://two."+mark(r.ID)+".example"
		for _, taken := range []string{k.alias("taken").Issuer, k.record(k.t).Issuer} {
			r.Aliases = []string{one, taken}
			_, err := k.db.CreateTenant(k.ctx, r, k.event(audit.TenantCreated))
			k.is(err, tenant.ErrExists)
			_, err = k.db.Tenant(k.ctx, r.ID)
			k.is(err, tenant.ErrUnknown)
			_, err = k.db.Find(k.ctx, tenant.Name{Issuer: one})
			k.is(err, tenant.ErrUnknown)
		}
		r.Aliases = []string{one, two}
		_, err := k.db.CreateTenant(k.ctx, r, k.event(audit.TenantCreated))
		k.must(err)
		got, err := k.db.Tenant(k.ctx, r.ID)
		k.must(err)
		k.same(got.Aliases, r.Aliases)
		as, err := k.db.Aliases(k.ctx, r.ID)
		k.must(err)
		k.same(as, []admin.Alias{admin.AliasOf(one, r.CreatedAt), admin.AliasOf(two, r.CreatedAt)})
		mine, err := k.db.Aliases(k.ctx, k.t)
		k.must(err)
		k.same(len(mine), 1)
		k.is(k.db.DropAlias(k.ctx, k.t, as[0].ID, k.now, k.event(audit.AliasRemoved)), admin.ErrNoAlias)
	}},
	{"an alias comes at the version that was read", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.is(k.db.PutAlias(k.ctx, k.t, r.Version+1, k.alias("one"), k.event(audit.AliasAdded)), tenant.ErrConflict)
		k.is(k.db.PutAlias(k.ctx, tenant.ID(newLabel()), r.Version, k.alias("one"), k.event(audit.AliasAdded)), tenant.ErrUnknown)
		k.same(len(k.events()), 0)
	}},
	{"a tenant that is removed leaves its issuers to others", func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.must(k.putAlias(k.alias("one")))
		k.must(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)))
		for _, issuer := range []string{r.Issuer, k.alias("one").Issuer} {
			_, err := k.db.Find(k.ctx, tenant.Name{Issuer: issuer})
			k.is(err, tenant.ErrUnknown)
			heir := k.record(tenant.ID(newLabel()))
			heir.Issuer = issuer
			_, err = k.db.CreateTenant(k.ctx, heir, k.event(audit.TenantCreated))
			k.is(err, nil)
		}
	}},
	{"of a new tenant and an alias that want the same issuer at once, one gets it", func(k *kit) {
		for range 4 {
			a, heir := k.alias(newLabel()), k.record(tenant.ID(newLabel()))
			heir.Issuer = a.Issuer
			r, err := k.db.Tenant(k.ctx, k.t)
			k.must(err)
			errs := crowd(func(i int) error {
				if i%2 == 0 {
					return k.db.PutAlias(k.ctx, k.t, r.Version, a, k.event(audit.AliasAdded))
				}
				heir := heir
				heir.ID = tenant.ID(fmt.Sprint(heir.ID, "-", i))
				_, err := k.db.CreateTenant(k.ctx, heir, k.event(audit.TenantCreated))
				return err
			})
			k.oneWins(errs, tenant.ErrExists, tenant.ErrConflict)
		}
	}},
}

// raceAliases: of many at once one is recorded.
func raceAliases(k *kit) {
	r, err := k.db.Tenant(k.ctx, k.t)
	k.must(err)
	k.oneWins(crowd(func(i int) error {
		return k.db.PutAlias(k.ctx, k.t, r.Version, k.alias(fmt.Sprint(i)), k.event(audit.AliasAdded))
	}), tenant.ErrConflict)
	as, err := k.db.Aliases(k.ctx, k.t)
	k.must(err)
	k.same(len(as), 1)
	k.oneWins(crowd(func(int) error { return k.db.DropAlias(k.ctx, k.t, as[0].ID, k.now, k.event(audit.AliasRemoved)) }), admin.ErrNoAlias)
	k.same(k.events(), []audit.Kind{audit.AliasRemoved, audit.AliasAdded})
}
