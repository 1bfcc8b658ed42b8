package e2e

import (
	"bytes"
	"crypto/rand"
	"net/http"
	"strings"
	"testing"
)

// A tenant is named by its issuer's path on public endpoints and by a header on back-channel APIs: S1, S2, S4, S5.
func TestNamingATenant(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		a, b := s.newTenant(t), s.newTenant(t)
		custom := &tenant{at: s}
		call(t, http.MethodPost, s.url+"/admin/v1/tenants", bearer(s.adminToken), object(map[string]string{
			"tenant_id": "custom-" + a.TenantID, "issuer": "https://id." + a.TenantID + ".example"})).want(t, "201").read(t, custom)
		custom.mark()
		start := object(map[string]string{"query": a.Client.request().Encode()})
		id, issuer := func(v string) part { return header("Tenant-ID", v) }, func(v string) part { return header("Issuer", v) }
		api := func(parts ...part) reply {
			return call(t, http.MethodPost, s.url+sessionsV1, append(parts, bearer(a.APIToken), start)...)
		}
		public := func(at string, parts ...part) reply {
			return call(t, http.MethodGet, s.url+at, parts...)
		}
		below := "/t/" + a.TenantID
		for _, c := range []struct {
			rule string
			got  reply
			want string
		}{
			{"by Tenant-ID", api(id(a.TenantID)), "200"},
			{"by Issuer", api(issuer(a.Issuer)), "200"},
			{"by both, if they agree", api(id(a.TenantID), issuer(a.Issuer)), "200"},
			{"the APIs are there below the issuer too", call(t, http.MethodPost, a.url(sessionsV1), bearer(a.APIToken), start), "200"},
			{"with a slash at the end, without a redirect", call(t, http.MethodPost, s.url+sessionsV1+"/", id(a.TenantID), bearer(a.APIToken), start), "200"},
			{"S2 a call that names no tenant", api(), "400 invalid_request"},
			{"S4 Issuer and Tenant-ID of different tenants", api(id(b.TenantID), issuer(a.Issuer)), "400 invalid_request"},
			{"S4 a header that contradicts the path", call(t, http.MethodPost, a.url(sessionsV1), id(b.TenantID), bearer(a.APIToken), start), "400 invalid_request"},
			{"S4 two Tenant-ID headers", api(id(a.TenantID), id(b.TenantID)), "400 invalid_request"},
			{"S4 two equal Tenant-ID headers", api(id(a.TenantID), id(a.TenantID)), "400 invalid_request"},
			{"S4 a list", api(id(a.TenantID + "," + b.TenantID)), "400 invalid_request"},
			{"S4 two Issuer headers", api(issuer(a.Issuer), issuer(b.Issuer)), "400 invalid_request"},
			{"S4 an empty header", api(id("")), "400 invalid_request"},

			{"S5 an issuer with a slash more", api(issuer(a.Issuer + "/")), "401 invalid_token"},
			{"S5 in other letters", api(issuer(strings.ToUpper(a.Issuer))), "401 invalid_token"},
			{"S5 a host in other letters", api(issuer(strings.Replace(custom.Issuer, "id.", "ID.", 1)), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+custom.APIToken) }), "401 invalid_token"},
			{"S5 with the default port", api(issuer(custom.Issuer+":443"), func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+custom.APIToken) }), "401 invalid_token"},
			{"S5 percent-encoded", api(issuer(strings.Replace(a.Issuer, "/t/t", "/t/%74", 1))), "401 invalid_token"},
			{"S5 with dot segments", api(issuer(a.Issuer + "/.")), "401 invalid_token"},
			{"S5 with a query", api(issuer(a.Issuer + "?")), "401 invalid_token"},
			{"S5 an id in other letters", api(id(strings.ToUpper(a.TenantID))), "401 invalid_token"},

			{"S5 the path as it is", public(below + "/jwks.json"), "200"},
			{"S5 a path in other letters", public(strings.ToUpper(below) + "/jwks.json"), "404 not_found"},
			{"S5 a path percent-encoded", public("/t/%74" + a.TenantID[1:] + "/jwks.json"), "404 not_found"},
			{"S5 a path with a slash more", public("/" + below + "/jwks.json"), "404 not_found"},
			{"S5 a path with dot segments", public("/t/x/.." + below[2:] + "/jwks.json"), "404 not_found"},
			{"S5 metadata, the path after", public(below + "/.well-known/openid-configuration"), "200"},
			{"S5 metadata, the path after", public(below + "/.well-known/oauth-authorization-server"), "200"},
			{"RFC 8414 metadata, the path behind", public("/.well-known/oauth-authorization-server" + below), "200"},
			{"and so OpenID's", public("/.well-known/openid-configuration" + below), "200"},
			{"with a slash more it is another issuer", public("/.well-known/oauth-authorization-server" + below + "/"), "404 not_found"},
			{"an issuer on a host of its own is not served below ours", public("/t/custom-"+a.TenantID+"/jwks.json", header("X-Forwarded-Host", "other.example")), "200"},

			{"S1 a header that contradicts the path on a public endpoint", public(below+"/jwks.json", id(b.TenantID)), "400 invalid_request"},
			{"S1 also by Issuer", public(below+"/.well-known/openid-configuration", issuer(b.Issuer)), "400 invalid_request"},
			{"from a trusted proxy a header names the tenant at the root", public("/jwks.json", id(b.TenantID)), "200"},
			{"at the root nobody is named", public("/jwks.json"), "404 not_found"},
		} {
			if !c.got.is(c.want) {
				t.Errorf("%s: got %s, want %s\n%s", c.rule, c.got.outcome(), c.want, c.got.body)
			}
		}
	})
}

