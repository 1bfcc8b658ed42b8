package proof

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// memory is a Replay store.
type memory struct {
	mu   sync.Mutex
	used map[string]time.Time
	err  error
}

func (m *memory) UseOnce(_ context.Context, t tenant.ID, kind string, hash []byte, expires time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := fmt.Sprintf("%s %s %x", t, kind, hash)
	_, there := m.used[k]
	if m.used == nil {
		m.used = map[string]time.Time{}
	}
	m.used[k] = expires
	return !there, m.err
}

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newTenant(t testing.TB, id tenant.ID, s tenant.DPoPSettings) *tenant.Tenant {
	t.Helper()
	b := sha256.Sum256([]byte(id))
	secret, err := keys.NewSecret(b[:])
	if err != nil {
		t.Fatal(err)
	}
	return &tenant.Tenant{ID: id, Issuer: "https://id.example/t/" + string(id), Secret: secret, Settings: &tenant.Settings{DPoP: s}}
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var b64 = base64.RawURLEncoding.EncodeToString

// sign makes a proof of these claims.
func sign(t testing.TB, k *ecdsa.PrivateKey, claims string) string {
	t.Helper()
	x, y := k.X.FillBytes(make([]byte, 32)), k.Y.FillBytes(make([]byte, 32))
	input := b64(fmt.Appendf(nil, `{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":%q,"y":%q}}`, b64(x), b64(y))) + "." + b64([]byte(claims))
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, k, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return input + "." + b64(append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...))
}

const endpoint = "https://id.example/t/acme/token"

