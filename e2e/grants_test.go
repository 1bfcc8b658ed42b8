package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	exchangeGrant = "urn:ietf:params:oauth:grant-type:token-exchange"
	bearerGrant   = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	tokenType     = "urn:ietf:params:oauth:token-type:"
)

// swap exchanges an access token.
func (x *tenant) swap(t testing.TB, c *client, token string, pairs ...string) reply {
	t.Helper()
	return x.token(t, c, append([]string{"grant_type", exchangeGrant, "subject_token", token, "subject_token_type", tokenType + "access_token"}, pairs...)...)
}

// exchanges registers a client that exchanges tokens and stands for those resources.
func (x *tenant) exchanges(t testing.TB, more map[string]any) *client {
	t.Helper()
	metadata := map[string]any{"redirect_uris": []string{callback}, "response_types": []string{"code"},
		"grant_types": []string{"authorization_code", "refresh_token", "client_credentials", exchangeGrant}}
	maps.Copy(metadata, more)
	return x.register(t, metadata)
}

// Token exchange: S147 to S149, on JWTs and identifiers.
func TestTokenExchange(t *testing.T) {
	onPairs(t, func(t *testing.T, p pair) {
		for _, opaque := range []bool{false, true} {
			x, other := p[0].newTenant(t), p[0].newTenant(t)
			x.patch(t, map[string]any{"tokens": map[string]any{"access_token_opaque": opaque}})
			const api, back = "https://api.example/", "https://back.example/"
			app := x.exchanges(t, map[string]any{"audience": []string{api, back}, "scope": "openid a b"})
			service := x.exchanges(t, map[string]any{"audience": []string{api, back}})
			batch := x.exchanges(t, nil)
			within(t, aboutASecond, "the setting is felt", func() bool {
				return (strings.Count(x.tokens(t, app, "scope", "openid a b").Access, ".") == 0) == opaque
			})
			got := x.tokens(t, app, "scope", "openid a b", "resource", api)
			var machine tokens
			x.token(t, app, "grant_type", "client_credentials").want(t, "200").read(t, &machine)
			foreign := other.tokens(t, other.Client, "scope", "openid").Access

			for _, c := range []struct {
				rule string
				by   *client
				of   string
				more []string
				want string
			}{
				{"S147 garbage", app, "x", nil, "400 invalid_request"},
				{"S147 another tenant's", app, foreign, nil, "400 invalid_request"},
				{"S147 a refresh token as access token", app, got.Refresh, nil, "400 invalid_request"},
				{"S147 an ID token as access token", app, got.ID, nil, "400 invalid_request"},
				{"S147 another client's, not for this one", batch, got.Access, nil, "400 invalid_request"},
				{"S148 more scope", app, got.Access, []string{"scope", "a c"}, "400 invalid_scope"},
				{"S148 another audience", app, got.Access, []string{"resource", back}, "400 invalid_target"},
				{"S148 an unknown audience", app, got.Access, []string{"audience", "https://evil.example/"}, "400 invalid_target"},
				{"S71 a client without the grant", x.confidential(t, callback), got.Access, nil, "400 unauthorized_client"},
				{"S149 an actor that is none", app, got.Access, []string{"actor_token", "x", "actor_token_type", tokenType + "access_token"}, "400 invalid_request"},
				{"an unknown type", app, got.Access, []string{"requested_token_type", tokenType + "saml2"}, "400 invalid_request"},
				{"S28 a repeated parameter", app, got.Access, []string{"subject_token", got.Access}, "400 invalid_request"},
			} {
				if r := x.swap(t, c.by, c.of, c.more...); !r.is(c.want) {
					t.Errorf("opaque %v: %s: got %s, want %s\n%s", opaque, c.rule, r.outcome(), c.want, r.body)
				}
			}

			// S149: by whom it is for, which then is the actor; and once more.
			var first, second tokens
			r := x.swap(t, service, got.Access, "scope", "a").want(t, "200")
			r.read(t, &first)
			var told map[string]any
			r.read(t, &told)
			if told["issued_token_type"] != tokenType+"access_token" || first.Scope != "a" || first.Refresh != "" || first.ID != "" || first.ExpiresIn > 600 || r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("opaque %v: got %v", opaque, told)
			}
			x.swap(t, service, first.Access, "actor_token", machine.Access, "actor_token_type", tokenType+"access_token").want(t, "400 invalid_request") // app's
			var own tokens
			x.token(t, service, "grant_type", "client_credentials").want(t, "200").read(t, &own)
			x.swap(t, service, first.Access, "actor_token", own.Access, "actor_token_type", tokenType+"access_token").want(t, "200").read(t, &second)
			seen := func(token string) map[string]any {
				var out map[string]any
				call(t, http.MethodPost, x.url("/token/introspect"), basic(service.ID, service.Secret), form("token", token)).want(t, "200").read(t, &out)
				return out
			}
			at := seen(second.Access)
			want := map[string]any{"sub": service.ID, "act": map[string]any{"sub": service.ID}}
			if d := cmp.Diff(want, at["act"]); d != "" || at["active"] != true || at["sub"] != x.User.Subject || at["client_id"] != service.ID || fmt.Sprint(at["aud"]) != "["+api+"]" {
				t.Errorf("opaque %v: S149 %v %s", opaque, at, d)
			}

			// S148: what was exchanged dies with the grant that it came of, on every replica.
			x.revoke(t, app, got.Refresh)
			within(t, aboutASecond, "exchanged tokens die with their grant", func() bool {
				return seen(first.Access)["active"] == false && seen(second.Access)["active"] == false
			})
			there := x.on(p[1])
			within(t, aboutASecond, "also at the other replica", func() bool {
				return there.swap(t, service, first.Access).is("400 invalid_request")
			})
			x.swap(t, app, got.Access).want(t, "400 invalid_request")
		}
		// S146: off is off.
		x := p[0].newTenant(t)
		x.patch(t, map[string]any{"grants": map[string]any{"token_exchange": map[string]any{"enabled": false}}})
		within(t, aboutASecond, "token exchange is off", func() bool {
			var m struct {
				Grants []string `json:"grant_types_supported"`
			}
			call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
			return !slices.Contains(m.Grants, exchangeGrant) && x.swap(t, x.Client, "x").is("400 unsupported_grant_type")
		})
	})
}

