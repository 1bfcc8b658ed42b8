package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// prover is a client's key for DPoP proofs (RFC 9449), on P-256.
type prover struct {
	key *ecdsa.PrivateKey
	jwk map[string]any
}

func newProver(t testing.TB) *prover {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	x, y := k.X.FillBytes(make([]byte, 32)), k.Y.FillBytes(make([]byte, 32))
	return &prover{k, map[string]any{"kty": "EC", "crv": "P-256", "x": base64.RawURLEncoding.EncodeToString(x), "y": base64.RawURLEncoding.EncodeToString(y)}}
}

func (p *prover) sign(input []byte) []byte {
	sum := sha256.Sum256(input)
	r, s, _ := ecdsa.Sign(rand.Reader, p.key, sum[:])
	return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
}

// jkt is the thumbprint of the key (RFC 7638 §3).
func (p *prover) jkt() string {
	return s256(`{"crv":"P-256","kty":"EC","x":"` + p.jwk["x"].(string) + `","y":"` + p.jwk["y"].(string) + `"}`)
}

// claims are those of a good proof; pairs of names and values replace them, nil leaves one out.
func proofClaims(method, at string, pairs ...any) map[string]any {
	m := map[string]any{"jti": rand.Text(), "htm": method, "htu": at, "iat": time.Now().Unix()}
	for i := 0; i+1 < len(pairs); i += 2 {
		if m[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(m, pairs[i].(string))
		}
	}
	return m
}

