package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// fapi is a client of FAPI 2.0: it signs its assertions and proves a key.
type fapi struct {
	*client
	x     *tenant
	sign  signer
	prove *prover
}

// assertion is a new assertion of the client's, with some claims changed.
func (f *fapi) assertion(changed map[string]any) string {
	return forge(map[string]any{"alg": "ES256", "kid": f.sign.kid, "typ": "JWT"}, assertion(f.x, f.client, changed), f.sign.sign)
}

// post calls an endpoint with an assertion.
func (f *fapi) post(t testing.TB, path string, query url.Values, more ...part) reply {
	t.Helper()
	q := url.Values{"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}, "client_assertion": {f.assertion(nil)}}
	for name, v := range query {
		q[name] = v
	}
	return call(t, http.MethodPost, f.x.url(path), append([]part{body("application/x-www-form-urlencoded", q.Encode())}, more...)...)
}

// proven is a proof for the token endpoint.
func (f *fapi) proven() part { return dpop(f.prove.proof("POST", f.x.Issuer+"/token")) }

// pushed pushes a request.
func (f *fapi) pushed(t testing.TB, pairs ...string) reply {
	t.Helper()
	return f.post(t, "/par", f.request(pairs...))
}

// flow holds a client to FAPI 2.0 from its first request on: S65, S85, S106, S124.
func (f *fapi) flow(t *testing.T) {
	t.Helper()
	x := f.x
	at := x.url("/authorize?" + f.request().Encode())
	if r := call(t, http.MethodGet, at); !strings.Contains(r.Header.Get("Location"), "error=invalid_request") {
		t.Error("S106 a request that was not pushed:", r.StatusCode, r.Header.Get("Location"))
	}
	f.pushed(t, "code_challenge", "", "code_challenge_method", "").want(t, "400 invalid_request")
	aud := url.Values{"client_assertion": {f.assertion(map[string]any{"aud": x.Issuer + "/token"})}, "grant_type": {"client_credentials"}}
	f.post(t, "/token", aud, f.proven()).want(t, "401 invalid_client")
	f.post(t, "/token", params("grant_type", "client_credentials")).want(t, "400 invalid_request")
	if k := issued(t, f.post(t, "/token", params("grant_type", "client_credentials"), f.proven())); k.Type != "DPoP" {
		t.Error("S124 token_type:", k.Type)
	}
	var p struct {
		URI string `json:"request_uri"`
	}
	f.pushed(t).want(t, "201").read(t, &p)
	v := x.authorize(t, params("client_id", f.ID, "request_uri", p.URI))
	redeem := params("grant_type", "authorization_code", "code", v.Get("code"), "redirect_uri", callback, "code_verifier", verifier)
	f.post(t, "/token", redeem).want(t, "400 invalid_request")
	k := issued(t, f.post(t, "/token", redeem, f.proven()))
	head, _ := claims(t, k.Access)
	idHead, _ := claims(t, k.ID)
	if k.Type != "DPoP" || head["alg"] != "ES256" || idHead["alg"] != "ES256" {
		t.Error("S124:", k.Type, head, idHead)
	}
	refresh := params("grant_type", "refresh_token", "refresh_token", k.Refresh)
	f.post(t, "/token", refresh).want(t, "400 invalid_request")
	for range 2 {
		if next := issued(t, f.post(t, "/token", refresh, f.proven())); next.Refresh != k.Refresh {
			t.Error("S85 the refresh token is rotated")
		}
	}
}

// findings are what `chancery tenant check` says.
type findings struct {
	Profile   string
	Fulfilled bool
	Findings  []struct {
		Rule, Says, Why string
		ClientID        string `json:"client_id"`
		Fulfilled       bool
	}
}

// check explains a tenant's profile, by the command; its status says whether all is fulfilled.
func (s *server) check(t testing.TB, args ...string) findings {
	t.Helper()
	out, err := s.run(append([]string{"tenant", "check", "-o", "json"}, args...)...)
	var f findings
	if at := json.Unmarshal([]byte(out), &f); at != nil {
		t.Fatalf("%v: %v %s", args, err, out)
	}
	if (err == nil) != f.Fulfilled {
		t.Errorf("fulfilled %v, but the command says %v", f.Fulfilled, err)
	}
	return f
}

// broken are the rules that a client breaks; of the empty id the settings.
func (f findings) broken(clientID string) (rules []string) {
	for _, x := range f.Findings {
		if !x.Fulfilled && x.ClientID == clientID {
			rules = append(rules, x.Rule)
		}
	}
	return rules
}

// A tenant is switched to FAPI 2.0: the settings must fit, older clients that do not are refused and explained, and the
// others are held to it.
func TestProfileOfATenant(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, mine := s.newTenant(t), newSigner(t, "mine")
		old, public := x.confidential(t, callback), x.public(t, callback)
		x.tokens(t, old)
		set := func(settings map[string]any) reply {
			return call(t, http.MethodPatch, s.url+"/admin/v1/tenants/"+x.TenantID, bearer(s.adminToken), object(map[string]any{"settings": settings}))
		}
		if r := set(map[string]any{"profile": "fapi2-security"}); r.StatusCode < 400 || !strings.Contains(string(r.body), "/settings/tokens/access_token_alg") {
			t.Error("settings that do not fit:", r.outcome(), string(r.body))
		}
		before := s.check(t, x.TenantID, "--profile", "fapi2-security")
		if before.Fulfilled || !slices.Contains(before.broken(""), "algorithms") || !slices.Contains(before.broken(old.ID), "client_authentication") ||
			!slices.Contains(before.broken(public.ID), "confidential_clients") {
			t.Errorf("%+v", before)
		}
		if f := s.check(t, x.TenantID); !f.Fulfilled || f.Profile != "" {
			t.Errorf("without a profile: %+v", f)
		}
		set(map[string]any{"profile": "fapi2-security", "tokens": map[string]any{"access_token_alg": "ES256", "id_token_alg": "ES256"}}).want(t, "200")
		within(t, aboutASecond, "the profile is on", func() bool {
			return x.token(t, old, "grant_type", "client_credentials").is("401 invalid_client")
		})
		x.token(t, public, "grant_type", "refresh_token", "refresh_token", "x").want(t, "401 invalid_client")
		for _, c := range []*client{old, public} {
			if r := call(t, http.MethodGet, x.url("/authorize?"+c.request().Encode())); !strings.Contains(r.Header.Get("Location"), "error=unauthorized_client") {
				t.Error("S124 a client of before:", r.StatusCode, r.Header.Get("Location"))
			}
		}
		for rule, m := range map[string]map[string]any{
			"a secret":             {"redirect_uris": []string{callback}},
			"a public client":      {"redirect_uris": []string{callback}, "token_endpoint_auth_method": "none"},
			"assertions by RSA1.5": {"redirect_uris": []string{callback}, "token_endpoint_auth_method": "private_key_jwt", "jwks": mine.jwks(), "token_endpoint_auth_signing_alg": "RS256"},
		} {
			if r := call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(m)); !r.is("400 invalid_client_metadata") {
				t.Errorf("S124 %s is registered: %s", rule, r.outcome())
			}
		}
		var m struct {
			RequirePAR bool     `json:"require_pushed_authorization_requests"`
			Methods    []string `json:"token_endpoint_auth_methods_supported"`
			Algs       []string `json:"token_endpoint_auth_signing_alg_values_supported"`
			Proofs     []string `json:"dpop_signing_alg_values_supported"`
		}
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
		if algs := []string{"PS256", "ES256", "EdDSA"}; !m.RequirePAR || !slices.Equal(m.Methods, []string{"private_key_jwt"}) || !slices.Equal(m.Algs, algs) || len(m.Proofs) != 3 {
			t.Errorf("metadata: %+v", m)
		}
		f := &fapi{x.register(t, map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "private_key_jwt", "jwks": mine.jwks(),
			"grant_types": []string{"authorization_code", "refresh_token", "client_credentials"}}), x, mine, newProver(t)}
		f.flow(t)
		for _, c := range []*client{old, public, x.Client} {
			call(t, http.MethodDelete, x.url("/clients/"+c.ID), bearer(x.APIToken)).want(t, "204")
		}
		if got := s.check(t, x.TenantID); !got.Fulfilled || got.Profile != "fapi2-security" || len(got.Findings) < 12 {
			t.Errorf("%+v", got)
		}
		if _, err := s.run("tenant", "check", x.TenantID, "--profile", "fapi3"); err == nil {
			t.Error("a profile that there is not")
		}
	})
}

// One client is switched to a profile, at a tenant that has none.
func TestProfileOfAClient(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, mine := s.newTenant(t), newSigner(t, "mine")
		x.patch(t, map[string]any{"tokens": map[string]any{"access_token_alg": "ES256", "id_token_alg": "ES256"}, "authorization": map[string]any{"code_lifetime": 600}})
		metadata := map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "private_key_jwt", "jwks": mine.jwks(),
			"grant_types": []string{"authorization_code", "refresh_token", "client_credentials"}, "profile": "fapi2-security"}
		f := &fapi{x.register(t, metadata), x, mine, newProver(t)}
		f.flow(t)
		x.tokens(t, x.confidential(t, callback))
		metadata["token_endpoint_auth_method"] = "client_secret_basic"
		call(t, http.MethodPut, x.url("/clients/"+f.ID), bearer(x.APIToken), object(metadata)).want(t, "400 invalid_client_metadata")
		r := x.api(t, http.MethodPost, "/direct-authz/rest/v2", object(map[string]any{"sub": "alice", "client_id": f.ID, "scope": []string{"openid"}}))
		if r.StatusCode < 400 {
			t.Error("S124 a bearer token by direct authorisation:", r.outcome())
		}
	})
}
