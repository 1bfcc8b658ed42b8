package conformance

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/persistence"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// kept is a call of a method under the kit's tenant, or why the method cannot be kept within one. What it returns is
// looked through for marks of another tenant.
type kept struct {
	why  string
	call func(*kit) (any, error)
}

func (c kept) reason() (string, bool) { return c.why, c.call != nil }

// isolated calls a method under one tenant, while another has everything of the same names: once as one that has the
// same, once as one that has nothing.
func isolated(t *testing.T, db *persistence.DB, call func(*kit) (any, error)) {
	other, full, empty := newKit(t, db), newKit(t, db), newKit(t, db)
	other.fill()
	full.fill()
	before := other.dump()
	for _, k := range []*kit{full, empty} {
		got, err := call(k)
		if k == full {
			k.must(err)
		}
		b, jsonErr := json.Marshal(got)
		k.must(jsonErr)
		if strings.Contains(string(b), mark(other.t)) {
			k.Errorf("another tenant's data: %s", b)
		}
		if e, ok := errors.AsType[*oauth.Error](err); ok {
			k.Errorf("a tenant that has nothing gets %v", e)
		}
	}
	if d := cmp.Diff(before, other.dump()); d != "" {
		t.Errorf("another tenant changed:\n%s", d)
	}
}

// fill gives the tenant one of everything, all named as in other tenants.
func (k *kit) fill() {
	k.Helper()
	_, err := k.db.CreateClient(k.ctx, k.t, k.client("app"), 9, k.event(audit.ClientCreated))
	k.must(err)
	k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
	k.factors()
	k.scripts()
	k.begin(k.session("session"))
	k.must(k.db.Begin(k.ctx, k.t, k.interaction("interaction"), nil))
	z, coded := k.authorization("app"), k.grant("coded")
	k.finish(&z, &coded)
	k.enters(0, "read")
	g, a, alone := k.refreshable("grant"), k.token("token", "grant"), k.token("alone", "")
	g.SessionID, g.Managed = "session", "managed"
	k.must(k.db.PutGrant(k.ctx, k.t, g, &a, k.event(audit.GrantIssued)))
	k.must(k.db.PutAccessToken(k.ctx, k.t, alone))
	k.must(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("batch"), nil))
	k.push("pushed")
	k.must(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("initial", 3), 9, audit.Event{}))
	k.administered()
	k.must(k.db.PutUsage(k.ctx, []limit.Issued{k.issued(today, "app "+mark(k.t), "access_token", 1)}, []limit.Active{k.active(thisMonth, 1, 1)}))
	k.must(k.putAlias(k.alias("known")))
	k.once("once", "request")
	k.must(k.db.BeginAuthentication(k.ctx, k.t, k.authentication("identifying", decoupled.Identifying)))
	k.waiting("waiting")
	k.granted("approved")
	k.must(k.device("device", "user code", many))
	k.must(k.use("assertion", "used", k.at(time.Hour)))
	k.must(k.db.Owe(k.ctx, k.t, k.message("owed", "alice"), k.message("lost", "")))
	k.must(k.db.Bury(k.ctx, k.t, "lost", 0, k.now, "refused"))
	k.subscribe("webhook", audit.UserDeleted)
	k.must(k.db.Record(k.ctx, k.t, k.event(audit.UserDeleted)))
	k.giveUp("webhook", 1)
	k.must(k.db.RevokeToken(k.ctx, k.t, nil, k.now, tenant.Revocation{Token: mark(k.t), At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked)))
}

// contents is all that a tenant has, as JSON by name.
type contents map[string]string

// unmarked is c without what tells tenants apart by itself.
func (c contents) unmarked() contents {
	delete(c, "tenant")
	delete(c, "tenant's history")
	delete(c, "events")
	return c
}