// partner are the settings of a tenant that trusts a signer's JWTs.
func partner(s signer, more map[string]any) map[string]any {
	i := map[string]any{"issuer": "https://partner.example", "jwks": s.jwks()}
	maps.Copy(i, more)
	return map[string]any{"grants": map[string]any{"jwt_bearer": map[string]any{"enabled": true}, "issuers": []any{i}}}
}

// JWT bearer: S150. 64 callers at two replicas, one of whom succeeds.
func TestJWTBearer(t *testing.T) {
	onPairs(t, func(t *testing.T, p pair) {
		x, other := p[0].newTenant(t), p[0].newTenant(t)
		s, evil := newSigner(t, "k"), newSigner(t, "k")
		x.patch(t, partner(s, nil))
		var c *client
		within(t, aboutASecond, "the grant is on", func() bool {
			r := call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(map[string]any{"grant_types": []string{bearerGrant}, "response_types": []string{}, "scope": "openid a"}))
			if !r.is("201") {
				return false
			}
			c = &client{}
			r.read(t, c)
			secret(c.Secret, c.RegistrationToken)
			return true
		})
		head := map[string]any{"alg": "ES256", "kid": "k", "typ": "JWT"}
		claims := func(changed map[string]any) map[string]any {
			m := map[string]any{"iss": "https://partner.example", "sub": x.User.Subject, "aud": x.Issuer, "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
				"jti": fmt.Sprint("jti ", jtis.Add(1))}
			maps.Copy(m, changed)
			maps.DeleteFunc(m, func(_ string, v any) bool { return v == nil })
			return m
		}
		ask := func(at *tenant, jwt string) reply {
			r, err := try(direct, http.MethodPost, at.url("/token"), basic(c.ID, c.Secret), form("grant_type", bearerGrant, "assertion", jwt))
			if err != nil {
				t.Fatal(err)
			}
			return r
		}
		with := func(changed map[string]any) string { return forge(head, claims(changed), s.sign) }
		const no = "400 invalid_grant"
		for _, row := range []struct{ rule, jwt, want string }{
			{"a good one", with(nil), "200"},
			{"another key", forge(head, claims(nil), evil.sign), no},
			{"another issuer", with(map[string]any{"iss": "https://evil.example"}), no},
			{"our own issuer", with(map[string]any{"iss": x.Issuer}), no},
			{"another tenant's audience", with(map[string]any{"aud": other.Issuer}), no},
			{"two audiences", with(map[string]any{"aud": []string{x.Issuer, other.Issuer}}), no},
			{"expired", with(map[string]any{"exp": time.Now().Add(-time.Second).Unix()}), no},
			{"for a year", with(map[string]any{"exp": time.Now().Add(365 * 24 * time.Hour).Unix()}), no},
			{"exp as text", with(map[string]any{"exp": "x"}), no},
			{"no jti", with(map[string]any{"jti": nil}), no},
			{"no subject", with(map[string]any{"sub": nil}), no},
			{"S76 about the client", with(map[string]any{"sub": c.ID}), no},
			{"S76 about another client", with(map[string]any{"sub": x.Client.ID}), no},
			{"S171 none", forge(map[string]any{"alg": "none", "kid": "k"}, claims(nil), s.sign), no},
			{"S172 an embedded key", forge(map[string]any{"alg": "ES256", "kid": "k", "jwk": evil.jwks()["keys"].([]any)[0]}, claims(nil), evil.sign), no},
			{"S174 crit", forge(map[string]any{"alg": "ES256", "kid": "k", "crit": []string{"x"}, "x": 1}, claims(nil), s.sign), no},
			{"S110 a DPoP proof", forge(map[string]any{"alg": "ES256", "kid": "k", "typ": "dpop+jwt"}, claims(nil), s.sign), no},
			{"the client about somebody else", with(map[string]any{"iss": c.ID}), no},
		} {
			if r := ask(x, row.jwt); !r.is(row.want) {
				t.Errorf("%s: got %s, want %s", row.rule, r.outcome(), row.want)
			}
		}
		jwt, won := with(nil), atomic.Int64{}
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				switch r := ask(x.on(p[i%2]), jwt); {
				case r.is("200"):
					won.Add(1)
				case !r.is(no, "401 invalid_client", "400 unsupported_grant_type"): // which the other replica says until it knows
					t.Errorf("a loser got %s", r.outcome())
				}
			})
		}
		if all.Wait(); won.Load() != 1 {
			t.Errorf("%d of 64 uses succeed", won.Load())
		}
		// A disabled user, a trust that is withdrawn.
		var got tokens
		ask(x, with(nil)).want(t, "200").read(t, &got)
		if !x.active(t, got.Access) || got.Refresh != "" {
			t.Errorf("got %+v", got)
		}
		x.patch(t, map[string]any{"grants": map[string]any{"issuers": []any{}}})
		within(t, aboutASecond, "the trust is withdrawn", func() bool { return ask(x, with(nil)).is(no) })
	})
}

