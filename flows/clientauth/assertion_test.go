package clientauth

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// memory is a Replay.
type memory struct {
	mu     sync.Mutex
	uses   map[string]time.Time
	broken error
}

func (m *memory) UseOnce(_ context.Context, t tenant.ID, kind string, hash []byte, expires time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return false, m.broken
	}
	k := fmt.Sprint(t, " ", kind, " ", hash)
	_, used := m.uses[k]
	m.uses[k] = expires
	return !used, nil
}

var b64 = base64.RawURLEncoding.EncodeToString

// A signer signs assertions; its JWK set has one key of the kid "k".
type signer struct{ key *ecdsa.PrivateKey }

func newSigner(t testing.TB) signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{k}
}

func (s signer) jwks() string {
	c := func(n *big.Int) string { return b64(n.FillBytes(make([]byte, 32))) }
	return `{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"` + c(s.key.X) + `","y":"` + c(s.key.Y) + `"}]}`
}

func (s signer) sign(input string) []byte {
	sum := sha256.Sum256([]byte(input))
	r, v, err := ecdsa.Sign(rand.Reader, s.key, sum[:])
	if err != nil {
		panic(err)
	}
	return append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
}

// hmacOf signs with a secret.
func hmacOf(secret string) func(string) []byte {
	return func(input string) []byte {
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(input))
		return h.Sum(nil)
	}
}

// jwt is a compact JWS of a header and claims.
func jwt(header string, claims map[string]any, sign func(string) []byte) string {
	b, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	input := b64([]byte(header)) + "." + b64(b)
	return input + "." + b64(sign(input))
}

const es256 = `{"alg":"ES256","kid":"k","typ":"JWT"}`

// claims are those of a good assertion, with some changed; nil takes one away.
func claims(changed map[string]any) map[string]any {
	c := map[string]any{"iss": "app", "sub": "app", "aud": "https://acme.example", "exp": noon.Add(time.Minute).Unix(), "iat": noon.Unix(), "jti": "1"}
	maps.Copy(c, changed)
	maps.DeleteFunc(c, func(_ string, v any) bool { return v == nil })
	return c
}

const sharedSecret = "a secret of at least thirty-two bytes"

