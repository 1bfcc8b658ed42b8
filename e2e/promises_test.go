package e2e

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"maps"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// serverMetadata is a metadata document, as a client reads it.
type serverMetadata map[string]any

// list returns a member that is an array of strings.
func (m serverMetadata) list(name string) (values []string) {
	vs, _ := m[name].([]any)
	for _, v := range vs {
		values = append(values, v.(string))
	}
	return values
}

func (m serverMetadata) text(name string) string {
	v, _ := m[name].(string)
	return v
}

// settingsToPromise are settings that change what a tenant promises.
var settingsToPromise = map[string]map[string]any{
	"as a starter": {},
	"all off": {"ciba": map[string]any{"enabled": false}, "device": map[string]any{"enabled": false}, "challenge": map[string]any{"enabled": false},
		"authorization": map[string]any{"response_modes": []string{"query"}}},
	"all on": {"ciba": map[string]any{"enabled": true, "user_code": true}, "device": map[string]any{"enabled": true}, "challenge": map[string]any{"enabled": true},
		"mtls": map[string]any{"enabled": true}, "client_documents": map[string]any{"enabled": true}, "clients": map[string]any{"open_registration": true},
		"logout": map[string]any{"check_session": true}, "authorization": map[string]any{
			"response_types": []string{"id_token", "token", "id_token token", "code id_token", "code token", "code id_token token", "none"},
			"details_types":  []any{map[string]any{"type": "payment"}}, "acr_values": []string{"loa2"}, "scopes": []string{"openid", "orders", "offline_access"}}},
	"a login page of its own": {"login_url": "https://login.example/"},
	"pushing required":        {"par": map[string]any{"required": true}},
}

// Whatever a tenant's metadata promise works, and what they do not promise is refused (S145, S146).
func TestPromises(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		for name, settings := range settingsToPromise {
			t.Run(name, func(t *testing.T) {
				x := s.newTenant(t)
				x.patch(t, settings)
				var m serverMetadata
				call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
				for _, promise := range []func(*testing.T, *tenant, serverMetadata){
					promisedEndpoints, promisedGrants, promisedRegistrations, promisedRequests, promisedFlags,
				} {
					promise(t, x, m)
				}
			})
		}
	})
}

// promisedEndpoints: each endpoint that is named is there.
func promisedEndpoints(t *testing.T, x *tenant, m serverMetadata) {
	t.Helper()
	for member, method := range map[string]string{"authorization_endpoint": "GET", "token_endpoint": "POST", "jwks_uri": "GET", "userinfo_endpoint": "GET",
		"registration_endpoint": "POST", "introspection_endpoint": "POST", "revocation_endpoint": "POST", "pushed_authorization_request_endpoint": "POST",
		"backchannel_authentication_endpoint": "POST", "device_authorization_endpoint": "POST", "authorization_challenge_endpoint": "POST",
		"end_session_endpoint": "GET", "check_session_iframe": "GET"} {
		uri := m.text(member)
		if uri == "" {
			continue
		}
		if r := call(t, method, uri, form()); r.StatusCode == http.StatusNotFound || r.StatusCode == http.StatusMethodNotAllowed || r.StatusCode >= 500 {
			t.Errorf("S145 %s: %s", member, r.outcome())
		}
	}
	for member, path := range map[string]string{"backchannel_authentication_endpoint": "/ciba", "device_authorization_endpoint": "/device_authorization",
		"authorization_challenge_endpoint": "/authorize-challenge"} {
		r := call(t, http.MethodPost, x.url(path), x.Client.auth(), form("scope", "openid", "login_hint", x.User.Username, "username", x.User.Username))
		if m.text(member) == "" && r.StatusCode < 400 {
			t.Errorf("S146 %s is off: %s", member, r.outcome())
		}
	}
}

// promisedGrants: the token endpoint knows the grant types that are promised, and no others.
func promisedGrants(t *testing.T, x *tenant, m serverMetadata) {
	t.Helper()
	for _, g := range []string{"authorization_code", "refresh_token", "client_credentials", "password", "urn:ietf:params:oauth:grant-type:device_code",
		"urn:openid:params:grant-type:ciba", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"} {
		promised := slices.Contains(m.list("grant_types_supported"), g)
		r := x.token(t, x.Client, "grant_type", g, "code", "x", "refresh_token", "x", "device_code", "x", "auth_req_id", "x", "assertion", "x", "username", "x", "password", "x",
			"subject_token", "x", "subject_token_type", "urn:ietf:params:oauth:token-type:access_token")
		if unknown := r.is("400 unsupported_grant_type"); promised == unknown {
			t.Errorf("S145, S146 grant type %s is promised: %v, and answered %s", g, promised, r.outcome())
		}
	}
}

