package access

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// opened returns the header and the claims of a JWS.
func opened(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	for i, to := range []*map[string]any{&header, &claims} {
		b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[i])
		if err != nil || json.Unmarshal(b, to) != nil {
			t.Fatalf("%s: %v", token, err)
		}
	}
	return header, claims
}

func TestUserInfoComesAsTheClientHasIt(t *testing.T) {
	w := newWorld(t)
	shop := w.clients["shop"]
	claims := func() map[string]any { return map[string]any{"sub": "alice"} }
	if jwt, err := w.SealUserInfo(t.Context(), w.tenant, shop, claims()); jwt != "" || err != nil {
		t.Errorf("a client that registered nothing: %q, %v", jwt, err)
	}
	shop.UserInfoAlg = "ES256"
	jwt, err := w.SealUserInfo(t.Context(), w.tenant, shop, claims())
	if err != nil {
		t.Fatal(err)
	}
	header, got := opened(t, jwt)
	if d := cmp.Diff(map[string]any{"sub": "alice", "iss": w.tenant.Issuer, "aud": "shop"}, got); d != "" || header["typ"] != "JWT" {
		t.Errorf("%v: %s", header, d)
	}
	if _, err := w.Issuer.ParseIDToken(t.Context(), w.tenant, "shop", jwt); err == nil {
		t.Error("it passes for an ID token")
	}
	if _, err := w.Token(t.Context(), w.tenant, jwt); err == nil {
		t.Error("it passes for an access token")
	}
	shop.UserInfoAlg, shop.UserInfoEncryptionAlg = "", "ECDH-ES"
	if jwt, err := w.SealUserInfo(t.Context(), w.tenant, shop, claims()); jwt != "" || said(err) != "invalid_request" {
		t.Errorf("without a key to encrypt to: %q, %v", jwt, err)
	}
}

func TestAnIntrospectionJWTIsNothingElse(t *testing.T) {
	w := newWorld(t)
	shop := w.clients["shop"]
	shop.IntrospectionAlg = "ES256"
	jwt, err := w.SealIntrospection(t.Context(), w.tenant, shop, json.RawMessage(`{"active":true,"sub":"alice"}`))
	if err != nil {
		t.Fatal(err)
	}
	header, got := opened(t, jwt)
	want := map[string]any{"iss": w.tenant.Issuer, "aud": "shop", "iat": float64(noon.Unix()), "token_introspection": map[string]any{"active": true, "sub": "alice"}}
	if d := cmp.Diff(want, got); d != "" || header["typ"] != "token-introspection+jwt" {
		t.Errorf("%v: %s", header, d)
	}
	if _, err := w.Issuer.ParseIDToken(t.Context(), w.tenant, "shop", jwt); err == nil {
		t.Error("it passes for an ID token")
	}
	if _, err := w.Token(t.Context(), w.tenant, jwt); err == nil {
		t.Error("it passes for an access token")
	}
}

func TestAResourceServerLearnsItsOwnPart(t *testing.T) {
	const other = "https://other.example/"
	for _, c := range []struct {
		rule, by string
		audience []string
		strict   bool
		scope    string // registered by the caller
		seen     bool
		aud      []string
		wants    string // scope
	}{
		{"the client itself", "shop", []string{api, other}, true, "", true, []string{api, other}, "openid a"},
		{"a resource", "resource", []string{api, other}, true, "", true, []string{api}, "openid a"},
		{"a resource with scope values of its own", "resource", []string{api}, true, "a b", true, []string{api}, "a"},
		{"another resource", "other", []string{api}, false, "", false, nil, ""},
		{"no one in particular", "other", nil, false, "", true, []string{"https://id.acme.example"}, "openid a"},
		{"no one in particular, strictly", "other", nil, true, "", false, nil, ""},
		{"no one in particular, strictly, itself", "shop", nil, true, "", true, []string{"https://id.acme.example"}, "openid a"},
	} {
		for _, e := range encodings {
			w := newWorld(t)
			w.tenant.Settings.Access.StrictIntrospection = c.strict
			w.clients[c.by].Scope = c.scope
			got, err := w.Introspect(t.Context(), w.tenant, w.clients[c.by], w.mint(w.agree(nil), e, c.audience...))
			if err != nil || (got != nil) != c.seen {
				t.Errorf("%s, %s: %v, %v", c.rule, e, got, err)
				continue
			}
			if got != nil && (!slices.Equal(got.Audience, c.aud) || got.Scope.String() != c.wants) {
				t.Errorf("%s, %s: %v, %s", c.rule, e, got.Audience, got.Scope)
			}
		}
	}
}

func TestEachIsToldOfSubjectsByNamesOfItsOwn(t *testing.T) {
	for _, e := range encodings {
		w := newWorld(t)
		pairwise := func(id, host string) {
			w.clients[id].SubjectType, w.clients[id].RedirectURIs = tenant.PairwiseSubjects, []string{host}
		}
		pairwise("shop", "https://shop.example/")
		pairwise("resource", "https://resource.example/")
		g := w.agree(nil)
		token := w.mint(g, e, api, "other", w.tenant.Issuer)
		seen := map[string]string{}
		for _, id := range []string{"shop", "resource", "other"} {
			i, err := w.Introspect(t.Context(), w.tenant, w.clients[id], token)
			if err != nil || i == nil {
				t.Fatalf("%s: %v", id, err)
			}
			seen[id] = i.Subject
		}
		if seen["other"] != "alice" || seen["shop"] == "alice" || seen["resource"] == "alice" || seen["shop"] == seen["resource"] {
			t.Errorf("%s: %v", e, seen)
		}
		claims, _, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: token})
		if err != nil || claims["sub"] != seen["shop"] {
			t.Errorf("%s: UserInfo %v, %v", e, claims, err)
		}
		if i, err := w.Introspect(t.Context(), w.tenant, w.clients["shop"], w.newest(g)); err != nil || i.Subject != seen["shop"] {
			t.Errorf("refresh token: %v, %v", i, err)
		}
		own := w.mint(&grant.Grant{Subject: "shop", ClientID: "shop"}, e, api)
		if i, err := w.Introspect(t.Context(), w.tenant, w.clients["resource"], own); err != nil || i.Subject != "shop" {
			t.Errorf("%s: a client's own token is of %v, %v", e, i, err)
		}
	}
}

func TestATenantMayHaveAnAccessTokenTakeItsGrant(t *testing.T) {
	for _, whole := range []bool{false, true} {
		for name, terms := range map[string]grant.AccessTerms{"JWT": {Encoding: grant.SelfContained}, "opaque": {Encoding: grant.Identifier},
			"encrypted": {Encoding: grant.SelfContained, Encrypt: true}, "twin": {Encoding: grant.SelfContained, Twin: true}} {
			w := newWorld(t)
			w.tenant.Settings.Access.RevokeGrant = whole
			g := w.agree(nil)
			g.Terms.AccessToken = terms
			token := w.mint(g, terms.Encoding)
			if name == "twin" {
				for _, a := range w.store.tokens {
					token = a.Twin
				}
			}
			other := w.mint(g, grant.SelfContained)
			if err := w.Revoke(t.Context(), w.tenant, w.clients["shop"], token, ""); err != nil {
				t.Fatal(err)
			}
			if w.active(token) || w.active(other) == whole || w.active(w.newest(g)) == whole {
				t.Errorf("%s, with its grant %t: it %t, another %t, refresh %t", name, whole, w.active(token), w.active(other), w.active(w.newest(g)))
			}
			_, _, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: token})
			if oauth.ErrorOf(err).Code != "invalid_token" {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
