package e2e

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// The token endpoint takes forms by POST and answers JSON that nobody keeps: S73–S75, S77, S78, S80.
func TestTokenRequests(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c, other, public := x.confidential(t, callback), x.confidential(t, callback), x.public(t, callback)
		resourced := x.register(t, map[string]any{"redirect_uris": []string{callback}, "audience": []string{"https://a.example/", "https://b.example/"},
			"grant_types": []string{"authorization_code", "refresh_token", "client_credentials"}})
		k := x.tokens(t, c)
		narrow := x.tokens(t, c, "scope", "openid offline_access")
		bound := x.tokens(t, resourced, "resource", "https://a.example/")
		open := x.tokens(t, public)
		machine := func(pairs ...string) part {
			return form(append([]string{"grant_type", "client_credentials"}, pairs...)...)
		}
		refresh := func(token string, pairs ...string) part {
			return form(append([]string{"grant_type", "refresh_token", "refresh_token", token}, pairs...)...)
		}
		for _, tt := range []struct {
			rule   string
			method string
			query  string
			parts  []part
			want   string
		}{
			{"S73 GET", "GET", "", []part{c.auth()}, "405 method_not_allowed"},
			{"S73 PUT", "PUT", "", []part{c.auth(), machine()}, "405 method_not_allowed"},
			{"S73 DELETE", "DELETE", "", []part{c.auth()}, "405 method_not_allowed"},
			{"S73 JSON", "POST", "", []part{c.auth(), object(map[string]string{"grant_type": "client_credentials"})}, "415 invalid_request"},
			{"S73 parameters in the query", "POST", "?grant_type=client_credentials", []part{c.auth(), form()}, "400 invalid_request"},
			{"S73 a multipart form", "POST", "", []part{c.auth(), body("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"grant_type\"\r\n\r\nclient_credentials\r\n--x--\r\n")}, "415 invalid_request"},
			{"S28 grant_type twice", "POST", "", []part{c.auth(), machine("grant_type", "client_credentials")}, "400 invalid_request"},
			{"S28 scope twice", "POST", "", []part{c.auth(), machine("scope", "a", "scope", "b")}, "400 invalid_request"},
			{"S29 an unknown parameter", "POST", "", []part{c.auth(), machine("foo", "1")}, "200"},
			{"S29 an empty parameter", "POST", "", []part{c.auth(), machine("scope", "")}, "200"},
			{"S75 password", "POST", "", []part{c.auth(), form("grant_type", "password", "username", "alice", "password", "x")}, "400 unsupported_grant_type"},
			{"S75 implicit", "POST", "", []part{c.auth(), form("grant_type", "implicit")}, "400 unsupported_grant_type"},
			{"S75 an unknown grant", "POST", "", []part{c.auth(), form("grant_type", "foo")}, "400 unsupported_grant_type"},
			{"S75 an empty grant", "POST", "", []part{c.auth(), form("grant_type", "")}, "400 invalid_request"},
			{"S77 a wider scope at refresh", "POST", "", []part{c.auth(), refresh(narrow.Refresh, "scope", "openid email")}, "400 invalid_scope"},
			{"S77 characters that no scope has", "POST", "", []part{c.auth(), machine("scope", "\"x")}, "400 invalid_scope"},
			{"S78 a resource that is relative", "POST", "", []part{resourced.auth(), machine("resource", "/api")}, "400 invalid_target"},
			{"S78 a resource with a fragment", "POST", "", []part{resourced.auth(), machine("resource", "https://a.example/#x")}, "400 invalid_target"},
			{"S78 a resource of others", "POST", "", []part{resourced.auth(), machine("resource", "https://c.example/")}, "400 invalid_target"},
			{"S78 a resource of its own", "POST", "", []part{resourced.auth(), machine("resource", "https://a.example/")}, "200"},
			{"S78 another resource at refresh", "POST", "", []part{resourced.auth(), refresh(bound.Refresh, "resource", "https://b.example/")}, "400 invalid_target"},
			{"S80 a refresh token of another client", "POST", "", []part{other.auth(), refresh(k.Refresh)}, "400 invalid_grant"},
			{"S80 a confidential client's, without authentication", "POST", "", []part{refresh(k.Refresh, "client_id", c.ID)}, "401 invalid_client"},
			{"S80 a public client's, by a confidential one", "POST", "", []part{c.auth(), refresh(open.Refresh)}, "400 invalid_grant"},
			{"S79 an access token as a refresh token", "POST", "", []part{c.auth(), refresh(k.Access)}, "400 invalid_grant"},
			{"S79 an ID token as a refresh token", "POST", "", []part{c.auth(), refresh(k.ID)}, "400 invalid_grant"},
			{"S79 a refresh token as a code", "POST", "", []part{c.auth(), form("grant_type", "authorization_code", "code", k.Refresh, "redirect_uri", callback)}, "400 invalid_grant"},
			{"a refresh token that is none", "POST", "", []part{c.auth(), refresh("x")}, "400 invalid_grant"},
		} {
			r := call(t, tt.method, x.url("/token"+tt.query), tt.parts...)
			if !r.is(tt.want) {
				t.Errorf("%s: got %s, want %s\n%s", tt.rule, r.outcome(), tt.want, r.body)
			}
			if r.StatusCode == http.StatusOK {
				issued(t, r)
			}
			if r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Cache-Control") != "no-store" || r.Header.Get("X-Content-Type-Options") != "nosniff" {
				t.Errorf("S74 %s: %v", tt.rule, r.Header)
			}
		}
		less := issued(t, x.token(t, c, "grant_type", "refresh_token", "refresh_token", k.Refresh, "scope", "openid email"))
		if i := x.introspect(t, less.Access); i["scope"] != "openid email" || less.Scope != "openid email" {
			t.Errorf("S77 a narrower scope at refresh: %q, %v", less.Scope, i["scope"])
		}
		if full := issued(t, x.refresh(t, c, less.Refresh)); full.Scope != "openid profile email offline_access" {
			t.Errorf("S77 narrowing a token narrowed the grant: %q", full.Scope)
		}
		if i := x.introspect(t, issued(t, x.refresh(t, resourced, bound.Refresh)).Access); i["active"] != false { // it is for another audience (S91)
			t.Errorf("S91 a token for https://a.example/ is shown to a stranger: %v", i)
		}
		_, payload := claims(t, bound.Access)
		if aud, _ := payload["aud"].([]any); payload["aud"] != "https://a.example/" && (len(aud) != 1 || aud[0] != "https://a.example/") {
			t.Error("S78 aud:", payload["aud"])
		}
	})
}