// From anyone but a trusted proxy a tenant header is refused on public endpoints (S1), and no header changes what the
// server says of itself (S12).
func TestUntrustedHeaders(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_TRUSTED_PROXIES=192.0.2.0/24") })
			a, b := s.newTenant(t), s.newTenant(t)
			k := a.tokens(t, a.Client)
			endpoints := []struct {
				method, path string
				parts        []part
			}{
				{"GET", "/.well-known/openid-configuration", nil},
				{"GET", "/.well-known/oauth-authorization-server", nil},
				{"GET", "/jwks.json", nil},
				{"GET", "/userinfo", []part{bearer(k.Access)}},
				{"POST", "/token/introspect", []part{a.Client.auth(), form("token", k.Access)}},
			}
			for _, at := range endpoints {
				plain := call(t, at.method, a.url(at.path), at.parts...).want(t, "200")
				for _, h := range []part{header("Tenant-ID", b.TenantID), header("Issuer", b.Issuer), header("Tenant-ID", a.TenantID), header("Issuer", a.Issuer)} {
					if r := call(t, at.method, a.url(at.path), append(at.parts, h)...); !r.is("400 invalid_request") {
						t.Errorf("S1 %s with a tenant header: %s", at.path, r.outcome())
					}
				}
				for _, h := range []part{
					func(r *http.Request) { r.Host = "evil.example" },
					header("X-Forwarded-Host", "evil.example"), header("X-Forwarded-Proto", "https"), header("X-Forwarded-Port", "444"),
					header("X-Forwarded-Prefix", "/t/"+b.TenantID), header("Forwarded", "host=evil.example;proto=https"),
					header("X-Original-URL", "/t/"+b.TenantID+at.path), header("X-Rewrite-URL", "/t/"+b.TenantID+at.path), header("X-HTTP-Method-Override", "DELETE"),
				} {
					if r := call(t, at.method, a.url(at.path), append(at.parts, h)...); !same(r, plain) {
						t.Errorf("S12 %s with a foreign header: %d\n%s", at.path, r.StatusCode, r.body)
					}
				}
			}
			call(t, http.MethodGet, s.url+"/jwks.json", header("X-Forwarded-For", "192.0.2.1"), header("Tenant-ID", a.TenantID)).want(t, "400 invalid_request")
			r := call(t, http.MethodGet, a.url("/authorize?"+a.Client.request().Encode()), header("X-Forwarded-Host", "evil.example"), func(r *http.Request) { r.Host = "evil.example" })
			if to := r.Header.Get("Location"); strings.Contains(to, "evil") {
				t.Error("S12 the authorization endpoint leads to", to)
			}
			// Back-channel APIs take the headers from anyone: the token proves who calls.
			call(t, http.MethodPost, s.url+sessionsV1, bearer(a.APIToken), header("Tenant-ID", a.TenantID), object(map[string]string{"query": "x=1"})).want(t, "220 invalid_request")
			call(t, http.MethodPost, s.url+sessionsV1, bearer(a.APIToken), header("Tenant-ID", b.TenantID), object(map[string]string{"query": "x=1"})).want(t, "401 invalid_token")
		})
	}
}

