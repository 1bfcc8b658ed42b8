package grant

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var elliptic = sync.OnceValue(func() *keys.Set {
	var ks []keys.Key
	for _, alg := range []keys.Alg{keys.ES256, keys.EdDSA} {
		k, err := keys.Generate(alg, rand.Reader, noon)
		if err != nil {
			panic(err)
		}
		ks = append(ks, k)
	}
	return keys.NewSet(ks)
})

// house is a tenant of that secret whose tokens are signed with ES256, and an issuer at noon.
func house(t *testing.T, secret byte) (*Issuer, *tenant.Tenant) {
	t.Helper()
	s, err := keys.NewSecret(bytes.Repeat([]byte{secret}, 32))
	if err != nil {
		t.Fatal(err)
	}
	ten := &tenant.Tenant{ID: "acme", Issuer: "https://id.acme.example", Settings: &tenant.Settings{}, Secret: s, Keys: elliptic(), Revoked: tenant.NewJournal()}
	ten.Settings.Tokens.AccessTokenAlg, ten.Settings.Tokens.IDTokenAlg = "ES256", "ES256"
	return &Issuer{Now: func() time.Time { return noon }, Rand: rand.Reader}, ten
}

// people tell the e-mail address of everybody.
type people struct{}

func (people) Claims(_ context.Context, _ *tenant.Tenant, sub string, _, _ []string) (map[string]json.RawMessage, error) {
	return map[string]json.RawMessage{"email": json.RawMessage(`"` + sub + `@example.com"`)}, nil
}

func algOf(t *testing.T, token string) string {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	var h struct{ Alg string }
	if err := errors.Join(err, json.Unmarshal(b, &h)); err != nil {
		t.Fatal(err)
	}
	return h.Alg
}

func TestEncryptedAccessTokensAreReadByTheirTenantAlone(t *testing.T) {
	i, ten := house(t, 1)
	_, other := house(t, 2) // with the same signing keys
	g := &Grant{ID: i.NewID(), Subject: "alice", Actor: "admin", ClientID: "shop", Terms: Terms{AccessToken: AccessTerms{Encrypt: true}, Data: json.RawMessage(`{"a":1}`)}}
	token, _, stored, err := i.MintAccess(t.Context(), ten, g, oauth.Scope{"a"}, nil, time.Time{})
	if err != nil || stored != nil || strings.Count(token, ".") != 4 || !IsJWT(token) {
		t.Fatalf("got %s, %v, %v", token, stored, err)
	}
	a, err := i.ParseAccess(ten, token)
	if err != nil || a.Subject != "alice" || a.Actor != "admin" || a.Grant != g.ID || string(a.Data) != `{"a":1}` || a.Scope.String() != "a" {
		t.Errorf("got %+v, %v", a, err)
	}
	for rule, read := range map[string]func() (*AccessToken, error){
		"another tenant":    func() (*AccessToken, error) { return i.ParseAccess(other, token) },
		"an altered one":    func() (*AccessToken, error) { return i.ParseAccess(ten, token[:len(token)-1]+"!") },
		"one that has more": func() (*AccessToken, error) { return i.ParseAccess(ten, token+".") },
		"a later time": func() (*AccessToken, error) {
			return (&Issuer{Now: func() time.Time { return noon.Add(10 * time.Minute) }}).ParseAccess(ten, token)
		},
		"one that is none of ours": func() (*AccessToken, error) { return i.ParseAccess(ten, "....") },
	} {
		if a, err := read(); !errors.Is(err, ErrNotFound) || a != nil {
			t.Errorf("%s: got %+v, %v", rule, a, err)
		}
	}
	ten.Revoked.Add(i.Revocation(ten, g.ID))
	if a, err := i.ParseAccess(ten, token); !errors.Is(err, ErrNotFound) {
		t.Errorf("a revoked one: got %+v, %v", a, err)
	}
}

func TestAnAccessTokenIsSignedAsAgreed(t *testing.T) {
	i, ten := house(t, 1)
	for _, tt := range []struct {
		rule string
		alg  keys.Alg
		want string
	}{
		{"nothing was agreed", "", "ES256"},
		{"another algorithm", keys.EdDSA, "EdDSA"},
		{"one whose last key is gone", keys.ES384, "ES256"},
	} {
		g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop", Terms: Terms{AccessToken: AccessTerms{Alg: tt.alg}}}
		token, _, _, err := i.MintAccess(t.Context(), ten, g, nil, nil, time.Time{})
		if err != nil || algOf(t, token) != tt.want {
			t.Errorf("%s: got %s, %v", tt.rule, token, err)
		}
	}
}