// Tokens say what they are and hold what they must: S76, S79, S97, S98.
func TestTokenContents(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		before := time.Now().Unix()
		k := x.tokens(t, c, "scope", "openid email offline_access", "max_age", "1000")
		head, access := claims(t, k.Access)
		if head["typ"] != "at+jwt" || head["alg"] != "RS256" || head["kid"] == nil {
			t.Errorf("S79 header of the access token: %v", head)
		}
		number := func(m map[string]any, name string) int64 { n, _ := m[name].(float64); return int64(n) }
		if access["iss"] != x.Issuer || access["sub"] != x.User.Subject || access["client_id"] != c.ID || access["jti"] == nil || access["aud"] == nil ||
			number(access, "exp")-number(access, "iat") != k.ExpiresIn || number(access, "iat") < before-1 {
			t.Errorf("S79 access token: %v", access)
		}
		head, id := claims(t, k.ID)
		if head["typ"] == "at+jwt" || head["alg"] != "RS256" {
			t.Errorf("S98 header of the ID token: %v", head)
		}
		for _, name := range []string{"iss", "sub", "aud", "exp", "iat", "nonce", "auth_time", "at_hash"} {
			if id[name] == nil {
				t.Errorf("S98 the ID token has no %s", name)
			}
		}
		if id["sub"] != access["sub"] || id["nonce"] != "the nonce" || number(id, "auth_time") < before-1 || id["iss"] != x.Issuer {
			t.Errorf("S98 ID token: %v", id)
		}
		for _, name := range []string{"name", "preferred_username", "email", "phone_number"} {
			if id[name] != nil {
				t.Errorf("S97 the ID token holds %s, which was asked for elsewhere", name)
			}
		}
		var info map[string]any
		call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).want(t, "200").read(t, &info)
		if info["sub"] != id["sub"] || info["email"] == nil || info["name"] != nil || info["preferred_username"] != nil {
			t.Errorf("S97 UserInfo without the profile scope: %v", info)
		}
		if _, payload := claims(t, x.tokens(t, c).ID); payload["auth_time"] != nil {
			t.Error("S98 auth_time that was not asked for")
		}

		r := x.token(t, x.Client, "grant_type", "client_credentials", "scope", "openid offline_access read")
		machine := issued(t, r)
		if machine.Refresh != "" || machine.ID != "" {
			t.Error("S76 client credentials bring", machine)
		}
		if _, payload := claims(t, machine.Access); payload["sub"] != x.Client.ID {
			t.Error("S76 sub of a client's own token:", payload["sub"])
		}
		if r := call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(map[string]any{"preferred_client_id": x.User.Subject, "redirect_uris": []string{callback}})); !r.is("400 invalid_client_metadata") {
			t.Error("S76 a client with the id of a user:", r.outcome())
		}
		p := x.start(t, c.request("prompt", "login"), "")
		if r := x.put(t, p, map[string]any{"sub": c.ID}); !r.is("400 invalid_request") {
			t.Error("S76 a user with the id of the client:", r.outcome())
		}

		es := x.register(t, map[string]any{"redirect_uris": []string{callback}, "id_token_signed_response_alg": "ES256"})
		if head, _ := claims(t, x.tokens(t, es).ID); head["alg"] != "ES256" {
			t.Error("S98 the registered algorithm is ES256, the token's", head["alg"])
		}
	})
}

