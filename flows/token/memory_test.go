package token

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// memory is a grant.Store of one tenant. down says what a method answers with, by its name; before, when set, is called
// once by RedeemCode and RotateRefresh, in the midst of the flow.
type memory struct {
	grant.Store
	down     map[string]error
	before   func()
	grants   map[string]*grant.Grant
	tokens   []grant.AccessToken
	revoked  []tenant.Revocation
	events   []audit.Event
	sessions map[string]*session.Session
	disabled map[string]bool      // subjects
	used     map[string]time.Time // at the replay store
	issuer   *grant.Issuer
	totp     string // alice's code; empty: she has none
}

func (m *memory) meanwhile() {
	if f := m.before; f != nil {
		m.before = nil
		f()
	}
}

func (m *memory) put(a *grant.AccessToken) {
	if a != nil {
		m.tokens = append(m.tokens, *a)
	}
}

func (m *memory) revoke(g *grant.Grant, now time.Time, revoked tenant.Revocation, ev audit.Event) {
	if g.RevokedAt.IsZero() {
		g.RevokedAt = now
		m.revoked, m.events = append(m.revoked, revoked), append(m.events, ev)
	}
}

func (m *memory) Grant(_ context.Context, _ tenant.ID, id string) (*grant.Grant, error) {
	g := m.grants[id]
	switch {
	case m.down["Grant"] != nil:
		return nil, m.down["Grant"]
	case g == nil:
		return nil, grant.ErrNotFound
	}
	read := *g
	return &read, nil
}

func (m *memory) RedeemCode(_ context.Context, _ tenant.ID, now time.Time, r grant.Redemption, revoked tenant.Revocation, ev audit.Event) error {
	m.meanwhile()
	g := m.grants[r.Grant]
	switch {
	case m.down["RedeemCode"] != nil:
		return m.down["RedeemCode"]
	case g.Code == nil || !bytes.Equal(g.Code.Hash, r.CodeHash) || !now.Before(g.Code.ExpiresAt):
		return grant.ErrNotFound
	case !g.Code.RedeemedAt.IsZero():
		m.revoke(g, now, revoked, ev)
		return grant.ErrReplayed
	case !g.Live(now):
		return grant.ErrNotFound
	}
	g.Code.RedeemedAt, g.ExpiresAt, g.Refresh = now, r.ExpiresAt, r.Refresh
	m.put(r.AccessToken)
	return nil
}

func (m *memory) RotateRefresh(_ context.Context, _ tenant.ID, now time.Time, r grant.Rotation, grace time.Duration, revoked tenant.Revocation, ev audit.Event) (bool, error) {
	m.meanwhile()
	g := m.grants[r.Grant]
	switch {
	case m.down["RotateRefresh"] != nil:
		return false, m.down["RotateRefresh"]
	case g.Refresh == nil || !g.Live(now) || !now.Before(g.Refresh.End()) || r.Presented > g.Refresh.Generation:
		return false, grant.ErrNotFound
	case r.Presented == g.Refresh.Generation:
		g.Refresh = &r.Next
		m.put(r.AccessToken)
		return false, nil
	case r.Presented == g.Refresh.Generation-1 && now.Before(g.Refresh.RotatedAt.Add(grace)):
		m.put(r.AccessToken)
		return true, nil
	}
	m.revoke(g, now, revoked, ev)
	return false, grant.ErrReplayed
}

func (m *memory) RevokeGrant(_ context.Context, _ tenant.ID, id string, now time.Time, revoked tenant.Revocation, ev audit.Event) error {
	if err := m.down["RevokeGrant"]; err != nil {
		return err
	}
	m.revoke(m.grants[id], now, revoked, ev)
	return nil
}

func (m *memory) Derive(_ context.Context, _ tenant.ID, now time.Time, d grant.Derivation) error {
	m.meanwhile()
	switch {
	case m.down["Derive"] != nil:
		return m.down["Derive"]
	case d.From != "" && (m.grants[d.From] == nil || !m.grants[d.From].Live(now)), m.disabled[d.Subject]:
		return grant.ErrNotFound
	}
	if d.Grant != nil {
		m.grants[d.Grant.ID] = d.Grant
	}
	m.put(d.AccessToken)
	m.events = append(m.events, d.Event)
	return nil
}