// Revocations tell tokens apart by seconds: what is issued after one, in the second of it, is not among what was revoked.
func TestATokenIsIssuedInTheSecondOfARevocation(t *testing.T) {
	i, ten := house(t, 1)
	g := &Grant{ID: "g", Subject: "alice", ClientID: "shop"}
	mint := func() string {
		t.Helper()
		token, _, _, err := i.MintAccess(t.Context(), ten, g, nil, nil, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	lives := func(token string) bool {
		_, err := i.ParseAccess(ten, token)
		return err == nil
	}
	before := mint()
	ten.Revoked.Add(tenant.Revocation{Subject: "alice", ClientID: "shop", At: noon.Add(999 * time.Millisecond), ExpiresAt: noon.Add(time.Hour)})
	if after := mint(); lives(before) || !lives(after) {
		t.Errorf("before it lives: %v, and after it: %v", lives(before), lives(after))
	}
	ten.Revoked.Add(i.Revocation(ten, g.ID))
	if lives(mint()) {
		t.Error("a grant that was revoked gives tokens that live")
	}
}

func TestMint(t *testing.T) {
	i, ten := house(t, 1)
	c := &tenant.Client{ID: "shop"}
	long := int64(3600)
	for _, tt := range []struct {
		rule      string
		terms     Terms
		expiresIn time.Duration
		refresh   time.Duration // until it ends; zero: there is none
		id        bool
		opaque    bool
		end       time.Duration
	}{
		{"an access token", Terms{}, 10 * time.Minute, 0, false, false, 10 * time.Minute},
		{"of a lifetime", Terms{AccessToken: AccessTerms{Lifetime: 60}}, time.Minute, 0, false, false, time.Minute},
		{"that is opaque", Terms{AccessToken: AccessTerms{Encoding: Identifier, Encrypt: true}}, 10 * time.Minute, 0, false, true, 10 * time.Minute},
		{"with a refresh token", Terms{RefreshToken: RefreshTerms{Issue: true}}, 10 * time.Minute, 30 * 24 * time.Hour, false, false, 90 * 24 * time.Hour},
		{"that the tenant's limit holds for", Terms{RefreshToken: RefreshTerms{Issue: true, Lifetime: long * 24 * 365, MaxIdle: long * 24 * 365}}, 10 * time.Minute, 90 * 24 * time.Hour, false, false, 90 * 24 * time.Hour},
		{"that ends first", Terms{RefreshToken: RefreshTerms{Issue: true, Lifetime: 60}}, time.Minute, time.Minute, false, false, time.Minute},
		{"that lies idle first", Terms{RefreshToken: RefreshTerms{Issue: true, Lifetime: long, MaxIdle: 30}}, 30 * time.Second, 30 * time.Second, false, false, time.Hour},
		{"with an ID token", Terms{IDToken: IDTerms{Issue: true}}, 10 * time.Minute, 0, true, false, 10 * time.Minute},
	} {
		g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop", Terms: tt.terms}
		g.Terms.Scope = oauth.Scope{"openid"}
		m, err := i.Mint(t.Context(), ten, g, c, people{}, []string{"urn:a"})
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		if m.ExpiresIn != tt.expiresIn || (m.IDToken != "") != tt.id || (m.Stored != nil) != tt.opaque || !m.ExpiresAt.Equal(noon.Add(tt.end)) || m.Grant != g || m.TokenType != "Bearer" {
			t.Errorf("%s: got %+v", tt.rule, m)
		}
		if id, generation, ok := ParseRefreshToken(ten, m.RefreshToken); ok != (tt.refresh > 0) || ok && (id != g.ID || generation != 1 || !m.Refresh.End().Equal(noon.Add(tt.refresh))) {
			t.Errorf("%s: refresh token %q, %+v", tt.rule, m.RefreshToken, m.Refresh)
		}
	}
	if _, life, _, err := i.MintAccess(t.Context(), ten, &Grant{}, nil, nil, noon.Add(time.Second-1)); err != nil || life != time.Second {
		t.Errorf("a token whose refresh token is about to end: %v, %v", life, err)
	}
	g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop", Terms: Terms{Data: json.RawMessage(`"` + strings.Repeat("x", 16<<10) + `"`)}}
	if _, err := i.Mint(t.Context(), ten, g, c, nil, nil); !errors.Is(err, keys.ErrTooLarge) {
		t.Errorf("too large a token: got %v", err)
	}
}

func TestOnlyTheFirstIDTokenIsAsAgreed(t *testing.T) {
	i, ten := house(t, 1)
	g := &Grant{ID: i.NewID(), Subject: "alice", Actor: "admin", ClientID: "shop", Terms: Terms{IDTokenClaims: []string{"email"}, PresetIDToken: map[string]json.RawMessage{"ip": json.RawMessage(`"x"`)},
		IDToken: IDTerms{Lifetime: 60}, Login: Login{Nonce: "n", AuthTime: 7, TellAuthTime: true, SessionClaims: json.RawMessage(`{"idp":"y","sub":"mallory"}`)}}}
	for _, tt := range []struct {
		first bool
		want  string
	}{
		{true, `{"act":{"sub":"admin"},"aud":"shop","auth_time":7,"email":"alice@example.com","exp":1772366460,"iat":1772366400,"idp":"y","ip":"x","iss":"https://id.acme.example","nonce":"n","sub":"alice"}`},
		{false, `{"act":{"sub":"admin"},"aud":"shop","auth_time":7,"email":"alice@example.com","exp":1772366700,"iat":1772366400,"idp":"y","iss":"https://id.acme.example","sub":"alice"}`},
	} {
		token, err := i.MintIDToken(t.Context(), ten, g, IDToken{Client: &tenant.Client{ID: "shop"}, Accounts: people{}, First: tt.first})
		if err != nil {
			t.Fatal(err)
		}
		if payload, err := ten.Keys.Verify(noon, IDTokenType, token); err != nil || string(payload) != tt.want {
			t.Errorf("first %v: got %s, %v", tt.first, payload, err)
		}
	}
}
