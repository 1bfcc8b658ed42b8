package clientauth

import (
	"crypto"
	"crypto/hmac"
	_ "crypto/sha512" // of HS384 and HS512
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// A client that changes its method uses both for a while, and no third one.
func TestTwoMethodsDuringAMigration(t *testing.T) {
	house, mine := newHouse(t), newSigner(t)
	hmacKey, err := keys.NewHMACKey(sharedSecret)
	if err != nil {
		t.Fatal(err)
	}
	jti := 0
	ways := map[string]func() Credentials{
		oauth.AuthBasic: func() Credentials { return byBasic("app", sharedSecret) },
		oauth.AuthPost:  func() Credentials { return byForm("app", sharedSecret) },
		oauth.AuthSecretJWT: func() Credentials {
			jti++
			return Credentials{AssertionType: JWTBearer, Assertion: jwt(`{"alg":"HS256"}`, claims(map[string]any{"jti": fmt.Sprint(jti)}), hmacOf(sharedSecret))}
		},
		oauth.AuthPrivateJWT: func() Credentials {
			jti++
			return Credentials{AssertionType: JWTBearer, Assertion: jwt(es256, claims(map[string]any{"jti": fmt.Sprint(jti)}), mine.sign)}
		},
		oauth.AuthTLS: func() Credentials {
			return Credentials{FormID: "app", Certificate: house.issue(t, newSigner(t), nil)}
		},
		oauth.AuthSelfSignedTLS: func() Credentials {
			return Credentials{FormID: "app", Certificate: house.issue(t, mine, nil)}
		},
		oauth.AuthNone: func() Credentials { return byName("app") },
	}
	end := noon.Add(time.Hour)
	for _, now := range []string{"", oauth.AuthBasic, oauth.AuthPost, oauth.AuthSecretJWT, oauth.AuthPrivateJWT, oauth.AuthTLS, oauth.AuthSelfSignedTLS} {
		for former := range ways {
			if former == oauth.AuthNone || former == now || now == "" && former == oauth.AuthBasic {
				continue
			}
			for _, late := range []bool{false, true} {
				x, r := acme()
				x.Issuer, x.Settings = "https://acme.example", &tenant.Settings{MTLS: tenant.MTLSSettings{Enabled: true, Authorities: []string{house.pem()}}}
				ss := secrets(sharedSecret)
				ss[0].HMAC = hmacKey
				r.clients["app"] = &tenant.Client{ID: "app", Secrets: ss, Metadata: tenant.Metadata{TokenEndpointAuthMethod: now, JWKS: json.RawMessage(mine.jwks()),
					CertificateMetadata: tenant.CertificateMetadata{TLSSubjectDN: "CN=app,O=Shop"},
					MigrationMetadata:   tenant.MigrationMetadata{FormerMethod: former, FormerMethodUntil: end.Unix()}}}
				clock := noon
				s := &Service{Now: func() time.Time { return clock }, Keys: tenant.NewClientKeys(func() time.Time { return clock }, nil), Replay: &memory{uses: map[string]time.Time{}}}
				if late {
					r.clients["app"].FormerMethodUntil = noon.Unix()
				}
				for way, cred := range ways {
					// The house's certificate for the client's own key is good for either method by certificate.
					is := func(method string) bool { return now == method || former == method && !late }
					want := is(way) || way == oauth.AuthBasic && now == "" || way == oauth.AuthSelfSignedTLS && is(oauth.AuthTLS)
					if got, err := s.Authenticate(t.Context(), x, cred()); (err == nil) != want || err == nil && got.ID != "app" {
						t.Errorf("from %s to %q, late %v, by %s: %v", former, now, late, way, err)
					}
				}
			}
		}
	}
}

// The algorithm that a client registered is that of its own method.
func TestTheFormerMethodHasItsOwnAlgorithms(t *testing.T) {
	mine := newSigner(t)
	hmacKey, err := keys.NewHMACKey(sharedSecret)
	if err != nil {
		t.Fatal(err)
	}
	ss := secrets(sharedSecret)
	ss[0].HMAC = hmacKey
	s, x, _ := private(t, nil, tenant.Metadata{JWKS: json.RawMessage(mine.jwks()), TokenEndpointAuthAlg: "ES384",
		MigrationMetadata: tenant.MigrationMetadata{FormerMethod: oauth.AuthSecretJWT, FormerMethodUntil: noon.Add(time.Hour).Unix()}})
	app, err := x.Clients.Client(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	app.Secrets = ss
	if _, err := s.Authenticate(t.Context(), x, Credentials{AssertionType: JWTBearer, Assertion: jwt(`{"alg":"HS256"}`, claims(nil), hmacOf(sharedSecret))}); err != nil {
		t.Error("the former method:", err)
	}
	if _, err := s.Authenticate(t.Context(), x, Credentials{AssertionType: JWTBearer, Assertion: jwt(es256, claims(nil), mine.sign)}); !errors.Is(err, errAlg) {
		t.Error("another algorithm by the client's own method:", err)
	}
}

// OIDC Core §9, RFC 7518 §3.2: HS256, HS384 and HS512 with a secret as long as the hash, and during an overlap with the
// secret of before.
func TestSecretsSign(t *testing.T) {
	long, before, over, short := strings.Repeat("n", 64), strings.Repeat("o", 64), strings.Repeat("d", 64), strings.Repeat("s", 47)
	kept := func(secret string, until time.Time) tenant.ClientSecret {
		k, err := keys.NewHMACKey(secret)
		if err != nil {
			t.Fatal(err)
		}
		return tenant.ClientSecret{HMAC: k, ExpiresAt: until}
	}
	by := func(alg string, secret string) string {
		hash := map[string]crypto.Hash{"HS256": crypto.SHA256, "HS384": crypto.SHA384, "HS512": crypto.SHA512}[alg]
		return jwt(`{"alg":"`+alg+`"}`, claims(nil), func(input string) []byte {
			h := hmac.New(hash.New, []byte(secret))
			h.Write([]byte(input))
			return h.Sum(nil)
		})
	}
	for _, c := range []struct {
		rule, registered, alg, secret string
		fine                          bool
	}{
		{"HS256", "", "HS256", long, true},
		{"HS384", "", "HS384", long, true},
		{"HS512", "", "HS512", long, true},
		{"the one registered", "HS512", "HS512", long, true},
		{"another than registered", "HS512", "HS256", long, false},
		{"the secret of before, in the overlap", "", "HS512", before, true},
		{"the secret of before, after the overlap", "", "HS512", over, false},
		{"a secret that is long enough for HS256", "", "HS256", short, true},
		{"a secret that is too short for HS384", "", "HS384", short, false},
		{"another secret", "", "HS256", strings.Repeat("x", 64), false},
	} {
		s, x, _ := private(t, nil, tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthSecretJWT, TokenEndpointAuthAlg: c.registered})
		app, err := x.Clients.Client(t.Context(), "app")
		if err != nil {
			t.Fatal(err)
		}
		app.TokenEndpointAuthMethod = oauth.AuthSecretJWT
		app.Secrets = []tenant.ClientSecret{kept(long, time.Time{}), kept(before, noon.Add(time.Second)), kept(over, noon), kept(short, time.Time{})}
		_, err = s.Authenticate(t.Context(), x, Credentials{AssertionType: JWTBearer, Assertion: by(c.alg, c.secret)})
		if (err == nil) != c.fine {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
}
