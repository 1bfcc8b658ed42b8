package e2e

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What may be registered: S26, S45, S138.
func TestClientMetadata(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		uri := func(v string) map[string]any { return map[string]any{"redirect_uris": []string{v}} }
		with := func(name string, v any) map[string]any {
			return map[string]any{"redirect_uris": []string{callback}, name: v}
		}
		own := x.confidential(t, callback)
		for _, c := range []struct {
			rule     string
			metadata map[string]any
			want     string
		}{
			{"https", uri("https://app.example/cb"), "201"},
			{"loopback", uri("http://127.0.0.1:8080/cb"), "201"},
			{"S26 plain http", uri("http://app.example/cb"), "400 invalid_redirect_uri"},
			{"S26 a fragment", uri("https://app.example/cb#x"), "400 invalid_redirect_uri"},
			{"S26 a wildcard", uri("https://*.app.example/cb"), "400 invalid_redirect_uri"},
			{"S26 user information", uri("https://u:p@app.example/cb"), "400 invalid_redirect_uri"},
			{"S26 a line break", uri("https://app.example/cb\r\nx"), "400 invalid_redirect_uri"},
			{"S26 a space before", uri(" https://app.example/cb"), "400 invalid_redirect_uri"},
			{"S26 javascript", uri("javascript:alert(1)"), "400 invalid_redirect_uri"},
			{"S26 jAvAscript", uri("jAvAscript://x/%0aalert(1)"), "400 invalid_redirect_uri"},
			{"S26 data", uri("data:text/html,x"), "400 invalid_redirect_uri"},
			{"S26 vbscript", uri("vbscript:x"), "400 invalid_redirect_uri"},
			{"S26 file", uri("file:///etc/passwd"), "400 invalid_redirect_uri"},
			{"S26 blob", uri("blob:https://app.example/x"), "400 invalid_redirect_uri"},
			{"S26 relative", uri("/cb"), "400 invalid_redirect_uri"},
			{"S26 parameters of the response", uri("https://app.example/cb?code=1"), "400 invalid_redirect_uri"},
			{"S26 a private scheme of a web client", uri("com.example.app:/cb"), "400 invalid_redirect_uri"},
			{"a private scheme of a native client", map[string]any{"redirect_uris": []string{"com.example.app:/cb"}, "application_type": "native", "token_endpoint_auth_method": "none"}, "201"},
			{"S45 client_uri", with("client_uri", "javascript:alert(1)"), "400 invalid_client_metadata"},
			{"S45 logo_uri", with("logo_uri", "data:image/svg+xml,<svg onload=alert(1)>"), "400 invalid_client_metadata"},
			{"S45 policy_uri", with("policy_uri", "javascript:alert(1)"), "400 invalid_client_metadata"},
			{"S45 tos_uri", with("tos_uri#de", "data:x"), "400 invalid_client_metadata"},
			{"S45 a name with a control character", with("client_name", "a\u0007b"), "400 invalid_client_metadata"},
			{"S138 redirect_uris of the wrong type", map[string]any{"redirect_uris": "https://app.example/cb"}, "400 invalid_client_metadata"},
			{"S138 null inside", map[string]any{"redirect_uris": []any{nil}}, "400 *"},
			{"S138 a number for a name", with("client_name", 5), "400 invalid_client_metadata"},
			{"S138 no redirect URI with a code", map[string]any{"redirect_uris": []string{}}, "400 *"},
			{"S138 a grant that there is not", with("grant_types", []string{"authorization_code", "password"}), "400 invalid_client_metadata"},
			{"S138 a response type without its grant", map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"client_credentials"}, "response_types": []string{"code"}}, "400 invalid_client_metadata"},
			{"S138 a response type that there is not", with("response_types", []string{"token"}), "400 invalid_client_metadata"},
			{"S138 a method that there is not", with("token_endpoint_auth_method", "private_key_jwt"), "400 invalid_client_metadata"},
			{"S138 keys", with("jwks", map[string]any{"keys": []any{}}), "400 invalid_client_metadata"},
			{"S138 an algorithm that there is not", with("id_token_signed_response_alg", "none"), "400 invalid_client_metadata"},
			{"S138 client credentials of a public client", map[string]any{"redirect_uris": []string{}, "grant_types": []string{"client_credentials"}, "response_types": []string{}, "token_endpoint_auth_method": "none"}, "400 invalid_client_metadata"},
			{"S138 an id that is taken", with("preferred_client_id", own.ID), "400 *"},
			{"S141 an id like a URL", with("preferred_client_id", "https://app.example/"), "400 invalid_client_metadata"},
			{"an id that is too long", with("preferred_client_id", strings.Repeat("x", 81)), "400 invalid_client_metadata"},
			{"a secret that is too short", with("preferred_client_secret", "secret"), "400 invalid_client_metadata"},
			{"S8 a tenant in the body", with("tenant_id", "globex"), "201"},
		} {
			r := call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(c.metadata))
			if !r.is(c.want) {
				t.Errorf("%s: POST got %s, want %s\n%s", c.rule, r.outcome(), c.want, r.body)
			}
			if r.StatusCode == http.StatusCreated {
				var made struct {
					ID  string `json:"client_id"`
					URI string `json:"registration_client_uri"`
				}
				r.read(t, &made)
				if made.URI != x.Issuer+"/clients/"+made.ID {
					t.Errorf("%s: registration_client_uri %s", c.rule, made.URI)
				}
				continue
			}
			// S139 an update is validated like a creation.
			if c.metadata["preferred_client_id"] != nil || c.metadata["preferred_client_secret"] != nil {
				continue
			}
			if r := call(t, http.MethodPut, x.url("/clients/"+own.ID), bearer(x.APIToken), object(c.metadata)); !r.is(c.want) {
				t.Errorf("%s: PUT got %s, want %s\n%s", c.rule, r.outcome(), c.want, r.body)
			}
		}
		issued(t, x.token(t, own, "grant_type", "client_credentials"))
		before := len(x.clients(t))
		r := call(t, http.MethodPost, x.url("/clients?dry_run=true"), bearer(x.APIToken), object(uri(callback)))
		if r.StatusCode >= 300 || len(x.clients(t)) != before {
			t.Error("dry_run:", r.outcome())
		}
	})
}

