package token

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

func TestAClientAsksForItself(t *testing.T) {
	const (
		noScope   = "invalid_scope: the client may not ask for this scope"
		noURI     = "invalid_target: resource is not an absolute URI without fragment"
		ungranted = "invalid_target: this resource was not granted"
	)
	for _, c := range []struct {
		rule   string
		client string
		params []string
		want   string
		scope  string
		aud    any // nil: this server
	}{
		{"for all that it registered, but what needs a subject", "shop", nil, "", "a b", nil},
		{"for less", "shop", []string{"scope", "b"}, "", "b", nil},
		{"for more, and gets what it registered", "shop", []string{"scope", "c b openid"}, "", "b", nil},
		{"for what it did not register", "shop", []string{"scope", "c"}, noScope, "", nil},
		{"for what needs a subject", "shop", []string{"scope", "openid offline_access"}, noScope, "", nil},
		{"for anything where it registered none", "other", []string{"scope", "c offline_access d"}, "", "c d", nil},
		{"for what needs a subject where it registered none", "other", []string{"scope", "openid"}, noScope, "", nil},
		{"for nothing where it registered none", "other", nil, "", "", nil},
		{"for malformed scope", "shop", []string{"scope", "a\tb"}, "invalid_scope: scope holds characters that are not allowed", "", nil},
		{"for a resource that it registered", "shop", []string{"resource", "urn:two"}, "", "a b", "urn:two"},
		{"for two", "shop", []string{"resource", "urn:two", "resource", "https://one.example/"}, "", "a b", []any{"urn:two", "https://one.example/"}},
		{"for one that it did not register", "shop", []string{"resource", "urn:three"}, ungranted, "", nil},
		{"for one of two that it did not register", "shop", []string{"resource", "urn:two", "resource", "urn:three"}, ungranted, "", nil},
		{"for one where it registered none", "other", []string{"resource", "urn:two"}, ungranted, "", nil},
		{"for one that is no URI", "shop", []string{"resource", "/two"}, noURI, "", nil},
		{"for one with a fragment", "shop", []string{"resource", "https://one.example/#x"}, noURI, "", nil},
		{"although it is public", "app", nil, "unauthorized_client: a public client cannot use this grant_type", "", nil},
	} {
		for _, opaque := range []bool{false, true} {
			w := newWorld(t)
			w.tenant.Settings.Tokens.AccessTokenOpaque = opaque
			out, err := w.ask(c.client, append([]string{"grant_type", oauth.ClientCredentials}, c.params...)...)
			if said(err) != c.want {
				t.Errorf("%s: got %q", c.rule, said(err))
				continue
			}
			if err != nil {
				if out.AccessToken != "" || len(w.store.tokens) > 0 {
					t.Errorf("%s: got %+v, stored %v", c.rule, out, w.store.tokens)
				}
				continue
			}
			if out.TokenType != "Bearer" || out.ExpiresIn != 10*time.Minute || out.Scope.String() != c.scope || out.RefreshToken != "" || out.IDToken != "" {
				t.Errorf("%s: got %+v", c.rule, out)
			}
			if opaque {
				if len(w.store.tokens) != 1 {
					t.Fatalf("%s: stored %v", c.rule, w.store.tokens)
				}
				a := w.store.tokens[0]
				if string(a.Hash) != string(grant.Hash(out.AccessToken)) || a.Grant != "" || a.Subject != c.client || a.ClientID != c.client || a.Scope.String() != c.scope {
					t.Errorf("%s: stored %+v", c.rule, a)
				}
				continue
			}
			aud := c.aud
			if aud == nil {
				aud = w.tenant.Issuer
			}
			want := map[string]any{"iss": w.tenant.Issuer, "sub": c.client, "client_id": c.client, "aud": aud, "iat": at, "exp": at + 600}
			if c.scope != "" {
				want["scope"] = c.scope
			}
			got := w.claims(jwtAccess, out.AccessToken)
			delete(got, "jti")
			if d := cmp.Diff(want, got); d != "" || len(w.store.tokens) > 0 {
				t.Errorf("%s: %s, stored %v", c.rule, d, w.store.tokens)
			}
		}
	}
}
