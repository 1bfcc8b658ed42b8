package admin

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestCreateTenantBare(t *testing.T) {
	b := newBench(t)
	out := b.create(t, "acme", tenant.Settings{Name: "Acme"})
	r := b.read(t, "acme")
	if want := (Created{TenantID: "acme", ServiceID: 1_000_001, Issuer: "http://127.0.0.1:8080/t/acme", APIToken: out.APIToken}); !cmp.Equal(out, want) {
		t.Errorf("created: %s", cmp.Diff(want, out))
	}
	if !regexp.MustCompile(`^chy_[A-Za-z0-9_-]{43}$`).MatchString(out.APIToken) {
		t.Errorf("the API token is not the prefix and 256 bits: %d characters", len(out.APIToken))
	}
	if h := sha256.Sum256([]byte(out.APIToken)); len(r.Tokens) != 1 || !bytes.Equal(r.Tokens[0].Hash, h[:]) || !r.Tokens[0].Reaches(tenant.AuthzAPI) {
		t.Errorf("the tenant has not the token's hash for every API: %+v", r.Tokens)
	}
	if algs := keys.NewSet(r.Keys).Algs(b.time); !slices.Equal(algs, []keys.Alg{keys.RS256, keys.ES256}) {
		t.Errorf("it signs with %v", algs)
	}
	if len(r.Secret.Bytes()) != 32 || !r.Enabled || r.Settings.Name != "Acme" {
		t.Errorf("secret, flag or settings are missing: %+v", r)
	}
	want := []audit.Event{{At: b.time, Kind: audit.TenantCreated, Actor: "test", Detail: map[string]string{"issuer": r.Issuer, "template": ""}}}
	if diff := cmp.Diff(want, b.store.events["acme"]); diff != "" {
		t.Errorf("the record of it: %s", diff)
	}
}

