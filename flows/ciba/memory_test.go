package ciba

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// memory is a decoupled.Store of one tenant. down, when set, is what every method says.
type memory struct {
	mu       sync.Mutex
	down     error
	rows     map[string]*row
	grants   map[string]*grant.Grant
	disabled []string
	events   []audit.Event
	owed     []outbox.Message
	opaque   *grant.AccessToken
}

type row struct {
	decoupled.Authentication
	polled time.Time
}

func (m *memory) BeginAuthentication(_ context.Context, _ tenant.ID, a decoupled.Authentication) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[a.ID] = &row{Authentication: a}
	return m.down
}

func (m *memory) alive(at time.Time, id string) (*row, error) {
	r := m.rows[id]
	switch {
	case m.down != nil:
		return nil, m.down
	case r == nil || !at.Before(r.EndsAt):
		return nil, decoupled.ErrNotFound
	}
	return r, nil
}

func (m *memory) Authentication(_ context.Context, _ tenant.ID, at time.Time, id string) (*decoupled.Authentication, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.alive(at, id)
	if err != nil {
		return nil, err
	}
	a := r.Authentication
	return &a, nil
}

func (m *memory) Authentications(_ context.Context, _ tenant.ID, at time.Time, subject string, n int) (out []decoupled.Authentication, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.rows {
		if r.Subject == subject && subject != "" && r.State == decoupled.Waiting && at.Before(r.EndsAt) && len(out) < n {
			out = append(out, r.Authentication)
		}
	}
	slices.SortFunc(out, func(a, b decoupled.Authentication) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), strings.Compare(b.ID, a.ID))
	})
	return out, m.down
}

func (m *memory) Acknowledge(_ context.Context, _ tenant.ID, at time.Time, id string, interval time.Duration, endsAt time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.alive(at, id)
	switch {
	case err != nil:
		return err
	case r.State != decoupled.Identifying:
		return decoupled.ErrConflict
	}
	r.State, r.Interval, r.EndsAt = decoupled.Waiting, interval, endsAt
	return nil
}

func (m *memory) Settle(_ context.Context, _ tenant.ID, at time.Time, s decoupled.Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, err := m.alive(at, s.ID)
	switch {
	case err != nil:
		return err
	case r.State != decoupled.Waiting:
		return decoupled.ErrConflict
	case s.Grant != nil && slices.Contains(m.disabled, s.Grant.Subject):
		return decoupled.ErrDisabled
	}
	r.State, r.Refusal = decoupled.Refused, s.Refusal
	if s.Grant != nil {
		r.State, m.grants[s.ID] = decoupled.Granted, s.Grant
	}
	m.events, m.owed = append(m.events, s.Event), append(m.owed, s.Owed...)
	m.opaque = s.AccessToken
	return nil
}

func (m *memory) DropAuthentication(_ context.Context, _ tenant.ID, id string, ev audit.Event) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows[id] != nil {
		delete(m.rows, id)
		m.events = append(m.events, ev)
	}
	return m.down
}

func (m *memory) Poll(_ context.Context, _ tenant.ID, at time.Time, id, clientID string, leeway, raise time.Duration) (*decoupled.Polled, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.rows[id]
	switch {
	case m.down != nil:
		return nil, m.down
	case r == nil || r.ClientID != clientID || r.State == decoupled.Identifying:
		return nil, decoupled.ErrNotFound
	}
	soon := r.State == decoupled.Waiting && at.Add(leeway).Before(r.polled.Add(r.Interval))
	if soon {
		r.Interval += raise
	}
	r.polled = at
	return &decoupled.Polled{State: r.State, TooSoon: soon, Refusal: r.Refusal, EndsAt: r.EndsAt}, nil
}

func (m *memory) RedeemAuthentication(_ context.Context, _ tenant.ID, at time.Time, r grant.Redemption) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	g := m.grants[r.Grant]
	switch {
	case m.down != nil:
		return m.down
	case g == nil || !g.Live(at) || !g.Code.RedeemedAt.IsZero() || slices.Contains(m.disabled, g.Subject):
		return decoupled.ErrNotFound
	}
	g.Code.RedeemedAt = at
	delete(m.rows, r.Grant)
	return nil
}

// people are the accounts, by subject and by user name.
type people map[string]*account.Account

var errDown = errors.New("out of order")