// promisedRegistrations: a client may register each value that is promised, and no other.
func promisedRegistrations(t *testing.T, x *tenant, m serverMetadata) {
	t.Helper()
	ec := newSigner(t, "signs")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	encrypts := maps.Clone(ec.jwks()["keys"].([]any)[0].(map[string]any))
	encrypts["kid"], encrypts["use"] = "encrypts", "enc"
	delete(encrypts, "alg")
	jwks := map[string]any{"keys": []any{ec.jwks()["keys"].([]any)[0], encrypts, map[string]any{"kty": "RSA", "kid": "rsa", "use": "enc",
		"n": base64.RawURLEncoding.EncodeToString(rsaKey.N.Bytes()), "e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(rsaKey.E)).Bytes())}}}
	signing := []string{"RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA", "HS256", "none", "x"}
	encryption := []string{"RSA-OAEP-256", "RSA-OAEP", "RSA1_5", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW", "A128KW", "x"}
	enc := []string{"A128GCM", "A256GCM", "A128CBC-HS256", "A256CBC-HS512", "x"}
	grants := []string{"authorization_code", "refresh_token", "client_credentials", "implicit", "password", "urn:ietf:params:oauth:grant-type:device_code",
		"urn:openid:params:grant-type:ciba", "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:jwt-bearer", "x"}
	responses := []string{"code", "id_token", "token", "id_token token", "code id_token", "code token", "code id_token token", "none", "x"}
	for _, p := range []struct {
		promise, member string
		values          []string
		with            map[string]any // further members that go with it
		array           bool
	}{
		{"id_token_signing_alg_values_supported", "id_token_signed_response_alg", signing, nil, false},
		{"userinfo_signing_alg_values_supported", "userinfo_signed_response_alg", signing, nil, false},
		{"introspection_signing_alg_values_supported", "introspection_signed_response_alg", signing, nil, false},
		{"authorization_signing_alg_values_supported", "authorization_signed_response_alg", signing, nil, false},
		{"id_token_encryption_alg_values_supported", "id_token_encrypted_response_alg", encryption, nil, false},
		{"userinfo_encryption_alg_values_supported", "userinfo_encrypted_response_alg", encryption, nil, false},
		{"introspection_encryption_alg_values_supported", "introspection_encrypted_response_alg", encryption, map[string]any{"introspection_signed_response_alg": "RS256"}, false},
		{"authorization_encryption_alg_values_supported", "authorization_encrypted_response_alg", encryption, map[string]any{"authorization_signed_response_alg": "RS256"}, false},
		{"id_token_encryption_enc_values_supported", "id_token_encrypted_response_enc", enc, map[string]any{"id_token_encrypted_response_alg": "RSA-OAEP-256"}, false},
		{"token_endpoint_auth_methods_supported", "token_endpoint_auth_method", []string{"none", "client_secret_basic", "client_secret_post", "client_secret_jwt",
			"private_key_jwt", "self_signed_tls_client_auth", "x"}, map[string]any{"grant_types": []string{"authorization_code"}}, false},
		{"subject_types_supported", "subject_type", []string{"public", "pairwise", "x"}, nil, false},
		{"grant_types_supported", "grant_types", grants, map[string]any{"response_types": []string{}}, true},
		{"response_types_supported", "response_types", responses, map[string]any{"grant_types": []string{"authorization_code", "implicit"}}, true},
		{"backchannel_token_delivery_modes_supported", "backchannel_token_delivery_mode", []string{"poll", "ping", "push", "x"}, map[string]any{
			"grant_types": []string{"authorization_code", "urn:openid:params:grant-type:ciba"}, "backchannel_client_notification_endpoint": "https://app.example/notified"}, false},
		{"authorization_details_types_supported", "authorization_details_types", []string{"payment", "x"}, nil, true},
	} {
		for _, v := range p.values {
			metadata := map[string]any{"redirect_uris": []string{callback}, "jwks": jwks}
			maps.Copy(metadata, p.with)
			if metadata[p.member] = v; p.array {
				metadata[p.member] = []string{v}
			}
			switch {
			case p.member == "grant_types" && v == "authorization_code", p.member == "response_types" && !strings.Contains(v, "code"):
				delete(metadata, "response_types")
				metadata[p.member] = []string{v}
				if p.member == "response_types" {
					metadata["grant_types"] = []string{"implicit"}
				}
			case p.member == "grant_types" && v == "implicit":
				continue // that of response types
			}
			if p.member == "response_types" && (v == "code" || v == "none") {
				metadata["grant_types"] = []string{"authorization_code"}
				if v == "none" {
					metadata["response_types"] = []string{"code", "none"}
				}
			}
			r := call(t, http.MethodPost, x.url("/clients?dry_run=true"), bearer(x.APIToken), object(metadata))
			if strings.HasPrefix(p.member, "authorization_") && m.list(p.promise) == nil && p.member != "authorization_details_types" {
				continue // so may one that takes its responses as JWTs
			}
			promised, switched := slices.Contains(m.list(p.promise), v), strings.HasSuffix(v, ":device_code") || strings.HasSuffix(v, ":ciba") || p.member == "backchannel_token_delivery_mode"
			if !promised && switched {
				continue // an administrator may register a client before it is turned on; until then it is refused where it is used
			}
			if promised != (r.StatusCode < 300) {
				t.Errorf("S145, S146 %s has %s: %v, and registering it is answered %s %s", p.promise, v, promised, r.outcome(), r.body)
			}
		}
	}
}

// promisedRequests: the authorization endpoint takes what is promised, and nothing else.
func promisedRequests(t *testing.T, x *tenant, m serverMetadata) {
	t.Helper()
	c := x.confidential(t, callback)
	if m.text("end_session_endpoint") == "" {
		return // a login page of the tenant's own is handed everything
	}
	takes := func(pairs ...string) (bool, string) {
		q := c.request(pairs...)
		if m["require_pushed_authorization_requests"] == true {
			q = x.pushed(t, c, pairs...)
		}
		got := x.sees(t, q)
		return got == "sign-in", got
	}
	if m["require_pushed_authorization_requests"] == true {
		if got := x.sees(t, c.request()); got == "sign-in" {
			t.Error("S145 a request that was not pushed is taken")
		}
		if ok, got := takes(); !ok {
			t.Error("S145 a pushed request:", got)
		}
		return
	}
	for _, p := range []struct {
		promise, parameter string
		values             []string
	}{
		{"response_modes_supported", "response_mode", []string{"query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt", "web_message", "x"}},
		{"code_challenge_methods_supported", "code_challenge_method", []string{"S256", "plain", "x"}},
		{"prompt_values_supported", "prompt", []string{"login", "consent", "select_account", "create", "x"}},
		{"display_values_supported", "display", []string{"page", "popup", "touch", "wap", "x"}},
	} {
		for _, v := range p.values {
			ok, got := takes(p.parameter, v)
			if promised := slices.Contains(m.list(p.promise), v); promised != ok && !(p.parameter == "display" && !promised) {
				t.Errorf("S145, S146 %s has %s: %v, and a request is answered %s", p.promise, v, promised, got)
			}
		}
	}
	for promise, pairs := range map[string][]string{
		"claims_parameter_supported": {"claims", `{"userinfo":{"email":null}}`},
	} {
		if ok, got := takes(pairs...); ok != (m[promise] == true) {
			t.Errorf("S145, S146 %s: %v, and a request is answered %s", promise, m[promise], got)
		}
	}
	for promise, pairs := range map[string][]string{
		"request_parameter_supported": {"request", "x"}, "request_uri_parameter_supported": {"request_uri", "https://app.example/r"},
	} {
		if _, got := takes(pairs...); (got == "client "+strings.TrimSuffix(promise, "_parameter_supported")+"_not_supported") == (m[promise] == true) {
			t.Errorf("S145, S146 %s: %v, and a request is answered %s", promise, m[promise], got)
		}
	}
	back := x.authorize(t, c.request("prompt", ""))
	if (back.Get("iss") == x.Issuer) != (m["authorization_response_iss_parameter_supported"] == true) {
		t.Error("S145 iss:", back)
	}
}

// promisedFlags: registration takes what goes with a promise, and refuses it where there is none.
func promisedFlags(t *testing.T, x *tenant, m serverMetadata) {
	t.Helper()
	for promise, metadata := range map[string]map[string]any{
		"tls_client_certificate_bound_access_tokens": {"tls_client_certificate_bound_access_tokens": true},
		"backchannel_logout_supported":               {"backchannel_logout_uri": "https://app.example/logout"},
		"backchannel_user_code_parameter_supported":  {"backchannel_user_code_parameter": true},
	} {
		metadata["redirect_uris"] = []string{callback}
		r := call(t, http.MethodPost, x.url("/clients?dry_run=true"), bearer(x.APIToken), object(metadata))
		if promised := m[promise] == true; promised != (r.StatusCode < 300) {
			t.Errorf("S145, S146 %s: %v, and registering it is answered %s", promise, promised, r.outcome())
		}
	}
	open := call(t, http.MethodPost, x.url("/clients?dry_run=true"), object(map[string]any{"redirect_uris": []string{callback}}))
	if m.text("registration_endpoint") == "" && open.StatusCode < 300 {
		t.Error("S146 registration is off, and open")
	}
	for _, resource := range m.list("protected_resources") {
		if !strings.HasPrefix(resource, x.Issuer) {
			t.Error("S145 a resource elsewhere:", resource)
		}
	}
}