// clients lists the tenant's client ids.
func (x *tenant) clients(t testing.TB) (ids []string) {
	t.Helper()
	var list []client
	call(t, http.MethodGet, x.url("/clients"), bearer(x.APIToken)).want(t, "200").read(t, &list)
	for _, c := range list {
		ids = append(ids, c.ID)
	}
	return ids
}

// Who may register and manage clients: S137, S139–S141.
func TestRegistrationAuthority(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		metadata := object(map[string]any{"redirect_uris": []string{callback}})
		create := func(parts ...part) reply {
			return call(t, http.MethodPost, x.url("/clients"), append(parts, metadata)...)
		}
		create().want(t, "401 *", "403 *")
		create(bearer("x")).want(t, "401 invalid_token")
		create(bearer(other.APIToken)).want(t, "401 invalid_token")
		create(bearer(s.adminToken)).want(t, "401 invalid_token")
		create(header("Authorization", "Basic eDp4")).want(t, "401 *")
		var narrow struct{ Token string }
		call(t, http.MethodPost, s.url+"/admin/v1/tenants/"+x.TenantID+"/tokens", bearer(s.adminToken), object(map[string]any{"label": "ui", "apis": []string{"authz-sessions"}})).want(t, "201").read(t, &narrow)
		secret(narrow.Token)
		create(bearer(narrow.Token)).want(t, "403 insufficient_scope") // S200
		call(t, http.MethodGet, x.url("/clients")).want(t, "401 *")
		call(t, http.MethodGet, x.url("/clients"), bearer(narrow.Token)).want(t, "403 insufficient_scope")

		a, b := x.confidential(t, callback), x.confidential(t, callback)
		create(bearer(a.RegistrationToken)).want(t, "401 invalid_token")
		own := x.url("/clients/" + a.ID)
		var shown map[string]any
		call(t, http.MethodGet, own, bearer(a.RegistrationToken)).want(t, "200").read(t, &shown)
		for _, token := range []string{b.RegistrationToken, "x", other.APIToken} {
			for _, method := range []string{http.MethodGet, http.MethodDelete} {
				call(t, method, own, bearer(token)).want(t, "401 invalid_token")
			}
			call(t, http.MethodPut, own, bearer(token), metadata).want(t, "401 invalid_token")
		}
		call(t, http.MethodGet, own).want(t, "401 *")
		for rule, change := range map[string]map[string]any{
			"another grant":           {"grant_types": []string{"authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"}},
			"data":                    {"data": map[string]any{"trusted": true}},
			"audience":                {"audience": []string{"https://api.example/"}},
			"the scope of challenges": {"scope": "openid authorization_challenge"},
			"another id":              {"client_id": b.ID},
			"a secret of its choice":  {"client_secret": strings.Repeat("s", 40)},
		} {
			change["redirect_uris"] = []string{callback}
			if change["client_id"] == nil {
				change["client_id"] = a.ID
			}
			if r := call(t, http.MethodPut, own, bearer(a.RegistrationToken), object(change)); r.StatusCode != http.StatusBadRequest {
				t.Errorf("S139 a client gives itself %s: %s", rule, r.outcome())
			}
		}
		if !regexp.MustCompile(`^c_[A-Za-z0-9_-]{22}$`).MatchString(a.ID) {
			t.Error("S141 a generated client id:", a.ID)
		}
		call(t, http.MethodPut, own, bearer(a.RegistrationToken), object(map[string]any{"client_id": a.ID, "redirect_uris": []string{callback + "2"}})).want(t, "200").read(t, &shown)
		if fmt.Sprint(shown["redirect_uris"]) != "["+callback+"2]" {
			t.Error("an update shows", shown["redirect_uris"])
		}
		for _, v := range []string{"client_secret", "registration_access_token"} {
			if now, _ := shown[v].(string); now != "" {
				secret(now)
				if v == "registration_access_token" {
					a.RegistrationToken = now
				}
			}
		}
		call(t, http.MethodDelete, own, bearer(a.RegistrationToken)).want(t, "204")
		call(t, http.MethodGet, own, bearer(a.RegistrationToken)).want(t, "401 invalid_token")
		call(t, http.MethodGet, own, bearer(x.APIToken)).want(t, "404 *", "401 *")

		// Open registration, with its limits.
		x.patch(t, map[string]any{"clients": map[string]any{"open_registration": true, "max": len(x.clients(t)) + 3, "open_max": len(x.clients(t)) + 2}})
		for range 2 {
			var c client
			create().want(t, "201").read(t, &c)
			secret(c.Secret, c.RegistrationToken)
		}
		before := len(x.clients(t))
		create().want(t, "400 *", "403 *", "429 *")
		if n := len(x.clients(t)); n != before {
			t.Error("S140 a tenant has more clients than anybody may register:", n)
		}
		x.confidential(t, callback) // the last place is not theirs
		create(bearer(x.APIToken)).want(t, "429 slow_down")
		x.patch(t, map[string]any{"clients": map[string]any{"max": nil, "open_max": nil}})
		for rule, metadata := range map[string]map[string]any{
			"client credentials":      {"grant_types": []string{"client_credentials"}, "redirect_uris": []string{}, "response_types": []string{}},
			"an id":                   {"redirect_uris": []string{callback}, "preferred_client_id": "mine"},
			"data":                    {"redirect_uris": []string{callback}, "data": map[string]any{"a": 1}},
			"the scope of challenges": {"redirect_uris": []string{callback}, "scope": "authorization_challenge"},
		} {
			if r := call(t, http.MethodPost, x.url("/clients"), object(metadata)); !r.is("400 invalid_client_metadata") {
				t.Errorf("S137 anybody registers a client with %s: %s", rule, r.outcome())
			}
		}
	})
}

