package account

import (
	"context"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// memory is a Store for one tenant.
type memory struct {
	mu       sync.Mutex
	accounts map[string]Account
	events   []audit.Event
	revoked  []tenant.Revocation
	broken   error    // what every method says
	raced    *Account // another that comes in just before an import
}

func (m *memory) Account(_ context.Context, _ tenant.ID, sub string) (*Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a, ok := m.accounts[sub]
	if m.broken != nil {
		return nil, m.broken
	}
	if !ok {
		return nil, ErrNotFound
	}
	return &a, nil
}

func (m *memory) AccountByName(_ context.Context, _ tenant.ID, folded string) (*Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	for _, a := range m.accounts {
		if Fold(a.Username) == folded {
			return &a, nil
		}
	}
	return nil, ErrNotFound
}

func (m *memory) Accounts(_ context.Context, _ tenant.ID, after string, n int) ([]Account, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var as []Account
	for _, sub := range slices.Sorted(maps.Keys(m.accounts)) {
		if sub > after && len(as) < n {
			as = append(as, m.accounts[sub])
		}
	}
	return as, m.broken
}

func (m *memory) CreateAccount(ctx context.Context, t tenant.ID, a Account, ev audit.Event) error {
	if _, err := m.AccountByName(ctx, t, Fold(a.Username)); err == nil {
		return ErrExists
	}
	return m.put(a, ev)
}

func (m *memory) ImportAccounts(_ context.Context, _ tenant.ID, _ time.Time, as []Account, ev audit.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.raced != nil {
		m.accounts[m.raced.Subject] = *m.raced
		return ErrExists
	}
	for _, a := range as {
		m.accounts[a.Subject] = a
	}
	m.events = append(m.events, ev)
	return m.broken
}

func (m *memory) TakenNames(_ context.Context, _ tenant.ID, folded []string) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.accounts {
		if slices.Contains(folded, Fold(a.Username)) {
			names = append(names, Fold(a.Username))
		}
	}
	return names, m.broken
}

func (m *memory) UpdateAccount(_ context.Context, _ tenant.ID, a Account, read time.Time, ev audit.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now, ok := m.accounts[a.Subject]
	switch {
	case !ok:
		return ErrNotFound
	case !now.UpdatedAt.Equal(read):
		return ErrConflict
	}
	return m.set(a, ev)
}

func (m *memory) put(a Account, ev audit.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.set(a, ev)
}

// set is put of who holds the lock.
func (m *memory) set(a Account, ev audit.Event) error {
	if m.broken != nil {
		return m.broken
	}
	m.accounts[a.Subject] = a
	m.events = append(m.events, ev)
	return nil
}

func (m *memory) DisableAccount(_ context.Context, _ tenant.ID, sub string, _ time.Time, r *tenant.Revocation, ev audit.Event) error {
	a, ok := m.accounts[sub]
	if !ok {
		return ErrNotFound
	}
	if a.Disabled = r != nil; r != nil {
		m.revoked = append(m.revoked, *r)
	}
	return m.put(a, ev)
}

func (m *memory) DeleteAccount(_ context.Context, _ tenant.ID, sub string, _ time.Time, r tenant.Revocation, ev audit.Event) error {
	if _, ok := m.accounts[sub]; !ok {
		return ErrNotFound
	}
	delete(m.accounts, sub)
	m.revoked, m.events = append(m.revoked, r), append(m.events, ev)
	return nil
}

func (m *memory) ReplaceHash(_ context.Context, _ tenant.ID, sub, old, hash string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if a := m.accounts[sub]; a.PasswordHash == old {
		a.PasswordHash = hash
		m.accounts[sub] = a
	}
	return nil
}

// chance is a source of bytes that do not repeat soon.
type chance struct {
	mu sync.Mutex
	n  byte
}

func (c *chance) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range b {
		c.n = c.n*167 + 13
		b[i] = c.n
	}
	c.n += 7
	return len(b), nil
}

// guards records what a Limiter is told.
type guards struct {
	mu       sync.Mutex
	wait     time.Duration
	after    int // block once so many have failed; 0: never
	fails    []string
	succeeds []string
}

func (g *guards) Blocked(_ context.Context, _ tenant.ID, _, _, _ string) (time.Duration, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.after > 0 && len(g.fails) >= g.after {
		return g.wait, true
	}
	return 0, false
}

func (g *guards) Fail(_ context.Context, _ tenant.ID, what, key, source string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fails = append(g.fails, what+" "+key+" "+source)
}

func (g *guards) Succeed(_ context.Context, _ tenant.ID, what, key, source string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.succeeds = append(g.succeeds, what+" "+key+" "+source)
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func acme() *tenant.Tenant {
	return &tenant.Tenant{ID: "acme", Settings: &tenant.Settings{}, Revoked: tenant.NewJournal()}
}

// house is a Service over an empty memory.
func house(t testing.TB) (*Service, *memory, *guards) {
	t.Helper()
	m, g, r := &memory{accounts: map[string]Account{}}, &guards{wait: time.Minute}, &chance{}
	return &Service{Store: m, Now: func() time.Time { return noon }, Rand: r, Hasher: &Hasher{Rand: r}, Limit: g, Rehash: m}, m, g
}
