package e2e

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// signer is a client's key pair, of that kid.
type signer struct {
	kid string
	key *ecdsa.PrivateKey
}

func newSigner(t testing.TB, kid string) signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{kid, k}
}

// jwks is the client's set with the public key.
func (s signer) jwks() map[string]any {
	coordinate := func(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.FillBytes(make([]byte, 32))) }
	return map[string]any{"keys": []any{map[string]any{"kty": "EC", "crv": "P-256", "kid": s.kid, "alg": "ES256", "use": "sig",
		"x": coordinate(s.key.X), "y": coordinate(s.key.Y)}}}
}

func (s signer) sign(input []byte) []byte {
	sum := sha256.Sum256(input)
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err)
	}
	return append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
}

var jtis atomic.Int64

// assertion are the claims of a new, good assertion, with some changed; nil takes one away.
func assertion(x *tenant, c *client, changed map[string]any) map[string]any {
	claims := map[string]any{"iss": c.ID, "sub": c.ID, "aud": x.Issuer, "exp": time.Now().Add(time.Minute).Unix(), "iat": time.Now().Unix(),
		"jti": fmt.Sprint("jti ", jtis.Add(1))}
	maps.Copy(claims, changed)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	return claims
}

// asserts is a form with an assertion.
func asserts(compact string, pairs ...string) part {
	return form(append([]string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", compact}, pairs...)...)
}

// signing registers a client that signs.
func (x *tenant) signing(t testing.TB, keys map[string]any) *client {
	t.Helper()
	metadata := map[string]any{"token_endpoint_auth_method": "private_key_jwt", "redirect_uris": []string{callback}, "response_types": []string{"code"},
		"grant_types": []string{"client_credentials", "authorization_code", "urn:openid:params:grant-type:ciba"}, "scope": "openid authorization_challenge"}
	maps.Copy(metadata, keys)
	return x.register(t, metadata)
}

// Clients authenticate by assertion: S58, S64–S67 at every endpoint where they do.
func TestClientAssertions(t *testing.T) {
	onPairs(t, func(t *testing.T, p pair) {
		x, other := p[0].newTenant(t), p[0].newTenant(t)
		mine, foreign := newSigner(t, "mine"), newSigner(t, "mine")
		c := x.signing(t, map[string]any{"jwks": mine.jwks()})
		if c.Secret != "" {
			t.Error("a client with keys has a secret")
		}
		head := map[string]any{"alg": "ES256", "kid": "mine", "typ": "JWT"}
		grant := []string{"grant_type", "client_credentials"}
		with := func(changed map[string]any) string { return forge(head, assertion(x, c, changed), mine.sign) }
		header := func(changed map[string]any) string {
			h := maps.Clone(head)
			maps.Copy(h, changed)
			return forge(h, assertion(x, c, nil), mine.sign)
		}
		in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
		public := mustJSON(mine.jwks())
		const failed = "401 invalid_client"
		for _, row := range []struct{ rule, compact, want string }{
			{"a good one", with(nil), "200"},
			{"S65 the token endpoint of a tenant without FAPI", with(map[string]any{"aud": x.Issuer + "/token"}), "200"},
			{"S66 nbf +8 s", with(map[string]any{"nbf": in(8 * time.Second)}), "200"},
			{"S64 another iss", with(map[string]any{"iss": "other"}), failed},
			{"S64 another sub", with(map[string]any{"sub": "other"}), failed},
			{"S64 another client's key", forge(head, assertion(x, c, nil), foreign.sign), failed},
			{"S64 another client", with(map[string]any{"iss": x.Client.ID, "sub": x.Client.ID}), failed},
			{"S64 none", header(map[string]any{"alg": "none"}), failed},
			{"S64 HMAC keyed with the public key", forge(map[string]any{"alg": "HS256", "kid": "mine"}, assertion(x, c, nil), byMAC(public)), failed},
			{"S172 an embedded key", header(map[string]any{"jwk": foreign.jwks()["keys"].([]any)[0]}), failed},
			{"S174 crit", header(map[string]any{"crit": []string{"x"}, "x": 1}), failed},
			{"S65 an array", with(map[string]any{"aud": []string{x.Issuer}}), failed},
			{"S65 another tenant's issuer", with(map[string]any{"aud": other.Issuer}), failed},
			{"S65 another endpoint", with(map[string]any{"aud": x.Issuer + "/par"}), failed},
			{"S66 no exp", with(map[string]any{"exp": nil}), failed},
			{"S66 past exp", with(map[string]any{"exp": in(-time.Minute)}), failed},
			{"S66 far exp", with(map[string]any{"exp": in(time.Hour)}), failed},
			{"S67 an exp of one year", with(map[string]any{"exp": in(365 * 24 * time.Hour)}), failed},
			{"S66 nbf +61 s", with(map[string]any{"nbf": in(62 * time.Second)}), failed},
			{"S67 no jti", with(map[string]any{"jti": nil}), failed},
		} {
			if r := call(t, http.MethodPost, x.url("/token"), asserts(row.compact, grant...)); !r.is(row.want) {
				t.Errorf("%s: got %s, want %s\n%s", row.rule, r.outcome(), row.want, r.body)
			}
		}
		call(t, http.MethodPost, other.url("/token"), asserts(with(nil), grant...)).want(t, failed)
		call(t, http.MethodPost, x.url("/token"), asserts(with(nil), append(grant, "client_secret", "x", "client_id", c.ID)...)).want(t, "400 invalid_request")
		call(t, http.MethodPost, x.url("/token"), basic(c.ID, "x"), asserts(with(nil), grant...)).want(t, "400 invalid_request")
		call(t, http.MethodPost, x.url("/token"), basic(c.ID, "x"), form(grant...)).want(t, failed)
		call(t, http.MethodPost, x.url("/token?"+params("client_assertion", with(nil)).Encode()), form(grant...)).want(t, "400 invalid_request")

		for path, pairs := range map[string][]string{
			"/token": grant, "/token/introspect": {"token", "x"}, "/token/revoke": {"token", "x"}, "/ciba": {"scope", "openid", "login_hint", x.User.Username},
			"/authorize-challenge": {"scope", "openid", "response_type", "code", "redirect_uri", callback, "username", x.User.Username},
			"/par":                 {"scope", "openid", "response_type", "code", "redirect_uri", callback, "client_id", c.ID},
		} {
			compact := with(nil)
			if r := call(t, http.MethodPost, x.url(path), asserts(compact, pairs...)); r.code() == "invalid_client" {
				t.Errorf("%s: %s\n%s", path, r.outcome(), r.body)
			}
			if r := call(t, http.MethodPost, x.url(path), asserts(compact, pairs...)); r.code() != "invalid_client" {
				t.Errorf("S67 %s a second time: %s\n%s", path, r.outcome(), r.body)
			}
		}

		// S67 at once, at two replicas, and again at the other.
		there := x.on(p[1])
		within(t, aboutASecond, "the other replica knows the client", func() bool {
			return call(t, http.MethodPost, there.url("/token"), asserts(with(nil), grant...)).is("200")
		})
		compact, won := with(nil), atomic.Int64{}
		var all sync.WaitGroup
		for i := range 64 {
			all.Go(func() {
				r, err := try(direct, http.MethodPost, x.on(p[i%2]).url("/token"), asserts(compact, grant...))
				switch {
				case err != nil:
					t.Error(err)
				case r.is("200"):
					won.Add(1)
				case !r.is(failed):
					t.Errorf("S67 a loser got %s", r.outcome())
				}
			})
		}
		all.Wait()
		if won.Load() != 1 {
			t.Errorf("S67 %d of 64 succeed", won.Load())
		}

		// S65 a strict tenant takes its issuer alone.
		x.patch(t, map[string]any{"clients": map[string]any{"strict_audience": true}})
		within(t, aboutASecond, "the tenant is strict", func() bool {
			return call(t, http.MethodPost, x.url("/token"), asserts(with(map[string]any{"aud": x.Issuer + "/token"}), grant...)).is(failed)
		})
		call(t, http.MethodPost, x.url("/token"), asserts(with(nil), grant...)).want(t, "200")
	})
}

// A client's jwks_uri is fetched as strangers' URLs are, kept, and read again for an unknown kid within limits: S68, S152.
func TestClientKeysByReference(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			var doc atomic.Pointer[string]
			var fetched atomic.Int64
			site := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fetched.Add(1)
				w.Header().Set("Content-Type", "application/jwk-set+json")
				_, _ = w.Write([]byte(*doc.Load()))
			}))
			t.Cleanup(site.Close)
			publish := func(s signer) { d := string(mustJSON(s.jwks())); doc.Store(&d) }
			ca := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw}), 0o600); err != nil {
				t.Fatal(err)
			}
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1", "CHANCERY_EXTRA_CA="+ca) })
			x := s.newTenant(t)
			first, second := newSigner(t, "first"), newSigner(t, "second")
			publish(first)
			c := x.signing(t, map[string]any{"jwks_uri": site.URL + "/jwks"})
			token := func(kid string, by signer) reply {
				return call(t, http.MethodPost, x.url("/token"), asserts(forge(map[string]any{"alg": "ES256", "kid": kid}, assertion(x, c, nil), by.sign), "grant_type", "client_credentials"))
			}
			token("first", first).want(t, "200")
			token("first", first).want(t, "200")
			if n := fetched.Load(); n != 1 {
				t.Errorf("S68 %d calls for a set that is kept", n)
			}
			publish(second)
			token("second", second).want(t, "200")
			token("first", first).want(t, "401 invalid_client")
			for i := range 300 {
				token(fmt.Sprint("random ", i), second).want(t, "401 invalid_client")
			}
			if n := fetched.Load(); n > 3 {
				t.Errorf("S68 %d calls", n)
			}
			for _, uri := range []string{"https://10.0.0.1/jwks", "https://169.254.169.254/jwks", "https://[::1]/jwks", "https://2130706433/jwks", "http://app.example/jwks", "https://user@app.example/"} {
				call(t, http.MethodPost, x.url("/clients"), bearer(x.APIToken), object(map[string]any{"redirect_uris": []string{callback}, "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": uri})).
					want(t, "400 invalid_client_metadata")
			}
		})
	}
}

