package e2e

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// forge makes compact JWS of header and payload, signed by sign.
func forge(head, payload map[string]any, sign func(input []byte) []byte) string {
	input := base64.RawURLEncoding.EncodeToString(mustJSON(head)) + "." + base64.RawURLEncoding.EncodeToString(mustJSON(payload))
	return input + "." + base64.RawURLEncoding.EncodeToString(sign([]byte(input)))
}

func by(key *rsa.PrivateKey) func([]byte) []byte {
	return func(input []byte) []byte {
		sum := sha256.Sum256(input)
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			panic(err)
		}
		return signature
	}
}

func byMAC(key []byte) func([]byte) []byte {
	return func(input []byte) []byte {
		h := hmac.New(sha256.New, key)
		h.Write(input)
		return h.Sum(nil)
	}
}

// Only our own signatures count, by our own keys, in our own form: S100, S171–S176, S179.
func TestForgedTokens(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		c := x.confidential(t, callback)
		k := x.tokens(t, c)
		head, access := claims(t, k.Access)
		idHead, id := claims(t, k.ID)
		var jwks struct {
			Keys []struct{ Kid, Kty, N, E string }
		}
		raw := call(t, http.MethodGet, x.url("/jwks.json"))
		raw.read(t, &jwks)
		var public *rsa.PublicKey
		for _, k := range jwks.Keys {
			if n, err := base64.RawURLEncoding.DecodeString(k.N); k.Kid == head["kid"] && err == nil {
				public = &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: 65537}
			}
		}
		der, err := x509.MarshalPKIXPublicKey(public)
		if err != nil {
			t.Fatal(err)
		}
		mine, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		none := func([]byte) []byte { return nil }
		same := func([]byte) []byte {
			b, _ := base64.RawURLEncoding.DecodeString(k.Access[strings.LastIndexByte(k.Access, '.')+1:])
			return b
		}
		with := func(m map[string]any, pairs ...any) map[string]any {
			out := map[string]any{}
			for name, v := range m {
				out[name] = v
			}
			for i := 0; i+1 < len(pairs); i += 2 {
				if out[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
					delete(out, pairs[i].(string))
				}
			}
			return out
		}
		jwk := map[string]any{"kty": "RSA", "n": base64.RawURLEncoding.EncodeToString(mine.N.Bytes()), "e": "AQAB"}
		segments := strings.Split(k.Access, ".")
		otherHead, _ := claims(t, other.tokens(t, other.Client).Access)
		forged := map[string]string{
			"S171 none":                           forge(with(head, "alg", "none"), access, none),
			"S171 None":                           forge(with(head, "alg", "None"), access, none),
			"S171 nOnE with a signature":          forge(with(head, "alg", "nOnE"), access, same),
			"S171 no algorithm":                   forge(with(head, "alg", nil), access, none),
			"S171 an empty signature":             segments[0] + "." + segments[1] + ".",
			"S171 no signature":                   segments[0] + "." + segments[1],
			"S171 HS256 with the public key, DER": forge(with(head, "alg", "HS256"), access, byMAC(der)),
			"S171 HS256 with the public key, PEM": forge(with(head, "alg", "HS256"), access, byMAC(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))),
			"S171 HS256 with the JWK set":         forge(with(head, "alg", "HS256"), access, byMAC(raw.body)),
			"S171 HS256 with the client's secret": forge(with(head, "alg", "HS256"), access, byMAC([]byte(c.Secret))),
			"S171 PS256 with a key for RS256":     forge(with(head, "alg", "PS256"), access, same),
			"S172 an embedded key":                forge(with(head, "jwk", jwk), access, by(mine)),
			"S172 a linked key":                   forge(with(head, "jku", "https://evil.example/jwks.json"), access, by(mine)),
			"S172 a linked certificate":           forge(with(head, "x5u", "https://evil.example/x"), access, by(mine)),
			"S173 a key of our own":               forge(head, access, by(mine)),
			"S173 no kid":                         forge(with(head, "kid", nil), access, by(mine)),
			"S173 a kid that is a path":           forge(with(head, "kid", "../../dev/null"), access, byMAC(nil)),
			"S173 a kid that is SQL":              forge(with(head, "kid", "x' or '1'='1"), access, by(mine)),
			"S173 a kid that is a URL":            forge(with(head, "kid", "https://evil.example/k"), access, by(mine)),
			"S173 a very long kid":                forge(with(head, "kid", strings.Repeat("k", 8000)), access, by(mine)),
			"S173 another tenant's kid":           forge(with(head, "kid", otherHead["kid"]), access, same),
			"S174 an unknown crit":                forge(with(head, "crit", []string{"exp"}, "exp", 1), access, same),
			"S174 b64=false":                      forge(with(head, "b64", false, "crit", []string{"b64"}), access, same),
			"S174 JSON serialisation":             string(mustJSON(map[string]string{"protected": segments[0], "payload": segments[1], "signature": segments[2]})),
			"S174 a member twice":                 base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","alg":"none","kid":"`+head["kid"].(string)+`","typ":"at+jwt"}`)) + "." + segments[1] + ".",
			"S175 five segments":                  k.Access + ".x.y",
			"S176 dots":                           strings.Repeat(".", 10_000),
			"S176 costly parameters":              forge(map[string]any{"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 1 << 30, "p2s": "x"}, access, none) + ".x.y",
			"S179 another payload":                segments[0] + "." + base64.RawURLEncoding.EncodeToString(mustJSON(with(access, "scope", "admin"))) + "." + segments[2],
			"the ES256 key's algorithm": forge(with(head, "alg", "ES256"), access, func(in []byte) []byte {
				sum := sha256.Sum256(in)
				r, s, _ := ecdsa.Sign(rand.Reader, curve, sum[:])
				return append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
			}),
		}
		began := time.Now()
		for rule, token := range forged {
			if r := call(t, http.MethodPost, x.url("/token/introspect"), c.auth(), form("token", token)); string(r.body) != `{"active":false}` {
				t.Errorf("%s: introspection says %d %s", rule, r.StatusCode, r.body)
			}
			if r := call(t, http.MethodGet, x.url("/userinfo"), bearer(token)); !r.is("401 *", "400 *") {
				t.Errorf("%s: UserInfo says %s", rule, r.outcome())
			}
		}
		for rule, hint := range map[string]string{
			"S100 unsigned":             forge(with(idHead, "alg", "none"), id, none),
			"S100 re-signed":            forge(idHead, id, by(mine)),
			"S100 with another subject": forge(idHead, with(id, "sub", "mallory"), same),
			"S79 an access token":       k.Access,
			"S100 of another tenant":    other.tokens(t, other.Client).ID,
		} {
			if v := x.authorize(t, c.request("prompt", "none", "id_token_hint", hint)); v.Get("error") == "" || v.Get("code") != "" {
				t.Errorf("%s as a hint: %v", rule, v)
			}
		}
		if took := time.Since(began); took > busy.Patience(10*time.Second, began) {
			t.Errorf("S176 refusing forgeries took %v", took)
		}
		call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).want(t, "200")
	})
}
