package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// as is a principal of a tenant as it is now.
func (b *bench) as(t *testing.T, home tenant.ID, principal string) By {
	t.Helper()
	return By{Actor: principal, Caller: &Caller{Home: b.snapshot(t, home), Principal: principal,
		Resolve: func(_ context.Context, id tenant.ID) (*tenant.Tenant, error) {
			if _, ok := b.store.records[id]; !ok {
				return nil, tenant.ErrUnknown
			}
			return b.snapshot(t, id), nil
		}}}
}

func (b *bench) snapshot(t *testing.T, id tenant.ID) *tenant.Tenant {
	t.Helper()
	r := b.read(t, id)
	return &tenant.Tenant{ID: id, Version: r.Version, Tokens: r.Tokens}
}

// administered makes the platform and two tenants, with one service account per built-in role, of that name.
func administered(t *testing.T) *bench {
	t.Helper()
	b := newBench(t)
	if _, err := b.EnsurePlatform(t.Context(), "a platform token of 32 characters"); err != nil {
		t.Fatal(err)
	}
	b.create(t, "acme", tenant.Settings{})
	b.create(t, "globex", tenant.Settings{})
	for _, id := range []tenant.ID{tenant.Platform, "acme", "globex"} {
		for _, r := range builtIns(id) {
			b.account(t, id, r.name, r.name)
		}
	}
	return b
}

// account makes a service account with a token that can act.
func (b *bench) account(t *testing.T, id tenant.ID, name string, roles ...string) {
	t.Helper()
	v := b.read(t, id).Version
	if err := b.store.PutServiceAccount(t.Context(), id, v, ServiceAccount{ID: name, Name: name}, roles, audit.Event{}); err != nil {
		t.Fatal(err)
	}
	k := tenant.APIToken{ID: name, APIs: []tenant.API{tenant.ConsoleAPI}, ServiceAccount: name}
	if err := b.store.PutConsoleToken(t.Context(), id, v+1, k, nil, audit.Event{}); err != nil {
		t.Fatal(err)
	}
}

func TestWhatRolesMay(t *testing.T) {
	b := administered(t)
	v := b.read(t, "acme").Version
	if err := b.store.PutGrants(t.Context(), "acme", v, "user:carol", []string{Support}, audit.Event{}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		rule      string
		home      tenant.ID
		principal string
		id        tenant.ID
		p         Permission
		want      string // error code
	}{
		{"the platform's owner may do everything at the platform", "platform", "service:owner", "platform", WriteAccess, ""},
		{"and create tenants", "platform", "service:owner", "", CreateTenants, ""},
		{"and everything at tenants", "platform", "service:owner", "acme", WriteAccess, ""},
		{"an operator creates tenants", "platform", "service:operator", "", CreateTenants, ""},
		{"and may delete them", "platform", "service:operator", "acme", DeleteTenants, ""},
		{"but not say who administers the platform", "platform", "service:operator", "platform", WriteAccess, "insufficient_scope"},
		{"nor make tokens of the platform", "platform", "service:operator", "platform", WriteTokens, "insufficient_scope"},
		{"an auditor of the platform reads at tenants", "platform", "service:auditor", "acme", ReadAudit, ""},
		{"and changes nothing", "platform", "service:auditor", "acme", WriteTenant, "insufficient_scope"},
		{"nor creates any", "platform", "service:auditor", "", CreateTenants, "insufficient_scope"},
		{"a tenant's owner says who administers it", "acme", "service:owner", "acme", WriteAccess, ""},
		{"but does not delete it", "acme", "service:owner", "acme", DeleteTenants, "insufficient_scope"},
		{"nor list tenants", "acme", "service:owner", "", ListTenants, "insufficient_scope"},
		{"and another tenant is as one that does not exist", "acme", "service:owner", "globex", ReadTenant, "not_found"},
		{"and so is the platform", "acme", "service:owner", "platform", ReadTenant, "not_found"},
		{"and so is one that does not exist", "acme", "service:owner", "nobody", ReadTenant, "not_found"},
		{"a tenant's admin changes settings", "acme", "service:admin", "acme", WriteTenant, ""},
		{"but not who administers it", "acme", "service:admin", "acme", WriteAccess, "insufficient_scope"},
		{"a developer changes clients", "acme", "service:developer", "acme", WriteClients, ""},
		{"and not users", "acme", "service:developer", "acme", ReadUsers, "insufficient_scope"},
		{"support ends sessions", "acme", "service:support", "acme", WriteSessions, ""},
		{"and sees no keys", "acme", "service:support", "acme", ReadKeys, "insufficient_scope"},
		{"an auditor reads who administers", "acme", "service:auditor", "acme", ReadAccess, ""},
		{"and gives no roles", "acme", "service:auditor", "acme", WriteAccess, "insufficient_scope"},
		{"who has no role may do nothing", "acme", "service:nobody", "acme", ReadTenant, "insufficient_scope"},
		{"a person of the platform has the roles that a tenant gave", "platform", "user:carol", "acme", WriteUsers, ""},
		{"there alone", "platform", "user:carol", "globex", WriteUsers, "insufficient_scope"},
		{"and those alone", "platform", "user:carol", "acme", WriteClients, "insufficient_scope"},
		{"and at no tenant that does not exist", "platform", "user:carol", "nobody", WriteUsers, "insufficient_scope"},
	} {
		err := b.Check(t.Context(), tt.id, tt.p, b.as(t, tt.home, tt.principal))
		if code := codeOf(err); code != tt.want {
			t.Errorf("%s: got %v, want %s", tt.rule, err, tt.want)
		}
		es := b.store.events[tt.home]
		if refused := es[len(es)-1].Kind == audit.AdminRefused; refused != (tt.want != "") {
			t.Errorf("%s: recorded as refused: %v", tt.rule, refused)
		}
		b.store.events[tt.home] = append(es, audit.Event{})
	}
}

