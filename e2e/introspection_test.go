package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// Introspection and revocation: S89–S93.
func TestIntrospectionAndRevocation(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c, other, public := x.confidential(t, callback), x.confidential(t, callback), x.public(t, callback)
		for _, at := range []string{"/token/introspect", "/token/revoke"} {
			k := x.tokens(t, c)
			for _, tt := range []struct {
				rule   string
				method string
				query  string
				parts  []part
				want   string
			}{
				{"S89 no credentials", "POST", "", []part{form("token", k.Access)}, "401 invalid_client"},
				{"S89 wrong credentials", "POST", "", []part{basic(c.ID, "wrong"), form("token", k.Access)}, "401 invalid_client"},
				{"S89 GET", "GET", "?token=" + k.Access, []part{c.auth()}, "405 method_not_allowed"},
				{"S89 the token in the query", "POST", "?token=" + k.Access, []part{c.auth(), form()}, "400 invalid_request"},
				{"S89 JSON", "POST", "", []part{c.auth(), object(map[string]string{"token": k.Access})}, "415 invalid_request"},
				{"no token", "POST", "", []part{c.auth(), form()}, "400 invalid_request"},
				{"a blank token", "POST", "", []part{c.auth(), form("token", "")}, "400 invalid_request"},
				{"S28 token twice", "POST", "", []part{c.auth(), form("token", k.Access, "token", "x")}, "400 invalid_request"},
				{"S62 two methods of authentication", "POST", "", []part{c.auth(), form("token", k.Access, "client_id", c.ID, "client_secret", c.Secret)}, "400 invalid_request"},
			} {
				r := call(t, tt.method, x.url(at+tt.query), tt.parts...)
				if !r.is(tt.want) {
					t.Errorf("%s %s: got %s, want %s", at, tt.rule, r.outcome(), tt.want)
				}
				if r.Header.Get("Cache-Control") != "no-store" {
					t.Errorf("%s %s: %v", at, tt.rule, r.Header)
				}
			}
			if !x.active(t, k.Access) {
				t.Errorf("%s: a refused call changed something", at)
			}
		}
		call(t, http.MethodPost, x.url("/token/introspect"), form("token", "x", "client_id", public.ID)).want(t, "401 invalid_client", "400 unauthorized_client", "403 *")

		k := x.tokens(t, c)
		for _, tt := range []struct{ rule, token string }{
			{"malformed", "x"}, {"no JWT", "a.b.c"}, {"an ID token", k.ID}, {"another tenant's", s.newTenant(t).APIToken}, {"an API token", x.APIToken}, {"huge", strings.Repeat("x", 20_000)}, {"not ASCII", "é"},
		} {
			if r := call(t, http.MethodPost, x.url("/token/introspect"), c.auth(), form("token", tt.token)); string(r.body) != `{"active":false}` {
				t.Errorf("S90 %s: %d %s", tt.rule, r.StatusCode, r.body)
			}
		}
		for _, tt := range []struct{ token, hint string }{{k.Access, "refresh_token"}, {k.Refresh, "access_token"}, {k.Access, "foo"}} {
			var i map[string]any
			if call(t, http.MethodPost, x.url("/token/introspect"), c.auth(), form("token", tt.token, "token_type_hint", tt.hint)).read(t, &i); i["active"] != true {
				t.Errorf("S92 introspection with the hint %s: %v", tt.hint, i)
			}
		}

		owner := x.register(t, map[string]any{"redirect_uris": []string{callback}, "audience": []string{"https://api.example/"}})
		server := x.register(t, map[string]any{"redirect_uris": []string{callback}, "audience": []string{"https://api.example/"}})
		bound := x.tokens(t, owner, "resource", "https://api.example/")
		for _, tt := range []struct {
			rule string
			by   *client
			want bool
		}{{"the client it was issued to", owner, true}, {"a resource server it is for", server, true}, {"another client", other, false}} {
			var i map[string]any
			if call(t, http.MethodPost, x.url("/token/introspect"), tt.by.auth(), form("token", bound.Access)).read(t, &i); i["active"] != tt.want {
				t.Errorf("S91 %s: %v", tt.rule, i)
			}
		}

		for _, token := range []string{k.Access, k.Refresh} {
			x.revoke(t, other, token)
		}
		call(t, http.MethodPost, x.url("/token/revoke"), form("token", k.Refresh, "client_id", public.ID)).want(t, "200", "400 *")
		if !x.active(t, k.Access) {
			t.Error("S93 another client revoked a token")
		}
		for _, token := range []string{"x", "a.b.c", strings.Repeat("x", 20_000), k.ID} {
			x.revoke(t, c, token)
		}
		call(t, http.MethodPost, x.url("/token/revoke"), c.auth(), form("token", k.Refresh, "token_type_hint", "access_token")).want(t, "200")
		if x.active(t, k.Access) {
			t.Error("S92, S94 revocation with a wrong hint left the access token active")
		}
		x.refresh(t, c, k.Refresh).want(t, "400 invalid_grant")
		x.revoke(t, c, k.Refresh)

		p := x.tokens(t, public)
		call(t, http.MethodPost, x.url("/token/revoke"), form("token", p.Refresh, "client_id", public.ID)).want(t, "200")
		if x.active(t, p.Access) {
			t.Error("S94 a public client revoked its token, and it is active")
		}
	})
}