func (p people) Find(_ context.Context, _ *tenant.Tenant, hint string) (*account.Account, error) {
	if hint == "down" {
		return nil, errDown
	}
	return p[hint], nil
}

// CheckUserCode knows one code, that of alice.
func (p people) CheckUserCode(_ context.Context, _ *tenant.Tenant, a *account.Account, _, code, _ string) error {
	if a == nil || a.Username != "alice" || code != "1234" {
		return account.ErrUserCode
	}
	return nil
}

// registry are the clients, by id.
type registry map[string]*tenant.Client

func (r registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	switch c := r[id]; {
	case id == "down":
		return nil, errDown
	case c != nil:
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

// world is a service with its tenant, and a clock that only moves when told to.
type world struct {
	*testing.T
	*Service
	*decoupled.Flow
	store  *memory
	tenant *tenant.Tenant
	bank   *tenant.Client
	now    time.Time
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newWorld(t *testing.T, change ...func(*tenant.Settings)) *world {
	t.Helper()
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	secret, err := keys.NewSecret(b)
	if err != nil {
		t.Fatal(err)
	}
	bank := &tenant.Client{ID: "bank", Metadata: tenant.Metadata{Name: "Bank", GrantTypes: []string{oauth.CIBA, oauth.RefreshToken}, BackchannelMode: "poll"}}
	w := &world{T: t, store: &memory{rows: map[string]*row{}, grants: map[string]*grant.Grant{}}, now: noon, bank: bank}
	w.tenant = &tenant.Tenant{ID: "acme", Issuer: "https://id.acme.example", Secret: secret, Clients: registry{"bank": bank}, Revoked: tenant.NewJournal(),
		Keys: keys.NewSet(nil), Settings: &tenant.Settings{CIBA: tenant.CIBASettings{Enabled: true}}}
	for _, f := range change {
		f(w.tenant.Settings)
	}
	alice, off := &account.Account{Subject: "sub-alice", Username: "alice"}, &account.Account{Subject: "sub-off", Username: "off", Disabled: true}
	w.Service = &Service{Now: func() time.Time { return w.now }, Store: w.store, Issuer: &grant.Issuer{Now: func() time.Time { return w.now }, Rand: rand.Reader},
		Accounts: people{"alice": alice, "sub-alice": alice, "off": off, "sub-off": off, "sub-of-nobody": alice},
		Requests: &request.Service{Hint: func(_ context.Context, _ *tenant.Tenant, _ *tenant.Client, token string) (string, error) {
			if sub, ok := strings.CutPrefix(token, "hint-of-"); ok {
				return sub, nil
			}
			return "", errors.New("no ID token of ours")
		}}}
	w.Flow = w.Service.Flow()
	return w
}

// params are those of a good request, changed by query.
func params(query string) url.Values {
	v := request.Parse("scope=openid%20email&login_hint=alice")
	for name, values := range request.Parse(query) {
		v[name] = values
	}
	return v
}

// authenticate makes a request, which must be accepted.
func (w *world) authenticate(query string) Acknowledgement {
	w.Helper()
	ack, err := w.Authenticate(context.Background(), w.tenant, w.bank, params(query))
	if err != nil {
		w.Fatal(err)
	}
	return ack
}

// waiting is the one authentication that there is.
func (w *world) only() *decoupled.Pending {
	w.Helper()
	if len(w.store.rows) != 1 {
		w.Fatalf("there are %d authentications", len(w.store.rows))
	}
	for id := range w.store.rows {
		p, err := w.Find(context.Background(), w.tenant, id)
		if err != nil {
			w.Fatal(err)
		}
		return p
	}
	return nil
}

// complete answers the one authentication that there is.
func (w *world) complete(c decoupled.Completion) error {
	w.Helper()
	return w.Complete(context.Background(), w.tenant, w.only(), c)
}

// says fails the test where err is not that: "code: description", or the text of another error; empty: none.
func (w *world) says(rule string, err error, want string) {
	w.Helper()
	got := ""
	if e, ok := errors.AsType[*oauth.Error](err); ok {
		got = strings.TrimSuffix(e.Code+": "+e.Description, ": ")
	} else if err != nil {
		got = err.Error()
	}
	if got != want {
		w.Errorf("%s: got %q, want %q", rule, got, want)
	}
}