func TestNobodyGrantsMoreThanTheyHold(t *testing.T) {
	b := administered(t)
	ctx := t.Context()
	delegate := Role{Name: "delegate", Permissions: []Permission{ReadAccess, WriteAccess, WriteTokens, ReadClients, WriteClients}}
	if _, err := b.PutRole(ctx, "acme", delegate, By{}); err != nil {
		t.Fatal(err)
	}
	b.account(t, "acme", "delegate", "delegate")
	b.account(t, "acme", "plain")
	by := func() By { return b.as(t, "acme", "service:delegate") }
	give := func(principal string, roles ...string) error {
		_, err := b.PutAdministrator(ctx, "acme", principal, roles, by())
		return err
	}
	token := func(n NewToken) error {
		_, _, err := b.CreateToken(ctx, "acme", n, by())
		return err
	}
	for _, tt := range []struct {
		rule string
		do   func() error
		code string
	}{
		{"a role within its own", func() error { return give("service:plain", Developer) }, ""},
		{"one that is its own", func() error { return give("service:plain", "delegate") }, ""},
		{"a role above its own", func() error { return give("service:plain", Owner) }, "insufficient_scope"},
		{"nor one that overlaps", func() error { return give("service:plain", Developer, Support) }, "insufficient_scope"},
		{"nor to itself", func() error { return give("service:delegate", Owner) }, "insufficient_scope"},
		{"taking the roles of who holds more", func() error { return give("service:owner") }, "insufficient_scope"},
		{"a role of its own making above its own", func() error {
			_, err := b.PutRole(ctx, "acme", Role{Name: "more", Permissions: []Permission{WriteKeys}}, by())
			return err
		}, "insufficient_scope"},
		{"widening the role that it has", func() error {
			_, err := b.PutRole(ctx, "acme", Role{Name: "delegate", Permissions: []Permission{WriteAccess, WriteKeys}}, by())
			return err
		}, "insufficient_scope"},
		{"a built-in role", func() error {
			_, err := b.PutRole(ctx, "acme", Role{Name: Developer, Permissions: []Permission{WriteClients}}, by())
			return err
		}, "invalid_request"},
		{"a permission that is the platform's", func() error {
			_, err := b.PutRole(ctx, "acme", Role{Name: "more", Permissions: []Permission{CreateTenants}}, By{})
			return err
		}, "invalid_request"},
		{"a token with a role above its own", func() error { return token(NewToken{APIs: []tenant.API{tenant.ConsoleAPI}, Roles: []string{Admin}}) }, "insufficient_scope"},
		{"a token for an account above its own", func() error { return token(NewToken{APIs: []tenant.API{tenant.ConsoleAPI}, ServiceAccount: "owner"}) }, "insufficient_scope"},
		{"a token with a role within its own", func() error {
			return token(NewToken{APIs: []tenant.API{tenant.ConsoleAPI}, Roles: []string{Developer}})
		}, ""},
		{"a token of an API within its own", func() error { return token(NewToken{APIs: []tenant.API{tenant.ClientAPI}}) }, ""},
		{"a token of an API above its own", func() error { return token(NewToken{APIs: []tenant.API{tenant.SessionAPI}}) }, "insufficient_scope"},
		{"a token for every API", func() error { return token(NewToken{APIs: []tenant.API{tenant.AllAPIs}}) }, "insufficient_scope"},
		{"a token for everything", func() error { return token(NewToken{APIs: []tenant.API{tenant.AdminAPI}}) }, "invalid_request"},
		{"a role that there is not", func() error { return give("service:plain", "emperor") }, "invalid_request"},
		{"roles for who is nobody", func() error { return give("service:nobody", Developer) }, "not_found"},
		{"nor for a token that does not open the administration", func() error { return give("token:"+b.read(t, "acme").Tokens[0].ID, Developer) }, "not_found"},
		{"revoking the token of who holds more", func() error { return b.RevokeToken(ctx, "acme", "owner", by()) }, "insufficient_scope"},
		{"disabling who holds more", func() error {
			_, err := b.UpdateServiceAccount(ctx, "acme", "admin", nil, new(true), by())
			return err
		}, "insufficient_scope"},
		{"deleting who holds more", func() error { return b.DeleteServiceAccount(ctx, "acme", "admin", by()) }, "insufficient_scope"},
		{"an account above its own", func() error {
			_, err := b.CreateServiceAccount(ctx, "acme", NewServiceAccount{Name: "x", Roles: []string{Admin}}, by())
			return err
		}, "insufficient_scope"},
		{"an account within its own", func() error {
			_, err := b.CreateServiceAccount(ctx, "acme", NewServiceAccount{Name: "x", Roles: []string{Developer}}, by())
			return err
		}, ""},
	} {
		before := len(b.store.events["acme"])
		err := tt.do()
		if code := codeOf(err); code != tt.code {
			t.Errorf("%s: got %v, want %s", tt.rule, err, tt.code)
		}
		es := b.store.events["acme"]
		if tt.code == "insufficient_scope" && (len(es) != before+1 || es[len(es)-1].Kind != audit.AdminRefused) {
			t.Errorf("%s: the refusal is not recorded", tt.rule)
		}
	}
	// An operator of the platform holds all of a tenant and nothing of the platform.
	op := func() By { return b.as(t, tenant.Platform, "service:operator") }
	if _, err := b.PutAdministrator(ctx, "acme", "service:plain", []string{Owner}, op()); err != nil {
		t.Errorf("an operator makes an owner of a tenant: %v", err)
	}
	if _, err := b.PutAdministrator(ctx, tenant.Platform, "service:operator", []string{Owner}, op()); codeOf(err) != "insufficient_scope" {
		t.Errorf("an operator makes itself the platform's owner: %v", err)
	}
	if _, _, err := b.CreateToken(ctx, tenant.Platform, NewToken{APIs: []tenant.API{tenant.AdminAPI}}, op()); codeOf(err) != "insufficient_scope" {
		t.Errorf("an operator makes a token for everything: %v", err)
	}
}

