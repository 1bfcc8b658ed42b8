package token

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// shelf is a Tickets over a memory.
type shelf struct {
	*memory
	mu sync.Mutex
	is map[string]authorize.Interaction
}

func (s *shelf) Begin(_ context.Context, _ tenant.ID, i authorize.Interaction, _ *session.Session) error {
	s.is[string(i.Hash)] = i
	return s.down["Begin"]
}

func (s *shelf) Load(_ context.Context, _ tenant.ID, now time.Time, hash []byte) (*authorize.Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.is[string(hash)]
	if !ok || !now.Before(i.ExpiresAt) {
		return nil, authorize.ErrNotFound
	}
	return &i, s.down["Load"]
}

func (s *shelf) SubjectOf(_ context.Context, _ tenant.ID, sub, _ string) (authorize.Subject, error) {
	return authorize.Subject{Disabled: s.disabled[sub]}, nil
}

func (s *shelf) Finish(_ context.Context, _ tenant.ID, _ time.Time, e authorize.FinishEffect) ([]tenant.Revocation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.is[string(e.Hash)]; !ok {
		return nil, authorize.ErrNotFound
	}
	delete(s.is, string(e.Hash))
	if e.Grant != nil {
		s.grants[e.Grant.ID] = e.Grant
	}
	s.put(e.AccessToken)
	s.events = append(s.events, e.Events...)
	return nil, nil
}

// backed is a world whose tenant decides by its backend.
func backed(t *testing.T) (*world, *shelf, signer) {
	t.Helper()
	w, s := trusting(t)
	g := &w.tenant.Settings.Grants
	g.Password.Enabled, g.Password.Backend, g.TokenExchange.Backend, g.JWTBearer.Backend = true, true, true, true
	sh := &shelf{memory: w.store, is: map[string]authorize.Interaction{}}
	w.Tickets = sh
	w.tenant.Clients = registry(w.clients)
	return w, sh, s
}

type registry map[string]*tenant.Client

func (r registry) Client(_ context.Context, id string) (*tenant.Client, error) {
	if c := r[id]; c != nil {
		return c, nil
	}
	return nil, tenant.ErrNoClient
}

func (w *world) open(client string, pairs ...string) (*Pending, error) {
	p := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		p.Add(pairs[i], pairs[i+1])
	}
	_, pending, err := w.Open(w.Context(), w.tenant, &Request{Client: w.clients[client], Params: p, Address: "192.0.2.1"})
	return pending, err
}

func TestATicketStandsForARequestThatTheBackendDecides(t *testing.T) {
	for _, c := range []struct {
		rule    string
		params  func(w *world, s signer) []string
		subject string // whom the request is about; empty: the backend says
		refresh bool
	}{
		{"a password", func(*world, signer) []string {
			return []string{"grant_type", oauth.Password, "username", "x", "password", "y", "scope", "a b"}
		}, "", true},
		{"an exchange", func(w *world, _ signer) []string {
			return []string{"grant_type", oauth.TokenExchange, "subject_token", first(w.access(nil)), "subject_token_type", oauth.TypeAccessToken, "scope", "a b"}
		}, "alice", false},
		{"an assertion", func(w *world, s signer) []string {
			return []string{"grant_type", oauth.JWTBearer, "assertion", s.jwt(es256, w.with(nil)), "scope", "a b"}
		}, "bob", false},
	} {
		w, sh, s := backed(t)
		params := c.params(w, s)
		if _, err := w.ask("shop", params...); said(err) != "unauthorized_client: this grant_type is decided by the tenant's backend, which was not asked" {
			t.Errorf("%s: at a door that hands out no tickets: %v", c.rule, err)
		}
		open, _, by := backed(t)
		g := &open.tenant.Settings.Grants
		g.Password.Backend, g.TokenExchange.Backend, g.JWTBearer.Backend = false, false, false
		if p, err := open.open("shop", c.params(open, by)...); err != nil || p == nil {
			t.Errorf("%s: where a backend can be asked, and nobody else decides: %+v, %v", c.rule, p, err)
		}
		params = c.params(w, s)
		events := len(w.store.events)
		p, err := w.open("shop", params...)
		if err != nil || p == nil || p.Subject != c.subject || len(p.Ticket) != 43 || len(sh.is) != 1 || len(w.store.events) != events {
			t.Fatalf("%s: %+v, %v", c.rule, p, err)
		}
		if bytes.Contains([]byte(p.interaction.Data), []byte(`"y"`)) {
			t.Errorf("%s: the password is kept", c.rule)
		}
		read, err := w.Ticket(t.Context(), w.tenant, p.Ticket)
		if err != nil || read.Subject != c.subject || read.GrantType != params[1] || read.Scope.String() != "a b" {
			t.Fatalf("%s: read %+v, %v", c.rule, read, err)
		}
		for _, bad := range []string{"", "shop", "nobody", "a\nb"} {
			if bad == "nobody" && c.subject == "" {
				continue
			}
			again, _ := w.Ticket(t.Context(), w.tenant, p.Ticket)
			if _, err := w.Settle(t.Context(), w.tenant, again, Verdict{Subject: bad}); oauth.ErrorOf(err).Code != "invalid_request" || len(sh.is) != 1 {
				t.Errorf("%s: subject %q: %v", c.rule, bad, err)
			}
		}
		sub := c.subject
		if sub == "" {
			sub = "erin"
		}
		out, err := w.Settle(t.Context(), w.tenant, read, Verdict{Subject: sub, Actor: "token 1", Properties: []grant.Property{{Key: "k", Value: "v"}}, Wish: Wish{AccessLifetime: 60}})
		if err != nil || out.ExpiresIn != time.Minute || (out.RefreshToken != "") != c.refresh || out.Scope.String() != "a b" || out.Grant.Terms.Properties[0].Key != "k" {
			t.Fatalf("%s: %+v, %v", c.rule, out, err)
		}
		if got := w.claims(jwtAccess, out.AccessToken); got["sub"] != sub || got["client_id"] != "shop" {
			t.Errorf("%s: %v", c.rule, got)
		}
		ev := w.store.events[len(w.store.events)-1]
		if ev.Actor != "token 1" || ev.Subject != sub || ev.Detail["grant_type"] != params[1] {
			t.Errorf("%s: recorded %+v", c.rule, ev)
		}
		if _, err := w.Settle(t.Context(), w.tenant, read, Verdict{Subject: sub}); !errors.Is(err, authorize.ErrNotFound) {
			t.Errorf("%s: a second time: %v", c.rule, err)
		}
		if _, err := w.Ticket(t.Context(), w.tenant, p.Ticket); !errors.Is(err, authorize.ErrNotFound) {
			t.Errorf("%s: it is still there: %v", c.rule, err)
		}
	}
}

