package authlete

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/chancery-id/chancery/flows/proof"
)

// proofKey is the key of the clients that prove one.
var proofKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// prove makes a DPoP proof of a request (RFC 9449 §4.2), with more claims: nonce=…, and ath=… with the token itself.
func (w *world) prove(t *testing.T, method, url string, more ...string) string {
	t.Helper()
	key := proofKey()
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.RawURLEncoding.EncodeToString
	claims := map[string]any{"jti": rand.Text(), "htm": method, "htu": url, "iat": w.clock().Unix()}
	for _, m := range more {
		name, value, _ := strings.Cut(m, "=")
		if claims[name] = value; name == "ath" {
			claims[name] = proof.Hash(value)
		}
	}
	return signedWith(t, map[string]any{"typ": "dpop+jwt", "alg": "ES256", "jwk": map[string]string{"kty": "EC", "crv": "P-256", "x": encoded(point[1:33]), "y": encoded(point[33:])}}, claims)
}

// signedWith is a JWT of that header and those claims, signed with the clients' key.
func signedWith(t *testing.T, header, claims map[string]any) string {
	t.Helper()
	encoded := base64.RawURLEncoding.EncodeToString
	var parts []string
	for _, part := range []any{header, claims} {
		b, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, encoded(b))
	}
	signed := strings.Join(parts, ".")
	sum := sha256.Sum256([]byte(signed))
	r, s, err := ecdsa.Sign(rand.Reader, proofKey(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + encoded(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

// assertion is a JWT of a client.
func assertion(t *testing.T, claims map[string]any) string {
	t.Helper()
	return signedWith(t, map[string]any{"typ": "JWT", "alg": "ES256"}, claims)
}

// publicKeys are those of such a client.
func publicKeys(t *testing.T) json.RawMessage {
	t.Helper()
	point, err := proofKey().PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	encoded := base64.RawURLEncoding.EncodeToString
	return json.RawMessage(`{"keys":[{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","x":"` + encoded(point[1:33]) + `","y":"` + encoded(point[33:]) + `"}]}`)
}