func TestCreateTenantStarter(t *testing.T) {
	b := newBench(t)
	out, err := b.CreateTenant(t.Context(), New{ID: "acme", Template: Starter}, By{Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	made, user := b.clients.made["acme"], b.accounts.made["acme"]
	if len(made) != 1 || len(user) != 1 || out.Client == nil || out.User == nil {
		t.Fatalf("%d clients and %d users were made: %+v", len(made), len(user), out)
	}
	c := made[0]
	if !c.CheckSecret(out.Client.Secret, b.time) || c.Public() || c.RequirePKCE || c.Scope != "" {
		t.Errorf("the client is not confidential, without demand for PKCE and free to ask for any scope: %+v", c)
	}
	for _, g := range []string{"authorization_code", "refresh_token", "client_credentials", "urn:openid:params:grant-type:ciba", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"} {
		if !c.MayGrant(g) {
			t.Errorf("the client lacks the grant %s", g)
		}
	}
	if user[0].Username != "alice" || user[0].PasswordHash == "" || out.User.Subject != user[0].Subject {
		t.Errorf("the user: %+v", user[0])
	}
	// The object of the contract: these members and no others.
	var members map[string]any
	raw, _ := json.Marshal(out)
	if err := json.Unmarshal(raw, &members); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"tenant_id": "acme", "service_id": float64(out.ServiceID), "issuer": out.Issuer, "api_token": out.APIToken,
		"client": map[string]any{"client_id": c.ID, "client_secret": out.Client.Secret,
			"redirect_uris": []any{"http://127.0.0.1:8765/cb"},
			"grant_types":   []any{"authorization_code", "refresh_token", "client_credentials", "urn:openid:params:grant-type:ciba", "urn:ietf:params:oauth:grant-type:device_code", "urn:ietf:params:oauth:grant-type:token-exchange"}},
		"user": map[string]any{"sub": user[0].Subject, "username": "alice", "password": out.User.Password},
	}
	if diff := cmp.Diff(want, members); diff != "" {
		t.Error(diff)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if s := fmt.Sprintf(verb, out); strings.Contains(s, out.APIToken) || strings.Contains(s, out.User.Password) || strings.Contains(s, out.Client.Secret) {
			t.Errorf("%s prints a secret", verb)
		}
	}
}

func TestHalfAStarterIsTakenBack(t *testing.T) {
	b := newBench(t)
	_, err := b.CreateTenant(t.Context(), New{ID: "acme", Template: Starter, Username: "two\nlines"}, By{})
	if oauth.ErrorOf(err).Code != "invalid_request" {
		t.Errorf("got %v", err)
	}
	if len(b.store.records) != 0 {
		t.Error("the tenant is still there")
	}
}

func TestCreateTenantRefuses(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		n       New
		pointer string // of the member that is named; empty: taken
	}{
		{"an id that is taken", New{ID: "taken"}, ""},
		{"an issuer that is taken", New{ID: "other", Issuer: "https://id.taken.example"}, ""},
		{"an id in upper case", New{ID: "Acme"}, "/tenant_id"},
		{"an empty id", New{}, "/tenant_id"},
		{"an id with a dot", New{ID: "a.b"}, "/tenant_id"},
		{"an id longer than a DNS label", New{ID: strings.Repeat("a", 64)}, "/tenant_id"},
		{"the platform's id", New{ID: "platform"}, "/tenant_id"},
		{"an id that is a path of the server", New{ID: "token"}, "/tenant_id"},
		{"an unknown template", New{ID: "acme", Template: "deluxe"}, "/template"},
		{"an issuer that is not a URL", New{ID: "acme", Issuer: "acme"}, "/issuer"},
		{"plain http", New{ID: "acme", Issuer: "http://id.acme.example"}, "/issuer"},
		{"another scheme", New{ID: "acme", Issuer: "ftp://id.acme.example"}, "/issuer"},
		{"a query", New{ID: "acme", Issuer: "https://id.acme.example?x"}, "/issuer"},
		{"an empty query", New{ID: "acme", Issuer: "https://id.acme.example?"}, "/issuer"},
		{"a fragment", New{ID: "acme", Issuer: "https://id.acme.example#x"}, "/issuer"},
		{"an empty fragment", New{ID: "acme", Issuer: "https://id.acme.example#"}, "/issuer"},
		{"a user", New{ID: "acme", Issuer: "https://u@id.acme.example"}, "/issuer"},
		{"a slash at the end", New{ID: "acme", Issuer: "https://id.acme.example/"}, "/issuer"},
		{"a host in upper case", New{ID: "acme", Issuer: "https://ID.acme.example"}, "/issuer"},
		{"a scheme in upper case", New{ID: "acme", Issuer: "HTTPS://id.acme.example"}, "/issuer"},
		{"the default port", New{ID: "acme", Issuer: "https://id.acme.example:443"}, "/issuer"},
		{"an empty port", New{ID: "acme", Issuer: "https://id.acme.example:"}, "/issuer"},
		{"a port with a leading zero", New{ID: "acme", Issuer: "https://id.acme.example:0444"}, "/issuer"},
		{"a host that is not in ASCII", New{ID: "acme", Issuer: "https://äcme.example"}, "/issuer"},
		{"a percent-encoded path", New{ID: "acme", Issuer: "https://id.acme.example/%61"}, "/issuer"},
		{"a dot segment", New{ID: "acme", Issuer: "https://id.acme.example/a/../b"}, "/issuer"},
		{"an empty segment", New{ID: "acme", Issuer: "https://id.acme.example//a"}, "/issuer"},
		{"a space", New{ID: "acme", Issuer: "https://id.acme.example/a b"}, "/issuer"},
		{"the path form of another tenant", New{ID: "acme", Issuer: "http://127.0.0.1:8080/t/taken"}, "/issuer"},
		{"the path form of another tenant at another host", New{ID: "acme", Issuer: "https://id.acme.example/t/taken"}, "/issuer"},
		{"what lies below one's own path", New{ID: "acme", Issuer: "https://id.acme.example/t/acme/x"}, "/issuer"},
		{"a path of the server", New{ID: "acme", Issuer: "https://id.acme.example/x/authorize"}, "/issuer"},
		{"the well-known path", New{ID: "acme", Issuer: "https://id.acme.example/.well-known/x"}, "/issuer"},
		{"the server itself", New{ID: "acme", Issuer: "http://127.0.0.1:8080"}, "/issuer"},
		{"an issuer too long", New{ID: "acme", Issuer: "https://id.acme.example/" + strings.Repeat("a", 600)}, "/issuer"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			b := newBench(t)
			if _, err := b.CreateTenant(t.Context(), New{ID: "taken", Issuer: "https://id.taken.example"}, By{}); err != nil {
				t.Fatal(err)
			}
			_, err := b.CreateTenant(t.Context(), tt.n, By{})
			if e, ok := errors.AsType[*Invalid](err); tt.pointer != "" && (!ok || e.Fields[0].Pointer != tt.pointer) {
				t.Errorf("got %v, want an error at %s", err, tt.pointer)
			}
			if tt.pointer == "" && !errors.Is(err, tenant.ErrExists) {
				t.Errorf("got %v, want one that says it is taken", err)
			}
			if oauth.ErrorOf(err).Code != "invalid_request" {
				t.Errorf("got %v, which is no invalid_request", err)
			}
			if len(b.store.records) != 1 {
				t.Error("a tenant was made all the same")
			}
		})
	}
}