// Nobody without a valid token learns whether there is a tenant: S3, S6, S22.
func TestUnknownTenants(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		a, b, off, gone := s.newTenant(t), s.newTenant(t), s.newTenant(t), s.newTenant(t)
		admin := func(method, path string, parts ...part) reply {
			return call(t, method, s.url+"/admin/v1/tenants/"+path, append(parts, bearer(s.adminToken))...)
		}
		admin(http.MethodPatch, off.TenantID, object(map[string]any{"enabled": false})).want(t, "200")
		admin(http.MethodDelete, gone.TenantID).want(t, "204")
		names := map[string]part{
			"random":          header("Tenant-ID", "no-such-tenant"),
			"by issuer":       header("Issuer", "https://nobody.example"),
			"below ours":      header("Issuer", s.publicURL+"/t/no-such-tenant"),
			"very long":       header("Tenant-ID", strings.Repeat("x", 4000)),
			"malformed":       header("Tenant-ID", "../'; drop table tenants;--"),
			"no issuer":       header("Issuer", "::::"),
			"reserved":        header("Tenant-ID", "_platform"),
			"disabled":        header("Tenant-ID", off.TenantID),
			"disabled issuer": header("Issuer", off.Issuer),
			"deleted":         header("Tenant-ID", gone.TenantID),
		}
		routes := []struct{ method, path string }{
			{"POST", sessionsV1}, {"GET", sessionsV1 + "/x"}, {"PUT", sessionsV1 + "/x"}, {"DELETE", sessionsV1 + "/x"},
			{"POST", "/authz-sessions/rest/v3"}, {"GET", "/authz-sessions/rest/v3/x"},
		}
		tokens := map[string]string{"a token of another tenant": b.APIToken, "a wrong token": "chy_" + rand.Text(), "the platform's": s.adminToken,
			"of a disabled tenant": off.APIToken, "of a deleted tenant": gone.APIToken}
		for _, at := range routes {
			wrong := call(t, at.method, s.url+at.path, bearer("chy_"+rand.Text()), header("Tenant-ID", a.TenantID), object(map[string]string{"query": ""})).want(t, "401 invalid_token")
			missing := call(t, at.method, s.url+at.path, header("Tenant-ID", a.TenantID), object(map[string]string{"query": ""})).want(t, "401 missing_token")
			for who, token := range tokens {
				if r := call(t, at.method, s.url+at.path, bearer(token), header("Tenant-ID", a.TenantID), object(map[string]string{"query": ""})); !same(r, wrong) {
					t.Errorf("S6 %s %s with %s: %s\n%s", at.method, at.path, who, r.outcome(), r.body)
				}
				for what, name := range names {
					if r := call(t, at.method, s.url+at.path, bearer(token), name, object(map[string]string{"query": ""})); !same(r, wrong) {
						t.Errorf("S3 %s %s of a tenant that is %s with %s: %s %v\n%s", at.method, at.path, what, who, r.outcome(), r.Header, r.body)
					}
				}
			}
			for what, name := range names {
				if r := call(t, at.method, s.url+at.path, name, object(map[string]string{"query": ""})); !same(r, missing) {
					t.Errorf("S22 %s %s of a tenant that is %s without a token: %s %v\n%s", at.method, at.path, what, r.outcome(), r.Header, r.body)
				}
			}
		}
		// On public endpoints it is there or it is not, and one that is not is as good as another.
		for _, path := range []string{"/.well-known/openid-configuration", "/jwks.json", "/userinfo", "/authorize"} {
			none := call(t, http.MethodGet, s.url+"/t/no-such-tenant"+path)
			if none.StatusCode != http.StatusNotFound || bytes.Contains(none.body, []byte("no-such-tenant")) {
				t.Errorf("S3 %s of no tenant: %d %s", path, none.StatusCode, none.body)
			}
			for _, id := range []string{off.TenantID, gone.TenantID, strings.Repeat("x", 3000), "%00"} {
				r := call(t, http.MethodGet, s.url+"/t/"+id+path)
				if r.StatusCode != http.StatusNotFound || path != "/authorize" && !same(r, none) {
					t.Errorf("S3 %s of %.20s: %s\n%s", path, id, r.outcome(), r.body)
				}
			}
		}
	})
}

