package login

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// people are accounts whose password is "right"; what stands under fail is the answer to any password.
type people struct {
	mu       sync.Mutex
	accounts map[string]*account.Account
	fail     error
	asked    int

	totp map[string]bool // subjects with one
	next string          // its code, accepted once
}

func (p *people) known(a account.Account) *account.Account {
	a.HasTOTP = p.totp[a.Subject]
	return &a
}

func (p *people) HasTOTP(_ context.Context, _ *tenant.Tenant, sub string) (bool, error) {
	return p.totp[sub], p.fail
}

func (p *people) CheckTOTP(_ context.Context, _ *tenant.Tenant, sub, code string, _ account.Guesser) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fail != nil {
		return p.fail
	}
	if !p.totp[sub] || p.next == "" || code != p.next {
		return account.ErrCode
	}
	p.next = ""
	return nil
}

func (p *people) EnrolTOTP(_ context.Context, _ *tenant.Tenant, sub string, _ account.By) (account.Enrolment, error) {
	return account.Enrolment{Secret: "ABCDEFGH", URI: "otpauth://totp/Acme:" + sub + "?secret=ABCDEFGH"}, p.fail
}

func (p *people) ConfirmTOTP(_ context.Context, _ *tenant.Tenant, sub, code string, _ account.By) ([]string, error) {
	if code != "222222" {
		return nil, account.ErrCode
	}
	p.totp = map[string]bool{sub: true}
	return []string{"aaaa-bbbb-cccc-dddd"}, nil
}

func (p *people) RemoveTOTP(_ context.Context, _ *tenant.Tenant, sub string, _ account.By) error {
	delete(p.totp, sub)
	return nil
}

func (p *people) add(username, sub, claims string) {
	a := &account.Account{Subject: sub, Username: username}
	if err := json.Unmarshal([]byte(claims), &a.Claims); err != nil {
		panic(err)
	}
	p.accounts[username] = a
}

func (p *people) Verify(_ context.Context, _ *tenant.Tenant, username, password, _ string) (*account.Account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked++
	if p.fail != nil {
		return nil, p.fail
	}
	if a := p.accounts[username]; a != nil && password == "right" {
		return p.known(*a), nil
	}
	return nil, account.ErrDenied
}

func (p *people) Get(_ context.Context, _ *tenant.Tenant, sub string) (account.Account, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.accounts {
		if a.Subject == sub {
			return *p.known(*a), nil
		}
	}
	return account.Account{}, oauth.NotFound("There is no such account").Because(account.ErrNotFound)
}

// store keeps interactions and sessions in memory.
type store struct {
	mu       sync.Mutex
	sessions map[tenant.ID]map[string]*session.Session
	pending  map[tenant.ID]map[string]authorize.Interaction
	consent  map[string]*grant.Authorization // by subject and client
	grants   []*grant.Grant
	broken   error
}

func (s *store) subject(t tenant.ID, n *session.Session, sub, clientID string) authorize.Subject {
	return authorize.Subject{Session: n, Authorization: s.consent[string(t)+" "+sub+" "+clientID]}
}

func (s *store) Subject(_ context.Context, t tenant.ID, id, clientID string) (authorize.Subject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.sessions[t][id]
	if n == nil {
		return authorize.Subject{}, s.broken
	}
	c := *n
	return s.subject(t, &c, n.Subject, clientID), s.broken
}

func (s *store) SubjectOf(_ context.Context, t tenant.ID, sub, clientID string) (authorize.Subject, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.subject(t, nil, sub, clientID), s.broken
}

func (s *store) Begin(_ context.Context, t tenant.ID, i authorize.Interaction, _ *session.Session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(t, i)
	return s.broken
}

func (s *store) put(t tenant.ID, i authorize.Interaction) {
	if s.pending[t] == nil {
		s.pending[t] = map[string]authorize.Interaction{}
	}
	i.Version++
	s.pending[t][string(i.Hash)] = i
}

func (s *store) Load(_ context.Context, t tenant.ID, now time.Time, hash []byte) (*authorize.Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.pending[t][string(hash)]
	switch {
	case s.broken != nil:
		return nil, s.broken
	case !ok || !now.Before(i.ExpiresAt):
		return nil, authorize.ErrNotFound
	}
	return &i, nil
}

// change checks that an interaction is as it was read.
func (s *store) change(t tenant.ID, hash []byte, version int64) error {
	i, ok := s.pending[t][string(hash)]
	switch {
	case s.broken != nil:
		return s.broken
	case !ok:
		return authorize.ErrNotFound
	case i.Version != version:
		return authorize.ErrConflict
	}
	return nil
}

func (s *store) write(t tenant.ID, n *session.Session, ended string) {
	if s.sessions[t] == nil {
		s.sessions[t] = map[string]*session.Session{}
	}
	delete(s.sessions[t], ended)
	if n != nil {
		c := *n
		s.sessions[t][n.ID] = &c
	}
}

func (s *store) Login(_ context.Context, t tenant.ID, _ time.Time, e authorize.LoginEffect) ([]tenant.Revocation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.change(t, e.Interaction.Hash, e.Interaction.Version); err != nil {
		return nil, err
	}
	s.put(t, e.Interaction)
	s.write(t, e.Session, e.Ended)
	return nil, nil
}

func (s *store) PutData(context.Context, tenant.ID, time.Time, []byte, json.RawMessage) error {
	return nil
}

func (s *store) Finish(_ context.Context, t tenant.ID, _ time.Time, e authorize.FinishEffect) ([]tenant.Revocation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(e.Hash) > 0 {
		if err := s.change(t, e.Hash, e.Version); err != nil {
			return nil, err
		}
		delete(s.pending[t], string(e.Hash))
	}
	s.write(t, e.Session, e.Ended)
	if e.Grant != nil {
		s.grants = append(s.grants, e.Grant)
	}
	if a := e.Authorization; a != nil {
		s.consent[string(t)+" "+a.Subject+" "+a.ClientID] = a
	}
	return nil, nil
}

func (s *store) Session(_ context.Context, t tenant.ID, id string) (*session.Session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	if n := s.sessions[t][id]; n != nil {
		c := *n
		return &c, nil
	}
	return nil, session.ErrNotFound
}

func (s *store) Sessions(context.Context, tenant.ID, string) ([]session.Session, error) {
	return nil, nil
}

func (s *store) EndSession(_ context.Context, t tenant.ID, id string, _, _ time.Time, _ audit.Event) ([]tenant.Revocation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sessions[t][id] == nil {
		return nil, session.ErrNotFound
	}
	delete(s.sessions[t], id)
	return nil, s.broken
}

// live lists the subjects with a session at a tenant.
func (s *store) live(id string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var subs []string
	for _, n := range s.sessions[tenant.ID(id)] {
		subs = append(subs, n.Subject)
	}
	slices.Sort(subs)
	return subs
}
