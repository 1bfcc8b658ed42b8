package conformance

import (
	"crypto/rand"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var tenantIsolations = map[string]kept{
	"tenant.Directory.Changes": {why: everyTenant},
	"tenant.Directory.Listen":  {why: everyTenant},
	"tenant.Directory.Find":    {call: func(k *kit) (any, error) { return k.db.Find(k.ctx, tenant.Name{ID: string(k.t)}) }},
	"tenant.Directory.Snapshot": {call: func(k *kit) (any, error) {
		r, rs, err := k.db.Snapshot(k.ctx, k.t, k.now)
		return []any{r, rs}, err
	}},
	"tenant.Directory.Client": {call: func(k *kit) (any, error) { return k.db.Client(k.ctx, k.t, "app") }},

	"admin.Uses.PutUses": {call: func(k *kit) (any, error) {
		return none(k.db.PutUses(k.ctx, []admin.Use{{Tenant: k.t, Token: "token", At: k.now}}))
	}},
	"admin.Trail.FindEvents":   {call: func(k *kit) (any, error) { return k.db.FindEvents(k.ctx, k.t, admin.EventFilter{}, 1000) }},
	"admin.Trail.Seals":        {call: func(k *kit) (any, error) { return k.db.Seals(k.ctx, k.t, 0, 1000) }},
	"admin.Trail.SealedEvents": {call: func(k *kit) (any, error) { return k.db.SealedEvents(k.ctx, k.t, []int64{1, 2, 3, 4, 5, 6, 7, 8}) }},
	"admin.Trail.Unsealed":     {call: func(k *kit) (any, error) { return k.db.Unsealed(k.ctx, k.t, k.now) }},
	"admin.Answers.Answered":   {call: func(k *kit) (any, error) { return k.db.Answered(k.ctx, k.t, hash("once"), k.now) }},
	"admin.Answers.PutAnswer": {call: func(k *kit) (any, error) {
		return none(k.db.PutAnswer(k.ctx, k.t, hash("once"), admin.Answer{Status: 201, Body: []byte("mine")}))
	}},
	"limit.UsageStore.PutUsage": {call: func(k *kit) (any, error) {
		return none(k.db.PutUsage(k.ctx, []limit.Issued{k.issued(today, "app", "id_token", 1)}, []limit.Active{k.active(thisMonth, 2, 1)}))
	}},
	"admin.Store.TokensIssued":    {call: func(k *kit) (any, error) { return k.used(admin.ByClient), nil }},
	"admin.Store.AllTokensIssued": {why: everyTenant},
	"admin.Store.ActiveSubjects":  {call: func(k *kit) (any, error) { return k.db.ActiveSubjects(k.ctx, k.t, 0, 1<<30) }},
	"admin.Store.Aliases":         {call: func(k *kit) (any, error) { return k.db.Aliases(k.ctx, k.t) }},
	"admin.Store.PutAlias":        {call: func(k *kit) (any, error) { return none(k.putAlias(k.alias("another"))) }},
	"admin.Store.DropAlias": {call: func(k *kit) (any, error) {
		return none(k.db.DropAlias(k.ctx, k.t, k.alias("known").ID, k.now, k.event(audit.AliasRemoved)))
	}},
	"admin.Store.Revisions": {call: func(k *kit) (any, error) { return k.db.Revisions(k.ctx, k.t, 0, 100) }},
	"admin.Store.Revision": {call: func(k *kit) (any, error) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		return k.db.Revision(k.ctx, k.t, r.CreatedAt.UnixMicro())
	}},
	"admin.Store.FindTenants":   {why: everyTenant},
	"admin.Store.Tenants":       {why: everyTenant},
	"admin.Store.KeysDue":       {why: everyTenant},
	"admin.Census.CountObjects": {why: everyTenant},
	"admin.Store.CreateTenant":  {call: func(k *kit) (any, error) { return none(k.create(tenant.ID(newLabel()))) }},
	"admin.Store.Tenant":        {call: func(k *kit) (any, error) { return k.db.Tenant(k.ctx, k.t) }},
	"admin.Store.Events":        {call: func(k *kit) (any, error) { return k.db.Events(k.ctx, k.t, time.Time{}, 1000) }},
	"admin.Store.UpdateTenant": {call: func(k *kit) (any, error) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		return none(k.db.UpdateTenant(k.ctx, k.t, r.Version, tenant.Settings{}, false, k.now, k.event(audit.TenantUpdated)))
	}},
	"admin.Store.PutKeys": {call: func(k *kit) (any, error) {
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		fresh, err := keys.Generate(keys.EdDSA, rand.Reader, k.now)
		k.must(err)
		return none(k.db.PutKeys(k.ctx, k.t, r.Version, []keys.Key{fresh}, k.now, k.event(audit.KeysRotated)))
	}},
	"admin.Store.PutToken": {call: func(k *kit) (any, error) {
		return none(k.db.PutToken(k.ctx, k.t, tenant.APIToken{ID: "second", Hash: hash("second"), CreatedAt: k.now}, k.event(audit.TokenCreated)))
	}},
	"admin.Store.MarkDeleted": {call: func(k *kit) (any, error) { return none(k.markDeleted()) }},
	"admin.Store.RestoreTenant": {call: func(k *kit) (any, error) {
		k.must(k.markDeleted())
		return none(k.restore(k.now))
	}},
	"admin.Store.RemoveDeleted": {call: func(k *kit) (any, error) {
		k.must(k.markDeleted())
		return none(k.removeDeleted())
	}},
	"admin.Store.DeleteTenant": {call: func(k *kit) (any, error) { return none(k.db.DeleteTenant(k.ctx, k.t, k.event(audit.TenantDeleted))) }},

	"admin.Access.Access":               {call: func(k *kit) (any, error) { return k.db.Access(k.ctx, k.t) }},
	"admin.Access.Record":               {call: func(k *kit) (any, error) { return none(k.db.Record(k.ctx, k.t, k.event(audit.AdminRefused))) }},
	"admin.Access.PutRole":              putRole.kept(),
	"admin.Access.DeleteRole":           deleteRole.kept(),
	"admin.Access.PutServiceAccount":    putServiceAccount.kept(),
	"admin.Access.DeleteServiceAccount": deleteServiceAccount.kept(),
	"admin.Access.PutGrants":            putGrants.kept(),
	"admin.Access.PutConsoleToken":      putConsoleToken.kept(),
	"admin.Access.DropToken":            dropToken.kept(),
	"admin.Access.PutOut":               putOut.kept(),

	"admin.Numbers.NumberedTenants": {why: everyTenant},
}
