package tenant_test

import (
	"crypto/sha256"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func TestParseID(t *testing.T) {
	for s, ok := range map[string]bool{
		"acme": true, "a": true, "0": true, "a-b-1": true, strings.Repeat("a", 63): true,
		"": false, "-a": false, "a-": false, "-": false, "A": false, "a.b": false, "a_b": false, "a b": false, "ä": false,
		"a\x00": false, "a\n": false, "a/b": false, "a%62": false, strings.Repeat("a", 64): false,
	} {
		got, err := tenant.ParseID(s)
		if (err == nil) != ok || ok && string(got) != s || !ok && (err != tenant.ErrUnknown || got != "") {
			t.Errorf("ParseID(%q) = %q, %v", s, got, err)
		}
	}
}

func hash(s string) []byte { h := sha256.Sum256([]byte(s)); return h[:] }

func TestToken(t *testing.T) {
	acme := &tenant.Tenant{Tokens: []tenant.APIToken{
		{ID: "old", Hash: hash("chy_old"), ExpiresAt: epoch},
		{ID: "one", Hash: hash("chy_one")},
		{ID: "two", Hash: hash("chy_two"), ExpiresAt: epoch.Add(time.Second)},
		{ID: "cut", Hash: hash("chy_cut")[:16]},
		{ID: "none"},
	}}
	for _, tt := range []struct{ rule, bearer, want string }{
		{"a token that does not expire", "chy_one", "one"},
		{"one of several", "chy_two", "two"},
		{"one that has expired", "chy_old", ""},
		{"an unknown one", "chy_three", ""},
		{"none", "", ""},
		{"a hash in place of the token", string(hash("chy_one")), ""},
		{"one whose stored hash is damaged", "chy_cut", ""},
	} {
		got := ""
		if k := acme.Token(tt.bearer, epoch); k != nil {
			got = k.ID
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.rule, got, tt.want)
		}
	}
}

func TestReaches(t *testing.T) {
	for _, tt := range []struct {
		rule string
		apis []tenant.API
		api  tenant.API
		want bool
	}{
		{"a token reaches its API", []tenant.API{tenant.KeyAPI}, tenant.KeyAPI, true},
		{"and no other", []tenant.API{tenant.KeyAPI, tenant.LogoutAPI}, tenant.AuthzAPI, false},
		{"one for all reaches each", []tenant.API{tenant.AllAPIs}, tenant.AuthzAPI, true},
		{"but not the operator's", []tenant.API{tenant.AllAPIs}, tenant.AdminAPI, false},
		{"which has to be named", []tenant.API{tenant.AdminAPI}, tenant.AdminAPI, true},
		{"the operator's reaches no other", []tenant.API{tenant.AdminAPI}, tenant.AuthzAPI, false},
		{"one for nothing reaches nothing", nil, tenant.AuthzAPI, false},
	} {
		if got := (&tenant.APIToken{APIs: tt.apis}).Reaches(tt.api); got != tt.want {
			t.Errorf("%s: %v", tt.rule, got)
		}
	}
}

func TestClient(t *testing.T) {
	c := &tenant.Client{Secrets: []tenant.ClientSecret{
		{Hash: hash("new")},
		{Hash: hash("old"), ExpiresAt: epoch.Add(time.Second)},
		{Hash: hash("gone"), ExpiresAt: epoch},
	}}
	for secret, want := range map[string]bool{"new": true, "old": true, "gone": false, "else": false, "": false} {
		if got := c.CheckSecret(secret, epoch); got != want {
			t.Errorf("CheckSecret(%q) = %v", secret, got)
		}
	}
	if (&tenant.Client{}).CheckSecret("", epoch) {
		t.Error("a client without secrets has the empty one")
	}
	if !c.MayGrant("authorization_code") || c.MayGrant("refresh_token") || !c.MayRespond("code") || c.MayRespond("id_token") {
		t.Error("RFC 7591 §2: without grant and response types, authorization_code and code")
	}
	c.GrantTypes, c.ResponseTypes = []string{"client_credentials", "implicit"}, []string{"token  id_token"}
	if c.MayGrant("authorization_code") || !c.MayGrant("client_credentials") || c.MayRespond("code") || !c.MayRespond("id_token token") {
		t.Error("what is registered replaces the defaults")
	}
	if c.Public() || c.Native() {
		t.Error("a client is confidential, and of the web, unless it says otherwise")
	}
	c.TokenEndpointAuthMethod, c.ApplicationType = "none", "native"
	if !c.Public() || !c.Native() {
		t.Error("a native client without credentials")
	}
}

