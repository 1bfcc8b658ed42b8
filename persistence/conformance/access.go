package conformance

import (
	"slices"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// access reads who may administer the tenant.
func (k *kit) access() *admin.AccessRecord {
	k.Helper()
	a, err := k.db.Access(k.ctx, k.t)
	k.must(err)
	slices.SortFunc(a.Grants, func(x, y admin.Grant) int {
		if x.Principal+x.Role < y.Principal+y.Role {
			return -1
		}
		return 1
	})
	return a
}

func (k *kit) role(name string) admin.Role {
	return admin.Role{Name: name, Description: mark(k.t), Permissions: []admin.Permission{admin.ReadAudit, admin.ReadKeys}, UpdatedAt: k.now}
}

func (k *kit) serviceAccount(id string) admin.ServiceAccount {
	return admin.ServiceAccount{ID: id, Name: mark(k.t), CreatedAt: k.now, UpdatedAt: k.now}
}

func (k *kit) consoleToken(id, account string) tenant.APIToken {
	return tenant.APIToken{ID: id, Label: mark(k.t), Hash: hash(id), APIs: []tenant.API{tenant.ConsoleAPI}, CreatedAt: k.now, ServiceAccount: account}
}

// administered gives the tenant a role, a service account and a token of each kind.
func (k *kit) administered() {
	k.Helper()
	k.must(k.db.PutRole(k.ctx, k.t, k.access().Version, k.role("custom"), k.event(audit.RoleChanged)))
	k.must(k.db.PutServiceAccount(k.ctx, k.t, k.access().Version, k.serviceAccount("robot"), []string{"custom"}, k.event(audit.AccountCreated)))
	k.must(k.db.PutConsoleToken(k.ctx, k.t, k.access().Version, k.consoleToken("robots", "robot"), nil, k.event(audit.TokenCreated)))
	k.must(k.db.PutConsoleToken(k.ctx, k.t, k.access().Version, k.consoleToken("own", ""), []string{"owner", "custom"}, k.event(audit.TokenCreated)))
	k.must(k.db.PutGrants(k.ctx, k.t, k.access().Version, "user:alice", []string{"support"}, k.event(audit.RolesGranted)))
}

func (k *kit) given(principal, role string) admin.Grant {
	return admin.Grant{Principal: principal, Role: role, At: k.now, By: "admin"}
}

// putOut disables the account of a person, or removes it.
func (k *kit) putOut(sub string, remove bool, version int64) error {
	return k.db.PutOut(k.ctx, k.t, version, admin.PutOut{Subject: sub, Remove: remove, Revoked: tenant.Revocation{Subject: sub, At: k.now, ExpiresAt: k.at(time.Hour)}}, k.event(audit.UserUpdated))
}

var accesses = []promise{
	{"roles, service accounts and grants are read as they were made, and each change raises the version", func(k *kit) {
		before := k.access()
		k.administered()
		k.same(*k.access(), admin.AccessRecord{Version: before.Version + 5, Roles: []admin.Role{k.role("custom")},
			Accounts: []admin.ServiceAccount{k.serviceAccount("robot")}, Grants: []admin.Grant{k.given("service:robot", "custom"),
				k.given("token:own", "custom"), k.given("token:own", "owner"), k.given("user:alice", "support")}})
		k.same(k.feed(), []tenant.Change{{Tenant: k.t}, {Tenant: k.t}, {Tenant: k.t}, {Tenant: k.t}, {Tenant: k.t}})
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(r.Version, before.Version+5)
		k.same(len(r.Tokens), 3)
		k.same(r.Tokens[slices.IndexFunc(r.Tokens, func(x tenant.APIToken) bool { return x.ID == "robots" })], k.consoleToken("robots", "robot"))
	}},
	{"a token that reaches everything makes its tenant an owner", func(k *kit) {
		r := k.record(tenant.ID(newLabel()))
		r.Tokens[0].APIs = []tenant.API{tenant.AdminAPI}
		_, err := k.db.CreateTenant(k.ctx, r, k.event(audit.TenantCreated))
		k.must(err)
		a, err := k.db.Access(k.ctx, r.ID)
		k.must(err)
		k.same(a.Grants, []admin.Grant{k.given("token:token", "owner")})
	}},
	{"a role is changed, and goes with those who had it", func(k *kit) {
		k.administered()
		r := k.role("custom")
		r.Permissions, r.Description = []admin.Permission{admin.ReadUsage}, ""
		k.must(k.db.PutRole(k.ctx, k.t, k.access().Version, r, k.event(audit.RoleChanged)))
		k.same(k.access().Roles, []admin.Role{r})
		k.must(k.db.DeleteRole(k.ctx, k.t, k.access().Version, "custom", k.event(audit.RoleChanged)))
		a := k.access()
		k.same(a.Roles, []admin.Role{})
		k.same(a.Grants, []admin.Grant{k.given("token:own", "owner"), k.given("user:alice", "support")})
	}},
	{"a principal has those roles and no others", func(k *kit) {
		k.administered()
		ev := k.event(audit.RolesGranted)
		ev.At = k.at(time.Second)
		k.must(k.db.PutGrants(k.ctx, k.t, k.access().Version, "token:own", []string{"custom", "auditor"}, ev))
		late := admin.Grant{Principal: "token:own", Role: "auditor", At: k.at(time.Second), By: "admin"}
		k.same(k.access().Grants, []admin.Grant{k.given("service:robot", "custom"), late, k.given("token:own", "custom"), k.given("user:alice", "support")})
		k.must(k.db.PutGrants(k.ctx, k.t, k.access().Version, "token:own", nil, ev))
		k.same(len(k.access().Grants), 2)
	}},
	{"a service account is changed, and goes with its tokens and roles", func(k *kit) {
		k.administered()
		s := k.serviceAccount("robot")
		s.Name, s.Disabled, s.UpdatedAt = "renamed", true, k.at(time.Second)
		k.must(k.db.PutServiceAccount(k.ctx, k.t, k.access().Version, s, nil, k.event(audit.AccountUpdated)))
		k.same(k.access().Accounts, []admin.ServiceAccount{s})
		k.must(k.db.DeleteServiceAccount(k.ctx, k.t, k.access().Version, "robot", k.event(audit.AccountDeleted)))
		a := k.access()
		k.same(len(a.Accounts), 0)
		k.same(len(a.Grants), 3)
		r, err := k.db.Tenant(k.ctx, k.t)
		k.must(err)
		k.same(len(r.Tokens), 2)
	}},
	{"a token goes with its roles", func(k *kit) {
		k.administered()
		k.must(k.db.DropToken(k.ctx, k.t, k.access().Version, "own", k.event(audit.TokenRevoked)))
		a := k.access()
		k.same(a.Grants, []admin.Grant{k.given("service:robot", "custom"), k.given("user:alice", "support")})
	}},
	{"another version is ErrConflict, and nothing changes", func(k *kit) {
		k.administered()
		before := k.access()
		v := before.Version - 1
		ev := k.event(audit.RolesGranted)
		for _, err := range []error{
			k.db.PutRole(k.ctx, k.t, v, k.role("other"), ev), k.db.DeleteRole(k.ctx, k.t, v, "custom", ev),
			k.db.PutServiceAccount(k.ctx, k.t, v, k.serviceAccount("other"), []string{"owner"}, ev), k.db.DeleteServiceAccount(k.ctx, k.t, v, "robot", ev),
			k.db.PutGrants(k.ctx, k.t, v, "user:alice", []string{"owner"}, ev), k.db.PutConsoleToken(k.ctx, k.t, v, k.consoleToken("x", ""), []string{"owner"}, ev),
			k.db.DropToken(k.ctx, k.t, v, "own", ev), k.putOut("alice", false, v), k.putOut("alice", true, v),
		} {
			k.is(err, tenant.ErrConflict)
		}
		k.same(k.access(), before)
		_, err := k.db.Access(k.ctx, "nobody")
		k.is(err, tenant.ErrUnknown)
		k.is(k.db.PutGrants(k.ctx, "nobody", 1, "user:alice", nil, ev), tenant.ErrUnknown)
	}},
	{"who is put out loses sessions and grants, and who is removed roles and account too", func(k *kit) {
		k.administered()
		for _, sub := range []string{"alice", "bob"} {
			a := k.account(sub)
			k.must(k.db.CreateAccount(k.ctx, k.t, a, k.event(audit.UserCreated)))
		}
		k.begin(k.session("session"))
		before := k.access()
		k.must(k.putOut("alice", false, before.Version))
		a, err := k.db.Account(k.ctx, k.t, "alice")
		k.must(err)
		k.same(a.Disabled, true)
		_, err = k.db.Session(k.ctx, k.t, "session")
		k.is(err, session.ErrNotFound)
		after := k.access()
		k.same(after.Version, before.Version+1)
		k.same(after.Grants, before.Grants)
		_, revoked, err := k.db.Snapshot(k.ctx, k.t, k.now)
		k.must(err)
		k.same(len(revoked), 1)
		k.must(k.putOut("alice", true, after.Version))
		_, err = k.db.Account(k.ctx, k.t, "alice")
		k.is(err, account.ErrNotFound)
		k.same(len(k.access().Grants), len(before.Grants)-1)
		b, err := k.db.Account(k.ctx, k.t, "bob")
		k.must(err)
		k.same(b.Disabled, false)
	}},
	{"an event comes alone", func(k *kit) {
		k.must(k.db.Record(k.ctx, k.t, k.event(audit.AdminRefused)))
		k.same(k.events(), []audit.Kind{audit.AdminRefused})
	}},
}

// accessChange changes who may administer a tenant at a version.
type accessChange func(k *kit, i int, version int64) error

// race: when many change it at one version, one change is made.
func (change accessChange) race() raced {
	return raced{race: func(k *kit) {
		k.administered()
		v := k.access().Version
		k.oneWins(crowd(func(i int) error { return change(k, i, v) }), tenant.ErrConflict)
		k.same(k.access().Version, v+1)
	}}
}

func (change accessChange) kept() kept {
	return kept{call: func(k *kit) (any, error) { return none(change(k, 0, k.access().Version)) }}
}

var (
	putRole accessChange = func(k *kit, i int, v int64) error {
		return k.db.PutRole(k.ctx, k.t, v, k.role("r"+strconv.Itoa(i)), k.event(audit.RoleChanged))
	}
	deleteRole accessChange = func(k *kit, _ int, v int64) error {
		return k.db.DeleteRole(k.ctx, k.t, v, "custom", k.event(audit.RoleChanged))
	}
	putServiceAccount accessChange = func(k *kit, i int, v int64) error {
		return k.db.PutServiceAccount(k.ctx, k.t, v, k.serviceAccount("s"+strconv.Itoa(i)), []string{"owner"}, k.event(audit.AccountCreated))
	}
	deleteServiceAccount accessChange = func(k *kit, _ int, v int64) error {
		return k.db.DeleteServiceAccount(k.ctx, k.t, v, "robot", k.event(audit.AccountDeleted))
	}
	putGrants accessChange = func(k *kit, i int, v int64) error {
		return k.db.PutGrants(k.ctx, k.t, v, "user:"+strconv.Itoa(i), []string{"owner"}, k.event(audit.RolesGranted))
	}
	putConsoleToken accessChange = func(k *kit, i int, v int64) error {
		return k.db.PutConsoleToken(k.ctx, k.t, v, k.consoleToken("t"+strconv.Itoa(i), ""), []string{"owner"}, k.event(audit.TokenCreated))
	}
	putOut accessChange = func(k *kit, _ int, v int64) error {
		return k.putOut("alice", false, v)
	}
	dropToken accessChange = func(k *kit, _ int, v int64) error {
		return k.db.DropToken(k.ctx, k.t, v, "own", k.event(audit.TokenRevoked))
	}
)