// dump reads all that the tenant has.
func (k *kit) dump() contents {
	k.Helper()
	c := contents{}
	put := func(name string, v any, err error) {
		if err != nil {
			v = err.Error()
		}
		b, err := json.Marshal(v)
		k.must(err)
		c[name] = string(b)
	}
	r, rs, err := k.db.Snapshot(k.ctx, k.t, k.now)
	put("tenant", r, err)
	put("revocations", rs, err)
	clients, err := k.db.Clients(k.ctx, k.t, "", 100)
	put("clients", clients, err)
	for i := range clients {
		put("secrets of client", clients[i].Secrets, nil)
	}
	accounts, err := k.db.Accounts(k.ctx, k.t, "", 100)
	put("accounts", accounts, err)
	for _, sub := range []string{"alice", "enrolling"} {
		f, err := k.db.TOTP(k.ctx, k.t, sub)
		put("TOTP of "+sub, f, err)
	}
	put("code", k.codeStands("alice", "code"), nil)
	source, err := k.db.Version(k.ctx, k.t, "login", 0)
	put("script", source, err)
	written, err := k.db.Entries(k.ctx, k.t, "", 0, 100)
	put("log of scripts", unnumbered(written), err)
	secret, err := k.db.Secret(k.ctx, k.t, "key")
	put("secret of scripts", secret, err)
	sessions, err := k.db.Sessions(k.ctx, k.t, "alice")
	put("sessions", sessions, err)
	interaction, err := k.db.Load(k.ctx, k.t, k.now, hash("interaction"))
	put("interaction", interaction, err)
	pushed, err := k.db.Pushed(k.ctx, k.t, k.now, hash("pushed"))
	put("pushed request", pushed, err)
	revisions, err := k.db.Revisions(k.ctx, k.t, 0, 100)
	put("tenant's history", revisions, err)
	put("usage", k.used(admin.ByClient), nil)
	months, err := k.db.ActiveSubjects(k.ctx, k.t, 0, 1<<30)
	put("active", months, err)
	initial, err := k.db.InitialTokens(k.ctx, k.t)
	put("initial tokens", initial, err)
	for _, id := range []string{"identifying", "waiting", "approved", "device"} {
		a, err := k.db.Authentication(k.ctx, k.t, k.now, id)
		put("authentication "+id, a, err)
	}
	for _, id := range []string{"grant", "coded", "approved"} {
		g, err := k.db.Grant(k.ctx, k.t, id)
		put(id, g, err)
	}
	for _, name := range []string{"token", "alone"} {
		a, err := k.db.AccessToken(k.ctx, k.t, k.now, hash(name))
		put(name, a, err)
	}
	zs, err := k.db.Authorizations(k.ctx, k.t, "alice")
	put("authorizations", zs, err)
	granted, err := k.db.GrantedScopes(k.ctx, k.t, "alice", "app")
	put("granted scopes", granted, err)
	for name, dead := range map[string]bool{"owed": false, "dead letters": true} {
		ms, err := k.db.Messages(k.ctx, k.t, dead, "", 100)
		put(name, ms, err)
	}
	ws, err := k.db.Webhooks(k.ctx, k.t)
	put("webhooks", ws, err)
	access, err := k.db.Access(k.ctx, k.t)
	if err == nil {
		access.Version = 0
	}
	put("access", access, err)
	answered, err := k.db.Answered(k.ctx, k.t, hash("once"), k.now)
	put("answer", answered, err)
	batch, err := k.db.Batch(k.ctx, k.t, k.now, "batch")
	put("batch", batch, err)
	evs, err := k.db.Events(k.ctx, k.t, time.Time{}, 100)
	put("events", evs, err)
	return c
}

const everyTenant = "it is for every tenant"

// firstNumber is that of the first client of any tenant.
const firstNumber = 1_000_001

// none is what a method that returns nothing but an error returned.
func none(err error) (any, error) { return nil, err }

