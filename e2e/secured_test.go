package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// privateKey is an EC key of a client.
type privateKey struct {
	kid string
	*ecdsa.PrivateKey
}

func newPrivateKey(t testing.TB, kid string) privateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return privateKey{kid, k}
}

// jwk returns it as a JWK with these members, with d where private says so.
func (k privateKey) jwk(t testing.TB, private bool, pairs ...string) map[string]any {
	t.Helper()
	e, err := k.ECDH()
	if err != nil {
		t.Fatal(err)
	}
	point, b64 := e.PublicKey().Bytes(), base64.RawURLEncoding
	out := map[string]any{"kty": "EC", "crv": "P-256", "kid": k.kid, "x": b64.EncodeToString(point[1:33]), "y": b64.EncodeToString(point[33:])}
	if private {
		out["d"] = b64.EncodeToString(e.Bytes())
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

// sign makes a request object with these claims.
func (k privateKey) sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	return forge(map[string]any{"alg": "ES256", "kid": k.kid, "typ": "oauth-authz-req+jwt"}, claims, func(input []byte) []byte {
		sum := sha256.Sum256(input)
		r, s, err := ecdsa.Sign(rand.Reader, k.PrivateKey, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	})
}

// requestOf is c's authorization request as the claims of a request object for x.
func (x *tenant) requestOf(c *client, pairs ...string) map[string]any {
	out := map[string]any{"iss": c.ID, "aud": x.Issuer}
	for name, values := range c.request(pairs...) {
		out[name] = values[0]
	}
	return out
}

// openid-client signs and encrypts requests and takes signed and encrypted responses, whoever asks the user.
func TestRelyingPartySecured(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"encryption": map[string]any{"algs": []string{"ECDH-ES"}}})
		within(t, aboutASecond, "the tenant publishes a key to encrypt to", func() bool {
			return strings.Contains(string(call(t, http.MethodGet, x.url("/jwks.json")).body), "ECDH-ES")
		})
		for i, way := range []string{"by our pages", "by the authorisation-session API"} {
			for _, tt := range []struct{ encrypt, decrypt, push bool }{{}, {true, false, i == 0}, {i == 0, true, true}} {
				signing, decryption := newPrivateKey(t, "sig"), newPrivateKey(t, "enc")
				metadata := map[string]any{"redirect_uris": []string{callback}, "require_signed_request_object": true, "request_object_signing_alg": "ES256",
					"jwks": map[string]any{"keys": []any{signing.jwk(t, false, "use", "sig"), decryption.jwk(t, false, "use", "enc")}}}
				if tt.decrypt {
					metadata["authorization_encrypted_response_alg"], metadata["authorization_encrypted_response_enc"] = "ECDH-ES", "A256GCM"
				}
				c := x.register(t, metadata)
				p := startStranger(t, "secured.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret, "redirect_uri": callback,
					"scope": "openid email", "signing": signing.jwk(t, true), "decryption": decryption.jwk(t, true), "encrypt": tt.encrypt, "decrypt": tt.decrypt,
					"push": tt.push})
				var came *url.URL
				asked := p.signIn(t, x, func(t *testing.T, x *tenant, at string) *url.URL {
					came = signIns[way](t, x, at)
					return came
				})
				if q := asked.Query(); len(q) != 2 || q.Has("scope") {
					t.Errorf("%s %+v: asked %s", way, tt, asked)
				}
				q := came.Query()
				if len(q) != 1 || strings.Count(q.Get("response"), ".") != map[bool]int{false: 2, true: 4}[tt.decrypt] {
					t.Errorf("%s %+v: came back to %s", way, tt, came)
				}
				var learned struct{ Claims map[string]any }
				if p.hear(t, &learned); learned.Claims["sub"] != x.User.Subject {
					t.Errorf("%s %+v: %v", way, tt, learned)
				}
			}
		}
	})
}

// oauth4webapi signs its request and takes a signed response.
func TestStrictSecured(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		for _, mode := range []string{"jwt", "query.jwt"} {
			signing := newPrivateKey(t, "sig")
			c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "request_object_signing_alg": "ES256",
				"jwks": map[string]any{"keys": []any{signing.jwk(t, false)}}})
			p := startStranger(t, "strictjar.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret, "redirect_uri": callback,
				"signing": signing.jwk(t, true), "response_mode": mode})
			p.signIn(t, x, byAPI)
			var got struct {
				Scope  string
				Beside []string
			}
			p.hear(t, &got)
			if d := cmp.Diff([]string{"response"}, got.Beside); d != "" || got.Scope != "email" {
				t.Errorf("%s: %+v", mode, got)
			}
		}
	})
}

// What the authorization endpoint makes of request objects, by value and by reference: S79, S102, S105, S107–S110.
func TestRequestObjects(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			requestObjects(t, fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1") }))
		})
	}
}