func TestAssertions(t *testing.T) {
	mine, other := newSigner(t), newSigner(t)
	hmacKey, err := keys.NewHMACKey(sharedSecret)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(sharedSecret))
	shared := []tenant.ClientSecret{{Hash: sum[:], HMAC: hmacKey}}
	dead := []tenant.ClientSecret{{Hash: sum[:], HMAC: hmacKey, ExpiresAt: noon}}
	private := func(id string, signer signer) *tenant.Client {
		return &tenant.Client{ID: id, Metadata: tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthPrivateJWT, JWKS: json.RawMessage(signer.jwks())}}
	}
	off, only := private("off", mine), private("only", mine)
	off.Disabled, only.TokenEndpointAuthAlg = true, "PS256"
	clients := map[string]*tenant.Client{"off": off, "only": only, "app": private("app", mine), "other": private("other", other),
		"shared": client("shared", oauth.AuthSecretJWT, false, shared), "basic": client("basic", oauth.AuthBasic, false, shared),
		"dead": client("dead", oauth.AuthSecretJWT, false, dead), "plain": client("plain", oauth.AuthSecretJWT, false, secrets(sharedSecret))}
	as := func(id string) map[string]any { return map[string]any{"iss": id, "sub": id} }
	by := func(changed map[string]any) string { return jwt(es256, claims(changed), mine.sign) }
	hs := func(id, secret string) string { return jwt(`{"alg":"HS256"}`, claims(as(id)), hmacOf(secret)) }
	with := func(header string) string { return jwt(header, claims(nil), mine.sign) }
	strict := &tenant.Settings{Clients: tenant.ClientSettings{StrictAudience: true}}
	at := func(d time.Duration) any { return noon.Add(d).Unix() }
	const failed = "invalid_client"
	for _, c := range []struct {
		rule      string
		assertion string
		settings  *tenant.Settings
		change    func(*Credentials)
		want      string // id, or the error
	}{
		{"a key of the client", by(nil), nil, nil, "app"},
		{"without kid", jwt(`{"alg":"ES256"}`, claims(nil), mine.sign), nil, nil, "app"},
		{"the type of the revision", jwt(`{"alg":"ES256","typ":"client-authentication+jwt"}`, claims(nil), mine.sign), nil, nil, "app"},
		{"beside its client_id", by(nil), nil, func(c *Credentials) { c.FormID = "app" }, "app"},
		{"the issuer, at a strict tenant", by(nil), strict, nil, "app"},
		{"the token endpoint", by(map[string]any{"aud": "https://acme.example/token"}), nil, nil, "app"},
		{"with fractions of a second", by(map[string]any{"exp": json.RawMessage("1772366460.5")}), nil, nil, "app"},
		{"nbf 8 s ahead", by(map[string]any{"nbf": at(8 * time.Second)}), nil, nil, "app"},
		{"iat 8 s ahead", by(map[string]any{"iat": at(8 * time.Second)}), nil, nil, "app"},
		{"without iat", by(map[string]any{"iat": nil}), nil, nil, "app"},
		{"exp in ten minutes", by(map[string]any{"exp": at(10 * time.Minute)}), nil, nil, "app"},
		{"other claims", by(map[string]any{"x": []int{1}}), nil, nil, "app"},
		{"a shared secret", hs("shared", sharedSecret), nil, nil, "shared"},

		{"another client's key", jwt(es256, claims(nil), other.sign), nil, nil, failed},
		{"another client's name", by(as("other")), nil, nil, failed},
		{"iss is another", by(map[string]any{"iss": "other"}), nil, nil, failed},
		{"sub is another", by(map[string]any{"sub": "other"}), nil, nil, failed},
		{"client_id is another", by(nil), nil, func(c *Credentials) { c.FormID = "other" }, "invalid_request"},
		{"an unknown client", by(as("nobody")), nil, nil, failed},
		{"a disabled client", by(as("off")), nil, nil, failed},
		{"a client of another method", by(as("basic")), nil, nil, failed},
		{"no iss", by(map[string]any{"iss": nil}), nil, nil, failed},
		{"no sub", by(map[string]any{"sub": nil}), nil, nil, failed},
		{"iss is a number", by(map[string]any{"iss": 1}), nil, nil, failed},
		{"no aud", by(map[string]any{"aud": nil}), nil, nil, failed},
		{"another tenant's issuer", by(map[string]any{"aud": "https://globex.example"}), nil, nil, failed},
		{"an issuer that goes on", by(map[string]any{"aud": "https://acme.example/"}), nil, nil, failed},
		{"an array", by(map[string]any{"aud": []string{"https://acme.example"}}), nil, nil, failed},
		{"an array with others", by(map[string]any{"aud": []string{"https://acme.example", "https://evil.example"}}), nil, nil, failed},
		{"another endpoint", by(map[string]any{"aud": "https://acme.example/par"}), nil, nil, failed},
		{"the token endpoint, at a strict tenant", by(map[string]any{"aud": "https://acme.example/token"}), strict, nil, failed},
		{"no exp", by(map[string]any{"exp": nil}), nil, nil, failed},
		{"exp is past", by(map[string]any{"exp": at(0)}), nil, nil, failed},
		{"exp is far off", by(map[string]any{"exp": at(10*time.Minute + time.Second)}), nil, nil, failed},
		{"exp is a year off", by(map[string]any{"exp": at(365 * 24 * time.Hour)}), nil, nil, failed},
		{"exp is a string", by(map[string]any{"exp": fmt.Sprint(at(time.Minute))}), nil, nil, failed},
		{"exp is negative", by(map[string]any{"exp": -1}), nil, nil, failed},
		{"exp is out of range", by(map[string]any{"exp": json.RawMessage("1e400")}), nil, nil, failed},
		{"exp is huge", by(map[string]any{"exp": json.RawMessage(strings.Repeat("9", 400))}), nil, nil, failed},
		{"exp is null", by(map[string]any{"exp": json.RawMessage("null")}), nil, nil, failed},
		{"nbf 61 s ahead", by(map[string]any{"nbf": at(61 * time.Second)}), nil, nil, failed},
		{"iat 61 s ahead", by(map[string]any{"iat": at(61 * time.Second)}), nil, nil, failed},
		{"iat is a string", by(map[string]any{"iat": "now"}), nil, nil, failed},
		{"no jti", by(map[string]any{"jti": nil}), nil, nil, failed},
		{"an empty jti", by(map[string]any{"jti": ""}), nil, nil, failed},
		{"a jti too long", by(map[string]any{"jti": strings.Repeat("x", maxJTI+1)}), nil, nil, failed},
		{"a claim in capitals", by(map[string]any{"jti": nil, "JTI": "1"}), nil, nil, failed},
		{"an access token", with(`{"alg":"ES256","kid":"k","typ":"at+jwt"}`), nil, nil, failed},
		{"a DPoP proof", with(`{"alg":"ES256","kid":"k","typ":"dpop+jwt"}`), nil, nil, failed},
		{"none", with(`{"alg":"none","kid":"k"}`), nil, nil, failed},
		{"None", with(`{"alg":"None","kid":"k"}`), nil, nil, failed},
		{"another algorithm than the registered", by(as("only")), nil, nil, failed},
		{"an embedded key", with(`{"alg":"ES256","kid":"k","jwk":` + mine.jwks() + `}`), nil, nil, failed},
		{"an unknown kid", with(`{"alg":"ES256","kid":"../../k"}`), nil, nil, failed},
		{"a secret that is the public key", jwt(`{"alg":"HS256","kid":"k"}`, claims(nil), hmacOf(mine.jwks())), nil, nil, failed},
		{"a wrong shared secret", hs("shared", sharedSecret+"x"), nil, nil, failed},
		{"a shared secret that is over", hs("dead", sharedSecret), nil, nil, failed},
		{"a shared secret of which there is the hash alone", hs("plain", sharedSecret), nil, nil, failed},
		{"a shared secret of a client that sends it", hs("basic", sharedSecret), nil, nil, failed},
		{"a key where a secret is due", by(as("shared")), nil, nil, failed},
		{"no JWT", "x", nil, nil, failed},
		{"no JWT beside a client_id", "x.y.z", nil, func(c *Credentials) { c.FormID = "app" }, failed},
		{"another type of assertion", by(nil), nil, func(c *Credentials) { c.AssertionType = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer" }, failed},
		{"no type", by(nil), nil, func(c *Credentials) { c.AssertionType = "" }, failed},
		{"a type alone", "", nil, func(c *Credentials) { c.FormID = "app" }, failed},
		{"a secret beside it", by(nil), nil, func(c *Credentials) { c.FormID, c.FormSecret, c.FormSecretSent = "app", "x", true }, "invalid_request"},
		{"Basic beside it", by(nil), nil, func(c *Credentials) { c.Basic, c.BasicID, c.BasicSecret = true, "app", "x" }, "invalid_request"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			settings := c.settings
			if settings == nil {
				settings = &tenant.Settings{}
			}
			acme := &tenant.Tenant{ID: "acme", Issuer: "https://acme.example", Settings: settings, Clients: &registry{clients: clients}}
			m := &memory{uses: map[string]time.Time{}}
			s := &Service{Now: func() time.Time { return noon }, Keys: tenant.NewClientKeys(func() time.Time { return noon }, nil), Replay: m, TokenEndpoint: "/token"}
			cred := Credentials{AssertionType: JWTBearer, Assertion: c.assertion, Address: "192.0.2.1"}
			if c.change != nil {
				c.change(&cred)
			}
			got, err := s.Authenticate(t.Context(), acme, cred)
			if err != nil {
				if e := oauth.ErrorOf(err); e.Code != c.want || e.Code == failed && !errors.Is(err, ErrFailed) || len(m.uses) != 0 {
					t.Errorf("got %v, want %s; %d uses", err, c.want, len(m.uses))
				}
				return
			}
			if got.ID != c.want || len(m.uses) != 1 {
				t.Errorf("got %s, want %s; %d uses", got.ID, c.want, len(m.uses))
			}
			if _, err := s.Authenticate(t.Context(), acme, cred); !errors.Is(err, ErrFailed) {
				t.Errorf("a second time: %v", err)
			}
		})
	}
}

