package access

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func raw(s string) json.RawMessage { return json.RawMessage(s) }

func TestUserInfo(t *testing.T) {
	type claims = map[string]any
	known := map[string]json.RawMessage{"email": raw(`"alice@example.com"`), "email_verified": raw("true"), "name": raw(`"Alice"`), "address": raw(`{"country":"NZ"}`)}
	for _, c := range []struct {
		rule   string
		change func(w *world, g *grant.Grant)
		want   claims
		err    string
	}{
		{"without consent to any claim, sub alone", nil, claims{"sub": "alice"}, ""},
		{"claims that were consented to, as far as they are known", func(_ *world, g *grant.Grant) { g.Terms.Claims = []string{"email", "email_verified", "phone_number"} },
			claims{"sub": "alice", "email": raw(`"alice@example.com"`), "email_verified": raw("true")}, ""},
		{"none of the ID token's", func(_ *world, g *grant.Grant) {
			g.Terms.IDTokenClaims, g.Terms.PresetIDToken = []string{"email"}, map[string]json.RawMessage{"ip": raw(`"x"`)}
		}, claims{"sub": "alice"}, ""},
		{"claims that were preset, also over the account's", func(_ *world, g *grant.Grant) {
			g.Terms.Claims, g.Terms.PresetUserInfo = []string{"name"}, map[string]json.RawMessage{"name": raw(`"A."`), "https://acme.example/tier": raw("3")}
		}, claims{"sub": "alice", "name": raw(`"A."`), "https://acme.example/tier": raw("3")}, ""},
		{"never the claims of the protocol", func(w *world, g *grant.Grant) {
			g.Terms.Claims = []string{"sub", "scope", "email"}
			g.Terms.PresetUserInfo = map[string]json.RawMessage{"sub": raw(`"mallory"`), "iss": raw(`"evil"`), "aud": raw(`"evil"`), "cnf": raw("{}"), "act": raw("{}"), "exp": raw("1"), "a\"b": raw("1")}
			w.people.claims["alice"]["sub"], w.people.claims["alice"]["scope"] = raw(`"mallory"`), raw(`"all"`)
		}, claims{"sub": "alice", "email": raw(`"alice@example.com"`)}, ""},
		{"the same sub as in the ID token", func(_ *world, g *grant.Grant) { g.Terms.IDToken.Subject = "pseudonym" }, claims{"sub": "pseudonym"}, ""},
		{"of an unknown account, sub alone", func(_ *world, g *grant.Grant) { g.Subject, g.Terms.Claims = "bob", []string{"email"} }, claims{"sub": "bob"}, ""},
		{"without openid", func(_ *world, g *grant.Grant) { g.Terms.Scope = oauth.Scope{"a"} }, nil, "insufficient_scope"},
		{"where accounts cannot be read", func(w *world, g *grant.Grant) { g.Terms.Claims, w.people.down = []string{"email"}, errDown }, nil, "server_error"},
		{"where they are away", func(w *world, g *grant.Grant) {
			g.Terms.Claims, w.people.down = []string{"email"}, oauth.Unavailable()
		}, nil, "temporarily_unavailable"},
	} {
		for _, e := range encodings {
			w := newWorld(t)
			w.people.claims = map[string]map[string]json.RawMessage{"alice": {}}
			for name, v := range known {
				w.people.claims["alice"][name] = v
			}
			g := w.agree(func(g *grant.Grant) {
				if c.change != nil {
					c.change(w, g)
				}
			})
			got, client, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: w.mint(g, e)})
			if d := cmp.Diff(c.want, got); d != "" || said(err) != c.err || client != w.clients["shop"] {
				t.Errorf("%s, %s: %s, %v of %v", c.rule, e, d, err, client)
			}
			if len(g.Terms.Claims) == 0 && w.people.asked != nil {
				t.Errorf("%s: the account was asked for %v", c.rule, w.people.asked)
			}
		}
	}
}

