package token

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
)

const (
	jwtAccess = "at+jwt" // RFC 9068 §2.1
	at        = float64(1772366400)
)

func TestWhatACodePaysFor(t *testing.T) {
	type claims = map[string]any
	id := func(more claims) claims {
		c := claims{"iss": "https://id.acme.example", "sub": "alice", "aud": "shop", "iat": at, "exp": at + 300}
		for name, v := range more {
			c[name] = v
		}
		return c
	}
	for _, c := range []struct {
		rule   string
		change func(w *world, g *grant.Grant)
		params []string
		access claims // beside what each has; nil: it is opaque
		id     claims // nil: there is none
		life   time.Duration
		ends   time.Duration // the grant
	}{
		{"an access token alone", nil, nil, claims{}, nil, 10 * time.Minute, 10 * time.Minute},
		{"an opaque one", func(w *world, _ *grant.Grant) { w.tenant.Settings.Tokens.AccessTokenOpaque = true }, nil, nil, nil, 10 * time.Minute, 10 * time.Minute},
		{"a JWT where the tenant's are opaque", func(w *world, g *grant.Grant) {
			w.tenant.Settings.Tokens.AccessTokenOpaque, g.Terms.AccessToken.Encoding = true, grant.SelfContained
		}, nil, claims{}, nil, 10 * time.Minute, 10 * time.Minute},
		{"an opaque one where the tenant's are JWTs", func(_ *world, g *grant.Grant) { g.Terms.AccessToken.Encoding = grant.Identifier }, nil, nil, nil, 10 * time.Minute, 10 * time.Minute},
		{"of the tenant's lifetime", func(w *world, _ *grant.Grant) { w.tenant.Settings.Tokens.AccessTokenLifetime = 60 }, nil, claims{}, nil, time.Minute, time.Minute},
		{"of a lifetime that was agreed", func(_ *world, g *grant.Grant) { g.Terms.AccessToken.Lifetime = 120 }, nil, claims{}, nil, 2 * time.Minute, 2 * time.Minute},
		{"of none beyond a day", func(_ *world, g *grant.Grant) { g.Terms.AccessToken.Lifetime = 1 << 40 }, nil, claims{}, nil, 24 * time.Hour, 24 * time.Hour},
		{"which does not outlive its refresh token", func(_ *world, g *grant.Grant) {
			g.Terms.RefreshToken.Issue, g.Terms.RefreshToken.Lifetime = true, 90
		}, nil, claims{}, nil, 90 * time.Second, 90 * time.Second},
		{"nor the time that that may lie unused", func(_ *world, g *grant.Grant) {
			g.Terms.RefreshToken.Issue, g.Terms.RefreshToken.Lifetime, g.Terms.RefreshToken.MaxIdle = true, 900, 30
		}, nil, claims{}, nil, 30 * time.Second, 15 * time.Minute},
		{"for all resources that were granted", func(_ *world, g *grant.Grant) { g.Terms.Audience = []string{"https://one.example/", "urn:two"} }, nil,
			claims{"aud": []any{"https://one.example/", "urn:two"}}, nil, 10 * time.Minute, 10 * time.Minute},
		{"for the one that is asked for", func(_ *world, g *grant.Grant) { g.Terms.Audience = []string{"https://one.example/", "urn:two"} }, []string{"resource", "urn:two"},
			claims{"aud": "urn:two"}, nil, 10 * time.Minute, 10 * time.Minute},
		{"with what the deciding party gave along", func(_ *world, g *grant.Grant) {
			g.Actor, g.Terms.Data = "admin", json.RawMessage(`{"tier":"gold"}`)
			g.Terms.Login = grant.Login{AuthTime: 7, ACR: "2", AMR: []string{"pwd", "otp"}}
		}, nil, claims{"act": claims{"sub": "admin"}, "dat": claims{"tier": "gold"}, "auth_time": 7.0, "acr": "2", "amr": []any{"pwd", "otp"}}, nil, 10 * time.Minute, 10 * time.Minute},
		{"with an ID token", func(_ *world, g *grant.Grant) { g.Terms.IDToken.Issue = true }, nil, claims{}, id(nil), 10 * time.Minute, 10 * time.Minute},
		{"with an ID token of a lifetime that was agreed", func(_ *world, g *grant.Grant) {
			g.Terms.IDToken = grant.IDTerms{Issue: true, Lifetime: 60, Subject: "pseudonym", AudienceList: true}
		}, nil, claims{}, id(claims{"exp": at + 60, "sub": "pseudonym", "aud": []any{"shop"}}), 10 * time.Minute, 10 * time.Minute},
		{"with an ID token that tells of the login", func(_ *world, g *grant.Grant) {
			g.Terms.IDToken.Issue = true
			g.Terms.Login = grant.Login{AuthTime: 7, TellAuthTime: true, ACR: "2", AMR: []string{"pwd"}, Nonce: "n-0S6"}
		}, nil, claims{"auth_time": 7.0, "acr": "2", "amr": []any{"pwd"}}, id(claims{"auth_time": 7.0, "acr": "2", "amr": []any{"pwd"}, "nonce": "n-0S6"}), 10 * time.Minute, 10 * time.Minute},
		{"with an ID token that does not tell when, unless that was asked", func(_ *world, g *grant.Grant) {
			g.Terms.IDToken.Issue, g.Terms.Login.AuthTime = true, 7
		}, nil, claims{"auth_time": 7.0}, id(nil), 10 * time.Minute, 10 * time.Minute},
		{"with an ID token of claims", func(_ *world, g *grant.Grant) {
			g.Terms.IDToken.Issue, g.Terms.IDTokenClaims = true, []string{"email", "azp"}
			g.Terms.PresetIDToken = map[string]json.RawMessage{"ip": json.RawMessage(`"192.0.2.7"`), "sub": json.RawMessage(`"mallory"`), "aud": json.RawMessage(`"evil"`)}
			g.Terms.PresetUserInfo = map[string]json.RawMessage{"name": json.RawMessage(`"Alice"`)}
		}, nil, claims{}, id(claims{"email": "alice@example.com", "ip": "192.0.2.7"}), 10 * time.Minute, 10 * time.Minute},
	} {
		t.Run(c.rule, func(t *testing.T) {
			w := newWorld(t)
			code, g := w.agree("shop", func(g *grant.Grant) {
				if c.change != nil {
					c.change(w, g)
				}
			})
			out, err := w.ask("shop", append([]string{"grant_type", oauth.AuthorizationCode, "code", code, "redirect_uri", callback}, c.params...)...)
			if err != nil {
				t.Fatal(err)
			}
			if out.TokenType != "Bearer" || out.ExpiresIn != c.life || out.Scope.String() != "openid a b" {
				t.Errorf("got %+v", out)
			}
			if !g.ExpiresAt.Equal(noon.Add(c.ends)) {
				t.Errorf("the grant ends at %v", g.ExpiresAt)
			}
			if issue := g.Terms.RefreshToken.Issue; issue != (out.RefreshToken != "") || issue && out.RefreshToken != grant.RefreshToken(w.tenant, g.ID, 1) {
				t.Errorf("got the refresh token %q", out.RefreshToken)
			}
			if c.access == nil {
				if len(w.store.tokens) != 1 || grant.IsJWT(out.AccessToken) {
					t.Fatalf("got %q, stored %+v", out.AccessToken, w.store.tokens)
				}
				a := w.store.tokens[0]
				want := grant.AccessToken{Hash: grant.Hash(out.AccessToken), ID: a.ID, Grant: g.ID, Subject: "alice", ClientID: "shop", Scope: g.Terms.Scope,
					Audience: []string{w.tenant.Issuer}, IssuedAt: noon, ExpiresAt: noon.Add(c.life)}
				if d := cmp.Diff(want, a); d != "" || a.ID == "" {
					t.Error(d)
				}
			} else {
				want := claims{"iss": w.tenant.Issuer, "sub": "alice", "aud": w.tenant.Issuer, "client_id": "shop", "scope": "openid a b", "iat": at, "exp": at + c.life.Seconds(), "gid": g.ID}
				for name, v := range c.access {
					want[name] = v
				}
				got := w.claims(jwtAccess, out.AccessToken)
				if got["jti"] == "" || got["jti"] == nil || len(w.store.tokens) > 0 {
					t.Errorf("jti %v, stored %v", got["jti"], w.store.tokens)
				}
				delete(got, "jti")
				if d := cmp.Diff(want, got); d != "" {
					t.Error(d)
				}
			}
			if (c.id != nil) != (out.IDToken != "") {
				t.Fatalf("got the ID token %q", out.IDToken)
			}
			if c.id == nil {
				return
			}
			c.id["at_hash"], c.id["sid"] = half(out.AccessToken), grant.SID(w.tenant, g.SessionID, "shop")
			if d := cmp.Diff(c.id, w.claims(grant.IDTokenType, out.IDToken)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestTheWishOfACallerIsForOneRequest(t *testing.T) {
	w := newWorld(t)
	code, g := w.agree("shop", func(g *grant.Grant) { g.Terms.RefreshToken.Issue = true })
	wish := Wish{AccessLifetime: 60, RefreshLifetime: 120, Twin: true, Claims: map[string]json.RawMessage{"tier": json.RawMessage(`"gold"`), "sub": json.RawMessage(`"mallory"`)}}
	r := &Request{Client: w.clients["shop"], Wish: wish, Params: map[string][]string{"grant_type": {oauth.AuthorizationCode}, "code": {code}, "redirect_uri": {callback}}}
	out, err := w.Exchange(t.Context(), w.tenant, r)
	if err != nil {
		t.Fatal(err)
	}
	if c := w.claims(jwtAccess, out.AccessToken); c["tier"] != "gold" || c["sub"] != "alice" || c["exp"] != at+60 || out.ExpiresIn != time.Minute {
		t.Errorf("got %v, %v", c, out.ExpiresIn)
	}
	if !g.Refresh.ExpiresAt.Equal(noon.Add(2 * time.Minute)) {
		t.Errorf("the refresh token ends at %v", g.Refresh.ExpiresAt)
	}
	if len(w.store.tokens) != 1 || out.Twin == "" || string(w.store.tokens[0].Hash) != string(grant.Hash(out.Twin)) {
		t.Errorf("twin %q, stored %+v", out.Twin, w.store.tokens)
	}
	if out, err = w.ask("shop", "grant_type", oauth.RefreshToken, "refresh_token", out.RefreshToken); err != nil || out.Twin != "" {
		t.Fatal(out.Twin, err)
	}
	if c := w.claims(jwtAccess, out.AccessToken); c["tier"] != nil {
		t.Errorf("a later token has %v", c)
	}
}

func TestTheTenantsLimitsHoldForAnyWish(t *testing.T) {
	w := newWorld(t)
	code, g := w.agree("shop", func(g *grant.Grant) { g.Terms.RefreshToken.Issue = true })
	out, err := w.Exchange(t.Context(), w.tenant, &Request{Client: w.clients["shop"], Wish: Wish{AccessLifetime: math.MaxInt64, RefreshLifetime: math.MaxInt64},
		Params: map[string][]string{"grant_type": {oauth.AuthorizationCode}, "code": {code}, "redirect_uri": {callback}}})
	if err != nil || out.ExpiresIn != 24*time.Hour || !g.Refresh.ExpiresAt.Equal(noon.Add(90*24*time.Hour)) {
		t.Errorf("an access token of %v, a refresh token until %v, %v", out.ExpiresIn, g.Refresh, err)
	}
}

// A wish that is more than fits into a token is not the client's fault, and its code stays good.
func TestTooLargeAWish(t *testing.T) {
	w := newWorld(t)
	code, _ := w.agree("shop", nil)
	r := &Request{Client: w.clients["shop"], Params: map[string][]string{"grant_type": {oauth.AuthorizationCode}, "code": {code}, "redirect_uri": {callback}},
		Wish: Wish{Claims: map[string]json.RawMessage{"x": json.RawMessage(`"` + strings.Repeat("x", 16<<10) + `"`)}}}
	if _, err := w.Exchange(t.Context(), w.tenant, r); !errors.Is(err, ErrWish) {
		t.Errorf("got %v", err)
	}
	r.Wish = Wish{}
	if _, err := w.Exchange(t.Context(), w.tenant, r); err != nil {
		t.Errorf("the code did not stay: %v", err)
	}
}
