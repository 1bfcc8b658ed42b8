package challenge

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var errDown = errors.New("the store is down")

// memory keeps interactions by tenant and hash, and what came of them. down, when set, is what every method says.
type memory struct {
	authorize.Store
	mu           sync.Mutex
	down         error
	interactions map[string]authorize.Interaction
	finished     []authorize.FinishEffect
	disabled     string // subject
}

func key(t tenant.ID, hash []byte) string { return string(t) + "/" + string(hash) }

func (m *memory) SubjectOf(_ context.Context, _ tenant.ID, sub, _ string) (authorize.Subject, error) {
	return authorize.Subject{Disabled: sub == m.disabled}, m.down
}

func (m *memory) Begin(_ context.Context, t tenant.ID, i authorize.Interaction, _ *session.Session) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.interactions[key(t, i.Hash)] = i
	return m.down
}

func (m *memory) at(t tenant.ID, now time.Time, hash []byte) (authorize.Interaction, error) {
	i, ok := m.interactions[key(t, hash)]
	switch {
	case m.down != nil:
		return i, m.down
	case !ok || !now.Before(i.ExpiresAt):
		return i, authorize.ErrNotFound
	}
	return i, nil
}

func (m *memory) Load(_ context.Context, t tenant.ID, now time.Time, hash []byte) (*authorize.Interaction, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, err := m.at(t, now, hash)
	if err != nil {
		return nil, err
	}
	return &i, nil
}

func (m *memory) Advance(_ context.Context, t tenant.ID, now time.Time, i authorize.Interaction) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, err := m.at(t, now, i.Hash)
	if err == nil && old.Version != i.Version {
		err = authorize.ErrConflict
	}
	if err != nil {
		return err
	}
	old.Request, old.Data = i.Request, i.Data
	old.Version++
	m.interactions[key(t, i.Hash)] = old
	return nil
}

func (m *memory) Finish(_ context.Context, t tenant.ID, now time.Time, e authorize.FinishEffect) ([]tenant.Revocation, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(e.Hash) > 0 {
		i, err := m.at(t, now, e.Hash)
		if err == nil && i.Version != e.Version {
			err = authorize.ErrConflict
		}
		if err != nil {
			return nil, err
		}
		delete(m.interactions, key(t, e.Hash))
		if e.Kept != nil {
			i.Request, i.Data, i.Version = e.Kept.Request, e.Kept.Data, i.Version+1
			m.interactions[key(t, e.Hash)] = i
		}
	} else if e.Kept != nil {
		m.interactions[key(t, e.Kept.Hash)] = *e.Kept
	}
	m.finished = append(m.finished, e)
	return nil, m.down
}

// Grant says that no grant was revoked, but one.
func (m *memory) Grant(_ context.Context, _ tenant.ID, id string) (*grant.Grant, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range m.finished {
		if e.Grant != nil && e.Grant.ID == id {
			return e.Grant, m.down
		}
	}
	return nil, grant.ErrNotFound
}

// people are accounts by user name: each password is the name backwards. Those of totp have one, whose next code is 111111,
// once; a code that is sent is 222222.
type people struct {
	mu     sync.Mutex
	err    error
	checks int
	totp   map[string]bool
	used   bool
	sent   []account.Sending
}

func (p *people) account(username string) *account.Account {
	return &account.Account{Subject: "sub-of-" + username, Username: username, HasTOTP: p.totp[username], Disabled: username == "bob"}
}

func (p *people) Get(_ context.Context, _ *tenant.Tenant, sub string) (account.Account, error) {
	if name, ok := strings.CutPrefix(sub, "sub-of-"); ok {
		return *p.account(name), p.err
	}
	return account.Account{}, account.ErrNotFound
}

func (p *people) CheckTOTP(_ context.Context, _ *tenant.Tenant, sub, code string, g account.Guesser) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := strings.TrimPrefix(sub, "sub-of-")
	if p.err != nil || p.used || !p.totp[name] || code != "111111" || g.ClientID == "" || g.Address == "" {
		return cmp.Or(p.err, error(account.ErrCode))
	}
	p.used = true
	return nil
}

func (p *people) SendCode(_ context.Context, _ *tenant.Tenant, in account.Sending) error {
	p.sent = append(p.sent, in)
	return p.err
}

func (p *people) CheckCode(_ context.Context, _ *tenant.Tenant, exchange []byte, sub, code string, _ account.Guesser) error {
	for _, s := range p.sent {
		if bytes.Equal(s.Exchange, exchange) && s.Subject == sub && code == "222222" {
			return p.err
		}
	}
	return account.ErrCode
}

func (p *people) Verify(_ context.Context, _ *tenant.Tenant, username, password, _ string) (*account.Account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.checks++
	switch {
	case p.err != nil:
		return nil, p.err
	case username == "alice" && password == "ecila", username == "eve" && password == "eve":
		return p.account(username), nil
	}
	return nil, account.ErrDenied
}

func (p *people) Named(_ context.Context, _ *tenant.Tenant, username string) (*account.Account, error) {
	if username == "alice" || username == "bob" {
		return p.account(username), p.err
	}
	return nil, p.err
}

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

// house is a service over memory with two tenants, acme and globex, whose clients have the same ids, and a clock that
// stands still unless moved.
type house struct {
	*Service
	*testing.T
	t      *tenant.Tenant
	globex *tenant.Tenant
	store  *memory
	people *people
	now    time.Time

	proof       string // that calls come with
	certificate *keys.Certificate
}

