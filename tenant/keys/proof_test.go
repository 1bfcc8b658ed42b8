package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/lestrrat-go/jwx/v2/jwk"
)

// The key of the examples in RFC 9449, its thumbprint (§6.1), and two proofs that it signed (§4.1, §7.1).
const (
	publishedJKT   = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
	publishedHead  = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJoRjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
	publishedProof = publishedHead + ".eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0IjoxNTYyMjYyNjE2fQ" +
		".2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
	publishedAtResource = publishedHead + ".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRyZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9" +
		".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)

func TestPublishedProofsAreGood(t *testing.T) {
	for _, proof := range []string{publishedProof, publishedAtResource} {
		p, err := ParseProof(proof)
		if err != nil || p.Thumbprint != publishedJKT || !json.Valid(p.Payload) {
			t.Errorf("ParseProof(%s) = %v, %v", proof, p, err)
		}
	}
}

// holder makes proofs with a key of its own.
type holder struct {
	alg    Alg
	scheme scheme
	key    crypto.Signer
	jwk    map[string]any
}

func newHolder(t testing.TB, alg Alg, key crypto.Signer) holder {
	t.Helper()
	s, err := schemeOf(alg)
	if err != nil {
		t.Fatal(err)
	}
	if key == nil {
		if key, err = s.generate(rand.Reader); err != nil {
			t.Fatal(err)
		}
	}
	return holder{alg, s, key, jwkOf(t, key.Public())}
}

func jwkOf(t testing.TB, key any) (m map[string]any) {
	t.Helper()
	k, err := jwk.FromRaw(key)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(k)
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// proof makes a proof; pairs replace header members, nil leaves one out.
func (h holder) proof(t testing.TB, payload string, pairs ...any) string {
	t.Helper()
	head := map[string]any{"typ": "dpop+jwt", "alg": h.alg, "jwk": h.jwk}
	for i := 0; i+1 < len(pairs); i += 2 {
		if head[pairs[i].(string)] = pairs[i+1]; pairs[i+1] == nil {
			delete(head, pairs[i].(string))
		}
	}
	b, err := json.Marshal(head)
	if err != nil {
		t.Fatal(err)
	}
	return h.sealed(t, string(b), payload)
}

func (h holder) sealed(t testing.TB, head, payload string) string {
	t.Helper()
	input := b64([]byte(head)) + "." + b64([]byte(payload))
	signature, err := h.scheme.sign(h.key, []byte(input))
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + b64(signature)
}

func TestEachAlgorithmOfProofs(t *testing.T) {
	for _, alg := range ProofAlgs() {
		h := newHolder(t, alg, nil)
		p, err := ParseProof(h.proof(t, `{"jti":"x"}`))
		if err != nil || string(p.Payload) != `{"jti":"x"}` {
			t.Errorf("%s: %v, %v", alg, p, err)
			continue
		}
		k, err := newKey(alg, h.key, epoch)
		if err != nil || p.Thumbprint != k.ID {
			t.Errorf("%s: thumbprint %s, of the same key %s, %v", alg, p.Thumbprint, k.ID, err)
		}
	}
}

func TestParseProofRefuses(t *testing.T) {
	h, other := newHolder(t, ES256, nil), newHolder(t, ES256, nil)
	rsaHolder := newHolder(t, RS256, nil)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	with := func(name string, v any) map[string]any {
		m := maps.Clone(h.jwk)
		m[name] = v
		return m
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	jwkText, _ := json.Marshal(h.jwk)
	good := h.proof(t, `{}`)
	dot := strings.LastIndexByte(good, '.')
	for rule, proof := range map[string]string{
		"nothing":                    "",
		"two segments":               good[:dot],
		"four segments":              good + ".",
		"no signature":               good[:dot+1],
		"padding":                    good + "=",
		"a line break":               good[:8] + "\n" + good[8:],
		"too long":                   h.proof(t, `{"a":"`+strings.Repeat("x", maxProof)+`"}`),
		"a long header":              h.proof(t, `{}`, "kid", strings.Repeat("x", maxProofHeader)),
		"no typ":                     h.proof(t, `{}`, "typ", nil),
		"another typ":                h.proof(t, `{}`, "typ", "JWT"),
		"no alg":                     h.proof(t, `{}`, "alg", nil),
		"alg none":                   h.proof(t, `{}`, "alg", "none"),
		"alg none in other letters":  h.proof(t, `{}`, "alg", "nOnE"),
		"an HMAC":                    h.proof(t, `{}`, "alg", "HS256", "jwk", map[string]any{"kty": "oct", "k": "c2VjcmV0"}),
		"another alg":                h.proof(t, `{}`, "alg", "ES384"),
		"another family":             h.proof(t, `{}`, "alg", "RS256"),
		"ES512":                      h.proof(t, `{}`, "alg", "ES512"),
		"no jwk":                     h.proof(t, `{}`, "jwk", nil),
		"a jwk that is null":         h.sealed(t, `{"typ":"dpop+jwt","alg":"ES256","jwk":null}`, `{}`),
		"a jwk that is a string":     h.proof(t, `{}`, "jwk", string(jwkText)),
		"a jwk without coordinates":  h.proof(t, `{}`, "jwk", map[string]any{"kty": "EC", "crv": "P-256"}),
		"a private jwk":              h.proof(t, `{}`, "jwk", jwkOf(t, h.key)),
		"a jwk for encryption":       h.proof(t, `{}`, "jwk", with("use", "enc")),
		"a jwk of another alg":       h.proof(t, `{}`, "jwk", with("alg", "ES384")),
		"a point off the curve":      h.proof(t, `{}`, "jwk", with("y", h.jwk["x"])),
		"a key on another curve":     h.proof(t, `{}`, "jwk", jwkOf(t, p384.Public())),
		"a key of another type":      h.proof(t, `{}`, "jwk", jwkOf(t, ed.Public())),
		"a weak RSA key":             rsaHolder.proof(t, `{}`, "jwk", jwkOf(t, weak.Public())),
		"another key":                h.proof(t, `{}`, "jwk", other.jwk),
		"another payload":            good[:strings.IndexByte(good, '.')] + "." + b64([]byte(`{"a":1}`)) + good[dot:],
		"crit":                       h.proof(t, `{}`, "crit", []string{"exp"}),
		"b64":                        h.proof(t, `{}`, "b64", false),
		"jku":                        h.proof(t, `{}`, "jku", "https://app.example/jwks"),
		"x5c":                        h.proof(t, `{}`, "x5c", []string{}),
		"enc":                        h.proof(t, `{}`, "enc", "A128GCM"),
		"a header member twice":      h.sealed(t, `{"typ":"dpop+jwt","alg":"ES256","alg":"ES256","jwk":`+string(jwkText)+`}`, `{}`),
		"members in other letters":   h.sealed(t, `{"Typ":"dpop+jwt","Alg":"ES256","Jwk":`+string(jwkText)+`}`, `{}`),
		"a payload that is no JSON":  h.proof(t, `x`),
		"a payload that is an array": h.proof(t, `[]`),
		"a payload member twice":     h.proof(t, `{"jti":"a","jti":"b"}`),
		"a JSON serialisation":       `{"payload":"e30","signatures":[]}`,
		"dots":                       strings.Repeat(".", 1<<20),
	} {
		if p, err := ParseProof(proof); !errors.Is(err, ErrInvalid) || p != nil {
			t.Errorf("%s: %v, %v", rule, p, err)
		}
	}
	for rule, proof := range map[string]string{
		"as it is":                      good,
		"typ as a full media type":      h.proof(t, `{}`, "typ", "application/DPoP+jwt"),
		"a kid, which says nothing":     h.proof(t, `{}`, "kid", "x"),
		"a member that we do not know":  h.proof(t, `{}`, "other", "x"),
		"a jwk that says what it is of": h.proof(t, `{}`, "jwk", with("alg", "ES256")),
	} {
		if _, err := ParseProof(proof); err != nil {
			t.Errorf("%s: %v", rule, err)
		}
	}
}

// Nobody makes a proof for a key that it does not hold: what is found good for the published key was published.
func FuzzParseProof(f *testing.F) {
	for _, proof := range []string{publishedProof, publishedAtResource, publishedProof + "=", publishedHead + "..", ".."} {
		f.Add(proof)
	}
	input := func(proof string) string { return proof[:strings.LastIndexByte(proof, '.')] }
	f.Fuzz(func(t *testing.T, proof string) {
		p, err := ParseProof(proof)
		switch {
		case err != nil && (!errors.Is(err, ErrInvalid) || p != nil):
			t.Errorf("%v, %v", p, err)
		case err == nil && p.Thumbprint == publishedJKT && input(proof) != input(publishedProof) && input(proof) != input(publishedAtResource):
			t.Errorf("forged: %s", proof)
		}
	})
}

func BenchmarkParseProof(b *testing.B) {
	for _, alg := range []Alg{ES256, EdDSA, RS256} {
		b.Run(fmt.Sprint(alg), func(b *testing.B) {
			h := newHolder(b, alg, nil)
			proof := h.proof(b, `{"jti":"0123456789abcdef","htm":"POST","htu":"https://id.example.com/t/acme/token","iat":1767225600}`)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := ParseProof(proof); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