func TestATicketIsOver(t *testing.T) {
	for _, c := range []struct {
		rule   string
		change func(w *world, p *Pending, g *grant.Grant)
		at     string // where it is found out
	}{
		{"with what was presented", func(w *world, _ *Pending, _ *grant.Grant) { w.now = w.now.Add(10 * time.Minute) }, "Ticket"},
		{"with its client", func(w *world, _ *Pending, _ *grant.Grant) { w.clients["shop"].Disabled = true }, "Ticket"},
		{"at another tenant", func(w *world, _ *Pending, _ *grant.Grant) { w.tenant.Secret = otherSecret(t) }, "Ticket"},
		{"with the client's grant type", func(w *world, _ *Pending, _ *grant.Grant) { w.clients["shop"].GrantTypes = nil }, "Settle"},
		{"with the tenant's", func(w *world, _ *Pending, _ *grant.Grant) { w.tenant.Settings.Grants.TokenExchange.Enabled = false }, "Settle"},
		{"with the tenant's refresh tokens, where it asks for one", func(w *world, _ *Pending, _ *grant.Grant) {
			w.tenant.Settings.Grants.Off = []string{oauth.RefreshToken}
		}, "Settle"},
		{"with the grant that the subject token came of", func(w *world, _ *Pending, g *grant.Grant) { g.RevokedAt = w.now }, "Settle"},
		{"with the account", func(w *world, _ *Pending, _ *grant.Grant) { w.store.disabled["alice"] = true }, "Settle"},
	} {
		w, _, _ := backed(t)
		w.tenant.Settings.Grants.TokenExchange.RefreshTokens = true
		token, g := w.access(nil)
		wanted := oauth.TypeAccessToken
		if strings.Contains(c.rule, "refresh tokens") {
			wanted = oauth.TypeRefreshToken
		}
		p, err := w.open("shop", "grant_type", oauth.TokenExchange, "subject_token", token, "subject_token_type", oauth.TypeAccessToken, "requested_token_type", wanted)
		if err != nil {
			t.Fatal(err)
		}
		c.change(w, p, g)
		read, err := w.Ticket(t.Context(), w.tenant, p.Ticket)
		if c.at == "Ticket" {
			if !errors.Is(err, authorize.ErrNotFound) {
				t.Errorf("%s: %v", c.rule, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(c.rule, err)
		}
		if out, err := w.Settle(t.Context(), w.tenant, read, Verdict{Subject: "alice"}); err == nil || out.AccessToken != "" {
			t.Errorf("%s: %+v, %v", c.rule, out, err)
		}
	}
}

func TestATicketIsSettledOnce(t *testing.T) {
	w, _, _ := backed(t)
	p, err := w.open("shop", "grant_type", oauth.Password, "username", "x", "password", "y")
	if err != nil {
		t.Fatal(err)
	}
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 64 {
		all.Go(func() {
			read, err := w.Ticket(t.Context(), w.tenant, p.Ticket)
			if err == nil && i%2 == 0 {
				_, err = w.Settle(t.Context(), w.tenant, read, Verdict{Subject: "erin"})
			} else if err == nil {
				err = w.Drop(t.Context(), w.tenant, read, "invalid_request", "token 1", "")
			}
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, authorize.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if ev := w.store.events; won.Load() != 1 || len(ev) != 1 || ev[0].Kind != audit.GrantIssued && ev[0].Kind != audit.Denied {
		t.Error(won.Load(), ev)
	}
}