func TestTheLastOwnerStays(t *testing.T) {
	b := administered(t)
	ctx := t.Context()
	owner := func() By { return b.as(t, "acme", "service:owner") }
	last := func(rule string, err error) {
		t.Helper()
		if !errors.Is(err, ErrForbidden) {
			t.Errorf("%s: got %v", rule, err)
		}
	}
	_, err := b.PutAdministrator(ctx, "acme", "service:owner", []string{Admin}, owner())
	last("giving up the role", err)
	_, err = b.PutAdministrator(ctx, "acme", "service:owner", nil, By{})
	last("taking it away", err)
	last("deleting the account", b.DeleteServiceAccount(ctx, "acme", "owner", owner()))
	_, err = b.UpdateServiceAccount(ctx, "acme", "owner", nil, new(true), owner())
	last("disabling the account", err)
	last("revoking its only token", b.RevokeToken(ctx, "acme", "owner", owner()))

	// Another owner who cannot act does not count.
	b.account(t, "acme", "second", Owner)
	if _, err := b.UpdateServiceAccount(ctx, "acme", "second", nil, new(true), owner()); err != nil {
		t.Fatal(err)
	}
	last("with another that is disabled", b.DeleteServiceAccount(ctx, "acme", "owner", By{}))
	k, _, err := b.CreateToken(ctx, "acme", NewToken{APIs: []tenant.API{tenant.ConsoleAPI}, Roles: []string{Owner}, ExpiresAt: b.time.Add(time.Hour)}, owner())
	if err != nil {
		t.Fatal(err)
	}
	b.time = b.time.Add(2 * time.Hour)
	last("with another that has expired", b.DeleteServiceAccount(ctx, "acme", "owner", By{}))
	b.time = b.time.Add(-2 * time.Hour)
	// Of two changes that each take one of two owners away, one is made.
	b.store.between = func(id tenant.ID) {
		b.store.between = nil
		if err := b.RevokeToken(ctx, "acme", k.ID, By{}); err != nil {
			t.Error(err)
		}
	}
	last("when the other goes meanwhile", b.DeleteServiceAccount(ctx, "acme", "owner", By{}))
	if _, err := b.UpdateServiceAccount(ctx, "acme", "second", nil, new(false), owner()); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteServiceAccount(ctx, "acme", "owner", By{}); err != nil {
		t.Errorf("with another that can act: %v", err)
	}
}

