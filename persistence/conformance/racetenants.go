package conformance

import (
	"crypto/rand"
	"strconv"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var tenantRaces = map[string]raced{
	"tenant.Directory.Find":     {why: onlyReads},
	"tenant.Directory.Snapshot": {why: onlyReads},
	"tenant.Directory.Client":   {why: onlyReads},
	"tenant.Directory.Changes":  {why: onlyReads},
	"tenant.Directory.Listen":   {why: onlyReads},

	"admin.Store.Tenant":                {why: onlyReads},
	"admin.Store.Tenants":               {why: onlyReads},
	"admin.Store.KeysDue":               {why: onlyReads},
	"admin.Store.FindTenants":           {why: onlyReads},
	"admin.Store.Revisions":             {why: onlyReads},
	"limit.UsageStore.PutUsage":         {race: raceUsage},
	"admin.Store.TokensIssued":          {why: onlyReads},
	"admin.Store.AllTokensIssued":       {why: onlyReads},
	"admin.Store.ActiveSubjects":        {why: onlyReads},
	"admin.Store.Aliases":               {why: onlyReads},
	"admin.Store.PutAlias":              {race: raceAliases},
	"admin.Store.DropAlias":             {race: raceAliases},
	"admin.Store.Revision":              {why: onlyReads},
	"admin.Store.Events":                {why: onlyReads},
	"admin.Access.Access":               {why: onlyReads},
	"admin.Access.Record":               {why: "an event has no key"},
	"admin.Access.PutRole":              putRole.race(),
	"admin.Access.DeleteRole":           deleteRole.race(),
	"admin.Access.PutServiceAccount":    putServiceAccount.race(),
	"admin.Access.DeleteServiceAccount": deleteServiceAccount.race(),
	"admin.Access.PutGrants":            putGrants.race(),
	"admin.Access.PutConsoleToken":      putConsoleToken.race(),
	"admin.Access.DropToken":            dropToken.race(),
	"admin.Access.PutOut":               putOut.race(),

	"admin.Uses.PutUses":       {race: raceUses},
	"admin.Trail.FindEvents":   {why: onlyReads},
	"admin.Trail.Seals":        {why: onlyReads},
	"admin.Trail.SealedEvents": {why: onlyReads},
	"admin.Trail.Unsealed":     {why: onlyReads},
	"admin.Answers.Answered":   {why: onlyReads},
	"admin.Answers.PutAnswer": {race: func(k *kit) {
		k.once("key", "request")
		k.win(crowd(func(i int) error {
			return k.db.PutAnswer(k.ctx, k.t, hash("key"), admin.Answer{Status: 200 + i, Body: []byte("x")})
		}), callers) // the first stays
		a := k.answered("key", k.now)
		k.must(k.db.PutAnswer(k.ctx, k.t, hash("key"), admin.Answer{Status: 999}))
		k.same(k.answered("key", k.now).Status, a.Status)
	}},
	"admin.Store.CreateTenant": {race: func(k *kit) {
		id := tenant.ID(newLabel())
		k.oneWins(crowd(func(int) error { return k.create(id) }), tenant.ErrExists)
	}},
	"admin.Store.UpdateTenant": {race: raceRevisions},
	"admin.Store.PutKeys": {race: func(k *kit) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		fresh := make([]keys.Key, callers)
		for i := range fresh {
			fresh[i], err = keys.Generate(keys.EdDSA, rand.Reader, k.now)
			k.must(err)
		}
		k.oneWins(crowd(func(i int) error {
			return k.db.PutKeys(k.ctx, k.t, r.Version, []keys.Key{fresh[i]}, k.now, k.event(audit.KeysRotated))
		}), tenant.ErrConflict)
		r, err = k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(len(r.Keys), 1)
	}},
	"admin.Store.PutToken": {race: func(k *kit) {
		before, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.win(crowd(func(i int) error {
			return k.db.PutToken(k.ctx, k.t, tenant.APIToken{ID: strconv.Itoa(i), Hash: hash("x"), CreatedAt: k.now}, k.event(audit.TokenCreated))
		}), callers)
		after, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(after.Version, before.Version+callers)
		k.same(len(after.Tokens), 1+callers)
	}},
	"admin.Store.MarkDeleted": {race: func(k *kit) {
		k.oneWins(crowd(func(int) error { return k.markDeleted() }), tenant.ErrUnknown)
	}},
	"admin.Store.RestoreTenant": {race: func(k *kit) {
		k.must(k.markDeleted())
		k.oneWins(crowd(func(int) error { return k.restore(k.now) }), tenant.ErrUnknown)
	}},
	"admin.Store.RemoveDeleted": {race: func(k *kit) {
		k.must(k.markDeleted())
		k.oneWins(crowd(func(int) error { return k.removeDeleted() }), tenant.ErrUnknown)
		k.is(k.restore(k.now), tenant.ErrUnknown)
	}},
	"admin.Store.DeleteTenant": {race: func(k *kit) {
		k.oneWins(crowd(func(int) error { return k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted)) }), tenant.ErrUnknown)
	}},

	"admin.Numbers.NumberedTenants": {why: onlyReads},
	"admin.Census.CountObjects":     {why: onlyReads},
}