// An object of another tenant is not there: S7. The same identifiers in two tenants have nothing to do with each other: S9.
func TestObjectsOfAnotherTenant(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		a, b := s.newTenant(t), s.newTenant(t)
		var theirs prompt
		b.start(t, b.Client.request(), "").want(t, "200").read(t, &theirs)
		random := strings.Repeat("x", len(theirs.SID))
		for _, version := range []string{"v1", "v2", "v3"} {
			for _, c := range []struct {
				method string
				parts  []part
			}{
				{"GET", nil}, {"PUT", []part{object(map[string]string{"sub": "mallory"})}}, {"DELETE", nil},
			} {
				at := "/authz-sessions/rest/" + version + "/"
				none := a.api(t, c.method, at+random, c.parts...)
				if !none.is("404 *") {
					t.Errorf("S7 %s of an unknown session: %s", c.method, none.outcome())
				}
				if r := a.api(t, c.method, at+theirs.SID, c.parts...); !same(r, none) {
					t.Errorf("S7 %s %s of another tenant's session: %s\n%s", version, c.method, r.outcome(), r.body)
				}
			}
		}
		b.api(t, http.MethodGet, sessionsV1+"/"+theirs.SID).want(t, "200")

		for _, c := range []struct {
			method string
			parts  []part
		}{
			{"GET", nil}, {"PUT", []part{object(map[string]any{"redirect_uris": []string{callback}})}}, {"DELETE", nil},
		} {
			none := call(t, c.method, a.url("/clients/c_unknown"), append(c.parts, bearer(a.APIToken))...)
			if r := call(t, c.method, a.url("/clients/"+b.Client.ID), append(c.parts, bearer(a.APIToken))...); !same(r, none) || r.StatusCode < 400 {
				t.Errorf("S7 %s of another tenant's client: %s\n%s", c.method, r.outcome(), r.body)
			}
		}
		issued(t, b.token(t, b.Client, "grant_type", "client_credentials"))

		twin := func(x *tenant) *client {
			return x.register(t, map[string]any{"preferred_client_id": "twin", "redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token", "client_credentials"}})
		}
		ca, cb := twin(a), twin(b)
		a.User.Subject, b.User.Subject = "twin-user", "twin-user"
		ka, kb := a.tokens(t, ca), b.tokens(t, cb)
		a.token(t, cb, "grant_type", "client_credentials").want(t, "401 invalid_client")
		b.token(t, ca, "grant_type", "client_credentials").want(t, "401 invalid_client")
		a.revoke(t, ca, ka.Refresh)
		call(t, http.MethodDelete, a.url("/clients/twin"), bearer(a.APIToken)).want(t, "204")
		a.token(t, ca, "grant_type", "client_credentials").want(t, "401 invalid_client")
		if !b.active(t, kb.Access) {
			t.Error("S9 revoking at one tenant ended a token of its twin at the other")
		}
		issued(t, b.refresh(t, cb, kb.Refresh))
		issued(t, b.token(t, cb, "grant_type", "client_credentials"))
	})
}