func TestRolesAreListed(t *testing.T) {
	b := administered(t)
	if _, err := b.PutRole(t.Context(), "acme", Role{Name: "help-desk", Permissions: []Permission{WriteUsers, ReadUsers, ReadUsers}}, By{}); err != nil {
		t.Fatal(err)
	}
	var names []string
	rs, err := b.Roles(t.Context(), "acme")
	for _, r := range rs {
		names = append(names, r.Name)
	}
	if want := []string{Owner, Admin, Developer, Support, Auditor, "help-desk"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %v, %v", names, err)
	}
	if r, err := b.Role(t.Context(), "acme", "help-desk"); err != nil || !slices.Equal(r.Permissions, []Permission{ReadUsers, WriteUsers}) {
		t.Errorf("got %+v, %v", r, err)
	}
	for _, r := range []Role{{Name: "Upper", Permissions: reading}, {Name: "x"}, {Name: "", Permissions: reading}, {Name: "y", Permissions: []Permission{"all"}},
		{Name: "z", Permissions: reading, Description: "two\nlines"}} {
		if _, err := b.PutRole(t.Context(), "acme", r, By{}); codeOf(err) != "invalid_request" {
			t.Errorf("%+v: got %v", r, err)
		}
	}
	if err := b.DeleteRole(t.Context(), "acme", Owner, By{}); codeOf(err) != "invalid_request" {
		t.Errorf("removing a built-in role: %v", err)
	}
	if err := b.DeleteRole(t.Context(), "acme", "nothing", By{}); codeOf(err) != "not_found" {
		t.Errorf("removing what there is not: %v", err)
	}
}

// many is a store of many tenants, each with three administrators and a role of its own.
type many struct{ memory }

func (many) Access(_ context.Context, id tenant.ID) (*AccessRecord, error) {
	return &AccessRecord{Version: 1, Roles: []Role{{Name: "own", Permissions: []Permission{ReadAudit}}},
		Grants: []Grant{{Principal: "token:a", Role: Owner}, {Principal: "token:b", Role: "own"}, {Principal: "token:" + string(id), Role: Developer}}}, nil
}

func TestPolicyOfManyTenants(t *testing.T) {
	y := NewPolicy(&many{})
	const n = 5000
	for i := range n {
		id := tenant.ID(fmt.Sprintf("t%d", i))
		at := &tenant.Tenant{ID: id, Version: 1}
		for _, tt := range []struct {
			principal string
			p         Permission
			want      bool
		}{
			{"token:a", WriteAccess, true}, {"token:b", ReadAudit, true}, {"token:b", ReadKeys, false},
			{"token:" + string(id), WriteClients, true}, {fmt.Sprintf("token:t%d", i+1), WriteClients, false},
		} {
			if got, err := y.Allows(t.Context(), at, tt.principal, OnTenant, tt.p); err != nil || got != tt.want {
				t.Fatalf("%s, %s, %s: %v, %v", id, tt.principal, tt.p, got, err)
			}
		}
	}
	allowed, refused, loads := y.Stats()
	if allowed != 3*n || refused != 2*n || loads != n {
		t.Errorf("%d allowed, %d refused, %d loads", allowed, refused, loads)
	}
	y.enforcers.CleanUp()
	if size := y.enforcers.EstimatedSize(); size > maxEnforcers {
		t.Errorf("%d enforcers are kept", size)
	}
}

func BenchmarkDecision(b *testing.B) {
	y := NewPolicy(&many{})
	b.Run("warm", func(b *testing.B) {
		at := &tenant.Tenant{ID: "acme", Version: 1}
		for b.Loop() {
			if ok, err := y.Allows(b.Context(), at, "token:a", OnTenant, ReadUsage); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
	b.Run("cold", func(b *testing.B) {
		at := &tenant.Tenant{ID: "acme"}
		for b.Loop() {
			at.Version++
			if ok, err := y.Allows(b.Context(), at, "token:a", OnTenant, ReadUsage); !ok || err != nil {
				b.Fatal(ok, err)
			}
		}
	})
}