var isolations = map[string]kept{
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
	"admin.Store.FindTenants":  {why: everyTenant},
	"admin.Store.Tenants":      {why: everyTenant},
	"admin.Store.KeysDue":      {why: everyTenant},
	"admin.Store.CreateTenant": {call: func(k *kit) (any, error) { return none(k.create(tenant.ID(newLabel()))) }},
	"admin.Store.Tenant":       {call: func(k *kit) (any, error) { return k.db.Tenant(k.ctx, k.t) }},
	"admin.Store.Events":       {call: func(k *kit) (any, error) { return k.db.Events(k.ctx, k.t, time.Time{}, 1000) }},
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

	"account.Factors.TOTP": {call: func(k *kit) (any, error) { return k.db.TOTP(k.ctx, k.t, "alice") }},
	"account.Factors.EnrolTOTP": {call: func(k *kit) (any, error) {
		return none(k.db.EnrolTOTP(k.ctx, k.t, "enrolling", k.totp(time.Minute), k.event(audit.UserUpdated)))
	}},
	"account.Factors.ConfirmTOTP": {call: func(k *kit) (any, error) {
		return none(k.db.ConfirmTOTP(k.ctx, k.t, "enrolling", k.now, k.now, 9, [][]byte{hash("recovery")}, k.event(audit.UserUpdated)))
	}},
	"account.Factors.UseTOTP": {call: func(k *kit) (any, error) { return none(k.db.UseTOTP(k.ctx, k.t, "alice", k.now, 9)) }},
	"account.Factors.UseRecoveryCode": {call: func(k *kit) (any, error) {
		return none(k.db.UseRecoveryCode(k.ctx, k.t, "alice", hash("recovery"), k.event(audit.RecoveryCodeUsed)))
	}},
	"account.Factors.RemoveTOTP": {call: func(k *kit) (any, error) {
		return none(k.db.RemoveTOTP(k.ctx, k.t, "alice", k.event(audit.UserUpdated)))
	}},
	"account.Factors.PutCode": {call: func(k *kit) (any, error) { return none(k.db.PutCode(k.ctx, k.t, k.code("another"))) }},
	"account.Factors.TryCode": {call: func(k *kit) (any, error) {
		return k.db.TryCode(k.ctx, k.t, hash("exchange"), "alice", hash("code"), k.now, 5)
	}},
	"script.Store.PutVersion": {call: func(k *kit) (any, error) {
		return none(k.db.PutVersion(k.ctx, k.t, k.version("login", 2), nil, k.event(audit.ScriptChanged)))
	}},
	"script.Store.Version":  {call: func(k *kit) (any, error) { return k.db.Version(k.ctx, k.t, "login", 1) }},
	"script.Store.Versions": {call: func(k *kit) (any, error) { return k.db.Versions(k.ctx, k.t, "login", 0, 100) }},
	"script.Store.Scripts":  {call: func(k *kit) (any, error) { return k.db.Scripts(k.ctx, k.t) }},
	"script.Store.DeleteScript": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteScript(k.ctx, k.t, "login", k.event(audit.ScriptChanged)))
	}},
	"script.Store.PutSecret": {call: func(k *kit) (any, error) {
		return none(k.db.PutSecret(k.ctx, k.t, "key", []byte("new"), k.event(audit.ScriptSecretChanged)))
	}},
	"script.Store.Secret":  {call: func(k *kit) (any, error) { return k.db.Secret(k.ctx, k.t, "key") }},
	"script.Store.Secrets": {call: func(k *kit) (any, error) { return k.db.Secrets(k.ctx, k.t) }},
	"script.Store.DropSecret": {call: func(k *kit) (any, error) {
		return none(k.db.DropSecret(k.ctx, k.t, "key", k.event(audit.ScriptSecretChanged)))
	}},
	"script.Store.Log": {call: func(k *kit) (any, error) { return none(k.db.Log(k.ctx, k.t, k.lines("more"))) }},
	"script.Store.Entries": {call: func(k *kit) (any, error) {
		xs, err := k.db.Entries(k.ctx, k.t, "login", 0, 100)
		return unnumbered(xs), err
	}},
	"account.Store.Account":       {call: func(k *kit) (any, error) { return k.db.Account(k.ctx, k.t, "alice") }},
	"account.Store.AccountByName": {call: func(k *kit) (any, error) { return k.db.AccountByName(k.ctx, k.t, "name of alice") }},
	"account.Store.Accounts":      {call: func(k *kit) (any, error) { return k.db.Accounts(k.ctx, k.t, "", 1000) }},
	"account.Store.TakenNames": {call: func(k *kit) (any, error) {
		return k.db.TakenNames(k.ctx, k.t, []string{"name of alice", "name of bob"})
	}},
	"account.Store.ImportAccounts": {call: func(k *kit) (any, error) {
		return none(k.db.ImportAccounts(k.ctx, k.t, k.now, []account.Account{k.account("bob"), k.account("carol")}, k.event(audit.UsersImported)))
	}},
	"account.Store.CreateAccount": {call: func(k *kit) (any, error) {
		return none(k.db.CreateAccount(k.ctx, k.t, k.account("bob"), k.event(audit.UserCreated)))
	}},
	"account.Store.UpdateAccount": {call: func(k *kit) (any, error) {
		a := k.account("alice")
		a.Username = "renamed"
		return none(k.db.UpdateAccount(k.ctx, k.t, a, a.UpdatedAt, k.event(audit.UserUpdated)))
	}},
	"account.Store.DisableAccount": {call: func(k *kit) (any, error) {
		return none(k.db.DisableAccount(k.ctx, k.t, "alice", k.now, &tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.UserUpdated)))
	}},
	"account.Store.DeleteAccount": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.UserDeleted)))
	}},

	"authorize.Store.Subject":   {call: func(k *kit) (any, error) { return k.db.Subject(k.ctx, k.t, "session", "app") }},
	"authorize.Store.SubjectOf": {call: func(k *kit) (any, error) { return k.db.SubjectOf(k.ctx, k.t, "alice", "app") }},
	"authorize.Store.Load":      {call: func(k *kit) (any, error) { return k.db.Load(k.ctx, k.t, k.now, hash("interaction")) }},
	"authorize.Store.PutData": {call: func(k *kit) (any, error) {
		return none(k.db.PutData(k.ctx, k.t, k.now, hash("interaction"), json.RawMessage(`{}`)))
	}},
	"authorize.Store.Begin": {call: func(k *kit) (any, error) {
		s := k.session("session")
		s.UsedAt = k.at(time.Minute)
		return none(k.db.Begin(k.ctx, k.t, k.interaction("another"), &s))
	}},
	"authorize.Store.Login": {call: func(k *kit) (any, error) {
		s := k.session("new")
		return k.db.Login(k.ctx, k.t, k.now, authorize.LoginEffect{Interaction: k.interaction("interaction"), Session: &s, Ended: "session",
			KeepNewest: 1, TokensUntil: k.at(time.Hour), Event: k.event(audit.LoggedIn)})
	}},
	"authorize.Store.Finish": {call: func(k *kit) (any, error) {
		s, z, g := k.session("new"), k.authorization("app"), k.grant("new")
		z.Scope, g.SessionID = nil, "new"
		return k.db.Finish(k.ctx, k.t, k.now, authorize.FinishEffect{Hash: hash("interaction"), Version: 1, Authorization: &z, Grant: &g, Session: &s,
			Ended: "session", KeepNewest: 1, TokensUntil: k.at(time.Hour), ClientID: "app", Events: []audit.Event{k.event(audit.Consented)}})
	}},

	"challenge.Store.Advance": {call: func(k *kit) (any, error) { return none(k.db.Advance(k.ctx, k.t, k.now, k.advanced("interaction"))) }},

	"clientauth.Replay.UseOnce": {call: func(k *kit) (any, error) { return none(k.use("assertion", "another", k.at(time.Hour))) }},

	"grant.Store.Grant":          {call: func(k *kit) (any, error) { return k.db.Grant(k.ctx, k.t, "grant") }},
	"grant.Store.AccessToken":    {call: func(k *kit) (any, error) { return k.db.AccessToken(k.ctx, k.t, k.now, hash("token")) }},
	"grant.Store.Authorizations": {call: func(k *kit) (any, error) { return k.db.Authorizations(k.ctx, k.t, "alice") }},
	"grant.Store.PutAccessToken": {call: func(k *kit) (any, error) { return none(k.db.PutAccessToken(k.ctx, k.t, k.token("third", ""))) }},
	"grant.Store.PutGrant": {call: func(k *kit) (any, error) {
		return none(k.db.PutGrant(k.ctx, k.t, k.grant("third"), nil, k.event(audit.GrantIssued)))
	}},
	"grant.Store.Derive":     {call: func(k *kit) (any, error) { return none(k.derive("derived", "grant")) }},
	"grant.Store.RedeemCode": {call: func(k *kit) (any, error) { return none(k.redeem(k.grant("coded"))) }},
	"grant.Store.RotateRefresh": {call: func(k *kit) (any, error) {
		return k.db.RotateRefresh(k.ctx, k.t, k.now, grant.Rotation{Grant: "grant", Presented: 1, Next: k.line(2)}, grace, k.revocation("grant"), audit.Event{})
	}},
	"grant.Store.RevokeGrant": {call: func(k *kit) (any, error) {
		return none(k.db.RevokeGrant(k.ctx, k.t, "grant", k.now, k.revocation("grant"), k.event(audit.GrantRevoked)))
	}},
	"grant.Store.RevokeToken": {call: func(k *kit) (any, error) {
		return none(k.db.RevokeToken(k.ctx, k.t, hash("alone"), k.now, tenant.Revocation{Token: "x", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked)))
	}},
	"grant.Store.Withdraw": {call: func(k *kit) (any, error) {
		return k.db.Withdraw(k.ctx, k.t, "alice", "", k.now, tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked))
	}},

	"registration.Store.Clients": {call: func(k *kit) (any, error) { return k.db.Clients(k.ctx, k.t, "", 1000) }},
	"registration.Store.CreateClient": {call: func(k *kit) (any, error) {
		return k.db.CreateClient(k.ctx, k.t, k.client("second"), 9, k.event(audit.ClientCreated))
	}},
	"registration.Store.UpdateClient": {call: func(k *kit) (any, error) {
		c := k.client("app")
		c.Name = "renamed"
		return none(k.db.UpdateClient(k.ctx, k.t, c, c.UpdatedAt, k.event(audit.ClientUpdated)))
	}},
	"registration.Store.DeleteClient": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteClient(k.ctx, k.t, "app", k.now, tenant.Revocation{ClientID: "app", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.ClientDeleted)))
	}},

	"admin.Numbers.NumberedTenants": {why: everyTenant},
	"registration.InitialTokens.InitialToken": {call: func(k *kit) (any, error) {
		return k.db.InitialToken(k.ctx, k.t, k.now, hash("initial"))
	}},
	"registration.InitialTokens.InitialTokens": {call: func(k *kit) (any, error) { return k.db.InitialTokens(k.ctx, k.t) }},
	"registration.InitialTokens.PutInitialToken": {call: func(k *kit) (any, error) {
		return none(k.db.PutInitialToken(k.ctx, k.t, k.initialToken("another", 1), 9, k.event(audit.InitialTokenCreated)))
	}},
	"registration.InitialTokens.DeleteInitialToken": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteInitialToken(k.ctx, k.t, "initial", k.event(audit.InitialTokenRevoked)))
	}},
	"registration.InitialTokens.CreateClientWith": {call: func(k *kit) (any, error) {
		return k.db.CreateClientWith(k.ctx, k.t, k.client("invited"), 9, hash("initial"), k.now, k.event(audit.ClientCreated))
	}},

	"registration.Numbers.NumberedClient": {call: func(k *kit) (any, error) { return k.db.NumberedClient(k.ctx, k.t, firstNumber) }},
	"registration.Numbers.NumberedClients": {call: func(k *kit) (any, error) {
		cs, total, err := k.db.NumberedClients(k.ctx, k.t, "", 0, 1000)
		return []any{cs, total}, err
	}},
	"registration.Numbers.CreateNumbered": {call: func(k *kit) (any, error) {
		return k.db.CreateNumbered(k.ctx, k.t, k.client(""), 9, k.event(audit.ClientCreated))
	}},

	"request.Store.Push":   {call: func(k *kit) (any, error) { return none(k.db.Push(k.ctx, k.t, k.pushedRequest("new"))) }},
	"request.Store.Pushed": {call: func(k *kit) (any, error) { return k.db.Pushed(k.ctx, k.t, k.now, hash("pushed")) }},

	"decoupled.Store.Authentication": {call: func(k *kit) (any, error) { return k.db.Authentication(k.ctx, k.t, k.now, "waiting") }},
	"decoupled.Store.Authentications": {call: func(k *kit) (any, error) {
		return k.db.Authentications(k.ctx, k.t, k.now, "alice", 1000)
	}},
	"decoupled.Store.BeginAuthentication": {call: func(k *kit) (any, error) {
		return none(k.db.BeginAuthentication(k.ctx, k.t, k.authentication("another", decoupled.Waiting)))
	}},
	"decoupled.Store.Acknowledge": {call: func(k *kit) (any, error) {
		return none(k.db.Acknowledge(k.ctx, k.t, k.now, "identifying", time.Second, k.at(time.Hour)))
	}},
	"decoupled.Store.Settle": {call: func(k *kit) (any, error) { return none(k.granting("waiting")) }},
	"decoupled.Store.DropAuthentication": {call: func(k *kit) (any, error) {
		return none(k.db.DropAuthentication(k.ctx, k.t, "waiting", k.event(audit.Denied)))
	}},
	"decoupled.Store.Poll": {call: func(k *kit) (any, error) { return k.poll("waiting") }},
	"decoupled.Store.RedeemAuthentication": {call: func(k *kit) (any, error) {
		return none(k.db.RedeemAuthentication(k.ctx, k.t, k.now, k.redemption(k.grant("approved"))))
	}},

	"session.Register.ListSessions": {call: func(k *kit) (any, error) { return k.db.ListSessions(k.ctx, k.t, "", "", 1000) }},
	"session.Register.EndSessions": {call: func(k *kit) (any, error) {
		return k.db.EndSessions(k.ctx, k.t, "alice", "", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
	}},
	"session.Register.AmendSession": {call: func(k *kit) (any, error) {
		return none(k.db.AmendSession(k.ctx, k.t, "session", session.Amendment{UsedAt: k.at(time.Minute)}, k.event(audit.SessionChanged)))
	}},
	"session.Register.CountSessions": {call: func(k *kit) (any, error) {
		sessions, subjects, err := k.db.CountSessions(k.ctx, k.t, "", k.now)
		return []int64{sessions, subjects}, err
	}},
	"session.Register.ListSubjects":      {call: func(k *kit) (any, error) { return k.db.ListSubjects(k.ctx, k.t, "", k.now, 1000) }},
	"session.Register.PurgeSessions":     {call: func(k *kit) (any, error) { return k.db.PurgeSessions(k.ctx, k.t, k.at(9999*time.Hour), 1000) }},
	"grant.Register.CountAuthorizations": {call: func(k *kit) (any, error) { return k.db.CountAuthorizations(k.ctx, k.t, "", "app", "") }},
	"grant.Register.ListConsenting":      {call: func(k *kit) (any, error) { return k.db.ListConsenting(k.ctx, k.t, "", 1000) }},
	"grant.Register.ListConsented":       {call: func(k *kit) (any, error) { return k.db.ListConsented(k.ctx, k.t, "", 1000) }},
	"grant.Register.PutAuthorization": {call: func(k *kit) (any, error) {
		return none(k.db.PutAuthorization(k.ctx, k.t, grant.Authorization{Subject: "alice", ClientID: "app", UpdatedAt: k.now}, k.event(audit.Consented)))
	}},
	"grant.Register.Renounce":           {call: func(k *kit) (any, error) { return k.renounce("alice", "", "") }},
	"grant.Register.ListAuthorizations": {call: func(k *kit) (any, error) { return k.db.ListAuthorizations(k.ctx, k.t, "", "app", "", 1000) }},
	"grant.Records.ListRecords": {call: func(k *kit) (any, error) {
		rs, total, err := k.db.ListRecords(k.ctx, k.t, k.now, grant.Whose{}, 0, 1000)
		return []any{rs, total}, err
	}},
	"grant.Managed.ManagedGrants": {call: func(k *kit) (any, error) { return k.db.ManagedGrants(k.ctx, k.t, k.now, "managed") }},
	"grant.Managed.RevokeManaged": {call: func(k *kit) (any, error) { return k.revokeManaged("managed", "app") }},
	"grant.Records.NewestToken":   {call: func(k *kit) (any, error) { return k.db.NewestToken(k.ctx, k.t, k.now, "grant") }},
	"grant.Records.Batch":         {call: func(k *kit) (any, error) { return k.db.Batch(k.ctx, k.t, k.now, "batch") }},
	"grant.Records.Amend": {call: func(k *kit) (any, error) {
		g, a := k.refreshable("grant"), k.token("another", "grant")
		return none(k.db.Amend(k.ctx, k.t, k.now, k.amended(&g, 0, hash("token"), &a)))
	}},
	"grant.Records.DeriveAll": {call: func(k *kit) (any, error) {
		b := k.token("b", "")
		return none(k.db.DeriveAll(k.ctx, k.t, k.now, k.batch("second"), []grant.Derivation{{AccessToken: &b}}))
	}},
	"grant.Ledger.GrantedScopes": {call: func(k *kit) (any, error) { return k.db.GrantedScopes(k.ctx, k.t, "alice", "app") }},
	"grant.Ledger.RevokeGrants": {call: func(k *kit) (any, error) {
		return k.db.RevokeGrants(k.ctx, k.t, "alice", "app", k.now, tenant.Revocation{Subject: "alice", ClientID: "app", At: k.now, ExpiresAt: k.at(time.Hour)}, k.event(audit.GrantRevoked))
	}},
	"grant.Ledger.ForgetScopes": {call: func(k *kit) (any, error) {
		return k.db.ForgetScopes(k.ctx, k.t, "alice", "app", k.event(audit.ConsentForgotten))
	}},
	"grant.Register.ListGrants": {call: func(k *kit) (any, error) { return k.db.ListGrants(k.ctx, k.t, k.now, "alice", "", "", 1000) }},

	"outbox.Store.Owing":   {why: everyTenant},
	"outbox.Store.Backlog": {why: everyTenant},
	"outbox.Store.Owe":     {call: func(k *kit) (any, error) { return none(k.db.Owe(k.ctx, k.t, k.message("new", "alice"))) }},
	"outbox.Store.Messages": {call: func(k *kit) (any, error) {
		waiting, err := k.db.Messages(k.ctx, k.t, false, "", 1000)
		k.must(err)
		dead, err := k.db.Messages(k.ctx, k.t, true, "", 1000)
		return append(waiting, dead...), err
	}},
	"outbox.Store.Lease":     {call: func(k *kit) (any, error) { return k.db.Lease(k.ctx, k.t, k.now, k.at(time.Minute), 1000, nil) }},
	"outbox.Store.Delivered": {call: func(k *kit) (any, error) { return none(k.db.Delivered(k.ctx, k.t, "owed", 0)) }},
	"outbox.Store.PutOff": {call: func(k *kit) (any, error) {
		return none(k.db.PutOff(k.ctx, k.t, "owed", 0, k.at(time.Hour), "refused"))
	}},
	"outbox.Store.Bury":               {call: func(k *kit) (any, error) { return none(k.db.Bury(k.ctx, k.t, "owed", 0, k.now, "refused")) }},
	"outbox.Store.Replay":             {call: func(k *kit) (any, error) { return none(k.replay("lost", k.now)) }},
	"outbox.Store.Drop":               {call: func(k *kit) (any, error) { return k.drop(outbox.Letters{}, 10) }},
	"outbox.Webhooks.SuspendWebhooks": {why: everyTenant},
	"outbox.Webhooks.PutWebhook": {call: func(k *kit) (any, error) {
		return none(k.db.PutWebhook(k.ctx, k.t, k.webhook("another", outbox.EveryEvent), many, k.event(audit.WebhookCreated)))
	}},
	"outbox.Webhooks.Webhooks": {call: func(k *kit) (any, error) { return k.db.Webhooks(k.ctx, k.t) }},
	"outbox.Webhooks.Webhook":  {call: func(k *kit) (any, error) { return k.db.Webhook(k.ctx, k.t, "webhook") }},
	"outbox.Webhooks.UpdateWebhook": {call: func(k *kit) (any, error) {
		w := k.webhook("webhook", outbox.EveryEvent)
		w.Version, w.Enabled = 2, false
		return none(k.db.UpdateWebhook(k.ctx, k.t, w, k.event(audit.WebhookUpdated)))
	}},
	"outbox.Webhooks.DeleteWebhook": {call: func(k *kit) (any, error) {
		return none(k.db.DeleteWebhook(k.ctx, k.t, "webhook", k.event(audit.WebhookDeleted)))
	}},
	"outbox.Webhooks.WebhookMessages": {call: func(k *kit) (any, error) { return k.db.WebhookMessages(k.ctx, k.t, "webhook", false, "", 1000) }},
	"outbox.Webhooks.ReplayWebhook":   {call: func(k *kit) (any, error) { return k.db.ReplayWebhook(k.ctx, k.t, "webhook", "", k.now) }},
	"outbox.Webhooks.DropDeadLetters": {call: func(k *kit) (any, error) { return k.db.DropDeadLetters(k.ctx, k.t, "webhook") }},

	"device.Store.BeginDevice": {call: func(k *kit) (any, error) { return none(k.device("another", "another user code", many)) }},
	"device.Store.Device":      {call: func(k *kit) (any, error) { return k.db.Device(k.ctx, k.t, hash("user code")) }},

	"session.Store.Session":  {call: func(k *kit) (any, error) { return k.db.Session(k.ctx, k.t, "session") }},
	"session.Store.Sessions": {call: func(k *kit) (any, error) { return k.db.Sessions(k.ctx, k.t, "alice") }},
	"session.Store.EndSession": {call: func(k *kit) (any, error) {
		return k.db.EndSession(k.ctx, k.t, "session", k.now, k.at(time.Hour), k.event(audit.SessionEnded))
	}},
}
