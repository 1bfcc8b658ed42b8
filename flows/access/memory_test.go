package access

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	errDown = errors.New("out of order")
)

// memory is a grant.Store of one tenant. down is what every method answers with, where it is set.
type memory struct {
	grant.Store
	down    error
	grants  map[string]*grant.Grant
	tokens  map[string]grant.AccessToken // by hash
	entered []tenant.Revocation
	events  []audit.Event
}

func (m *memory) Grant(_ context.Context, _ tenant.ID, id string) (*grant.Grant, error) {
	g := m.grants[id]
	switch {
	case m.down != nil:
		return nil, m.down
	case g == nil:
		return nil, grant.ErrNotFound
	}
	read := *g
	return &read, nil
}

func (m *memory) AccessToken(_ context.Context, _ tenant.ID, now time.Time, hash []byte) (*grant.AccessToken, error) {
	a, ok := m.tokens[string(hash)]
	g := m.grants[a.Grant]
	switch {
	case m.down != nil:
		return nil, m.down
	case !ok || !now.Before(a.ExpiresAt) || a.Grant != "" && (g == nil || !g.Live(now)):
		return nil, grant.ErrNotFound
	}
	return &a, nil
}

func (m *memory) RevokeGrant(_ context.Context, _ tenant.ID, id string, now time.Time, revoked tenant.Revocation, ev audit.Event) error {
	if m.down != nil {
		return m.down
	}
	if g := m.grants[id]; g != nil && g.RevokedAt.IsZero() {
		g.RevokedAt = now
		m.entered, m.events = append(m.entered, revoked), append(m.events, ev)
	}
	return nil
}

func (m *memory) RevokeToken(_ context.Context, _ tenant.ID, hash []byte, _ time.Time, revoked tenant.Revocation, ev audit.Event) error {
	if m.down != nil {
		return m.down
	}
	delete(m.tokens, string(hash))
	m.entered, m.events = append(m.entered, revoked), append(m.events, ev)
	return nil
}

// people are what accounts know, by subject.
type people struct {
	claims map[string]map[string]json.RawMessage
	down   error
	asked  []string
}

func (p *people) Claims(_ context.Context, _ *tenant.Tenant, sub string, names, _ []string) (map[string]json.RawMessage, error) {
	p.asked = names
	known := map[string]json.RawMessage{}
	for _, name := range names {
		if v, ok := p.claims[sub][name]; ok {
			known[name] = v
		}
	}
	return known, p.down
}

// registry are the clients, by id.
type registry map[string]*tenant.Client

func (r registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := r[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

var elliptic = sync.OnceValue(func() *keys.Set {
	k, err := keys.Generate(keys.ES256, rand.Reader, noon)
	if err != nil {
		panic(err)
	}
	return keys.NewSet([]keys.Key{k})
})

// world is a service with a tenant, and a clock that only moves when told to.
type world struct {
	*testing.T
	*Service
	store   *memory
	people  *people
	tenant  *tenant.Tenant
	clients registry
	now     time.Time
}

const api = "https://api.example/"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: noon, store: &memory{grants: map[string]*grant.Grant{}, tokens: map[string]grant.AccessToken{}}, people: &people{}}
	w.clients = registry{
		"shop":     {ID: "shop"},
		"other":    {ID: "other", Metadata: tenant.Metadata{Audience: []string{"https://else.example/"}}},
		"resource": {ID: "resource", Metadata: tenant.Metadata{Audience: []string{api}}},
		"app":      {ID: "app", Metadata: tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthNone, Audience: []string{api}}},
	}
	w.tenant = w.house("acme", 1)
	clock := func() time.Time { return w.now }
	w.Service = &Service{Now: clock, Issuer: &grant.Issuer{Now: clock, Rand: rand.Reader}, Grants: w.store, Accounts: w.people}
	return w
}

// house is a tenant of that secret. All have the same signing keys.
func (w *world) house(name string, secret byte) *tenant.Tenant {
	w.Helper()
	s, err := keys.NewSecret(bytes.Repeat([]byte{secret}, 32))
	if err != nil {
		w.Fatal(err)
	}
	t := &tenant.Tenant{ID: tenant.ID(name), Issuer: "https://id." + name + ".example", Settings: &tenant.Settings{}, Secret: s, Keys: elliptic(), Clients: w.clients, Revoked: tenant.NewJournal()}
	t.Settings.Tokens.AccessTokenAlg = "ES256"
	return t
}

// agree records a grant of alice to shop with a line of refresh tokens, changed by change.
func (w *world) agree(change func(*grant.Grant)) *grant.Grant {
	g := &grant.Grant{ID: w.Issuer.NewID(), Subject: "alice", ClientID: "shop", SessionID: "s1", CreatedAt: w.now, ExpiresAt: w.now.Add(24 * time.Hour)}
	g.Terms.Scope = oauth.Scope{"openid", "a"}
	g.Refresh = &grant.RefreshState{Generation: 3, RotatedAt: w.now, ExpiresAt: w.now.Add(24 * time.Hour), IdleUntil: w.now.Add(time.Hour)}
	if change != nil {
		change(g)
	}
	w.store.grants[g.ID] = g
	return g
}

// mint makes an access token of g for audience, and records it if it is opaque.
func (w *world) mint(g *grant.Grant, encoding string, audience ...string) string {
	w.Helper()
	of := *g
	of.Terms.AccessToken.Encoding = encoding
	token, _, stored, err := w.Issuer.MintAccess(w.Context(), w.tenant, &of, g.Terms.Scope, audience, time.Time{})
	if err != nil {
		w.Fatal(err)
	}
	if stored != nil {
		w.store.tokens[string(stored.Hash)] = *stored
	}
	return token
}

// encodings are the forms of an access token.
var encodings = []string{grant.SelfContained, grant.Identifier}

// newest is the newest refresh token of g.
func (w *world) newest(g *grant.Grant) string {
	return grant.RefreshToken(w.tenant, g.ID, g.Refresh.Generation)
}

// active reports whether shop is told that the token lives.
func (w *world) active(token string) bool {
	w.Helper()
	i, err := w.Introspect(w.Context(), w.tenant, w.clients["shop"], token)
	if err != nil {
		w.Fatal(err)
	}
	return i != nil
}

// said is what a client is told: nothing where all went well.
func said(err error) string {
	if err == nil {
		return ""
	}
	return oauth.ErrorOf(err).Code
}

// altered is token with another first character.
func altered(token string) string {
	if token[0] == 'A' {
		return "B" + token[1:]
	}
	return "A" + token[1:]
}
