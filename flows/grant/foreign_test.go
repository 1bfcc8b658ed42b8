package grant

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// An ID token of the server that a tenant comes from is a hint here, and nothing else.
func TestAnIDTokenOfAnotherServerIsAHint(t *testing.T) {
	b64 := base64.RawURLEncoding.EncodeToString
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	fs, err := keys.ParseForeign(fmt.Appendf(nil, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"old1","use":"sig","x":%q,"d":%q}]}`, b64(public), b64(private.Seed())), now)
	if err != nil || fs[0].Why != "" {
		t.Fatal(fs, err)
	}
	sign := func(header, payload string) string {
		input := b64([]byte(header)) + "." + b64([]byte(payload))
		return input + "." + b64(ed25519.Sign(private, []byte(input)))
	}
	const payload = `{"iss":"https://id.example","sub":"alice","aud":"app","exp":1}`
	x := &tenant.Tenant{ID: "acme", Issuer: "https://id.example", Settings: &tenant.Settings{}, Keys: keys.NewSet([]keys.Key{fs[0].Key})}
	i := &Issuer{Now: func() time.Time { return now }}
	token := sign(`{"kid":"old1","alg":"EdDSA"}`, payload)
	if h, err := i.ParseIDTokenHint(t.Context(), x, token); err != nil || h.Subject != "alice" || h.Shared {
		t.Errorf("%+v, %v", h, err)
	}
	if _, err := i.ParseAccess(x, token); !errors.Is(err, ErrNotFound) {
		t.Errorf("it is an access token: %v", err)
	}
	for rule, token := range map[string]string{
		"an access token":   sign(`{"kid":"old1","typ":"at+jwt","alg":"EdDSA"}`, payload),
		"another kid":       sign(`{"kid":"new1","alg":"EdDSA"}`, payload),
		"of another issuer": sign(`{"kid":"old1","alg":"EdDSA"}`, `{"iss":"https://other.example","sub":"alice","aud":"app","exp":1}`),
	} {
		if h, err := i.ParseIDTokenHint(t.Context(), x, token); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %+v, %v", rule, h, err)
		}
	}
}