// with returns the claims of a good proof, of which pairs replace some by JSON; an empty one leaves the claim out.
func with(pairs ...string) string {
	m := map[string]json.RawMessage{"jti": json.RawMessage(`"` + rand.Text() + `"`), "htm": json.RawMessage(`"POST"`), "htu": json.RawMessage(`"` + endpoint + `"`),
		"iat": json.RawMessage(fmt.Sprint(now.Unix()))}
	for i := 0; i < len(pairs); i += 2 {
		if m[pairs[i]] = json.RawMessage(pairs[i+1]); pairs[i+1] == "" {
			delete(m, pairs[i])
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestCheck(t *testing.T) {
	acme, k := newTenant(t, "acme", tenant.DPoPSettings{}), newKey(t)
	at := func(d time.Duration) string { return fmt.Sprint(now.Add(d).Unix()) }
	hash := `"` + Hash("token") + `"`
	for _, c := range []struct {
		rule, claims, token string
		want                error
	}{
		{"a good proof", with(), "", nil},
		{"with claims of its own", with("other", `{"a":1}`, "nonce", `"of another server"`), "", nil},
		{"jti is missing", with("jti", ""), "", errClaims},
		{"jti is empty", with("jti", `""`), "", errClaims},
		{"jti is too long", with("jti", `"`+strings.Repeat("x", maxID+1)+`"`), "", errClaims},
		{"jti is a number", with("jti", "1"), "", errClaims},
		{"jti is null", with("jti", "null"), "", errClaims},
		{"a name in other letters", with("jti", "", "JTI", `"x"`), "", errClaims},
		{"htm is missing", with("htm", ""), "", errClaims},
		{"htm is another", with("htm", `"GET"`), "", errMethod},
		{"htu is missing", with("htu", ""), "", errClaims},
		{"htu is another", with("htu", `"https://id.example/t/globex/token"`), "", errURL},
		{"iat is missing", with("iat", ""), "", errClaims},
		{"iat is a string", with("iat", `"1"`), "", errClaims},
		{"iat is beyond numbers", with("iat", "1e400"), "", errClaims},
		{"iat is beyond time", with("iat", "1e300"), "", errClaims},
		{"iat is a fraction", with("iat", at(0)+".5"), "", nil},
		{"a minute old", with("iat", at(-time.Minute)), "", nil},
		{"older than a minute", with("iat", at(-time.Minute-time.Second)), "", errTime},
		{"ten seconds ahead", with("iat", at(10*time.Second)), "", nil},
		{"more than a minute ahead", with("iat", at(time.Minute+time.Second)), "", errTime},
		{"five minutes ahead", with("iat", at(5*time.Minute)), "", errTime},
		{"exp is over", with("exp", at(0)), "", errTime},
		{"exp is to come", with("exp", at(time.Minute)), "", nil},
		{"exp is a string", with("exp", `"1"`), "", errClaims},
		{"ath is right", with("ath", hash), "token", nil},
		{"ath is missing", with(), "token", errToken},
		{"ath is another token's", with("ath", hash), "other", errToken},
		{"ath where there is no token", with("ath", hash), "", nil},
	} {
		s := &Service{Now: func() time.Time { return now }, Replay: &memory{}}
		got, err := s.Check(t.Context(), acme, Request{Proofs: []string{sign(t, k, c.claims)}, Method: "POST", URL: endpoint, AccessToken: c.token})
		if !errors.Is(err, c.want) || c.want == nil && (err != nil || len(got.JKT) != 43) || err != nil && got != (Confirmation{}) {
			t.Errorf("%s: %v, %v; want %v", c.rule, got, err, c.want)
		}
	}
}

func TestHowManyProofsThereAre(t *testing.T) {
	acme, k, m := newTenant(t, "acme", tenant.DPoPSettings{}), newKey(t), &memory{}
	s := &Service{Now: func() time.Time { return now }, Replay: m}
	check := func(proofs ...string) (Confirmation, error) {
		return s.Check(t.Context(), acme, Request{Proofs: proofs, Method: "POST", URL: endpoint})
	}
	if got, err := check(); err != nil || got != (Confirmation{}) {
		t.Errorf("none: %v, %v", got, err)
	}
	if _, err := check(sign(t, k, with()), sign(t, k, with())); !errors.Is(err, errSeveral) {
		t.Error("two:", err)
	}
	for _, bad := range []string{"", "proof", strings.Repeat(".", 100)} {
		if _, err := check(bad); !errors.Is(err, errProof) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if len(m.used) != 0 {
		t.Error("what was refused was remembered:", m.used)
	}
}

func TestAProofIsUsedOnce(t *testing.T) {
	acme, k, m := newTenant(t, "acme", tenant.DPoPSettings{}), newKey(t), &memory{}
	s := &Service{Now: func() time.Time { return now }, Replay: m}
	check := func(claims, at string) error {
		_, err := s.Check(t.Context(), acme, Request{Proofs: []string{sign(t, k, claims)}, Method: "POST", URL: at})
		return err
	}
	if err := check(with("jti", `"a"`), endpoint); err != nil {
		t.Error(err)
	}
	if err := check(with("jti", `"a"`), endpoint); !errors.Is(err, errUsed) {
		t.Error("the same jti for the same endpoint, signed anew:", err)
	}
	if err := check(with("jti", `"a"`, "htu", `"https://ID.example:443/t/acme/token?x"`), endpoint); !errors.Is(err, errUsed) {
		t.Error("the same jti for the same endpoint, written otherwise:", err)
	}
	if err := check(with("jti", `"a"`, "htu", `"https://id.example/t/acme/par"`), "https://id.example/t/acme/par"); err != nil {
		t.Error("the same jti for another endpoint:", err)
	}
	for _, expires := range m.used {
		if expires.Before(now.Add(window)) {
			t.Error("forgotten while it counts:", expires)
		}
	}
	m.err = oauth.Unavailable()
	if err := check(with(), endpoint); !errors.Is(err, oauth.Unavailable()) {
		t.Error("a store that does not answer:", err)
	}
}

func TestNonces(t *testing.T) {
	demanding := tenant.DPoPSettings{RequireNonce: true}
	acme, globex, k := newTenant(t, "acme", demanding), newTenant(t, "globex", demanding), newKey(t)
	life := acme.Settings.NonceLifetime()
	begin := now.Truncate(life)
	for _, c := range []struct {
		rule  string
		nonce string
		at    time.Time
		want  error
	}{
		{"the newest", Nonce(acme, begin), begin, nil},
		{"the one before", Nonce(acme, begin), begin.Add(2*life - time.Second), nil},
		{"an old one", Nonce(acme, begin), begin.Add(2 * life), errNonce},
		{"one to come", Nonce(acme, begin.Add(life)), begin, errNonce},
		{"another tenant's", Nonce(globex, begin), begin, errNonce},
		{"one made up", "x", begin, errNonce},
		{"an empty one", "", begin, errNonce},
	} {
		m := &memory{}
		s := &Service{Now: func() time.Time { return c.at }, Replay: m}
		claims := with("iat", fmt.Sprint(c.at.Unix()), "nonce", `"`+c.nonce+`"`)
		_, err := s.Check(t.Context(), acme, Request{Proofs: []string{sign(t, k, claims)}, Method: "POST", URL: endpoint})
		if !errors.Is(err, c.want) || c.want == nil && err != nil {
			t.Errorf("%s: %v", c.rule, err)
		}
		if err != nil && len(m.used) != 0 {
			t.Errorf("%s: a proof that may come again with a nonce was used up", c.rule)
		}
	}
}

func TestSameURL(t *testing.T) {
	for _, c := range []struct {
		rule, a, b string
		want       bool
	}{
		{"the same", endpoint, endpoint, true},
		{"a query and a fragment", endpoint + "?a#b", endpoint, true},
		{"a fragment with a question mark", endpoint + "#b?a", endpoint, true},
		{"scheme and host in upper case", "HTTPS://ID.EXAMPLE/t/acme/token", endpoint, true},
		{"the default port", "https://id.example:443/t/acme/token", endpoint, true},
		{"an empty port", "https://id.example:/t/acme/token", endpoint, true},
		{"the default port of another scheme", "https://id.example:80/t/acme/token", endpoint, false},
		{"another port", "https://id.example:8443/t/acme/token", endpoint, false},
		{"the path in upper case", "https://id.example/T/acme/token", endpoint, false},
		{"an escape that is not needed", "https://id.example/t/%61cme/token", endpoint, true},
		{"escapes in other letters", "https://id.example/%c3%a4", "https://id.example/%C3%A4", true},
		{"an escaped slash", "https://id.example/t%2Facme/token", endpoint, false},
		{"dot segments", "https://id.example/x/../t/./acme/token", endpoint, true},
		{"no path and a slash", "https://id.example", "https://id.example/", true},
		{"a slash at the end", endpoint + "/", endpoint, false},
		{"an empty segment", "https://id.example//t/acme/token", endpoint, false},
		{"another scheme", "http://id.example/t/acme/token", endpoint, false},
		{"another host", "https://evil.example/t/acme/token", endpoint, false},
		{"a host that ends alike", "https://xid.example/t/acme/token", endpoint, false},
		{"a user", "https://u@id.example/t/acme/token", endpoint, false},
		{"a path alone", "/t/acme/token", endpoint, false},
		{"no URL", "://", endpoint, false},
		{"nothing", "", endpoint, false},
		{"nothing on both sides", "", "", false},
		{"a mail address", "mailto:a@b.example", endpoint, false},
		{"an IPv6 address", "http://[::1]:80/token", "http://[::1]/token", true},
		{"too long", endpoint + "?" + strings.Repeat("x", maxURL), endpoint, false},
	} {
		if got := sameURL(c.a, c.b); got != c.want {
			t.Errorf("%s: sameURL(%q, %q) = %v", c.rule, c.a, c.b, got)
		}
	}
}

// RFC 9449 §7.1, figures 12 and 13.
func TestPublishedHash(t *testing.T) {
	if got := Hash("Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"); got != "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo" {
		t.Error(got)
	}
}

// Normalisation comes to an end, and changes neither scheme nor host to another's.
func FuzzNormalized(f *testing.F) {
	for _, s := range []string{endpoint, "HTTP://A:80/%7e/../b?c#d", "https://[::1]:443//.", "http://a/%2F%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, ok := normalized(s)
		if !ok {
			return
		}
		if twice, ok := normalized(once); !ok || twice != once {
			t.Errorf("normalized(%q) = %q, and again %q, %v", s, once, twice, ok)
		}
	})
}

// A request may demand a nonce that its tenant does not.
func TestNonceOfOneRequest(t *testing.T) {
	acme, k := newTenant(t, "acme", tenant.DPoPSettings{}), newKey(t)
	s := &Service{Now: func() time.Time { return now }, Replay: &memory{}}
	r := Request{Proofs: []string{sign(t, k, with())}, Method: "POST", URL: endpoint, NonceRequired: true}
	if _, err := s.Check(t.Context(), acme, r); !errors.Is(err, errNonce) {
		t.Errorf("without: %v", err)
	}
	r.Proofs[0] = sign(t, k, with("nonce", `"`+Nonce(acme, now)+`"`))
	if _, err := s.Check(t.Context(), acme, r); err != nil {
		t.Errorf("with: %v", err)
	}
}

func BenchmarkCheck(b *testing.B) {
	acme, k := newTenant(b, "acme", tenant.DPoPSettings{RequireNonce: true}), newKey(b)
	s := &Service{Now: func() time.Time { return now }, Replay: always{}}
	r := Request{Proofs: []string{sign(b, k, with("nonce", `"`+Nonce(acme, now)+`"`))}, Method: "POST", URL: endpoint}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Check(context.Background(), acme, r); err != nil {
			b.Fatal(err)
		}
	}
}

// always is a Replay store to which everything is new.
type always struct{}

func (always) UseOnce(context.Context, tenant.ID, string, []byte, time.Time) (bool, error) {
	return true, nil
}
