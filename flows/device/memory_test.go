package device

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// memory is a store of one tenant. down, when set, is what every method says.
type memory struct {
	decoupled.Store // of what is not used here
	mu              sync.Mutex
	down            error
	taken           int // so many of the next codes are
	codes           map[string]string
	rows            map[string]*decoupled.Authentication
	grants          map[string]*grant.Grant
	events          []audit.Event
}

func (m *memory) BeginDevice(_ context.Context, _ tenant.ID, a decoupled.Authentication, userCode []byte, most int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.down != nil:
		return m.down
	case len(m.rows) >= most:
		return ErrFull
	case m.taken > 0 || m.codes[string(userCode)] != "":
		m.taken--
		return ErrTaken
	}
	m.rows[a.ID], m.codes[string(userCode)] = &a, a.ID
	return nil
}

func (m *memory) Device(_ context.Context, _ tenant.ID, userCode []byte) (*decoupled.Authentication, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.rows[m.codes[string(userCode)]]
	switch {
	case m.down != nil:
		return nil, m.down
	case a == nil:
		return nil, decoupled.ErrNotFound
	}
	c := *a
	return &c, nil
}

func (m *memory) Settle(_ context.Context, _ tenant.ID, _ time.Time, s decoupled.Settlement) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.rows[s.ID]
	a.State, a.Refusal = decoupled.Refused, s.Refusal
	if s.Grant != nil {
		a.State, m.grants[s.ID] = decoupled.Granted, s.Grant
	}
	m.events = append(m.events, s.Event)
	return nil
}

func (m *memory) Poll(_ context.Context, _ tenant.ID, _ time.Time, id, clientID string, _, _ time.Duration) (*decoupled.Polled, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.rows[id]
	if a == nil || a.ClientID != clientID {
		return nil, decoupled.ErrNotFound
	}
	return &decoupled.Polled{State: a.State, Refusal: a.Refusal, EndsAt: a.EndsAt}, nil
}

// limiter counts wrong guesses by name, key and source, and blocks those listed.
type limiter struct {
	failed  []string
	right   []string
	blocked []string
}

func (l *limiter) Blocked(_ context.Context, _ tenant.ID, what, key, source string) (time.Duration, bool) {
	return time.Minute, slices.Contains(l.blocked, what+"/"+key+"/"+source)
}

func (l *limiter) Fail(_ context.Context, _ tenant.ID, what, key, source string) {
	l.failed = append(l.failed, what+"/"+key+"/"+source)
}

func (l *limiter) Succeed(_ context.Context, _ tenant.ID, what, key, source string) {
	l.right = append(l.right, what+"/"+key+"/"+source)
}

// registry are the clients, by id.
type registry map[string]*tenant.Client

func (r registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := r[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

// world is a service with its tenant, and a clock that only moves when told to.
type world struct {
	*testing.T
	*Service
	store  *memory
	limit  *limiter
	tenant *tenant.Tenant
	tv     *tenant.Client
	now    time.Time
}

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	errDown = errors.New("out of order")
)

func newWorld(t *testing.T, change ...func(*tenant.Settings)) *world {
	t.Helper()
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	secret, err := keys.NewSecret(b)
	if err != nil {
		t.Fatal(err)
	}
	tv := &tenant.Client{ID: "tv", Metadata: tenant.Metadata{Name: "TV", GrantTypes: []string{oauth.DeviceCode, oauth.RefreshToken},
		TokenEndpointAuthMethod: oauth.AuthNone, Scope: "openid email"}}
	w := &world{T: t, store: &memory{codes: map[string]string{}, rows: map[string]*decoupled.Authentication{}, grants: map[string]*grant.Grant{}},
		limit: &limiter{}, now: noon, tv: tv}
	w.tenant = &tenant.Tenant{ID: "acme", Issuer: "https://id.acme.example", Secret: secret, Clients: registry{"tv": tv}, Revoked: tenant.NewJournal(),
		Settings: &tenant.Settings{Device: tenant.DeviceSettings{Enabled: true}}}
	for _, f := range change {
		f(w.tenant.Settings)
	}
	now := func() time.Time { return w.now }
	w.Service = &Service{Now: now, Rand: rand.Reader, Store: w.store, Decoupled: w.store, Limit: w.limit, Requests: &request.Service{},
		Issuer: &grant.Issuer{Now: now, Rand: rand.Reader}, Page: "/device"}
	return w
}

// begin makes a request, which must be accepted.
func (w *world) begin(query string) Authorization {
	w.Helper()
	a, err := w.Begin(context.Background(), w.tenant, w.tv, request.Parse(query))
	if err != nil {
		w.Fatal(err)
	}
	return a
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