// No artefact of one tenant is good at another: S10, S11.
func TestArtefactsOfAnotherTenant(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		a, b := s.newTenant(t), s.newTenant(t)
		// Clients that are alike in all but their tenant, so that nothing else can be what refuses.
		metadata := map[string]any{"preferred_client_id": "alike", "preferred_client_secret": strings.Repeat("s", 40), "redirect_uris": []string{callback},
			"grant_types": []string{"authorization_code", "refresh_token"}}
		ca, cb := a.register(t, metadata), b.register(t, metadata)
		a.User.Subject, b.User.Subject = "alike-user", "alike-user"
		k := a.tokens(t, ca)
		var session prompt
		r := a.start(t, ca.request("prompt", "consent"), "")
		a.put(t, r, map[string]any{"sub": "alike-user"}).want(t, "200").read(t, &session)
		opaque := a.register(t, map[string]any{"redirect_uris": []string{callback}})
		var identifier tokens
		{
			r := a.start(t, opaque.request(), "")
			r = a.put(t, r, map[string]any{"sub": "alike-user"})
			v := a.response(t, a.put(t, r, map[string]any{"scope": []string{"openid"}, "access_token": map[string]any{"encoding": "IDENTIFIER"}}))
			identifier = issued(t, a.redeem(t, opaque, v.Get("code")))
		}
		for name, token := range map[string]string{"access": k.Access, "identifier": identifier.Access, "refresh": k.Refresh, "ID": k.ID} {
			if m := b.introspect(t, token); len(m) != 1 || m["active"] != false {
				t.Errorf("S10 introspection of another tenant's %s token: %v", name, m)
			}
			if r := call(t, http.MethodGet, b.url("/userinfo"), bearer(token)); !r.is("401 invalid_token") {
				t.Errorf("S10 UserInfo for another tenant's %s token: %s", name, r.outcome())
			}
			call(t, http.MethodPost, b.url("/token/revoke"), cb.auth(), form("token", token)).want(t, "200")
		}
		if !a.active(t, k.Access) || !a.active(t, identifier.Access) {
			t.Error("S10 another tenant revoked a token")
		}
		b.refresh(t, cb, k.Refresh).want(t, "400 invalid_grant")
		code := a.code(t, ca)
		b.redeem(t, cb, code).want(t, "400 invalid_grant")
		issued(t, a.redeem(t, ca, code))
		if r := call(t, http.MethodGet, b.url("/clients/alike"), bearer(ca.RegistrationToken)); r.StatusCode != http.StatusUnauthorized {
			t.Error("S10 another tenant's registration access token:", r.outcome())
		}
		if v := b.authorize(t, cb.request("id_token_hint", k.ID, "prompt", "none")); v.Get("error") != "invalid_request" && v.Get("error") != "login_required" {
			t.Error("S10 another tenant's ID token as a hint:", v)
		}
		var fresh prompt
		if b.start(t, cb.request(), session.SubSession.SID).want(t, "200").read(t, &fresh); fresh.Type != "auth" || fresh.SubSession.SID != "" {
			t.Error("S10 another tenant's subject session:", fresh)
		}
		b.api(t, http.MethodPut, sessionsV1+"/"+session.SID, object(grantAll)).want(t, "404 *")
		b.api(t, http.MethodPut, sessionsV1+"/"+fresh.SID, object(map[string]string{"sub_sid": session.SubSession.SID})).want(t, "200").read(t, &fresh)
		if fresh.Type != "auth" {
			t.Error("S10 switching to another tenant's session:", fresh)
		}
		issued(t, a.refresh(t, ca, k.Refresh))

		type key struct{ Kid, Kty, Alg, N, X, D, P, Q, K string }
		keysOf := func(x *tenant) (ks []key) {
			var set struct{ Keys []key }
			call(t, http.MethodGet, x.url("/jwks.json")).want(t, "200").read(t, &set)
			return set.Keys
		}
		seen := map[string]bool{}
		for _, x := range []*tenant{a, b} {
			for _, k := range keysOf(x) {
				if k.D+k.P+k.Q+k.K != "" || k.Alg == "" || k.Kid == "" || seen[k.N+k.X] || seen[k.Kid] {
					t.Errorf("S11 key %+v is shared, private or without a name", k)
				}
				seen[k.N+k.X], seen[k.Kid] = true, true
			}
		}
		if len(seen) < 4 {
			t.Error("S11 too few keys:", len(seen))
		}
	})
}