// Metadata tell the truth: what is advertised is there, and what is switched off is neither advertised nor there (S145, S146).
func TestMetadataIsTrue(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		at := strings.TrimPrefix(x.url(""), s.url)
		var documents []reply
		for _, path := range []string{at + "/.well-known/openid-configuration", at + "/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server" + at, "/.well-known/openid-configuration" + at} {
			documents = append(documents, call(t, http.MethodGet, s.url+path).want(t, "200"))
		}
		for _, d := range documents {
			if !same(d, documents[0]) || d.Header.Get("Content-Type") != "application/json" {
				t.Errorf("S145 %s differs: %s", d.Request.URL, d.body)
			}
		}
		var m map[string]any
		documents[0].read(t, &m)
		if m["issuer"] != x.Issuer {
			t.Error("S145 issuer:", m["issuer"])
		}
		for name, v := range m {
			if v == nil || fmt.Sprint(v) == "[]" {
				t.Errorf("S145 %s is empty", name)
			}
			uri, isURI := v.(string)
			if !isURI || name == "issuer" || !strings.HasSuffix(name, "_endpoint") && !strings.HasSuffix(name, "_uri") {
				continue
			}
			if !strings.HasPrefix(uri, x.Issuer+"/") {
				t.Errorf("S12 %s lies elsewhere: %s", name, uri)
			}
			if r := call(t, http.MethodPost, uri, form()); r.StatusCode == http.StatusNotFound {
				t.Errorf("S145 %s is not there: %s", name, uri)
			}
		}
		texts := func(name string) (values []string) {
			vs, _ := m[name].([]any)
			for _, v := range vs {
				values = append(values, v.(string))
			}
			return values
		}
		for _, g := range texts("grant_types_supported") {
			r := x.token(t, x.Client, "grant_type", g)
			if r.is("400 unsupported_grant_type") {
				t.Errorf("S145 grant %s is advertised and not supported", g)
			}
		}
		for _, method := range texts("token_endpoint_auth_methods_supported") {
			r := call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": method, "jwks_uri": nil}))
			if r.StatusCode != http.StatusCreated && !strings.Contains(string(r.body), "jwks") {
				t.Errorf("S145 method %s is advertised and cannot be registered: %s", method, r.body)
			}
		}
		var jwks struct{ Keys []struct{ Alg string } }
		call(t, http.MethodGet, x.url("/jwks.json")).read(t, &jwks)
		for _, alg := range texts("id_token_signing_alg_values_supported") {
			if !slices.ContainsFunc(jwks.Keys, func(k struct{ Alg string }) bool { return k.Alg == alg }) {
				t.Errorf("S145 %s is advertised, and there is no key for it", alg)
			}
		}
		if r := call(t, http.MethodPost, x.url("/clients"), object(map[string]any{"redirect_uris": []string{callback}})); m["registration_endpoint"] == nil || r.StatusCode == http.StatusNotFound {
			t.Error("S145 registration:", r.outcome())
		}

		x.patch(t, map[string]any{"authorization": map[string]any{"response_modes": []string{"query"}, "scopes": []string{"openid", "orders"}}})
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).read(t, &m)
		if !slices.Equal(texts("response_modes_supported"), []string{"query"}) || !slices.Equal(texts("scopes_supported"), []string{"openid", "orders"}) {
			t.Error("S146 metadata:", m["response_modes_supported"], m["scopes_supported"])
		}
		if got, _ := x.ask(t, x.confidential(t, callback).request("response_mode", "fragment")); got != "client invalid_request" {
			t.Error("S146 a response mode that is off:", got)
		}
	})
}