// proof makes a proof; pairs are as of proofClaims.
func (p *prover) proof(method, at string, pairs ...any) string {
	return forge(map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": p.jwk}, proofClaims(method, at, pairs...), p.sign)
}

func dpop(proof string) part { return header("DPoP", proof) }

// ask calls the token endpoint as c with a proof.
func (p *prover) ask(t testing.TB, x *tenant, c *client, pairs ...string) reply {
	t.Helper()
	return x.tokenWith(t, c, dpop(p.proof("POST", x.Issuer+"/token")), pairs...)
}

func (x *tenant) tokenWith(t testing.TB, c *client, more part, pairs ...string) reply {
	t.Helper()
	parts := []part{form(pairs...), more}
	if c.Secret == "" {
		parts[0] = form(append(pairs, "client_id", c.ID)...)
	} else {
		parts = append(parts, c.auth())
	}
	return call(t, http.MethodPost, x.url("/token"), parts...)
}

func codeParams(c *client, code string) []string {
	return []string{"grant_type", "authorization_code", "code", code, "redirect_uri", c.RedirectURIs[0], "code_verifier", verifier}
}

// ath is the hash of an access token (RFC 9449 §4.2).
var ath = s256

// What makes a proof, at the token endpoint and at UserInfo: S113–S116.
func TestDPoPProofs(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		c, p, q := x.confidential(t, callback), newProver(t), newProver(t)
		k := issued(t, p.ask(t, x, c, codeParams(c, x.code(t, c))...))
		weak, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		small := map[string]any{"kty": "RSA", "e": "AQAB", "n": base64.RawURLEncoding.EncodeToString(new(big.Int).Rsh(weak.N, 1024).Bytes())}
		private := maps.Clone(p.jwk)
		scalar, err := p.key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		private["d"] = base64.RawURLEncoding.EncodeToString(scalar)
		head := func(pairs ...any) map[string]any {
			m := map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": p.jwk}
			for i := 0; i+1 < len(pairs); i += 2 {
				if m[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
					delete(m, pairs[i].(string))
				}
			}
			return m
		}
		for _, e := range []struct {
			name, method, path, bad string
			base                    []any
			call                    func(parts ...part) reply
		}{
			{"token", "POST", "/token", "400 invalid_dpop_proof", nil, func(parts ...part) reply {
				return call(t, http.MethodPost, x.url("/token"), append(parts, c.auth(), form("grant_type", "client_credentials"))...)
			}},
			{"userinfo", "GET", "/userinfo", "401 invalid_dpop_proof", []any{"ath", ath(k.Access)}, func(parts ...part) reply {
				return call(t, http.MethodGet, x.url("/userinfo"), append(parts, header("Authorization", "DPoP "+k.Access))...)
			}},
		} {
			at := x.Issuer + e.path
			payload := func(pairs ...any) map[string]any {
				return proofClaims(e.method, at, append(append([]any{}, e.base...), pairs...)...)
			}
			u, _ := url.Parse(at)
			good := func(pairs ...any) string { return forge(head(), payload(pairs...), p.sign) }
			now := time.Now().Unix()
			for _, tt := range []struct{ rule, proof, want string }{
				{"a good proof", good(), "200"},
				{"S113 none at all", "", e.bad},
				{"S113 no typ", forge(head("typ", nil), payload(), p.sign), e.bad},
				{"S113 another typ", forge(head("typ", "JWT"), payload(), p.sign), e.bad},
				{"S113 no alg", forge(head("alg", nil), payload(), p.sign), e.bad},
				{"S113 alg none", forge(head("alg", "none"), payload(), func([]byte) []byte { return nil }), e.bad},
				{"S113 an HMAC", forge(head("alg", "HS256", "jwk", map[string]any{"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}), payload(), byMAC([]byte("secretsecretsecretsecret"))), e.bad},
				{"S113 an HMAC with the public key", forge(head("alg", "HS256"), payload(), byMAC(mustJSON(p.jwk))), e.bad},
				{"S113 another alg than the key's", forge(head("alg", "ES384"), payload(), p.sign), e.bad},
				{"S113 no jwk", forge(head("jwk", nil), payload(), p.sign), e.bad},
				{"S113 a private jwk", forge(head("jwk", private), payload(), p.sign), e.bad},
				{"S113 a small RSA key", forge(head("alg", "RS256", "jwk", small), payload(), by(weak)), e.bad},
				{"S113 another key's signature", forge(head(), payload(), q.sign), e.bad},
				{"S113 an altered signature", good() + "AA", e.bad},
				{"S174 a critical member", forge(head("crit", []string{"b64"}, "b64", false), payload(), p.sign), e.bad},
				{"S172 a key elsewhere", forge(head("jku", "https://app.example/jwks"), payload(), p.sign), e.bad},
				{"S113 no jti", good("jti", nil), e.bad},
				{"S113 an empty jti", good("jti", ""), e.bad},
				{"S113 no htm", good("htm", nil), e.bad},
				{"S113 no htu", good("htu", nil), e.bad},
				{"S113 no iat", good("iat", nil), e.bad},
				{"S179 iat as a string", good("iat", "1"), e.bad},
				{"S113 not a JWT", "proof", e.bad},
				{"S113 two proofs in one header", good() + "," + good(), e.bad},
				{"S176 dots", strings.Repeat(".", 9000), e.bad},
				{"S114 another method", good("htm", "PUT"), e.bad},
				{"S114 the method in other letters", good("htm", strings.ToLower(e.method)), e.bad},
				{"S114 another host", good("htu", "http://other.example"+u.Path), e.bad},
				{"S114 another path", good("htu", x.Issuer+"/par"), e.bad},
				{"S114 another tenant", good("htu", other.Issuer+e.path), e.bad},
				{"S114 another scheme", good("htu", "https://"+u.Host+u.Path), e.bad},
				{"S114 the path alone", good("htu", u.Path), e.bad},
				{"S114 with a query and a fragment", good("htu", at+"?a=b#c"), "200"},
				{"S114 the scheme in upper case", good("htu", "HTTP://"+u.Host+u.Path), "200"},
				{"S114 escaped where it need not be", good("htu", strings.Replace(at, "/t/", "/%74/", 1)), "200"},
				{"S116 ten minutes old", good("iat", now-600), e.bad},
				{"S116 ten seconds ahead", good("iat", time.Now().Unix()+10), "200"},
				{"S116 five minutes ahead", good("iat", now+300), e.bad},
			} {
				if r := e.call(dpop(tt.proof)); !r.is(tt.want) {
					t.Errorf("%s: %s: got %s %s, want %s", e.name, tt.rule, r.outcome(), r.body, tt.want)
				} else if challenge := r.Header.Get("WWW-Authenticate"); r.StatusCode == http.StatusUnauthorized && (!strings.HasPrefix(challenge, `DPoP error="invalid_dpop_proof"`) || !strings.Contains(challenge, `algs="ES256 `)) {
					t.Errorf("%s: %s: challenge %s", e.name, tt.rule, challenge)
				}
			}
			if r := e.call(dpop(good()), dpop(good())); !r.is(e.bad) {
				t.Errorf("%s: S113 two headers: %s", e.name, r.outcome())
			}
			forged := good("htu", "http://evil.example"+u.Path)
			if r := e.call(dpop(forged), header("X-Forwarded-Host", "evil.example"), header("Forwarded", "host=evil.example")); r.is("200") {
				t.Errorf("%s: S115 a forged host: %s", e.name, r.outcome())
			}
			twice := good()
			if r := e.call(dpop(twice)); !r.is("200") {
				t.Errorf("%s: S117 once: %s", e.name, r.outcome())
			}
			if r := e.call(dpop(twice)); !r.is(e.bad) {
				t.Errorf("%s: S117 twice: %s", e.name, r.outcome())
			}
		}
	})
}

// A proof is accepted once, over all replicas, however many bring it at once: S117.
func TestDPoPReplay(t *testing.T) {
	onPairs(t, func(t *testing.T, p pair) {
		x := p[0].newTenant(t)
		within(t, aboutASecond, "the other replica knows the tenant", func() bool {
			return call(t, http.MethodGet, x.on(p[1]).url("/jwks.json")).is("200")
		})
		proof := dpop(newProver(t).proof("POST", x.Issuer+"/token"))
		won := 0
		var mu sync.Mutex
		var done sync.WaitGroup
		for i := range 64 {
			done.Go(func() {
				r := x.on(p[i%2]).tokenWith(t, x.Client, proof, "grant_type", "client_credentials")
				mu.Lock()
				defer mu.Unlock()
				if r.is("200") {
					won++
				} else if !r.is("400 invalid_dpop_proof") {
					t.Error("S117:", r.outcome())
				}
			})
		}
		if done.Wait(); won != 1 {
			t.Errorf("S117 %d of 64 were accepted", won)
		}
	})
}

// A tenant may demand nonces: S118.
func TestDPoPNonce(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		for _, y := range []*tenant{x, other} {
			y.patch(t, map[string]any{"dpop": map[string]any{"require_nonce": true, "nonce_lifetime": 2}})
		}
		p := newProver(t)
		ask := func(y *tenant, nonce any) reply {
			return y.tokenWith(t, y.Client, dpop(p.proof("POST", y.Issuer+"/token", "nonce", nonce)), "grant_type", "client_credentials")
		}
		fresh := func(y *tenant) string {
			r := ask(y, nil).want(t, "400 use_dpop_nonce")
			if len(r.Header["Dpop-Nonce"]) != 1 {
				t.Fatal("S118 nonces:", r.Header["Dpop-Nonce"])
			}
			return r.Header.Get("DPoP-Nonce")
		}
		first := fresh(x)
		r := ask(x, first).want(t, "200")
		if len(r.Header["Dpop-Nonce"]) != 1 {
			t.Error("S118 nonces with tokens:", r.Header["Dpop-Nonce"])
		}
		ask(x, fresh(other)).want(t, "400 use_dpop_nonce")
		ask(x, "made up").want(t, "400 use_dpop_nonce")
		time.Sleep(4100 * time.Millisecond)
		ask(x, first).want(t, "400 use_dpop_nonce")
		if again := fresh(x); again == first || len(again) < 22 {
			t.Error("S118 the next nonce:", again)
		}
		k := issued(t, x.tokenWith(t, x.Client, dpop(p.proof("POST", x.Issuer+"/token", "nonce", fresh(x))), codeParams(x.Client, x.code(t, x.Client))...))
		info := func(nonce any) reply {
			return call(t, http.MethodGet, x.url("/userinfo"), header("Authorization", "DPoP "+k.Access), dpop(p.proof("GET", x.Issuer+"/userinfo", "ath", ath(k.Access), "nonce", nonce)))
		}
		r = info(nil).want(t, "401 use_dpop_nonce")
		if !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), `DPoP error="use_dpop_nonce"`) {
			t.Error("S118 challenge:", r.Header.Get("WWW-Authenticate"))
		}
		info(r.Header.Get("DPoP-Nonce")).want(t, "200")
	})
}

