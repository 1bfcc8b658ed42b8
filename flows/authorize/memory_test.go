package authorize

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// memory is a Store of one tenant. down, when set, is what every method says.
type memory struct {
	mu             sync.Mutex
	down           error
	sessions       map[string]session.Session
	interactions   map[string]Interaction
	authorizations map[string]grant.Authorization // by subject, actor and client
	grants         []grant.Grant
	tokens         map[string]bool // by hash
	disabled       []string
	ended          []string
	touched        []string
	events         []audit.Event
}

func newMemory() *memory {
	return &memory{sessions: map[string]session.Session{}, interactions: map[string]Interaction{}, authorizations: map[string]grant.Authorization{}, tokens: map[string]bool{}}
}

func (m *memory) lock() func() { m.mu.Lock(); return m.mu.Unlock }

func (m *memory) Subject(_ context.Context, _ tenant.ID, sessionID, clientID string) (Subject, error) {
	defer m.lock()()
	n, ok := m.sessions[sessionID]
	if !ok || m.down != nil {
		return Subject{}, m.down
	}
	who := m.subject(n.Subject, clientID)
	who.Session = &n
	return who, nil
}

func (m *memory) SubjectOf(_ context.Context, _ tenant.ID, sub, clientID string) (Subject, error) {
	defer m.lock()()
	return m.subject(sub, clientID), m.down
}

func (m *memory) subject(sub, clientID string) Subject {
	who := Subject{Disabled: slices.Contains(m.disabled, sub)}
	if a, ok := m.authorizations[sub+"//"+clientID]; ok {
		who.Authorization = &a
	}
	return who
}

func (m *memory) Begin(_ context.Context, _ tenant.ID, i Interaction, touch *session.Session) error {
	defer m.lock()()
	if m.down != nil {
		return m.down
	}
	i.Version = 1
	m.interactions[string(i.Hash)] = i
	if touch != nil {
		m.touched = append(m.touched, touch.ID)
		m.sessions[touch.ID] = *touch
	}
	return nil
}

func (m *memory) Load(_ context.Context, _ tenant.ID, at time.Time, hash []byte) (*Interaction, error) {
	defer m.lock()()
	i, ok := m.interactions[string(hash)]
	switch {
	case m.down != nil:
		return nil, m.down
	case !ok || !at.Before(i.ExpiresAt):
		return nil, ErrNotFound
	}
	r := *i.Request
	i.Request = &r
	return &i, nil
}

// at returns the interaction if it is there in that version.
func (m *memory) at(hash []byte, version int64) (Interaction, error) {
	i, ok := m.interactions[string(hash)]
	switch {
	case m.down != nil:
		return i, m.down
	case !ok:
		return i, ErrNotFound
	case i.Version != version:
		return i, ErrConflict
	}
	return i, nil
}

func (m *memory) Login(_ context.Context, _ tenant.ID, _ time.Time, e LoginEffect) ([]tenant.Revocation, error) {
	defer m.lock()()
	if _, err := m.at(e.Interaction.Hash, e.Interaction.Version); err != nil {
		return nil, err
	}
	e.Interaction.Version++
	m.interactions[string(e.Interaction.Hash)] = e.Interaction
	m.events = append(m.events, e.Event)
	return m.write(e.Session, e.Ended, e.TokensUntil), nil
}

func (m *memory) write(n *session.Session, ended string, until time.Time) []tenant.Revocation {
	if n != nil {
		m.sessions[n.ID] = *n
	}
	if ended == "" {
		return nil
	}
	delete(m.sessions, ended)
	m.ended = append(m.ended, ended)
	return []tenant.Revocation{{Grant: "grant of " + ended, ExpiresAt: until}}
}

func (m *memory) PutData(_ context.Context, _ tenant.ID, _ time.Time, hash []byte, data json.RawMessage) error {
	defer m.lock()()
	i, ok := m.interactions[string(hash)]
	if !ok {
		return ErrNotFound
	}
	i.Data = data
	m.interactions[string(hash)] = i
	return m.down
}

func (m *memory) Finish(_ context.Context, _ tenant.ID, _ time.Time, e FinishEffect) ([]tenant.Revocation, error) {
	defer m.lock()()
	if len(e.Hash) > 0 {
		if _, err := m.at(e.Hash, e.Version); err != nil {
			return nil, err
		}
		delete(m.interactions, string(e.Hash))
	} else if m.down != nil {
		return nil, m.down
	}
	if a := e.Authorization; a != nil {
		m.authorizations[a.Subject+"/"+a.Actor+"/"+a.ClientID] = *a
	}
	if e.Grant != nil {
		m.grants = append(m.grants, *e.Grant)
	}
	if e.AccessToken != nil {
		m.tokens[string(e.AccessToken.Hash)] = true
	}
	m.events = append(m.events, e.Events...)
	rs := m.write(e.Session, e.Ended, e.TokensUntil)
	if e.Grant != nil && e.ClientID != "" {
		n := m.sessions[e.Grant.SessionID]
		n.Clients = append(n.Clients, e.ClientID)
		m.sessions[n.ID] = n
	}
	if e.Touch {
		m.touched = append(m.touched, e.Grant.SessionID)
	}
	return rs, nil
}