// The password grant: off by default at tenant and client, limited as the pages are, and a hook in its place.
func TestPasswordGrant(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		login := func(c *client, name, password string) reply {
			return x.token(t, c, "grant_type", "password", "username", name, "password", password, "scope", "openid email")
		}
		login(x.Client, x.User.Username, x.User.Password).want(t, "400 unsupported_grant_type")
		call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(map[string]any{"grant_types": []string{"password"}, "response_types": []string{}})).want(t, "400 invalid_client_metadata")
		x.patch(t, map[string]any{"grants": map[string]any{"password": map[string]any{"enabled": true}}})
		within(t, aboutASecond, "the grant is on", func() bool {
			return login(x.Client, x.User.Username, x.User.Password).is("400 unauthorized_client")
		})
		c := x.register(t, map[string]any{"grant_types": []string{"password", "refresh_token"}, "response_types": []string{}})
		var got tokens
		login(c, x.User.Username, x.User.Password).want(t, "200").read(t, &got)
		if _, id := claims(t, got.ID); id["sub"] != x.User.Subject || !x.active(t, got.Access) {
			t.Errorf("got %v", id)
		}
		x.refresh(t, c, got.Refresh).want(t, "200")
		unknown, wrong := login(c, "nobody", "wrong"), login(c, x.User.Username, "wrong")
		if !same(unknown, wrong) || !wrong.is("400 invalid_grant") {
			t.Errorf("S197 unknown %s, wrong %s", unknown.body, wrong.body)
		}
		limited := false
		for range 40 {
			limited = limited || login(c, "mallory", "guess").StatusCode == http.StatusTooManyRequests
		}
		if !limited {
			t.Error("S197 guessing is not limited")
		}
		login(c, x.User.Username, x.User.Password).want(t, "200", "429 slow_down")
	})
}

