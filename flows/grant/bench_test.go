package grant

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// BenchmarkMintAccess assembles and signs an access token; beside it, the opaque one, which is not signed.
func BenchmarkMintAccess(b *testing.B) {
	now := time.Now()
	for _, kind := range []struct {
		name string
		alg  keys.Alg
		enc  string
	}{{"ES256", keys.ES256, SelfContained}, {"RS256", keys.RS256, SelfContained}, {"opaque", keys.ES256, Identifier}} {
		b.Run(kind.name, func(b *testing.B) {
			key, err := keys.Generate(kind.alg, rand.Reader, now)
			if err != nil {
				b.Fatal(err)
			}
			t := &tenant.Tenant{ID: "acme", Issuer: "https://id.example.com/t/acme", Keys: keys.NewSet([]keys.Key{key}), Settings: &tenant.Settings{}, Revoked: tenant.NewJournal()}
			t.Settings.Tokens.AccessTokenAlg = string(kind.alg)
			i := &Issuer{Now: time.Now, Rand: rand.Reader}
			g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "app", Terms: Terms{AccessToken: AccessTerms{Encoding: kind.enc}}}
			b.ReportAllocs()
			for b.Loop() {
				if _, _, _, err := i.MintAccess(b.Context(), t, g, oauth.Scope{"openid", "email"}, nil, time.Time{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