// Token implements Access.
func (m *memory) Token(_ context.Context, t *tenant.Tenant, token string) (*grant.AccessToken, error) {
	if m.down["Token"] != nil {
		return nil, m.down["Token"]
	}
	if grant.IsJWT(token) {
		return m.issuer.ParseAccess(t, token)
	}
	for i := range m.tokens {
		if a := &m.tokens[i]; bytes.Equal(a.Hash, grant.Hash(token)) && m.issuer.Now().Before(a.ExpiresAt) {
			return a, nil
		}
	}
	return nil, grant.ErrNotFound
}

// UseOnce implements Replay.
func (m *memory) UseOnce(_ context.Context, _ tenant.ID, kind string, hash []byte, expires time.Time) (bool, error) {
	k := kind + string(hash)
	_, used := m.used[k]
	m.used[k] = expires
	return !used, m.down["UseOnce"]
}

// Verify implements Passwords.
func (m *memory) Verify(_ context.Context, _ *tenant.Tenant, username, password, _ string) (*account.Account, error) {
	switch {
	case m.down["Verify"] != nil:
		return nil, m.down["Verify"]
	case username != "alice" || password != "s3cret":
		return nil, account.ErrDenied
	}
	return &account.Account{Subject: "alice", HasTOTP: m.totp != ""}, nil
}

// CheckTOTP implements Passwords.
func (m *memory) CheckTOTP(_ context.Context, _ *tenant.Tenant, sub, code string, g account.Guesser) error {
	if m.down["CheckTOTP"] != nil {
		return m.down["CheckTOTP"]
	}
	if sub != "alice" || code != m.totp || g.ClientID == "" || g.Address == "" {
		return account.ErrCode
	}
	return nil
}

// Reopen implements StepUps.
func (m *memory) Reopen(_ context.Context, _ *tenant.Tenant, g *grant.Grant, _ oauth.Confirmation) (string, error) {
	return "session for " + g.Subject, m.down["Reopen"]
}

// Find implements Passwords: alice and bob have accounts.
func (m *memory) Find(_ context.Context, _ *tenant.Tenant, hint string) (*account.Account, error) {
	if m.down["Find"] != nil || hint != "alice" && hint != "bob" {
		return nil, m.down["Find"]
	}
	return &account.Account{Subject: hint, Disabled: m.disabled[hint]}, nil
}

func (m *memory) PutAccessToken(_ context.Context, _ tenant.ID, a grant.AccessToken) error {
	m.put(&a)
	return m.down["PutAccessToken"]
}

// logins is a session.Store over a memory.
type logins struct {
	session.Store
	*memory
}

func (l logins) Session(_ context.Context, _ tenant.ID, id string) (*session.Session, error) {
	n := l.sessions[id]
	switch {
	case l.down["Session"] != nil:
		return nil, l.down["Session"]
	case n == nil:
		return nil, session.ErrNotFound
	}
	return n, nil
}

// people know the e-mail address of everybody.
type people struct{ *memory }

func (p people) Claims(_ context.Context, _ *tenant.Tenant, sub string, names, _ []string) (map[string]json.RawMessage, error) {
	claims := map[string]json.RawMessage{}
	for _, name := range names {
		claims[name] = json.RawMessage(`"` + sub + `@example.com"`)
	}
	return claims, p.down["Claims"]
}

var elliptic = sync.OnceValue(func() *keys.Set {
	k, err := keys.Generate(keys.ES256, rand.Reader, noon)
	if err != nil {
		panic(err)
	}
	return keys.NewSet([]keys.Key{k})
})

// world is a service with its tenant, and a clock that only moves when told to.
type world struct {
	*testing.T
	*Service
	store   *memory
	tenant  *tenant.Tenant
	clients map[string]*tenant.Client
	now     time.Time
	jwks    func() (string, error) // behind any jwks_uri
}

func (w *world) fetch(context.Context, string, string, int64) ([]byte, string, error) {
	body, err := w.jwks()
	return []byte(body), "application/jwk-set+json", err
}

const callback = "https://shop.example/cb"