// The UserInfo endpoint takes one token, in the header or a form, and answers as RFC 6750 has it (S96).
func TestUserInfo(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		k := x.tokens(t, c)
		plain := x.tokens(t, c, "scope", "profile")
		machine := issued(t, x.token(t, c, "grant_type", "client_credentials", "scope", "read"))
		if plain.ID != "" {
			t.Error("an ID token without the scope openid")
		}
		for _, tt := range []struct {
			rule   string
			method string
			query  string
			parts  []part
			want   string
			says   string // in WWW-Authenticate
		}{
			{"header", "GET", "", []part{bearer(k.Access)}, "200", ""},
			{"header by POST", "POST", "", []part{bearer(k.Access)}, "200", ""},
			{"form", "POST", "", []part{form("access_token", k.Access)}, "200", ""},
			{"the scheme in other letters", "GET", "", []part{header("Authorization", "bEARER "+k.Access)}, "200", ""},
			{"the query", "GET", "?access_token=" + k.Access, nil, "400 invalid_request", `Bearer error="invalid_request"`},
			{"the query and the header", "GET", "?access_token=" + k.Access, []part{bearer(k.Access)}, "400 invalid_request", `Bearer error="invalid_request"`},
			{"form and header", "POST", "", []part{bearer(k.Access), form("access_token", k.Access)}, "400 invalid_request", `Bearer error="invalid_request"`},
			{"two headers", "GET", "", []part{bearer(k.Access), bearer(k.Access)}, "400 invalid_request", `Bearer error="invalid_request"`},
			{"no token", "GET", "", nil, "401 missing_token", "Bearer"},
			{"an empty token", "GET", "", []part{header("Authorization", "Bearer ")}, "401 *", "Bearer"},
			{"another scheme", "GET", "", []part{c.auth()}, "401 *", "Bearer"},
			{"a refresh token", "GET", "", []part{bearer(k.Refresh)}, "401 invalid_token", `Bearer error="invalid_token"`},
			{"S79 an ID token", "GET", "", []part{bearer(k.ID)}, "401 invalid_token", `Bearer error="invalid_token"`},
			{"an API token", "GET", "", []part{bearer(x.APIToken)}, "401 invalid_token", `Bearer error="invalid_token"`},
			{"without the scope openid", "GET", "", []part{bearer(plain.Access)}, "403 insufficient_scope", `Bearer error="insufficient_scope"`},
			{"a client's own token", "GET", "", []part{bearer(machine.Access)}, "403 *", "Bearer"},
			{"DELETE", "DELETE", "", []part{bearer(k.Access)}, "405 method_not_allowed", ""},
		} {
			r := call(t, tt.method, x.url("/userinfo"+tt.query), tt.parts...)
			if !r.is(tt.want) || !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), tt.says) || tt.says == "" && r.Header.Get("WWW-Authenticate") != "" {
				t.Errorf("S96 %s: got %s with WWW-Authenticate %q, want %s with %s", tt.rule, r.outcome(), r.Header.Get("WWW-Authenticate"), tt.want, tt.says)
			}
			if r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("S96 %s: %v", tt.rule, r.Header)
			}
		}
		if r := call(t, http.MethodGet, x.url("/userinfo")); !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Bearer") || strings.Contains(r.Header.Get("WWW-Authenticate"), "error") {
			t.Error("S96 a challenge without a token names an error:", r.Header.Get("WWW-Authenticate"))
		}
	})
}