// What a bound access token is, and who may use it, as JWT and as identifier: S119.
func TestDPoPBoundTokens(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		for _, opaque := range []bool{false, true} {
			x := s.newTenant(t)
			x.patch(t, map[string]any{"tokens": map[string]any{"access_token_opaque": opaque}})
			c, p, q := x.confidential(t, callback), newProver(t), newProver(t)
			k := issued(t, p.ask(t, x, c, codeParams(c, x.code(t, c))...))
			if k.Type != "DPoP" {
				t.Error("S119 token_type:", k.Type)
			}
			cnf := map[string]any{"jkt": p.jkt()}
			if !opaque {
				if _, payload := claims(t, k.Access); !maps.Equal(payload["cnf"].(map[string]any), cnf) {
					t.Error("S119 cnf:", payload["cnf"])
				}
			}
			if m := x.introspect(t, k.Access); m["token_type"] != "DPoP" || m["cnf"] == nil || !maps.Equal(m["cnf"].(map[string]any), cnf) {
				t.Error("S119 introspection:", m)
			}
			unbound := x.tokens(t, c)
			if m := x.introspect(t, unbound.Access); m["token_type"] != "Bearer" || m["cnf"] != nil || unbound.Type != "Bearer" {
				t.Error("S119 a bearer token:", m)
			}
			at := x.Issuer + "/userinfo"
			for _, tt := range []struct {
				rule, want string
				scheme     string
				parts      []part
			}{
				{"with its proof", "200", "DPoP", []part{bearerAs("DPoP", k.Access), dpop(p.proof("GET", at, "ath", ath(k.Access)))}},
				{"the scheme in other letters", "200", "DPoP", []part{bearerAs("dpop", k.Access), dpop(p.proof("GET", at, "ath", ath(k.Access)))}},
				{"as a bearer token", "401 invalid_token", "DPoP", []part{bearer(k.Access)}},
				{"as a bearer token with its proof", "401 invalid_token", "DPoP", []part{bearer(k.Access), dpop(p.proof("GET", at, "ath", ath(k.Access)))}},
				{"without a proof", "401 invalid_dpop_proof", "DPoP", []part{bearerAs("DPoP", k.Access)}},
				{"with another key", "401 invalid_token", "DPoP", []part{bearerAs("DPoP", k.Access), dpop(q.proof("GET", at, "ath", ath(k.Access)))}},
				{"without ath", "401 invalid_dpop_proof", "DPoP", []part{bearerAs("DPoP", k.Access), dpop(p.proof("GET", at))}},
				{"with another token's ath", "401 invalid_dpop_proof", "DPoP", []part{bearerAs("DPoP", k.Access), dpop(p.proof("GET", at, "ath", ath(unbound.Access)))}},
				{"a bearer token as bound", "401 invalid_token", "DPoP", []part{bearerAs("DPoP", unbound.Access), dpop(p.proof("GET", at, "ath", ath(unbound.Access)))}},
				{"a bearer token as such", "200", "", []part{bearer(unbound.Access)}},
				{"what is no token", "401 invalid_token", "DPoP", []part{bearerAs("DPoP", "@")}},
				{"no token of ours", "401 invalid_token", "DPoP", []part{bearerAs("DPoP", "x"), dpop(p.proof("GET", at, "ath", ath("x")))}},
			} {
				r := call(t, http.MethodGet, x.url("/userinfo"), tt.parts...)
				if !r.is(tt.want) || r.StatusCode == http.StatusUnauthorized && !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), tt.scheme+" error=") {
					t.Errorf("S119 opaque %v: %s: %s %s", opaque, tt.rule, r.outcome(), r.Header.Get("WWW-Authenticate"))
				}
			}
			posted := call(t, http.MethodPost, x.url("/userinfo"), form("access_token", k.Access), dpop(p.proof("POST", at, "ath", ath(k.Access))))
			if !posted.is("401 invalid_token") {
				t.Error("S119 in a form:", posted.outcome())
			}
			m := issued(t, p.ask(t, x, c, "grant_type", "client_credentials"))
			if i := x.introspect(t, m.Access); m.Type != "DPoP" || i["token_type"] != "DPoP" {
				t.Error("S119 client credentials:", m.Type, i)
			}
		}
	})
}