// house is a tenant with some clients, a service over memory, and a clock that stands still unless moved.
type house struct {
	*Service
	t     *tenant.Tenant
	store *memory
	now   time.Time
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var errDown = errors.New("the store is down")

const callback = "https://shop.example/cb"

type registry map[string]*tenant.Client

func (r registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := r[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

// chance counts, so that no two values are alike.
type chance struct {
	mu sync.Mutex
	n  byte
}

func (c *chance) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	for i := range b {
		b[i] = c.n
	}
	return len(b), nil
}

func open(t *testing.T) *house {
	t.Helper()
	secret, err := keys.NewSecret(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	code := []string{"authorization_code", "refresh_token"}
	h := &house{store: newMemory(), now: noon}
	h.t = &tenant.Tenant{ID: "acme", Issuer: "https://id.acme.example", Settings: &tenant.Settings{}, Secret: secret, Revoked: tenant.NewJournal(),
		Clients: registry{
			"shop":     {ID: "shop", Metadata: tenant.Metadata{RedirectURIs: []string{callback}, GrantTypes: code}},
			"plain":    {ID: "plain", Metadata: tenant.Metadata{RedirectURIs: []string{callback}, RequireAuthTime: true}},
			"stranger": {ID: "stranger", SelfRegistered: true, Metadata: tenant.Metadata{RedirectURIs: []string{callback}, GrantTypes: code}},
		}}
	clock := func() time.Time { return h.now }
	rand := &chance{}
	h.Service = &Service{Now: clock, Rand: rand, Store: h.store, Issuer: &grant.Issuer{Now: clock, Rand: rand},
		Sessions: &session.Service{Now: clock, Rand: rand},
		Requests: &request.Service{ResponseTypes: ResponseTypes(), ResponseModes: ResponseModes(),
			Hint: func(_ context.Context, _ *tenant.Tenant, _ *tenant.Client, token string) (string, error) {
				if sub, ok := strings.CutPrefix(token, "hint-of-"); ok {
					return sub, nil
				}
				return "", errors.New("no ID token of ours")
			}}}
	return h
}

// session puts an open session of sub into the store and returns its handle. change, which may be nil, makes it
// another than a fresh one.
func (h *house) session(sub string, change func(*session.Session)) string {
	n := h.Sessions.New(h.t, session.Login{Subject: sub})
	if change != nil {
		change(n)
	}
	h.store.sessions[n.ID] = *n
	return h.Sessions.Handle(h.t, n)
}

// begin starts a request of client shop with more parameters, and the session of that handle.
func (h *house) begin(t *testing.T, query, sid string) Result {
	t.Helper()
	res, err := h.start(query, sid)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func (h *house) start(query, sid string) (Result, error) {
	params := request.Parse("client_id=shop&response_type=code&scope=openid+email&state=s&redirect_uri=" + callback)
	for name, values := range request.Parse(query) {
		params[name] = values
	}
	return h.Begin(context.Background(), h.t, Start{Params: params, SID: sid, Address: "192.0.2.1"})
}

// pending loads the interaction that res waits for, as the next call of a login UI would.
func (h *house) pending(t *testing.T, res Result) *Pending {
	t.Helper()
	if res.Pending == nil {
		t.Fatalf("nothing is pending: %+v", res.Response)
	}
	p, err := h.Load(context.Background(), h.t, res.Pending.Handle, "")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// login answers the login step of res as sub; change may be nil.
func (h *house) login(t *testing.T, res Result, sub string, change func(*Authentication)) Result {
	t.Helper()
	a := Authentication{Login: session.Login{Subject: sub}}
	if change != nil {
		change(&a)
	}
	out, err := h.Login(context.Background(), h.t, h.pending(t, res), a)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// code returns the code in a response, or fails.
func code(t *testing.T, res Result) string {
	t.Helper()
	if res.Response == nil || res.Response.Err != nil || res.Response.Params[0].Name != "code" {
		t.Fatalf("no code: pending %+v, response %+v", res.Pending, res.Response)
	}
	return res.Response.Params[0].Value
}

// refusal returns the error code of a response, or says what there is instead.
func refusal(res Result) string {
	switch {
	case res.Pending != nil:
		return "pending: " + string(res.Pending.Step)
	case res.Response.Err == nil:
		return "granted"
	}
	return res.Response.Err.Code
}
