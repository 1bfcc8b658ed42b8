package registration

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"crypto/rand"
	"crypto/sha256"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// memory is the Store and the client lookup of one tenant.
type memory struct {
	clients  map[string]tenant.Client
	initial  []InitialToken
	events   []audit.Event
	revoked  []tenant.Revocation
	broken   error // what every method says
	conflict bool
}

func (m *memory) CreateClient(_ context.Context, _ tenant.ID, c tenant.Client, most int, ev audit.Event) (tenant.Client, error) {
	if m.broken != nil {
		return tenant.Client{}, m.broken
	}
	if _, ok := m.clients[c.ID]; ok {
		return tenant.Client{}, ErrExists
	}
	if len(m.clients) >= most {
		return tenant.Client{}, ErrFull
	}
	c.Number = int64(len(m.clients) + 1)
	m.clients[c.ID], m.events = c, append(m.events, ev)
	return c, nil
}

func (m *memory) UpdateClient(_ context.Context, _ tenant.ID, c tenant.Client, read time.Time, ev audit.Event) error {
	old, ok := m.clients[c.ID]
	if m.broken != nil {
		return m.broken
	}
	if !ok {
		return ErrNotFound
	}
	if m.conflict || !old.UpdatedAt.Equal(read) {
		return ErrConflict
	}
	m.clients[c.ID], m.events = c, append(m.events, ev)
	return nil
}

func (m *memory) DeleteClient(_ context.Context, _ tenant.ID, id string, _ time.Time, r tenant.Revocation, ev audit.Event) error {
	if m.broken != nil {
		return m.broken
	}
	if _, ok := m.clients[id]; !ok {
		return ErrNotFound
	}
	delete(m.clients, id)
	m.revoked, m.events = append(m.revoked, r), append(m.events, ev)
	return nil
}

func (m *memory) Clients(_ context.Context, _ tenant.ID, after string, n int) ([]tenant.Client, error) {
	var cs []tenant.Client
	for _, id := range slices.Sorted(maps.Keys(m.clients)) {
		if id > after && len(cs) < n {
			cs = append(cs, m.clients[id])
		}
	}
	return cs, m.broken
}

func (m *memory) Client(_ context.Context, id string) (*tenant.Client, error) {
	if m.broken != nil {
		return nil, m.broken
	}
	c, ok := m.clients[id]
	if !ok {
		return nil, tenant.ErrNoClient
	}
	return &c, nil
}

func (m *memory) PutInitialToken(_ context.Context, _ tenant.ID, k InitialToken, most int, ev audit.Event) error {
	if m.broken != nil {
		return m.broken
	}
	if len(m.initial) >= most {
		return ErrFull
	}
	m.initial, m.events = append(m.initial, k), append(m.events, ev)
	return nil
}

func (m *memory) InitialToken(_ context.Context, _ tenant.ID, now time.Time, hash []byte) (*InitialToken, error) {
	for _, k := range m.initial {
		if bytes.Equal(k.Hash, hash) && k.Uses > 0 && now.Before(k.ExpiresAt) {
			return &k, m.broken
		}
	}
	return nil, cmp.Or(m.broken, ErrNotFound)
}

func (m *memory) InitialTokens(context.Context, tenant.ID) ([]InitialToken, error) {
	return m.initial, m.broken
}

func (m *memory) DeleteInitialToken(_ context.Context, _ tenant.ID, id string, ev audit.Event) error {
	before := len(m.initial)
	m.initial = slices.DeleteFunc(m.initial, func(k InitialToken) bool { return k.ID == id })
	if len(m.initial) == before {
		return cmp.Or(m.broken, ErrNotFound)
	}
	m.events = append(m.events, ev)
	return m.broken
}

func (m *memory) CreateClientWith(ctx context.Context, t tenant.ID, c tenant.Client, most int, hash []byte, now time.Time, ev audit.Event) (tenant.Client, error) {
	i := slices.IndexFunc(m.initial, func(k InitialToken) bool {
		return bytes.Equal(k.Hash, hash) && k.Uses > 0 && now.Before(k.ExpiresAt)
	})
	if i < 0 {
		return c, cmp.Or(m.broken, ErrUsedUp)
	}
	c, err := m.CreateClient(ctx, t, c, most, ev)
	if err == nil {
		m.initial[i].Uses--
	}
	return c, err
}

// gate is a Limiter that lets so many through.
type gate struct{ left int }

func (g *gate) Allow(context.Context, tenant.ID, string, ...string) (time.Duration, bool) {
	g.left--
	return time.Minute, g.left >= 0
}

const masterToken = "chy_master"

// house is a Service over an empty memory, and a tenant that lets anybody register.
func house(t testing.TB) (*Service, *tenant.Tenant, *memory) {
	t.Helper()
	k, err := keys.Generate(keys.ES256, rand.Reader, noon.Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	m := &memory{clients: map[string]tenant.Client{}}
	token := func(id, bearer string, api tenant.API) tenant.APIToken {
		h := sha256.Sum256([]byte(bearer))
		return tenant.APIToken{ID: id, Hash: h[:], APIs: []tenant.API{api}}
	}
	acme := &tenant.Tenant{
		ID: "acme", Issuer: "https://id.example/t/acme", Clients: m, Revoked: tenant.NewJournal(),
		Keys:     keys.NewSet([]keys.Key{k}),
		Settings: &tenant.Settings{Clients: tenant.ClientSettings{OpenRegistration: true}},
		Tokens:   []tenant.APIToken{token("main", masterToken, tenant.AllAPIs), token("sessions", "chy_sessions", tenant.SessionAPI)},
	}
	return &Service{
		Store: m, Initial: m, Now: func() time.Time { return noon }, Rand: rand.Reader,
		GrantTypes:    []string{"authorization_code", "refresh_token", "client_credentials"},
		ResponseTypes: []string{"code"},
	}, acme, m
}

// request parses body, which is valid.
func request(t testing.TB, body string, by Authority) Request {
	t.Helper()
	r, err := Parse([]byte(body))
	if err != nil {
		t.Fatal(body, err)
	}
	r.By = by
	return r
}

var administrator = Master("main", "192.0.2.7")