func bearerAs(scheme, token string) part { return header("Authorization", scheme+" "+token) }

// What binds a code: S120.
func TestDPoPBoundCodes(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c, p, q := x.confidential(t, callback), newProver(t), newProver(t)
		pushed := func(proofs ...part) reply {
			return call(t, http.MethodPost, x.url("/par"), append(proofs, c.auth(), form("response_type", "code", "redirect_uri", callback, "scope", "openid",
				"code_challenge", challenge, "code_challenge_method", "S256", "dpop_jkt", p.jkt()))...)
		}
		pushed(dpop(q.proof("POST", x.Issuer+"/par"))).want(t, "400 invalid_dpop_proof")
		pushed(dpop(p.proof("POST", x.Issuer+"/token"))).want(t, "400 invalid_dpop_proof")
		pushed(dpop(p.proof("POST", x.Issuer+"/par"))).want(t, "201")
		var byProof struct {
			URI string `json:"request_uri"`
		}
		codes := map[string]func() string{
			"dpop_jkt": func() string { return x.code(t, c, "dpop_jkt", p.jkt()) },
			"the proof at PAR": func() string {
				call(t, http.MethodPost, x.url("/par"), c.auth(), dpop(p.proof("POST", x.Issuer+"/par")), form("response_type", "code", "redirect_uri", callback, "scope", "openid",
					"code_challenge", challenge, "code_challenge_method", "S256")).want(t, "201").read(t, &byProof)
				return x.authorize(t, params("client_id", c.ID, "request_uri", byProof.URI)).Get("code")
			},
		}
		for how, code := range codes {
			if r := p.ask(t, x, c, codeParams(c, code())...); !r.is("200") {
				t.Errorf("S120 %s: with its key: %s", how, r.outcome())
			}
			if r := q.ask(t, x, c, codeParams(c, code())...); !r.is("400 invalid_grant") {
				t.Errorf("S120 %s: with another key: %s", how, r.outcome())
			}
			if r := x.redeem(t, c, code()); !r.is("400 invalid_dpop_proof") {
				t.Errorf("S120 %s: with none: %s", how, r.outcome())
			}
		}
		for _, bad := range []string{"x", p.jkt() + "A", p.jkt()[:42], strings.Repeat("!", 43)} {
			v := x.authorize(t, c.request("dpop_jkt", bad))
			if v.Get("error") != "invalid_request" {
				t.Errorf("S120 dpop_jkt %q: %v", bad, v)
			}
		}
	})
}