func TestIssuersThatAreFine(t *testing.T) {
	for _, tt := range []struct{ rule, public, issuer, want string }{
		{"none: it lies below the public URL", "https://id.example", "", "https://id.example/t/acme"},
		{"none, and the public URL has a path", "https://id.example/sso", "", "https://id.example/sso/t/acme"},
		{"the default itself", "https://id.example", "https://id.example/t/acme", "https://id.example/t/acme"},
		{"a host of its own", "https://id.example", "https://id.acme.example", "https://id.acme.example"},
		{"a host of its own with a path", "https://id.example", "https://id.acme.example/oidc/v1", "https://id.acme.example/oidc/v1"},
		{"a port", "https://id.example", "https://id.acme.example:8443", "https://id.acme.example:8443"},
		{"its own path form at another host", "https://id.example", "https://other.example/t/acme", "https://other.example/t/acme"},
		{"http on a loopback", "http://127.0.0.1:8080", "http://127.0.0.1:9000", "http://127.0.0.1:9000"},
		{"http on localhost", "http://127.0.0.1:8080", "http://localhost:9000/a", "http://localhost:9000/a"},
		{"an IPv6 loopback", "http://127.0.0.1:8080", "http://[::1]:9000", "http://[::1]:9000"},
	} {
		b := newBench(t)
		b.PublicURL, _ = url.Parse(tt.public)
		out, err := b.CreateTenant(t.Context(), New{ID: "acme", Issuer: tt.issuer}, By{})
		if err != nil || out.Issuer != tt.want {
			t.Errorf("%s: got %q and %v, want %q", tt.rule, out.Issuer, err, tt.want)
		}
	}
}

func TestRecreatedTenantInheritsNothing(t *testing.T) {
	b := newBench(t)
	first := b.create(t, "acme", tenant.Settings{Name: "Old"})
	old := b.read(t, "acme")
	if err := b.DeleteTenant(t.Context(), "acme", By{}); err != nil {
		t.Fatal(err)
	}
	second := b.create(t, "acme", tenant.Settings{})
	fresh := b.read(t, "acme")
	if first.APIToken == second.APIToken || first.ServiceID == second.ServiceID || bytes.Equal(old.Secret.Bytes(), fresh.Secret.Bytes()) || fresh.Settings.Name != "" {
		t.Error("the new tenant has something of the old one")
	}
	for _, k := range old.Keys {
		if slices.ContainsFunc(fresh.Keys, func(f keys.Key) bool { return f.ID == k.ID }) {
			t.Errorf("the new tenant has the old one's %s", k)
		}
	}
}

func TestPlatform(t *testing.T) {
	token := "chy_" + strings.Repeat("x", 40)
	t.Run("is made once, with the operator's token", func(t *testing.T) {
		b := newBench(t)
		for _, want := range []bool{true, false} {
			if made, err := b.EnsurePlatform(t.Context(), token); err != nil || made != want {
				t.Fatalf("got %v and %v, want %v", made, err, want)
			}
		}
		r := b.read(t, tenant.Platform)
		if h := sha256.Sum256([]byte(token)); len(r.Tokens) != 1 || !bytes.Equal(r.Tokens[0].Hash, h[:]) || !r.Tokens[0].Reaches(tenant.AdminAPI) {
			t.Errorf("its tokens: %+v", r.Tokens)
		}
		if rs, err := b.Tenants(t.Context(), "", 10); err != nil || len(rs) != 0 {
			t.Errorf("it is listed among the tenants: %v, %v", rs, err)
		}
	})
	t.Run("is made without a token where there is none", func(t *testing.T) {
		b := newBench(t)
		if made, err := b.EnsurePlatform(t.Context(), ""); err != nil || !made || len(b.read(t, tenant.Platform).Tokens) != 0 {
			t.Errorf("got %v and %v", made, err)
		}
	})
	t.Run("is not made with a token that can be guessed", func(t *testing.T) {
		b := newBench(t)
		if made, err := b.EnsurePlatform(t.Context(), "secret"); err == nil || made {
			t.Error("it was made")
		}
	})
	t.Run("cannot be deleted or disabled", func(t *testing.T) {
		b := newBench(t)
		if _, err := b.EnsurePlatform(t.Context(), token); err != nil {
			t.Fatal(err)
		}
		off := false
		if _, err := b.UpdateTenant(t.Context(), tenant.Platform, 0, Change{Enabled: &off}, By{}); err == nil {
			t.Error("it was disabled")
		}
		if err := b.DeleteTenant(t.Context(), tenant.Platform, By{}); err == nil {
			t.Error("it was deleted")
		}
	})
}