func TestJournal(t *testing.T) {
	until := epoch.Add(time.Hour)
	of := func(token, grant, subject, actor, client string, at time.Duration) tenant.Issued {
		return tenant.Issued{Token: token, Grant: grant, Subject: subject, Actor: actor, ClientID: client, At: epoch.Add(at)}
	}
	for _, tt := range []struct {
		rule    string
		revoked tenant.Revocation
		token   tenant.Issued
		want    bool
	}{
		{"a grant's token", tenant.Revocation{Grant: "g"}, of("t", "g", "s", "", "c", 0), true},
		{"whenever it was issued", tenant.Revocation{Grant: "g", At: epoch}, of("t", "g", "s", "", "c", time.Hour), true},
		{"another grant's", tenant.Revocation{Grant: "g"}, of("t", "h", "s", "", "c", 0), false},
		{"a token of no grant", tenant.Revocation{Grant: "g"}, of("t", "", "s", "", "c", 0), false},
		{"a grant's id is no token's", tenant.Revocation{Grant: "x"}, of("x", "g", "s", "", "c", 0), false},
		{"a token", tenant.Revocation{Token: "t"}, of("t", "g", "s", "", "c", 0), true},
		{"another token", tenant.Revocation{Token: "t"}, of("u", "g", "s", "", "c", 0), false},
		{"a subject's token", tenant.Revocation{Subject: "s", At: epoch}, of("t", "g", "s", "", "c", 0), true},
		{"issued in the same second", tenant.Revocation{Subject: "s", At: epoch}, of("t", "g", "s", "", "c", 999*time.Millisecond), true},
		{"issued later", tenant.Revocation{Subject: "s", At: epoch}, of("t", "g", "s", "", "c", time.Second), false},
		{"another subject's", tenant.Revocation{Subject: "s", At: epoch}, of("t", "g", "r", "", "c", 0), false},
		{"a subject's at one client", tenant.Revocation{Subject: "s", ClientID: "c", At: epoch}, of("t", "g", "s", "", "c", 0), true},
		{"a subject's at another client", tenant.Revocation{Subject: "s", ClientID: "c", At: epoch}, of("t", "g", "s", "", "d", 0), false},
		{"a client's of every subject", tenant.Revocation{ClientID: "c", At: epoch}, of("t", "g", "s", "", "c", 0), true},
		{"a client's own", tenant.Revocation{ClientID: "c", At: epoch}, of("t", "g", "", "", "c", 0), true},
		{"a subject's with an actor", tenant.Revocation{Subject: "s", Actor: "a", At: epoch}, of("t", "g", "s", "a", "c", 0), true},
		{"a subject's with another actor", tenant.Revocation{Subject: "s", Actor: "a", At: epoch}, of("t", "g", "s", "", "c", 0), false},
		{"an actor's, of every subject", tenant.Revocation{Actor: "a", At: epoch}, of("t", "g", "s", "a", "c", 0), true},
	} {
		tt.revoked.ExpiresAt = until
		j := tenant.NewJournal(tt.revoked)
		if got := j.Revoked(tt.token); got != tt.want {
			t.Errorf("%s: revoked is %v", tt.rule, got)
		}
		j.Prune(until.Add(-time.Nanosecond))
		if got := j.Revoked(tt.token); got != tt.want {
			t.Errorf("%s: after an early pruning revoked is %v", tt.rule, got)
		}
		if j.Prune(until); j.Revoked(tt.token) {
			t.Errorf("%s: it stays after it has expired", tt.rule)
		}
	}
}

func TestJournalDoesNotGrowByRepeats(t *testing.T) {
	j := tenant.NewJournal()
	for i := range 1000 {
		at := epoch.Add(time.Duration(i%10) * time.Second)
		j.Add(
			tenant.Revocation{Grant: "g", ExpiresAt: at},
			tenant.Revocation{Subject: "s", At: at, ExpiresAt: at},
			tenant.Revocation{Subject: "s", ClientID: "c", At: at, ExpiresAt: at},
		)
	}
	if n := j.Len(); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
	last := epoch.Add(9 * time.Second)
	if !j.Revoked(tenant.Issued{Subject: "s", At: last}) {
		t.Error("an earlier repeat narrowed the revocation")
	}
	if j.Prune(last.Add(-time.Nanosecond)); j.Len() != 3 {
		t.Error("an earlier repeat ends before the last")
	}
}

func TestJournalIsSafeForConcurrentUse(t *testing.T) {
	j := tenant.NewJournal()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 500 {
				j.Add(tenant.Revocation{Subject: "s", At: epoch, ExpiresAt: epoch.Add(time.Duration(i))})
				j.Revoked(tenant.Issued{Subject: "s", At: epoch})
				j.Prune(epoch)
			}
		})
	}
	wg.Wait()
}

func BenchmarkRevoked(b *testing.B) {
	j := tenant.NewJournal(tenant.Revocation{Grant: "g"}, tenant.Revocation{Subject: "s", ClientID: "x"})
	b.ReportAllocs()
	for b.Loop() {
		if j.Revoked(tenant.Issued{Token: "t", Grant: "h", Subject: "s", ClientID: "c", At: epoch}) {
			b.Fatal()
		}
	}
}
