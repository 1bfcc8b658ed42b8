package e2e

import (
	"crypto/x509"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"
)

// object is a request object of a client's with these parameters; changed replaces its claims, nil leaves one out.
func (x *tenant) object(c *client, s signer, query url.Values, changed map[string]any) string {
	now := time.Now().Unix()
	claims := map[string]any{"iss": c.ID, "aud": x.Issuer, "nbf": now, "exp": now + 300, "iat": now}
	for name := range query {
		claims[name] = query.Get(name)
	}
	for name, v := range changed {
		if claims[name] = v; v == nil {
			delete(claims, name)
		}
	}
	return forge(map[string]any{"alg": "ES256", "kid": s.kid, "typ": "oauth-authz-req+jwt"}, claims, s.sign)
}

// Message Signing: requests are signed and fresh, and so are responses (S108).
func TestProfileOfSignedMessages(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, mine := s.newTenant(t), newSigner(t, "mine")
		x.patch(t, map[string]any{"profile": "fapi2-message-signing", "tokens": map[string]any{"access_token_alg": "ES256", "id_token_alg": "ES256"}})
		c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "private_key_jwt", "jwks": mine.jwks(), "grant_types": []string{"authorization_code"}})
		f := &fapi{c, x, mine, newProver(t)}
		query := c.request("response_mode", "jwt")
		push := func(object string) reply { return f.post(t, "/par", params("client_id", c.ID, "request", object)) }
		f.post(t, "/par", query).want(t, "400 invalid_request")
		hour := time.Now().Add(61 * time.Minute).Unix()
		for rule, object := range map[string]string{
			"no nbf":                x.object(c, mine, query, map[string]any{"nbf": nil}),
			"no exp":                x.object(c, mine, query, map[string]any{"exp": nil}),
			"more than 60 minutes":  x.object(c, mine, query, map[string]any{"exp": hour}),
			"another's aud":         x.object(c, mine, query, map[string]any{"aud": "https://else.example"}),
			"another's key":         x.object(c, newSigner(t, "mine"), query, nil),
			"no signed response":    x.object(c, mine, c.request(), nil),
			"another response mode": x.object(c, mine, c.request("response_mode", "form_post"), nil),
		} {
			if r := push(object); !r.is("400 invalid_request_object", "400 invalid_request") {
				t.Errorf("S108 %s: %s", rule, r.outcome())
			}
		}
		var m serverMetadata
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
		for _, mode := range []string{"query", "fragment", "form_post", "jwt", "query.jwt", "fragment.jwt", "form_post.jwt"} {
			r := push(x.object(c, mine, c.request("response_mode", mode), nil))
			if promised := slices.Contains(m.list("response_modes_supported"), mode); promised != r.is("201") {
				t.Errorf("S145, S146 response mode %s is promised: %v, and answered %s", mode, promised, r.outcome())
			}
		}
		var p struct {
			URI string `json:"request_uri"`
		}
		push(x.object(c, mine, query, nil)).want(t, "201").read(t, &p)
		v := x.authorize(t, params("client_id", c.ID, "request_uri", p.URI))
		if v.Get("code") != "" || v.Get("response") == "" {
			t.Fatal("the response is not signed:", v)
		}
		head, response := claims(t, v.Get("response"))
		code, _ := response["code"].(string)
		secret(code)
		if head["alg"] != "ES256" || response["iss"] != x.Issuer || response["aud"] != c.ID || code == "" {
			t.Errorf("the response: %v %v", head, response)
		}
		k := issued(t, f.post(t, "/token", params("grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", verifier), f.proven()))
		if k.Type != "DPoP" {
			t.Error("token_type:", k.Type)
		}
	})
}

// FAPI 1.0 Advanced for one client: certificates, signed requests, signed responses.
func TestProfileOfFAPI1(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) { // whose proxies nobody named: one on the loopback may hand on certificates
		x, mine := s.newTenant(t), newSigner(t, "mine")
		x.patch(t, map[string]any{"tokens": map[string]any{"access_token_alg": "ES256", "id_token_alg": "ES256"}, "mtls": map[string]any{"enabled": true}})
		c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "self_signed_tls_client_auth", "jwks": mine.jwks(),
			"grant_types": []string{"authorization_code"}, "profile": "fapi1-advanced"})
		shown := (&issuer{&x509.Certificate{}, mine.key}).issueFor(t, mine.key, nil)
		query := c.request("response_mode", "jwt", "code_challenge", "", "code_challenge_method", "")
		refused := func(rule string, q url.Values) {
			t.Helper()
			r := x.start(t, q, "")
			if r.StatusCode == http.StatusOK {
				t.Errorf("%s is taken: %s", rule, r.body)
			}
		}
		refused("an unsigned request", query)
		refused("a request of 61 minutes", params("client_id", c.ID, "response_type", "code", "scope", "openid", "request", x.object(c, mine, query, map[string]any{"exp": time.Now().Add(61 * time.Minute).Unix()})))
		refused("a request for an unsigned response", params("client_id", c.ID, "response_type", "code", "scope", "openid", "request", x.object(c, mine, c.request(), nil)))
		v := x.authorize(t, params("client_id", c.ID, "response_type", "code", "scope", "openid", "request", x.object(c, mine, query, nil)))
		if v.Get("response") == "" {
			t.Fatal("the response is not signed:", v)
		}
		_, response := claims(t, v.Get("response"))
		code, _ := response["code"].(string)
		secret(code)
		redeem := form("grant_type", "authorization_code", "client_id", c.ID, "code", code, "redirect_uri", callback)
		call(t, http.MethodPost, x.url("/token"), redeem).want(t, "401 invalid_client")
		k := issued(t, call(t, http.MethodPost, x.url("/token"), redeem, shown.header()))
		_, access := claims(t, k.Access)
		if cnf, _ := access["cnf"].(map[string]any); cnf["x5t#S256"] != shown.thumbprint() {
			t.Error("S123 the token is not bound:", access["cnf"])
		}
	})
}
