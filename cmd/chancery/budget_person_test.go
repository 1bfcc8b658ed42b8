package main

import (
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// A call of the administration by a person, with an access token, sends to PostgreSQL what one with an API token does: who the
// person is, and that nothing was revoked, is known without a statement.
func TestBudgetPerson(t *testing.T) {
	b := newBench(t)
	ctx, key := t.Context(), strings.Repeat("k", 40)
	if _, err := b.app.console.EnsurePlatform(ctx, key); err != nil {
		t.Fatal(err)
	}
	u, err := b.app.console.CreateUser(ctx, tenant.Platform, admin.NewUser{Username: "root"}, admin.By{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.app.console.PutAdministrator(ctx, tenant.Platform, admin.Person(u.Subject), []string{admin.Auditor}, admin.By{}); err != nil {
		t.Fatal(err)
	}
	platform, err := b.app.tenant(ctx, tenant.Platform)
	if err != nil {
		t.Fatal(err)
	}
	g := &grant.Grant{ID: "g", Subject: u.Subject, ClientID: tenant.CommandLine}
	token, _, _, err := (&grant.Issuer{Now: time.Now, Rand: rand.Reader}).MintAccess(ctx, platform, g, oauth.Scope{tenant.AdminScope}, []string{platform.AdminAPI()}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/admin/v1/tenants", "/admin/v1/tenants/acme"} {
		var counts []int
		for _, bearer := range []string{key, token} {
			for range 2 { // the first warms the snapshot and the policy
				b.counter.since()
				if r := b.call(t, http.MethodGet, path, "", "", "Authorization", "Bearer "+bearer); r.StatusCode != http.StatusOK {
					t.Fatalf("%s: %d", path, r.StatusCode)
				}
			}
			counts = append(counts, len(b.counter.since()))
		}
		t.Logf("%-30s %d with an API token, %d by a person", path, counts[0], counts[1])
		if counts[1] > counts[0] {
			t.Errorf("%s: a person's call sends %d statements, that of an API token %d", path, counts[1], counts[0])
		}
	}
}