func requestObjects(t *testing.T, s *server) {
	x := s.newTenant(t)
	k, other := newPrivateKey(t, "k"), newPrivateKey(t, "k")
	var mu sync.Mutex
	kept, reads := "", 0
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		reads++
		_, _ = w.Write([]byte(kept))
	}))
	t.Cleanup(site.Close)
	c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "jwks": map[string]any{"keys": []any{k.jwk(t, false)}},
		"request_uris": []string{site.URL + "/r"}, "grant_types": []string{"authorization_code", "urn:openid:params:grant-type:ciba"},
		"backchannel_authentication_request_signing_alg": "ES256"})
	ask := func(rule string, q url.Values, want string) {
		t.Helper()
		if got, r := x.ask(t, q); got != want {
			t.Errorf("%s: got %s, want %s\n%s", rule, got, want, r.body)
		}
	}
	by := func(object string) url.Values { return params("client_id", c.ID, "request", object) }
	good := k.sign(t, x.requestOf(c))
	ask("a good one", by(good), "sign-in")
	ask("another's signature", by(other.sign(t, x.requestOf(c))), "page 400")
	ask("one of another tenant", by(k.sign(t, s.newTenant(t).requestOf(c))), "page 400")
	ask("an error of what it asks", by(k.sign(t, x.requestOf(c, "prompt", "none"))), "client login_required")
	ask("what stands beside it does not count", params("client_id", c.ID, "request", good, "prompt", "none"), "sign-in")
	call(t, http.MethodGet, x.url("/userinfo"), bearer(good)).want(t, "401 invalid_token")
	if x.active(t, good) {
		t.Error("S79 a request object is an active token")
	}
	claims := x.requestOf(c)
	claims["sub"] = c.ID
	ask("S110 one that could be a client assertion", by(k.sign(t, claims)), "page 400")
	claims = x.requestOf(c)
	claims["request_uri"] = "urn:ietf:params:oauth:request_uri:x"
	ask("S102 one that refers to another", by(k.sign(t, claims)), "page 400")
	ask("S109 both", params("client_id", c.ID, "request", good, "request_uri", site.URL+"/r"), "page 400")
	ask("an unsigned one", by(forge(map[string]any{"alg": "none"}, x.requestOf(c), func([]byte) []byte { return nil })), "page 400")

	mu.Lock()
	kept = good
	mu.Unlock()
	ask("by reference", params("client_id", c.ID, "request_uri", site.URL+"/r"), "sign-in")
	ask("by a reference that is not registered", params("client_id", c.ID, "request_uri", site.URL+"/other"), "page 400")
	ask("with another hash", params("client_id", c.ID, "request_uri", site.URL+"/r#x"), "page 400")
	mu.Lock()
	if reads != 2 {
		t.Errorf("the references were read %d times", reads)
	}
	mu.Unlock()

	r := x.push(t, c, url.Values{"request": {good}})
	var pushed struct {
		URI string `json:"request_uri"`
	}
	r.want(t, "201").read(t, &pushed)
	ask("a pushed one", params("client_id", c.ID, "request_uri", pushed.URI), "sign-in")
	x.push(t, c, url.Values{"request": {other.sign(t, x.requestOf(c))}}).want(t, "400 invalid_request_object")

	now := time.Now().Unix()
	signed := map[string]any{"iss": c.ID, "aud": x.Issuer, "exp": now + 60, "nbf": now, "iat": now, "jti": fmt.Sprint(now), "scope": "openid", "login_hint": x.User.Username}
	authentication := func(object string) reply {
		return call(t, http.MethodPost, x.url("/ciba"), c.auth(), form("request", object))
	}
	first := k.sign(t, signed)
	authentication(first).want(t, "200")
	authentication(first).want(t, "400 invalid_request")
	call(t, http.MethodPost, x.url("/ciba"), c.auth(), form("scope", "openid", "login_hint", x.User.Username)).want(t, "400 invalid_request")

	x.patch(t, map[string]any{"request_objects": map[string]any{"required": true, "one_time": true}})
	ask("required", c.request(), "client invalid_request")
	claims = x.requestOf(c)
	claims["jti"], claims["exp"] = "1", now+60
	once := k.sign(t, claims)
	ask("the first use", by(once), "sign-in")
	ask("the second", by(once), "client invalid_request_object")
}

// Where a tenant lets clients name any request_uri, nothing of ours is reached by it: S111.
func TestRequestURIsReachNobody(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		called := make(chan string, 8)
		site := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { called <- r.URL.Path }))
		t.Cleanup(site.Close)
		for _, open := range []bool{false, true} {
			x.patch(t, map[string]any{"request_objects": map[string]any{"any_uri": open}})
			for _, uri := range []string{site.URL + "/r", strings.Replace(site.URL, "http:", "https:", 1), "https://localhost/r", "https://169.254.169.254/latest/meta-data", "file:///etc/passwd", "urn:x"} {
				if got, _ := x.ask(t, params("client_id", c.ID, "request_uri", uri)); got != "page 400" {
					t.Errorf("any %v, %s: %s", open, uri, got)
				}
			}
		}
		if len(called) > 0 {
			t.Error("it was called:", <-called)
		}
	})
}