// secretOf is the secret of the client of that id.
func secretOf(id string) string { return "secret-of-" + id }

func open(t *testing.T) *house {
	t.Helper()
	h := &house{T: t, store: &memory{interactions: map[string]authorize.Interaction{}}, people: &people{totp: map[string]bool{}}, now: noon}
	h.t, h.globex = h.tenant("acme", 7), h.tenant("globex", 8)
	clock := func() time.Time { return h.now }
	h.Service = &Service{Now: clock, Rand: rand.Reader, Store: h.store, Grants: h.store, Decider: &Password{Accounts: h.people}, Clients: &clientauth.Service{Now: clock},
		Requests: &request.Service{ResponseTypes: authorize.ResponseTypes(), ResponseModes: authorize.ResponseModes(),
			Hint: func(_ context.Context, _ *tenant.Tenant, _ *tenant.Client, token string) (string, error) {
				return strings.TrimPrefix(token, "hint-of-"), nil
			}}}
	h.Authorize = &authorize.Service{Now: clock, Rand: rand.Reader, Store: h.store, Issuer: &grant.Issuer{Now: clock, Rand: rand.Reader}, Requests: h.Requests,
		Sessions: &session.Service{Now: clock, Rand: rand.Reader}}
	return h
}

func (h *house) tenant(id tenant.ID, fill byte) *tenant.Tenant {
	secret, err := keys.NewSecret(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		h.Fatal(err)
	}
	r := registry{}
	for _, c := range []*tenant.Client{
		{ID: "app"},
		{ID: "other"},
		{ID: "bare", Metadata: tenant.Metadata{ChallengeAuthMethod: oauth.AuthNone}},
		{ID: "phone", Metadata: tenant.Metadata{TokenEndpointAuthMethod: oauth.AuthNone}},
		{ID: "third", Metadata: tenant.Metadata{Scope: "openid"}},
		{ID: "off", Disabled: true},
		{ID: "bare off", Disabled: true, Metadata: tenant.Metadata{ChallengeAuthMethod: oauth.AuthNone}},
		{ID: "sub-of-alice"},
	} {
		if c.Scope == "" {
			c.Scope = "openid email authorization_challenge"
		}
		sum := sha256.Sum256([]byte(secretOf(c.ID)))
		c.Secrets, c.GrantTypes = []tenant.ClientSecret{{Hash: sum[:]}}, []string{"authorization_code", "refresh_token"}
		r[c.ID] = c
	}
	return &tenant.Tenant{ID: id, Issuer: "https://id." + string(id) + ".example", Secret: secret, Clients: r, Revoked: tenant.NewJournal(),
		Settings: &tenant.Settings{Challenge: tenant.ChallengeSettings{Enabled: true}}}
}

// as calls with the credentials of a client, by HTTP Basic; id may be empty: then by what query says.
func (h *house) as(id, query string) (Answer, error) {
	params := request.Parse(query)
	for name, values := range params {
		if values[0] == "" {
			delete(params, name)
		}
	}
	c := clientauth.Credentials{FormID: params.Get("client_id"), FormSecret: params.Get("client_secret"), Address: "192.0.2.1"}
	if id != "" {
		c.Basic, c.BasicID, c.BasicSecret = true, id, secretOf(id)
	}
	c.Certificate = h.certificate
	in := Request{Credentials: c, Params: params}
	if h.proof != "" {
		in.Proof.Proofs = []string{h.proof}
	}
	return h.Step(context.Background(), h.t, in)
}

// asks calls as app, and returns the auth_session of an answer that asks for code, or fails.
func (h *house) asks(query, code string) string {
	h.Helper()
	a, err := h.as("app", query)
	if err != nil || a.Error != code || a.Code != "" {
		h.Fatalf("%s: got %+v, %v, want %s", query, a, err, code)
	}
	return a.AuthSession
}

// begin returns the auth_session of an exchange that waits for alice's password.
func (h *house) begin() string {
	h.Helper()
	return h.asks("scope=openid&nonce=n&use_auth_session=true&username=alice", "password_required")
}

// said is a in a word: the error, "code", or what is asked, with a plus where there is an auth_session.
func said(a Answer, err error) string {
	switch {
	case err != nil:
		e := oauth.ErrorOf(err)
		return strings.TrimSuffix(e.Code+": "+e.Description, ": ")
	case a.Code != "" && a.Error == "" && a.AuthSession == "":
		return "code"
	case a.Code != "":
		return "too much"
	case a.AuthSession != "":
		return a.Error + " +"
	}
	return a.Error
}

// grants are those that were made.
func (h *house) grants() (gs []*grant.Grant) {
	for _, e := range h.store.finished {
		if e.Grant != nil {
			gs = append(gs, e.Grant)
		}
	}
	return gs
}

// stored is all that is kept of the exchanges that go on.
func (h *house) stored() string {
	h.Helper()
	var b strings.Builder
	for _, i := range h.store.interactions {
		text, err := json.Marshal(i)
		if err != nil {
			h.Fatal(err)
		}
		b.Write(text)
		b.Write(i.Data)
	}
	return b.String()
}

// step is a Decider in a function.
type step func(in Input) (Verdict, error)

func (f step) Decide(_ context.Context, _ *tenant.Tenant, in Input) (Verdict, error) { return f(in) }