// Tokens end when they say (S84, S88), and with what they rest on (S86).
func TestTokensEnd(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c, doomed := x.confidential(t, callback), x.confidential(t, callback)
		with := func(c *client, consent map[string]any) tokens {
			r := x.start(t, c.request("prompt", "consent login"), "")
			r = x.put(t, r, map[string]any{"sub": x.User.Subject})
			v := x.response(t, x.put(t, r, consent))
			return issued(t, x.redeem(t, c, v.Get("code")))
		}
		scope := []string{"openid", "offline_access"}
		began := time.Now()
		short := with(c, map[string]any{"scope": scope, "access_token": map[string]any{"lifetime": 3}, "refresh_token": map[string]any{"issue": true, "lifetime": 4}})
		identifier := with(c, map[string]any{"scope": scope, "access_token": map[string]any{"lifetime": 3, "encoding": "IDENTIFIER"}})
		if strings.Count(identifier.Access, ".") == 2 {
			t.Error("an identifier token is a JWT")
		}
		if short.ExpiresIn != 3 || identifier.ExpiresIn != 3 {
			t.Errorf("S88 expires_in %d, %d", short.ExpiresIn, identifier.ExpiresIn)
		}
		active := func(k tokens) bool { return x.active(t, k.Access) }
		if time.Since(began) < 2*time.Second && (!active(short) || !active(identifier)) {
			t.Error("S88 a token ends before its time")
		}
		k := with(doomed, grantAll)
		call(t, http.MethodDelete, x.url("/clients/"+doomed.ID), bearer(x.APIToken)).want(t, "204")
		if x.active(t, k.Access) {
			t.Error("S86 the token of a deleted client is active")
		}
		call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).want(t, "401 invalid_token")
		rotated := issued(t, x.refresh(t, c, short.Refresh))
		time.Sleep(time.Until(began.Add(3500 * time.Millisecond)))
		if active(short) || active(identifier) {
			t.Error("S88 a token is active after its time")
		}
		for _, k := range []tokens{short, identifier} {
			call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).want(t, "401 invalid_token")
		}
		time.Sleep(time.Until(began.Add(5500 * time.Millisecond)))
		x.refresh(t, c, rotated.Refresh).want(t, "400 invalid_grant")
	})
}

// A token that is not exactly ours is none (S87).
func TestMutatedTokens(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		k := x.tokens(t, c)
		r := x.start(t, c.request("prompt", "consent"), "")
		r = x.put(t, r, map[string]any{"sub": x.User.Subject})
		v := x.response(t, x.put(t, r, map[string]any{"scope": []string{"openid"}, "access_token": map[string]any{"encoding": "IDENTIFIER"}}))
		identifier := issued(t, x.redeem(t, c, v.Get("code"))).Access
		rnd := rand.New(rand.NewPCG(1, 2))
		mutate := func(token string, i int) string {
			b := []byte(token)
			switch at := rnd.IntN(len(b)); i % 8 {
			case 0:
				return token[:at]
			case 1:
				return token + string(b[at])
			case 2:
				b[at] ^= 1 << rnd.IntN(7)
			case 3:
				if b[at] |= 0x20; string(b) == token {
					return strings.ToUpper(token)
				}
			case 4:
				return token + "="
			case 5:
				return " " + token[1:]
			case 6:
				return token[:at] + "." + token[at:]
			case 7:
				b[0], b[at] = b[at], b[0]
			}
			return string(b)
		}
		last := func(segment string) string { // the same bytes, written with other unused bits
			const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
			i := strings.IndexByte(alphabet, segment[len(segment)-1])
			return segment[:len(segment)-1] + string(alphabet[i^1])
		}
		for name, token := range map[string]string{"JWT": k.Access, "identifier": identifier, "refresh": k.Refresh} {
			mutants := []string{last(token), token + "\n", "\t" + token, token + "%00"}
			for i := range 100 {
				mutants = append(mutants, mutate(token, i))
			}
			for _, m := range slices.DeleteFunc(mutants, func(m string) bool { return m == token }) {
				r := call(t, http.MethodPost, x.url("/token/introspect"), c.auth(), form("token", m))
				if string(r.body) != `{"active":false}` && !r.is("400 invalid_request") {
					t.Errorf("S87 %s changed to %q: %d %s", name, m, r.StatusCode, r.body)
				}
				if strings.ContainsFunc(m, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
					continue // no header holds it
				}
				if r := call(t, http.MethodGet, x.url("/userinfo"), bearer(m)); !r.is("401 invalid_token") {
					t.Errorf("S87 UserInfo for %s changed to %q: %s", name, m, r.outcome())
				}
				if name == "refresh" {
					x.refresh(t, c, m).want(t, "400 invalid_grant")
				}
			}
		}
		issued(t, x.refresh(t, c, k.Refresh))
	})
}