func TestUserInfoNeedsALivingGrant(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(w *world, g *grant.Grant)
	}{
		{"it was revoked", func(_ *world, g *grant.Grant) { g.RevokedAt = noon }},
		{"it was revoked, and only the journal says so", func(w *world, g *grant.Grant) { w.tenant.Revoked.Add(w.Issuer.Revocation(w.tenant, g.ID)) }},
		{"it has ended", func(_ *world, g *grant.Grant) { g.ExpiresAt = noon }},
		{"it is gone", func(w *world, g *grant.Grant) { delete(w.store.grants, g.ID) }},
		{"the token has ended", func(w *world, _ *grant.Grant) { w.now = noon.Add(10 * time.Minute) }},
	} {
		for _, e := range encodings {
			w := newWorld(t)
			g := w.agree(nil)
			token := w.mint(g, e)
			c.change(w, g)
			if got, _, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: token}); said(err) != "invalid_token" || got != nil {
				t.Errorf("%s, %s: got %v, %v", c.rule, e, got, err)
			}
		}
	}
	w := newWorld(t)
	g := w.agree(nil)
	own := &grant.Grant{Subject: "shop", ClientID: "shop", Terms: grant.Terms{Scope: oauth.Scope{"openid"}}}
	for _, c := range []struct{ rule, token, want string }{
		{"a refresh token", w.newest(g), "invalid_token"},
		{"nothing", "", "invalid_token"},
		{"a client's own token has no subject", w.mint(own, grant.SelfContained), "insufficient_scope"},
	} {
		if got, _, err := w.UserInfo(t.Context(), w.tenant, Presented{Token: c.token}); said(err) != c.want || got != nil {
			t.Errorf("%s: got %v, %v", c.rule, got, err)
		}
	}
}

func TestAResourceAsksForMoreThanATokenThatLives(t *testing.T) {
	for _, c := range []struct {
		rule    string
		demands Demands
		want    string
	}{
		{"nothing more", Demands{}, ""},
		{"scope that it has", Demands{Scope: oauth.Scope{"a", "openid"}}, ""},
		{"scope that it lacks", Demands{Scope: oauth.Scope{"a", "b"}}, "insufficient_scope"},
		{"its subject", Demands{Subject: "alice"}, ""},
		{"another subject", Demands{Subject: "bob"}, "invalid_request"},
		{"its resource", Demands{Resources: []string{api}}, ""},
		{"another resource", Demands{Resources: []string{api, "urn:x"}}, "invalid_token"},
		{"a login as it was", Demands{ACRValues: []string{"3", "2"}, MaxAge: 60}, ""},
		{"a better login", Demands{ACRValues: []string{"3"}}, "insufficient_user_authentication"},
		{"a newer login", Demands{MaxAge: 59}, "insufficient_user_authentication"},
	} {
		for _, e := range encodings {
			w := newWorld(t)
			g := w.agree(func(g *grant.Grant) { g.Terms.Login = grant.Login{AuthTime: noon.Unix() - 60, ACR: "2"} })
			st, err := w.Examine(t.Context(), w.tenant, Presented{Token: w.mint(g, e, api)}, c.demands)
			if said(err) != c.want || st == nil || st.Client.ID != "shop" || st.Subject() != "alice" || !st.Refreshable {
				t.Errorf("%s, %s: got %+v, %v", c.rule, e, st, err)
			}
		}
	}
	for _, c := range []struct {
		rule   string
		change func(w *world, g *grant.Grant)
	}{
		{"its client is gone", func(w *world, _ *grant.Grant) { delete(w.clients, "shop") }},
		{"its client is disabled", func(w *world, _ *grant.Grant) { w.clients["shop"] = &tenant.Client{ID: "shop", Disabled: true} }},
		{"its grant was revoked", func(_ *world, g *grant.Grant) { g.RevokedAt = noon }},
	} {
		w := newWorld(t)
		g := w.agree(nil)
		token := w.mint(g, grant.SelfContained)
		c.change(w, g)
		if st, err := w.Examine(t.Context(), w.tenant, Presented{Token: token}, Demands{}); said(err) != "invalid_token" || st != nil {
			t.Errorf("%s: got %+v, %v", c.rule, st, err)
		}
		if st, err := w.Inquire(t.Context(), w.tenant, Presented{Token: token}); said(err) != "invalid_token" || st != nil {
			t.Errorf("%s: asked for the subject: %+v, %v", c.rule, st, err)
		}
	}
}
