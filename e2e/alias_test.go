package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// alias gives the tenant a further issuer at its server, and returns it as it is seen there.
func (x *tenant) alias(t *testing.T) (seen *tenant, remove func()) {
	t.Helper()
	y := *x
	y.Issuer = strings.Replace(x.at.publicURL, "127.0.0.1", "localhost", 1) + "/former/" + x.TenantID
	at := x.at.url + "/admin/v1/tenants/" + x.TenantID + "/aliases"
	var made struct{ ID string }
	call(t, http.MethodPost, at, bearer(x.at.adminToken), object(map[string]string{"issuer": y.Issuer})).want(t, "201").read(t, &made)
	return &y, func() { call(t, http.MethodDelete, at+"/"+made.ID, bearer(x.at.adminToken)).want(t, "204") }
}

// A stranger finds at an alias all that it is promised, under the name that it knows: discovery, authorization with iss
// (RFC 9207), ID token, UserInfo, refresh, introspection, revocation.
func TestStrangerAtAnAlias(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		y, remove := x.alias(t)
		c := x.confidential(t, callback)
		for name, in := range map[string]signIn{"by our pages": signIns["by our pages"], "by the API": byAPIOf(y.Issuer)} {
			for _, of := range []*tenant{y, x} {
				if of == x && name == "by the API" {
					continue
				}
				got := openidClient(t, of, x.confidential(t, callback), in)
				if got.Claims["iss"] != of.Issuer || got.UserInfo["sub"] != x.User.Subject || !got.Rotated || got.Introspected["iss"] != of.Issuer || got.Refused != "invalid_grant" {
					t.Errorf("%s at %s: %+v", name, of.Issuer, got)
				}
			}
		}
		// A client that authenticates by assertion names the issuer that it knows, and a proof the URL that it calls.
		strict := x.register(t, map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token"},
			"require_pushed_authorization_requests": true, "dpop_bound_access_tokens": true, "require_pkce": true})
		p := startStranger(t, "strict.js", map[string]any{"issuer": y.Issuer, "client_id": strict.ID, "client_secret": strict.Secret,
			"redirect_uri": callback, "scope": "openid email offline_access"})
		p.signIn(t, y, signIns["by our pages"])
		var proved struct{ Claims map[string]any }
		if p.hear(t, &proved); proved.Claims["iss"] != y.Issuer {
			t.Errorf("with DPoP: %v", proved.Claims)
		}
		mine := newSigner(t, "mine")
		signing := x.register(t, map[string]any{"grant_types": []string{"client_credentials"}, "token_endpoint_auth_method": "private_key_jwt", "jwks": mine.jwks()})
		head := map[string]any{"alg": "ES256", "kid": "mine", "typ": "JWT"}
		for _, tt := range []struct {
			rule    string
			at, aud *tenant
			want    string
		}{{"at the alias for the alias", y, y, "200"}, {"at the alias for the issuer", y, x, "401 invalid_client"}, {"at the issuer for the alias", x, y, "401 invalid_client"}} {
			r := call(t, http.MethodPost, tt.at.url("/token"), asserts(forge(head, assertion(tt.aud, signing, nil), mine.sign), "grant_type", "client_credentials"))
			if !r.is(tt.want) {
				t.Errorf("an assertion %s: %s", tt.rule, r.outcome())
			}
		}
		// What is ours is ours under each name; what is kept for later goes on where the alias is gone.
		k := y.tokens(t, c, "scope", "openid offline_access", "issuer", y.Issuer)
		if !x.active(t, k.Access) || !y.active(t, k.Access) {
			t.Error("a token issued by the tenant is not active at one of its names")
		}
		seen := issued(t, y.token(t, c, "grant_type", "refresh_token", "refresh_token", k.Refresh))
		remove()
		if x.active(t, seen.Access) {
			t.Error("a token of an alias that was removed is active")
		}
		if r := call(t, http.MethodGet, y.url("/.well-known/openid-configuration")); !r.is("404 not_found") {
			t.Error("the alias is still there:", r.outcome())
		}
		after := issued(t, x.token(t, c, "grant_type", "refresh_token", "refresh_token", seen.Refresh))
		if _, claims := claims(t, after.Access); claims["iss"] != x.Issuer {
			t.Errorf("after the removal the issuer is %v", claims["iss"])
		}
	})
}

// byAPIOf hands the request over as a login UI does that was sent there by an alias.
func byAPIOf(issuer string) signIn {
	return func(t *testing.T, x *tenant, at string) *url.URL {
		t.Helper()
		if !strings.HasPrefix(at, issuer) {
			t.Fatal("the authorization URL is", at)
		}
		x.patch(t, map[string]any{"login_url": "https://login.example/"})
		defer x.patch(t, map[string]any{"login_url": nil})
		sent := call(t, http.MethodGet, at).want(t, "303")
		return byAPI(t, x, sent.Header.Get("Location"))
	}
}