// Without leave, a private address is not called although a client's name leads there (S152).
func TestClientKeysInside(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		var called atomic.Int64
		site := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called.Add(1) }))
		t.Cleanup(site.Close)
		x, mine := s.newTenant(t), newSigner(t, "mine")
		c := x.signing(t, map[string]any{"jwks_uri": strings.Replace(site.URL, "http://127.0.0.1", "https://localhost", 1) + "/jwks"})
		call(t, http.MethodPost, x.url("/token"), asserts(forge(map[string]any{"alg": "ES256", "kid": "mine"}, assertion(x, c, nil), mine.sign), "grant_type", "client_credentials")).
			want(t, "401 invalid_client")
		if called.Load() != 0 {
			t.Error("S152 the loopback was called")
		}
	})
}

// openid-client registers itself, and authenticates by assertions of each kind at every endpoint it knows.
func TestOpenIDClientAssertions(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		needs(t, "node", "e2e/node/node_modules/openid-client")
		x := s.newTenant(t)
		for _, alg := range []string{"ES256", "ES384", "RS256", "PS256", "HS256"} {
			t.Run(alg, func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				cmd := exec.CommandContext(ctx, "node", "assertion.js", string(mustJSON(map[string]string{"issuer": x.Issuer, "token": x.APIToken, "alg": alg})))
				cmd.Dir, cmd.Stderr = "node", os.Stderr
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				var got struct {
					ClientID              string `json:"client_id"`
					Secret                bool
					Methods, Algs         []string
					Introspected, Revoked map[string]any
				}
				if err := json.Unmarshal(out, &got); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if got.Secret != (alg == "HS256") || !slices.Contains(got.Methods, "private_key_jwt") || !slices.Contains(got.Methods, "client_secret_jwt") ||
					!slices.Contains(got.Algs, alg) {
					t.Errorf("registered %+v", got)
				}
				if got.Introspected["active"] != true || got.Introspected["client_id"] != got.ClientID || got.Revoked["active"] != false {
					t.Errorf("introspected %v, after revocation %v", got.Introspected, got.Revoked)
				}
			})
		}
	})
}