// What binds a refresh token: S121.
func TestDPoPBoundRefreshTokens(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		public, web := x.public(t, callback), x.confidential(t, callback)
		p, q := newProver(t), newProver(t)
		refresh := func(by *prover, c *client, token string) reply {
			if by == nil {
				return x.refresh(t, c, token)
			}
			return by.ask(t, x, c, "grant_type", "refresh_token", "refresh_token", token)
		}
		k := issued(t, p.ask(t, x, public, codeParams(public, x.code(t, public))...))
		refresh(q, public, k.Refresh).want(t, "400 invalid_grant")
		refresh(nil, public, k.Refresh).want(t, "400 invalid_dpop_proof")
		next := issued(t, refresh(p, public, k.Refresh))
		if next.Type != "DPoP" || next.Refresh == k.Refresh {
			t.Error("S121:", next.Type)
		}
		refresh(q, public, next.Refresh).want(t, "400 invalid_grant")
		refresh(nil, public, next.Refresh).want(t, "400 invalid_dpop_proof")
		issued(t, refresh(p, public, next.Refresh))

		later := x.tokens(t, public)
		bound := issued(t, refresh(p, public, later.Refresh)) // from here on it is bound
		refresh(nil, public, bound.Refresh).want(t, "400 invalid_dpop_proof")

		k = issued(t, p.ask(t, x, web, codeParams(web, x.code(t, web))...))
		other := issued(t, refresh(q, web, k.Refresh))
		if m := x.introspect(t, other.Access); m["cnf"] == nil || m["cnf"].(map[string]any)["jkt"] != q.jkt() {
			t.Error("S121 a confidential client's token is bound to the key that is presented:", m)
		}
		refresh(nil, web, other.Refresh).want(t, "400 invalid_dpop_proof")
	})
}

// A client that takes only bound tokens gets no other, on any grant: S122.
func TestDPoPBoundClients(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "dpop_bound_access_tokens": true,
			"grant_types": []string{"authorization_code", "refresh_token", "client_credentials", cibaGrant}})
		p := newProver(t)
		code := x.code(t, c)
		x.redeem(t, c, code).want(t, "400 invalid_dpop_proof")
		k := issued(t, p.ask(t, x, c, codeParams(c, code)...)) // it was not burnt
		x.refresh(t, c, k.Refresh).want(t, "400 invalid_dpop_proof")
		issued(t, p.ask(t, x, c, "grant_type", "refresh_token", "refresh_token", k.Refresh))
		x.token(t, c, "grant_type", "client_credentials").want(t, "400 invalid_dpop_proof")
		issued(t, p.ask(t, x, c, "grant_type", "client_credentials"))
		id := x.acknowledged(t, c)
		x.approve(t)
		x.poll(t, c, id).want(t, "400 invalid_dpop_proof")
		m := issued(t, p.ask(t, x, c, "grant_type", cibaGrant, "auth_req_id", id))
		if m.Type != "DPoP" {
			t.Error("S122 CIBA:", m.Type)
		}
		x.api(t, http.MethodPost, "/direct-authz/rest/v2", object(map[string]any{"client_id": c.ID, "sub": "alice", "scope": []string{"a"}})).want(t, "400 invalid_request")
		var metadata struct {
			Algs []string `json:"dpop_signing_alg_values_supported"`
		}
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &metadata)
		if len(metadata.Algs) != 5 {
			t.Error("metadata:", metadata.Algs)
		}
	})
}
