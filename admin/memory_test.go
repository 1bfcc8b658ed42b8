package admin

import (
	"context"
	"crypto/rand"
	"maps"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// memory is a Store of one goroutine.
type memory struct {
	records map[tenant.ID]tenant.Record
	deleted map[tenant.ID]tenant.Record
	events  map[tenant.ID][]audit.Event
	access  map[tenant.ID]AccessRecord
	history map[tenant.ID][]Revision
	aliases map[tenant.ID][]Alias
	last    int64
	between func(id tenant.ID) // called before each change at a version
}

func newMemory() *memory {
	return &memory{records: map[tenant.ID]tenant.Record{}, deleted: map[tenant.ID]tenant.Record{}, events: map[tenant.ID][]audit.Event{}, access: map[tenant.ID]AccessRecord{}, last: 1_000_000}
}

func (m *memory) CreateTenant(_ context.Context, r tenant.Record, ev audit.Event) (tenant.Record, error) {
	for _, other := range m.records {
		if other.ID == r.ID || other.Issuer == r.Issuer {
			return r, tenant.ErrExists
		}
	}
	m.last++
	r.ServiceID = m.last
	m.records[r.ID] = r
	m.events[r.ID] = []audit.Event{ev}
	m.revised(&r, ev)
	return r, nil
}

func (m *memory) Tenant(_ context.Context, id tenant.ID) (*tenant.Record, error) {
	r, ok := m.records[id]
	if !ok {
		return nil, tenant.ErrUnknown
	}
	r.Keys, r.Tokens = slices.Clone(r.Keys), slices.Clone(r.Tokens)
	return &r, nil
}

func (m *memory) Tenants(_ context.Context, after tenant.ID, n int) ([]tenant.Record, error) {
	var out []tenant.Record
	for _, id := range slices.Sorted(maps.Keys(m.records)) {
		if id > after && len(out) < n {
			r := m.records[id]
			r.Keys, r.Tokens, r.Secret = nil, nil, keys.Secret{}
			out = append(out, r)
		}
	}
	return out, nil
}

func (m *memory) FindTenants(ctx context.Context, _ TenantFilter, after tenant.ID, n int) ([]tenant.Record, error) {
	return m.Tenants(ctx, after, n)
}

func (m *memory) at(id tenant.ID, version int64, ev audit.Event, change func(*tenant.Record)) error {
	if m.between != nil {
		m.between(id)
	}
	r, ok := m.records[id]
	if !ok {
		return tenant.ErrUnknown
	}
	if version != 0 && r.Version != version {
		return tenant.ErrConflict
	}
	change(&r)
	r.Version++
	m.records[id] = r
	m.revised(&r, ev)
	m.events[id] = append(m.events[id], ev)
	return nil
}

func (m *memory) UpdateTenant(_ context.Context, id tenant.ID, version int64, s tenant.Settings, enabled bool, now time.Time, ev audit.Event) error {
	return m.at(id, version, ev, func(r *tenant.Record) { r.Settings, r.Enabled, r.UpdatedAt = s, enabled, now })
}

func (m *memory) DeleteTenant(_ context.Context, id tenant.ID, _ audit.Event) error {
	if _, ok := m.records[id]; !ok {
		return tenant.ErrUnknown
	}
	delete(m.records, id)
	delete(m.events, id)
	return nil
}

func (m *memory) MarkDeleted(_ context.Context, id tenant.ID, now, purgeAt time.Time, ev audit.Event) error {
	err := m.at(id, 0, ev, func(r *tenant.Record) { r.DeletedAt, r.PurgeAt = now, purgeAt })
	if err == nil {
		m.deleted[id] = m.records[id]
		delete(m.records, id)
	}
	return err
}

func (m *memory) RestoreTenant(_ context.Context, id tenant.ID, now time.Time, _ audit.Event) error {
	r, ok := m.deleted[id]
	if !ok || !r.PurgeAt.After(now) {
		return tenant.ErrUnknown
	}
	r.DeletedAt, r.PurgeAt = time.Time{}, time.Time{}
	m.records[id] = r
	delete(m.deleted, id)
	return nil
}

func (m *memory) RemoveDeleted(_ context.Context, id tenant.ID, now time.Time, _ audit.Event) error {
	if r, ok := m.deleted[id]; !ok || !r.PurgeAt.After(now) {
		return tenant.ErrUnknown
	}
	delete(m.deleted, id)
	delete(m.events, id)
	return nil
}

func (m *memory) PutKeys(_ context.Context, id tenant.ID, version int64, ks []keys.Key, now time.Time, ev audit.Event) error {
	return m.at(id, version, ev, func(r *tenant.Record) { r.Keys, r.UpdatedAt = ks, now })
}

func (m *memory) PutToken(_ context.Context, id tenant.ID, k tenant.APIToken, ev audit.Event) error {
	return m.at(id, 0, ev, func(r *tenant.Record) { r.Tokens = append(slices.Clone(r.Tokens), k) })
}

func (m *memory) KeysDue(_ context.Context, before time.Time, after tenant.ID, n int) ([]tenant.ID, error) {
	var ids []tenant.ID
	for id, r := range m.records {
		due := func(k keys.Key) bool { return k.RetiredAt.IsZero() && k.ActiveAt.Before(before) }
		if id > after && slices.ContainsFunc(r.Keys, due) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids[:min(n, len(ids))], nil
}

func (m *memory) Events(_ context.Context, id tenant.ID, before time.Time, n int) ([]audit.Event, error) {
	es := slices.Clone(m.events[id])
	slices.Reverse(es)
	es = slices.DeleteFunc(es, func(e audit.Event) bool { return !before.IsZero() && !e.At.Before(before) })
	return es[:min(n, len(es))], nil
}

// clients and accounts keep what a starter makes.
type clients struct {
	registration.Store
	made map[tenant.ID][]tenant.Client
}

func (s *clients) CreateClient(_ context.Context, t tenant.ID, c tenant.Client, _ int, _ audit.Event) (tenant.Client, error) {
	s.made[t] = append(s.made[t], c)
	return c, nil
}

type accounts struct {
	account.Store
	made map[tenant.ID][]account.Account
}

func (s *accounts) CreateAccount(_ context.Context, t tenant.ID, a account.Account, _ audit.Event) error {
	s.made[t] = append(s.made[t], a)
	return nil
}

// bench is a console over memory, with a clock that tests set.
type bench struct {
	*Console
	store    *memory
	clients  *clients
	accounts *accounts
	time     time.Time
	made     int // RSA keys
}

// rsaKeys are the first RSA keys of every bench, as they take their time.
var rsaKeys []keys.Key

// Generate makes a key that no other of this bench is.
func (b *bench) Generate(alg keys.Alg, now time.Time) (keys.Key, error) {
	if alg != keys.RS256 {
		return keys.Generate(alg, rand.Reader, now)
	}
	if b.made++; b.made > len(rsaKeys) {
		k, err := keys.Generate(alg, rand.Reader, now)
		if err != nil {
			return k, err
		}
		rsaKeys = append(rsaKeys, k)
	}
	k := rsaKeys[b.made-1]
	k.CreatedAt, k.ActiveAt = now, now
	return k, nil
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{store: newMemory(), clients: &clients{made: map[tenant.ID][]tenant.Client{}},
		accounts: &accounts{made: map[tenant.ID][]account.Account{}}, time: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)}
	now := func() time.Time { return b.time }
	public, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	b.Console = &Console{
		Store: b.store, Access: b.store, Policy: NewPolicy(b.store),
		Clients: &registration.Service{Store: b.clients, Now: now, Rand: rand.Reader, GrantTypes: token.GrantTypes(),
			ResponseTypes: []string{"code"}},
		Accounts: &account.Service{Store: b.accounts, Now: now, Rand: rand.Reader, Hasher: &account.Hasher{Rand: rand.Reader}},
		Keys:     b, Now: now, Rand: rand.Reader, PublicURL: public,
	}
	return b
}

// create makes a bare tenant.
func (b *bench) create(t *testing.T, id string, s tenant.Settings) Created {
	t.Helper()
	out, err := b.CreateTenant(t.Context(), New{ID: id, Settings: s}, By{Actor: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// read returns a tenant past the console.
func (b *bench) read(t *testing.T, id tenant.ID) tenant.Record {
	t.Helper()
	r, err := b.store.Tenant(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return *r
}