// private is a tenant with a client that signs, and a Service for it.
func private(t testing.TB, fetch tenant.Fetch, md tenant.Metadata) (*Service, *tenant.Tenant, *memory) {
	t.Helper()
	md.TokenEndpointAuthMethod = oauth.AuthPrivateJWT
	m := &memory{uses: map[string]time.Time{}}
	clock := func() time.Time { return noon }
	return &Service{Now: clock, Keys: tenant.NewClientKeys(clock, fetch), Replay: m}, &tenant.Tenant{ID: "acme", Issuer: "https://acme.example",
		Settings: &tenant.Settings{}, Clients: quiet{&registry{clients: map[string]*tenant.Client{"app": {ID: "app", Metadata: md}}}}}, m
}

func TestAnAssertionCountsOnce(t *testing.T) {
	mine := newSigner(t)
	s, acme, m := private(t, nil, tenant.Metadata{JWKS: json.RawMessage(mine.jwks())})
	cred := Credentials{AssertionType: JWTBearer, Assertion: jwt(es256, claims(nil), mine.sign)}
	m.broken = errors.New("away")
	if _, err := s.Authenticate(t.Context(), acme, cred); !errors.Is(err, oauth.Unavailable()) {
		t.Errorf("where the use cannot be recorded: %v", err)
	}
	m.broken = nil
	var won atomic.Int64
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			if _, err := s.Authenticate(t.Context(), acme, cred); err == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("%d of 64 succeed", won.Load())
	}
	cred.Assertion = jwt(es256, claims(map[string]any{"iat": nil}), mine.sign)
	if _, err := s.Authenticate(t.Context(), acme, cred); !errors.Is(err, ErrFailed) {
		t.Errorf("another assertion of that jti: %v", err)
	}
	for use, expires := range m.uses {
		if !expires.Equal(noon.Add(time.Minute)) {
			t.Errorf("%s is kept until %v", use, expires)
		}
	}
}