func newWorld(t *testing.T) *world {
	t.Helper()
	secret, err := keys.NewSecret(bytes.Repeat([]byte{1}, 32))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{T: t, now: noon, store: &memory{down: map[string]error{}, grants: map[string]*grant.Grant{}, sessions: map[string]*session.Session{},
		disabled: map[string]bool{}, used: map[string]time.Time{}}}
	w.tenant = &tenant.Tenant{ID: "acme", Issuer: "https://id.acme.example", Settings: &tenant.Settings{}, Secret: secret, Keys: elliptic(), Revoked: tenant.NewJournal()}
	w.tenant.Settings.Tokens.AccessTokenAlg, w.tenant.Settings.Tokens.IDTokenAlg = "ES256", "ES256"
	clock := func() time.Time { return w.now }
	w.Service = &Service{Now: clock, Issuer: &grant.Issuer{Now: clock, Rand: rand.Reader}, Grants: w.store, Sessions: logins{memory: w.store}, Accounts: people{w.store}}
	w.store.issuer = w.Issuer
	w.Service.Access, w.Service.Passwords, w.Service.Replay = w.store, w.store, w.store
	w.Service.Keys, w.Service.TokenEndpoint = tenant.NewClientKeys(clock, w.fetch), "/token"
	all := []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials, oauth.TokenExchange, oauth.JWTBearer, oauth.Password}
	w.clients = map[string]*tenant.Client{
		"shop":  {ID: "shop", Metadata: tenant.Metadata{GrantTypes: all, RedirectURIs: []string{callback, callback + "2"}, Scope: "openid offline_access a b", Audience: []string{"https://one.example/", "urn:two"}}},
		"other": {ID: "other", Metadata: tenant.Metadata{GrantTypes: all, RedirectURIs: []string{callback}}},
		"app":   {ID: "app", Metadata: tenant.Metadata{GrantTypes: all, RedirectURIs: []string{callback}, TokenEndpointAuthMethod: oauth.AuthNone}},
		"web":   {ID: "web", Metadata: tenant.Metadata{RedirectURIs: []string{callback}}},
	}
	w.tenant.Clients = registry(w.clients)
	return w
}

// agree records what alice agreed with a client, changed by change, and returns its code.
func (w *world) agree(client string, change func(*grant.Grant)) (code string, g *grant.Grant) {
	w.Helper()
	g = &grant.Grant{ID: w.Issuer.NewID(), Subject: "alice", ClientID: client, SessionID: "s1", CreatedAt: w.now, ExpiresAt: w.now.Add(10 * time.Minute)}
	g.Terms.Scope = oauth.Scope{"openid", "a", "b"}
	code = w.Issuer.MintCode(g.ID)
	g.Code = &grant.CodeState{Hash: grant.Hash(code), ExpiresAt: w.now.Add(time.Minute), RedirectURI: callback}
	if change != nil {
		change(g)
	}
	w.store.grants[g.ID] = g
	return code, g
}

// ask makes a token request with the parameters that pairs are.
func (w *world) ask(client string, pairs ...string) (grant.Tokens, error) {
	p := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		p.Add(pairs[i], pairs[i+1])
	}
	return w.Exchange(w.Context(), w.tenant, &Request{Client: w.clients[client], Params: p, Address: "192.0.2.1"})
}

// redeem redeems a code, which must succeed.
func (w *world) redeem(client, code string) grant.Tokens {
	w.Helper()
	out, err := w.ask(client, "grant_type", oauth.AuthorizationCode, "code", code, "redirect_uri", callback)
	if err != nil {
		w.Fatal(err)
	}
	return out
}

func (w *world) revoked(g *grant.Grant) bool {
	return w.tenant.Revoked.Revoked(tenant.Issued{Grant: g.ID, At: w.now})
}

// claims returns the claims of a token of that type that the tenant signed.
func (w *world) claims(typ, token string) map[string]any {
	w.Helper()
	payload, err := w.tenant.Keys.Verify(w.now, typ, token)
	var c map[string]any
	if err == nil {
		err = json.Unmarshal(payload, &c)
	}
	if err != nil {
		w.Fatal(token, err)
	}
	return c
}

// said is what a client is told: nothing where all went well.
func said(err error) string {
	if err == nil {
		return ""
	}
	e := oauth.ErrorOf(err)
	if e.Description == "" {
		return e.Code
	}
	return e.Code + ": " + e.Description
}

// half is the left half of the SHA-256 of s, base64url (OIDC Core §3.1.3.6).
func half(s string) string {
	h := sha256.Sum256([]byte(s))
	return base64.RawURLEncoding.EncodeToString(h[:16])
}

// s256 is the code challenge of a verifier (RFC 7636 §4.2).
func s256(verifier string) string {
	h := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(h[:])
}