// Two libraries that are not ours exchange tokens and present assertions.
func TestExchangingRelyingParties(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, signer := s.newTenant(t), newSigner(t, "k")
		x.patch(t, partner(signer, nil))
		var c *client
		within(t, aboutASecond, "the grant is on", func() bool {
			r := call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(map[string]any{"redirect_uris": []string{callback}, "audience": []string{"https://api.example/"},
				"grant_types": []string{"authorization_code", "client_credentials", exchangeGrant, bearerGrant}, "scope": "openid a b"}))
			c = &client{}
			if r.is("201") {
				r.read(t, c)
			}
			return r.is("201")
		})
		secret(c.Secret, c.RegistrationToken)
		var machine tokens
		x.token(t, c, "grant_type", "client_credentials").want(t, "200").read(t, &machine)
		jwt := forge(map[string]any{"alg": "ES256", "kid": "k"}, map[string]any{"iss": "https://partner.example", "sub": "carol", "aud": x.Issuer,
			"exp": time.Now().Add(time.Minute).Unix(), "jti": "one"}, signer.sign)
		p := startStranger(t, "exchange.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret, "subject_token": x.tokens(t, c, "scope", "openid a b").Access,
			"actor_token": machine.Access, "resource": "https://api.example/", "assertion": jwt})
		type answer struct {
			Access string `json:"access_token"`
			Type   string `json:"token_type"`
			Issued string `json:"issued_token_type"`
			Scope  string
		}
		var got struct {
			Grants                           []string
			Delegated, Again, Asserted, Self answer
			Wider, Bound, Unbound, Replayed  string
		}
		p.hear(t, &got)
		if !slices.Contains(got.Grants, exchangeGrant) || !slices.Contains(got.Grants, bearerGrant) {
			t.Error(got.Grants)
		}
		_, first := claims(t, got.Delegated.Access)
		_, again := claims(t, got.Again.Access)
		act := map[string]any{"sub": c.ID}
		if d := cmp.Diff(act, first["act"]) + cmp.Diff(map[string]any{"sub": c.ID, "act": act}, again["act"]); d != "" || first["sub"] != x.User.Subject || first["aud"] != "https://api.example/" ||
			first["scope"] != "a" || got.Delegated.Issued != tokenType+"access_token" {
			t.Errorf("%v, %v: %s", first, again, d)
		}
		if _, self := claims(t, got.Self.Access); self["act"] != nil || self["scope"] != "openid a b" {
			t.Error("its own:", self)
		}
		if _, asserted := claims(t, got.Asserted.Access); asserted["sub"] != "carol" || asserted["scope"] != "a" {
			t.Error("asserted:", asserted)
		}
		if got.Wider != "invalid_scope" || !strings.EqualFold(got.Bound, "DPoP") || got.Unbound != "invalid_dpop_proof" || got.Replayed != "invalid_grant" {
			t.Errorf("%+v", got)
		}
	})
}