func TestARotationIsSeenAndRandomKidsAreNotFollowed(t *testing.T) {
	first, second := newSigner(t), newSigner(t)
	doc, calls := first.jwks(), 0
	s, acme, _ := private(t, func(context.Context, string, string, int64) ([]byte, string, error) {
		calls++
		return []byte(doc), "", nil
	}, tenant.Metadata{JWKSURI: "https://app.example/jwks"})
	jti := 0
	authenticate := func(kid string, by signer) error {
		jti++
		_, err := s.Authenticate(t.Context(), acme, Credentials{AssertionType: JWTBearer,
			Assertion: jwt(`{"alg":"ES256","kid":"`+kid+`"}`, claims(map[string]any{"jti": fmt.Sprint(jti)}), by.sign)})
		return err
	}
	if err := authenticate("k", first); err != nil {
		t.Fatal(err)
	}
	doc = strings.Replace(second.jwks(), `"k"`, `"k2"`, 1)
	if err := authenticate("k2", second); err != nil || calls != 2 {
		t.Fatalf("after a rotation: %v, %d calls", err, calls)
	}
	if err := authenticate("k", first); !errors.Is(err, ErrFailed) {
		t.Errorf("the retired key: %v", err)
	}
	for i := range 1000 {
		if err := authenticate(fmt.Sprint("random ", i), second); !errors.Is(err, ErrFailed) {
			t.Fatal(err)
		}
	}
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

func FuzzAssertion(f *testing.F) {
	mine := newSigner(f)
	f.Add(jwt(es256, claims(nil), mine.sign))
	f.Add(jwt(`{"alg":"HS256"}`, claims(nil), hmacOf(sharedSecret)))
	s, acme, m := private(f, nil, tenant.Metadata{JWKS: json.RawMessage(mine.jwks())})
	f.Fuzz(func(t *testing.T, compact string) {
		clear(m.uses)
		c, err := s.Authenticate(t.Context(), acme, Credentials{AssertionType: JWTBearer, Assertion: compact})
		if (err == nil) != (c != nil) || err != nil && !errors.Is(err, ErrFailed) {
			t.Errorf("%q: %v, %v", compact, c, err)
		}
	})
}

func BenchmarkAssertion(b *testing.B) {
	mine := newSigner(b)
	s, acme, m := private(b, nil, tenant.Metadata{JWKS: json.RawMessage(mine.jwks())})
	cred := Credentials{AssertionType: JWTBearer, Assertion: jwt(es256, claims(nil), mine.sign)}
	b.ReportAllocs()
	for b.Loop() {
		clear(m.uses)
		if _, err := s.Authenticate(b.Context(), acme, cred); err != nil {
			b.Fatal(err)
		}
	}
}
