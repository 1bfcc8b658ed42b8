package grant

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// registered are the clients of a tenant.
type registered map[string]*tenant.Client

func (r registered) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := r[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

func claimsOf(t *testing.T, token string) map[string]any {
	t.Helper()
	var c map[string]any
	b, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	if err := errors.Join(err, json.Unmarshal(b, &c)); err != nil {
		t.Fatal(err)
	}
	return c
}

// pairwiseClients are two of one sector, one of another, and one that is told of subjects as they are.
func pairwiseClients() registered {
	r := registered{}
	for id, host := range map[string]string{"shop": "a.example", "till": "a.example", "desk": "b.example", "open": ""} {
		c := &tenant.Client{ID: id}
		if c.RedirectURIs = []string{"https://" + host + "/" + id}; host != "" {
			c.SubjectType = tenant.PairwiseSubjects
		}
		r[id] = c
	}
	return r
}

func TestPairwiseSubjectsAreTheSectorsOwn(t *testing.T) {
	i, ten := house(t, 1)
	_, other := house(t, 2)
	cs := pairwiseClients()
	ten.Clients, other.Clients = cs, cs
	told := map[string]string{}
	for id, c := range cs {
		told[id] = ten.SubjectFor(c, "alice")
		if told[id] != ten.SubjectFor(c, "alice") || told[id] == ten.SubjectFor(c, "bob") || len(told[id]) > 255 {
			t.Errorf("%s is told %s", id, told[id])
		}
		if got := ten.SubjectOf(c, told[id]); got != "alice" {
			t.Errorf("what %s is told leads to %s", id, got)
		}
		if c.Pairwise() && (strings.Contains(told[id], "alice") || other.SubjectFor(c, "alice") == told[id] || other.SubjectOf(c, told[id]) == "alice") {
			t.Errorf("%s is told %s, as at another tenant", id, told[id])
		}
	}
	if told["shop"] != told["till"] || told["shop"] == told["desk"] || told["open"] != "alice" || ten.SubjectOf(cs["desk"], told["shop"]) == "alice" {
		t.Errorf("told %v", told)
	}
	long := strings.Repeat("x", 255)
	if got := ten.SubjectFor(cs["shop"], long); len(got) > 255 || got == ten.SubjectFor(cs["desk"], long) || got == long {
		t.Errorf("a long subject: %s", got)
	}
	if got := ten.SubjectFor(cs["shop"], "shop"); got != "shop" {
		t.Errorf("a client itself is told %s", got)
	}
	// ID token and JWT access token say the same, and both lead back.
	for id, c := range cs {
		for _, sub := range []string{"alice", long} {
			g := &Grant{ID: i.NewID(), Subject: sub, Actor: "admin", ClientID: id}
			idToken, err := i.MintIDToken(t.Context(), ten, g, IDToken{Client: c, First: true})
			if err != nil {
				t.Fatal(err)
			}
			access, _, _, err := i.MintAccess(t.Context(), ten, g, oauth.Scope{"openid"}, nil, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			own, got := claimsOf(t, idToken), claimsOf(t, access)
			logout, err := i.MintLogoutToken(t.Context(), ten, LogoutToken{Client: c, Subject: sub})
			if err != nil || claimsOf(t, logout)["sub"] != own["sub"] {
				t.Errorf("%s: logout token %s, %v", id, logout, err)
			}
			if own["sub"] != ten.SubjectFor(c, sub) || got["sub"] != own["sub"] || c.Pairwise() && strings.Contains(access+idToken, "admin") {
				t.Errorf("%s: %v and %v", id, own, got)
			}
			if act := own["act"].(map[string]any)["sub"]; act != ten.SubjectFor(c, "admin") || act != got["act"].(map[string]any)["sub"] {
				t.Errorf("%s: the actor is %v", id, act)
			}
			a, err := i.ParseAccess(ten, access)
			if err != nil || a.Subject != sub || a.Actor != "admin" {
				t.Errorf("%s: the access token is of %+v, %v", id, a, err)
			}
			if sub != long {
				if back, err := i.ParseIDToken(t.Context(), ten, id, idToken); err != nil || back != sub {
					t.Errorf("%s: the hint leads to %s, %v", id, back, err)
				}
			}
			g.Terms.AccessToken.Encrypt = true // which the client cannot read
			access, _, _, err = i.MintAccess(t.Context(), ten, g, oauth.Scope{"openid"}, nil, time.Time{})
			if err != nil {
				t.Fatal(err)
			}
			if a, err := i.ParseAccess(ten, access); err != nil || a.Subject != sub {
				t.Errorf("%s: the encrypted access token is of %+v, %v", id, a, err)
			}
		}
	}
	// What is hidden is no mark by which the tokens of two clients could be compared.
	g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop"}
	one, _, _, _ := i.MintAccess(t.Context(), ten, g, nil, nil, time.Time{})
	two, _, _, _ := i.MintAccess(t.Context(), ten, g, nil, nil, time.Time{})
	if a, b := claimsOf(t, one)["gsub"], claimsOf(t, two)["gsub"]; a == nil || a == b {
		t.Errorf("hidden: %v and %v", a, b)
	}
}

func TestWithdrawingASubjectReachesPairwiseTokens(t *testing.T) {
	i, ten := house(t, 1)
	ten.Clients = pairwiseClients()
	token, _, _, err := i.MintAccess(t.Context(), ten, &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop"}, nil, nil, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := i.ParseAccess(ten, token); err != nil {
		t.Fatal(err)
	}
	ten.Revoked.Add(tenant.Revocation{Subject: "alice", ClientID: "shop", At: noon.Add(time.Second), ExpiresAt: noon.Add(time.Hour)})
	if _, err := i.ParseAccess(ten, token); !errors.Is(err, ErrNotFound) {
		t.Errorf("it lives on: %v", err)
	}
}

func TestClientsHaveTheirOwnAccessTokens(t *testing.T) {
	i, ten := house(t, 1)
	c := &tenant.Client{ID: "shop"}
	ten.Clients = registered{"shop": c}
	for _, s := range []struct {
		rule           string
		policy         tenant.TokenPolicy
		terms          AccessTerms
		tenantIsOpaque bool
		opaque         bool
		life           time.Duration
	}{
		{"as the tenant has it", tenant.TokenPolicy{}, AccessTerms{}, false, false, 10 * time.Minute},
		{"opaque, as the tenant has it", tenant.TokenPolicy{}, AccessTerms{}, true, true, 10 * time.Minute},
		{"the client's lifetime", tenant.TokenPolicy{AccessLifetime: 60}, AccessTerms{}, false, false, time.Minute},
		{"the grant's comes first", tenant.TokenPolicy{AccessLifetime: 60}, AccessTerms{Lifetime: 30}, false, false, 30 * time.Second},
		{"the client's format", tenant.TokenPolicy{AccessFormat: tenant.AccessOpaque}, AccessTerms{}, false, true, 10 * time.Minute},
		{"the other way round", tenant.TokenPolicy{AccessFormat: tenant.AccessJWT}, AccessTerms{}, true, false, 10 * time.Minute},
		{"the grant's format comes first", tenant.TokenPolicy{AccessFormat: tenant.AccessOpaque}, AccessTerms{Encoding: SelfContained}, true, false, 10 * time.Minute},
	} {
		c.TokenPolicy, ten.Settings.Tokens.AccessTokenOpaque = s.policy, s.tenantIsOpaque
		g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop", Terms: Terms{AccessToken: s.terms}}
		token, life, stored, err := i.MintAccess(t.Context(), ten, g, nil, nil, time.Time{})
		if err != nil || IsJWT(token) == s.opaque || (stored != nil) != s.opaque || life != s.life {
			t.Errorf("%s: %s for %s, %v", s.rule, token, life, err)
		}
	}
	c.IDTokenLifetime = 120
	token, err := i.MintIDToken(t.Context(), ten, &Grant{Subject: "alice", ClientID: "shop"}, IDToken{Client: c})
	if err != nil {
		t.Fatal(err)
	}
	if got := claimsOf(t, token); got["exp"].(float64)-got["iat"].(float64) != 120 {
		t.Errorf("ID token: %v", got)
	}
}

// RFC 9068 §2.2: these are there in each, and of the right type.
func TestAJWTAccessTokenHasTheRequiredClaims(t *testing.T) {
	i, ten := house(t, 1)
	g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop"}
	g.Terms.Login = Login{AuthTime: 1, ACR: "loa2", AMR: []string{"pwd"}}
	token, _, _, err := i.MintAccess(t.Context(), ten, g, oauth.Scope{"openid", "a"}, []string{"https://api.example", "https://b.example"}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if h := headerOf(t, token); h["typ"] != "at+jwt" || h["alg"] != "ES256" || h["kid"] == nil {
		t.Errorf("header %v", h)
	}
	c := claimsOf(t, token)
	for name, want := range map[string]any{"iss": ten.Issuer, "sub": "alice", "client_id": "shop", "scope": "openid a", "auth_time": 1.0, "acr": "loa2"} {
		if c[name] != want {
			t.Errorf("%s is %v", name, c[name])
		}
	}
	if c["exp"].(float64) <= c["iat"].(float64) || c["jti"] == "" || len(c["aud"].([]any)) != 2 || len(c["amr"].([]any)) != 1 {
		t.Errorf("claims %v", c)
	}
}

func TestHintsAreOurIDTokensInEachForm(t *testing.T) {
	i, ten := house(t, 1)
	ten.Settings.Signing = tenant.SigningSettings{HMAC: true, None: true}
	opening, err := keys.Generate(keys.ECDHES, i.Rand, noon)
	if err != nil {
		t.Fatal(err)
	}
	ten.Keys = keys.NewSet(append(ten.Keys.Keys(), opening))
	ten.Settings.Encryption.Algs = []string{"ECDH-ES"}
	toUs, err := keys.ParseJWKS(ten.Keys.JWKS(noon))
	if err != nil {
		t.Fatal(err)
	}
	c := sharing(t, strings.Repeat("s", 64))
	ten.Clients = registered{"app": c}
	mint := func(alg string, first bool) string {
		t.Helper()
		c.IDTokenAlg = alg
		token, err := i.MintIDToken(t.Context(), ten, &Grant{Subject: "alice", ClientID: "app"}, IDToken{Client: c, First: first})
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	parse := func(token string) string {
		sub, _ := i.ParseIDToken(t.Context(), ten, "app", token)
		return sub
	}
	signed, mac, unsigned := mint("ES256", true), mint("HS512", true), mint("none", true)
	wrapped, err := toUs.Encrypt(keys.Encryption{Alg: keys.ECDHES, Enc: "A256GCM"}, "JWT", "JWT", []byte(signed))
	if err != nil {
		t.Fatal(err)
	}
	unwrapped, err := toUs.Encrypt(keys.Encryption{Alg: keys.ECDHES, Enc: "A256GCM"}, "JWT", "JWT", []byte(unsigned))
	if err != nil {
		t.Fatal(err)
	}
	if parse(signed) != "alice" || parse(wrapped) != "alice" {
		t.Error("a signed one does not do")
	}
	macWrapped, err := toUs.Encrypt(keys.Encryption{Alg: keys.ECDHES, Enc: "A256GCM"}, "JWT", "JWT", []byte(mac))
	if err != nil {
		t.Fatal(err)
	}
	c.IDTokenAlg = "HS512"
	for _, token := range []string{mac, macWrapped} {
		if parse(token) != "" { // S100: its client could have made it
			t.Error("one with an HMAC does")
		}
		if h, err := i.ParseIDTokenHint(t.Context(), ten, token); err != nil || !h.Shared || h.Subject != "alice" {
			t.Errorf("one with an HMAC says nothing of its client: %+v, %v", h, err)
		}
	}
	if parse(unsigned) != "" || parse(unwrapped) != "" {
		t.Error("one without signature does")
	}
	c.IDTokenAlg = "HS256"
	if _, err := i.ParseIDTokenHint(t.Context(), ten, mac); err == nil {
		t.Error("one of another algorithm than the client's does")
	}
	c.IDTokenAlg = "HS512"
	ten.Settings.Signing.HMAC = false
	if _, err := i.ParseIDTokenHint(t.Context(), ten, mac); err == nil {
		t.Error("one with an HMAC does, where that is off")
	}
	ten.Settings.Encryption.Algs = nil
	if parse(wrapped) != "" {
		t.Error("an encrypted one does, where that is off")
	}
	info, err := i.Seal(t.Context(), ten, c, Protection{Alg: keys.ES256}, "JWT", []byte(`{"iss":"`+ten.Issuer+`","aud":"app","sub":"alice"}`))
	if err != nil || parse(info) != "" {
		t.Errorf("a UserInfo answer does: %v", err)
	}
}

func TestHalfHashesFollowTheAlgorithm(t *testing.T) {
	sizes := map[keys.Alg]int{keys.None: 16, keys.EdDSA: 32}
	for suffix, size := range map[string]int{"256": 16, "384": 24, "512": 32} {
		for _, kind := range []string{"RS", "PS", "ES", "HS"} {
			sizes[keys.Alg(kind+suffix)] = size
		}
	}
	for alg, size := range sizes {
		b, err := base64.RawURLEncoding.DecodeString(halfHash(alg, "token"))
		if err != nil || len(b) != size {
			t.Errorf("%s: %d bytes", alg, len(b))
		}
	}
	// OIDC Core §A.4 has a code and an access token with their hashes.
	if got := halfHash(keys.RS256, "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"); got != "77QmUPtjPfzWtF2AnpK9RQ" {
		t.Errorf("at_hash %s", got)
	}
	if got := halfHash(keys.RS256, "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"); got != "LDktKdoQak3Pk0cnXxCltA" {
		t.Errorf("c_hash %s", got)
	}
}
