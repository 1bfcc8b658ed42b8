package conformance

import (
	"encoding/json"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

var accounts = []promise{
	{"an account is read as it was created, by subject and by folded name", func(k *kit) {
		a := k.account("alice")
		a.Username = "Älice"
		k.must(k.db.CreateAccount(k.ctx, k.t, a, k.event(audit.UserCreated)))
		got, err := k.db.Account(k.ctx, k.t, "alice")
		k.must(err)
		k.same(*got, a)
		got, err = k.db.AccountByName(k.ctx, k.t, account.Fold("äLICE"))
		k.must(err)
		k.same(*got, a)
	}},
	{"an unknown account is ErrNotFound, also where its name cannot be stored", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, account.Account{Subject: "nameless", CreatedAt: k.now, UpdatedAt: k.now}, k.event(audit.UserCreated)))
		for _, name := range []string{"none", "", "a\x00b", "\xff"} {
			_, err := k.db.Account(k.ctx, k.t, name)
			k.is(err, account.ErrNotFound)
			_, err = k.db.AccountByName(k.ctx, k.t, name)
			k.is(err, account.ErrNotFound)
		}
	}},
	{"a subject or a user name that is taken is ErrExists, in whatever case", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
		same := k.account("alice")
		same.Username = "another"
		k.is(k.db.CreateAccount(k.ctx, k.t, same, k.event(audit.UserCreated)), account.ErrExists)
		bob := k.account("bob")
		bob.Username = "NAME OF ALICE"
		k.is(k.db.CreateAccount(k.ctx, k.t, bob, k.event(audit.UserCreated)), account.ErrExists)
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("bob"), k.event(audit.UserCreated)))
		k.is(k.db.UpdateAccount(k.ctx, k.t, bob, bob.UpdatedAt, k.event(audit.UserUpdated)), account.ErrExists)
		k.same(k.events(), []audit.Kind{audit.UserCreated, audit.UserCreated})
	}},
	{"name, password and claims are replaced, and nothing else", func(k *kit) {
		a := k.account("alice")
		k.must(k.db.CreateAccount(k.ctx, k.t, a, k.event(audit.UserCreated)))
		read := a.UpdatedAt
		a.Username, a.PasswordHash, a.UpdatedAt = "new", "$new$", k.at(time.Minute)
		a.Claims = map[string]json.RawMessage{"email": json.RawMessage(`"a@example.com"`)}
		changed := a
		changed.CreatedAt, changed.Disabled = k.at(time.Hour), true
		k.must(k.db.UpdateAccount(k.ctx, k.t, changed, read, k.event(audit.UserUpdated)))
		got, err := k.db.Account(k.ctx, k.t, "alice")
		k.must(err)
		k.same(*got, a)
		k.is(k.db.UpdateAccount(k.ctx, k.t, k.account("none"), read, k.event(audit.UserUpdated)), account.ErrNotFound)
		k.is(k.db.UpdateAccount(k.ctx, k.t, changed, read, k.event(audit.UserUpdated)), account.ErrConflict)
	}},
	{"accounts are listed by subject, in pages", func(k *kit) {
		for _, sub := range []string{"c", "a", "b"} {
			k.must(k.db.CreateAccount(k.ctx, k.t, k.account(sub), k.event(audit.UserCreated)))
		}
		as, err := k.db.Accounts(k.ctx, k.t, "a", 1)
		k.must(err)
		k.same(as, []account.Account{k.account("b")})
	}},
	{"disabling ends sessions, revokes grants and is told; enabling revives none of them", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
		k.hangs("alice", true)
		r := tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}
		k.must(k.db.DisableAccount(k.ctx, k.t, "alice", k.at(time.Second), &r, k.event(audit.UserUpdated)))
		k.hangs("alice", false)
		who, err := k.db.SubjectOf(k.ctx, k.t, "alice", "app")
		k.must(err)
		k.same(who.Disabled, true)
		if who.Authorization == nil {
			k.Error("consent is forgotten")
		}
		k.same(k.journal(), []tenant.Revocation{r})
		k.same(k.feed(), []tenant.Change{{Tenant: k.t, Revocation: &r}})
		k.must(k.db.DisableAccount(k.ctx, k.t, "alice", k.at(time.Minute), nil, k.event(audit.UserUpdated)))
		got, err := k.db.Account(k.ctx, k.t, "alice")
		k.must(err)
		want := k.account("alice")
		want.UpdatedAt = k.at(time.Minute)
		k.same(*got, want)
		k.hangs("alice", false)
		k.is(k.db.DisableAccount(k.ctx, k.t, "none", k.now, &r, k.event(audit.UserUpdated)), account.ErrNotFound)
	}},
	{"deleting does the same, and forgets consent", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
		k.hangs("alice", true)
		r := tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}
		k.must(k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, r, k.event(audit.UserDeleted)))
		k.hangs("alice", false)
		_, err := k.db.Account(k.ctx, k.t, "alice")
		k.is(err, account.ErrNotFound)
		as, err := k.db.Authorizations(k.ctx, k.t, "alice")
		k.must(err)
		k.same(len(as), 0)
		k.same(k.journal(), []tenant.Revocation{r})
		k.is(k.db.DeleteAccount(k.ctx, k.t, "alice", k.now, r, k.event(audit.UserDeleted)), account.ErrNotFound)
	}},
	{"a code given while its subject was being disabled is worth nothing", func(k *kit) {
		k.must(k.db.CreateAccount(k.ctx, k.t, k.account("alice"), k.event(audit.UserCreated)))
		r := tenant.Revocation{Subject: "alice", At: k.now, ExpiresAt: k.at(time.Hour)}
		k.must(k.db.DisableAccount(k.ctx, k.t, "alice", k.now, &r, k.event(audit.UserUpdated)))
		g := k.grant("late")
		k.finish(nil, &g)
		k.is(k.redeem(g), grant.ErrNotFound)
	}},
}

// hangs gives a subject a session, a grant in it, an offline grant and consent, or fails the test where one of the
// first three stands still.
func (k *kit) hangs(sub string, give bool) {
	k.Helper()
	if give {
		s, g, o, z := k.session("session of "+sub), k.grant("grant of "+sub), k.grant("offline grant of "+sub), k.authorization("app")
		s.Subject, g.Subject, o.Subject, z.Subject = sub, sub, sub, sub
		g.SessionID, o.SessionID, o.Terms.Scope = s.ID, s.ID, append(o.Terms.Scope, "offline_access")
		k.begin(s)
		k.finish(&z, &g)
		k.finish(nil, &o)
		return
	}
	_, err := k.db.Session(k.ctx, k.t, "session of "+sub)
	k.is(err, session.ErrNotFound)
	for _, id := range []string{"grant of " + sub, "offline grant of " + sub} {
		g, err := k.db.Grant(k.ctx, k.t, id)
		k.must(err)
		if g.RevokedAt.IsZero() {
			k.Errorf("%s stands", id)
		}
	}
}
