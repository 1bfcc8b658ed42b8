package authorize

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Authentication is the answer to a login step: who the subject is, or which of its sessions to go on with.
type Authentication struct {
	session.Login
	SID     string // switch to this live session instead; no authentication is asserted
	Turn    bool   // give the session a new handle, as our own pages must
	Actor   string // id of the API token that vouches for it; empty: a page of ours
	Address string
}

// change is what an answer changes, on its way to the store.
type change struct {
	session *session.Session // to be written
	ended   string           // id of the session it replaces
	moved   bool             // the interaction is bound to another session than before
	events  []audit.Event
	address string
}

// quota is how many sessions the subject may keep after c; zero: c makes none.
func (c *change) quota(t *tenant.Tenant) int {
	if c.session == nil {
		return 0
	}
	return t.Settings.Sessions.Quota()
}

// alike is how many of them may be of its context; zero: that is no matter of its own.
func (c *change) alike(t *tenant.Tenant) int {
	if c.session.Context != session.NativeApp {
		return 0
	}
	return t.Settings.Sessions.NativeAppQuota()
}

// Login takes the answer to a login step. Where it does not satisfy the request the login step stands, and nothing has
// changed; where it names another subject than the request demands, the request is refused.
func (s *Service) Login(ctx context.Context, t *tenant.Tenant, p *Pending, a Authentication) (Result, error) {
	if p.Step != StepLogin {
		return Result{}, ErrConflict
	}
	if a.SID != "" {
		return s.switchTo(ctx, t, p, a)
	}
	now := s.Now()
	if err := checkLogin(now, p.Client, &a.Login); err != nil {
		return Result{}, err
	}
	c := change{address: a.Address}
	facts := Facts{Answered: true, Began: p.CreatedAt, Client: p.Client}
	var who Subject
	var err error
	if p.SessionID != "" {
		if who, err = s.Store.Subject(ctx, t.ID, p.SessionID, p.Client.ID); err != nil {
			return Result{}, err
		}
	}
	current := who.Session
	if current != nil && !current.Open(now) {
		current = nil
	}
	if p.Session = current; current != nil {
		p.SID = s.Sessions.Handle(t, current)
	}
	if current != nil && current.Subject == a.Subject {
		c.session = s.Sessions.Again(current, a.Login, a.Turn)
	} else {
		if who, err = s.Store.SubjectOf(ctx, t.ID, a.Subject, p.Client.ID); err != nil {
			return Result{}, err
		}
		c.session = s.Sessions.New(t, a.Login)
		if current != nil {
			c.ended = current.ID
		}
	}
	if who.Disabled {
		return s.Refuse(ctx, t, p, oauth.AccessDenied("the account is disabled"), a.Address)
	}
	if err := checkSession(now, c.session, a.Login); err != nil {
		return Result{}, err
	}
	facts.Session, facts.Had = c.session, remembered(t, p.Client, who.Authorization)
	c.events = []audit.Event{{At: now, Kind: audit.LoggedIn, Subject: a.Subject, ClientID: p.Client.ID, Session: c.session.ID, Address: a.Address}}
	return s.settle(ctx, t, p, facts, c)
}

// checkLogin returns invalid_request where l cannot be a login at now, or must not come into tokens of client.
func checkLogin(now time.Time, client *tenant.Client, l *session.Login) error {
	if err := l.Check(now); err != nil {
		return err
	}
	if l.Subject == client.ID {
		return oauth.InvalidRequest("sub is the id of the client")
	}
	return checkSessionClaims(l.Claims)
}

var errBindings = oauth.InvalidRequest("jkt and fpt of a session cannot change")

// changes reports whether l would bind n to another key or user agent than it is bound to.
func changes(n *session.Session, l session.Login) bool {
	return l.JKT != "" && l.JKT != n.JKT || l.FPT != "" && l.FPT != n.FPT
}

// bound reports whether n is bound to another user agent than that of fpt; empty: it is not known.
func bound(n *session.Session, fpt string) bool { return fpt != "" && n.FPT != "" && n.FPT != fpt }

// checkSession returns invalid_request where n is nothing that l may make of a session at now.
func checkSession(now time.Time, n *session.Session, l session.Login) error {
	switch {
	case changes(n, l):
		return errBindings
	case !n.Fits(l):
		return oauth.InvalidRequest("max_life must not be less than auth_life, nor auth_life less than max_idle")
	case !n.Open(now):
		return oauth.InvalidRequest("the session would be over already")
	}
	return nil
}

// checkSessionClaims returns invalid_request where claims, an object or nil, holds what must not come into an ID token.
func checkSessionClaims(claims json.RawMessage) error {
	if claims == nil {
		return nil
	}
	var named map[string]json.RawMessage
	if err := json.Unmarshal(claims, &named); err != nil {
		return oauth.InvalidRequest("claims must be an object").Because(err)
	}
	if b, err := json.Marshal(claims); err != nil || len(b) > grant.MaxSessionClaims {
		return oauth.InvalidRequest("claims must not exceed 2 KiB").Because(err)
	}
	for name := range named {
		if !grant.Presettable(name) {
			return oauth.InvalidRequest("claims holds a name that is not allowed")
		}
	}
	return nil
}

// switchTo goes on with another live session of the browser: its own authentication is what counts. One that is dead, or
// bound to another user agent than the request came from, leaves the login step as it was.
func (s *Service) switchTo(ctx context.Context, t *tenant.Tenant, p *Pending, a Authentication) (Result, error) {
	facts, err := s.current(ctx, t, a.SID, p.Client)
	if err != nil {
		return Result{}, err
	}
	if n := facts.Session; n != nil {
		if changes(n, a.Login) {
			return Result{}, errBindings
		}
		if bound(n, p.Request.FPT) {
			facts = Facts{Client: p.Client}
		}
	}
	if facts.Session == nil {
		if err := s.Resume(ctx, t, p); err != nil {
			return Result{}, err
		}
		return Result{Pending: p, Client: p.Client, Why: "sub_sid"}, nil
	}
	facts.Chosen = true
	c := change{moved: facts.Session.ID != p.SessionID, address: a.Address}
	c.events = []audit.Event{{At: s.Now(), Kind: audit.SessionSwitched, Subject: facts.Session.Subject, ClientID: p.Client.ID, Session: facts.Session.ID, Address: a.Address}}
	p.Session, p.SID, p.SessionID = facts.Session, a.SID, facts.Session.ID
	return s.settle(ctx, t, p, facts, c)
}

// settle decides on p with facts and writes what follows from that, together with c, in one effect.
func (s *Service) settle(ctx context.Context, t *tenant.Tenant, p *Pending, facts Facts, c change) (Result, error) {
	now := s.Now()
	d := Decide(now, t.Settings, p.Request, facts)
	res := Result{Client: p.Client, Why: d.Why}
	if facts.Session != nil {
		res.Subject = facts.Session.Subject
	}
	switch d.Outcome {
	case Refused:
		if len(p.Hash) > 0 {
			return s.Refuse(ctx, t, p, d.Err, c.address)
		}
		resp, err := s.respondError(ctx, t, p.Client, p.Request, d.Err)
		if err != nil {
			return Result{}, err
		}
		res.Current, res.Response = facts.Session, resp
		return res, nil
	case Approved:
		return s.finish(ctx, t, p, facts, remember(t, p, facts), c)
	case NeedLogin:
		p.Step = StepLogin
		if c.session != nil {
			c = change{address: c.address} // an authentication that does not suffice changes nothing
		}
	case NeedConsent:
		p.Step, p.Answered = StepConsent, p.Answered || facts.Answered
		p.Asked = Ask(t.Settings, p.Request, facts.Had)
		if c.session != nil {
			p.Session, p.SID, p.SessionID = c.session, s.Sessions.Handle(t, c.session), c.session.ID
		}
	}
	if c.session != nil || c.moved {
		res.Session, res.SID = p.Session, p.SID
	}
	if err := s.store(ctx, t, now, p, c); err != nil {
		return Result{}, err
	}
	res.Pending = p
	return res, nil
}

// store writes an interaction that goes on waiting: a new one, or one that has moved on to consent or to another session.
func (s *Service) store(ctx context.Context, t *tenant.Tenant, now time.Time, p *Pending, c change) error {
	if len(p.Hash) == 0 {
		p.Handle = s.newHandle()
		p.Hash = hashHandle(p.Handle)
		return s.Store.Begin(ctx, t.ID, p.Interaction, touched(p.Session, now))
	}
	if p.Step == StepLogin && !c.moved {
		return s.Resume(ctx, t, p)
	}
	e := LoginEffect{Interaction: p.Interaction, Session: c.session, Ended: c.ended, TokensUntil: now.Add(t.Settings.LongestAccessToken()),
		KeepNewest: c.quota(t), Event: c.events[0]}
	revoked, err := s.Store.Login(ctx, t.ID, now, e)
	if err != nil {
		return err
	}
	t.Revoked.Add(revoked...)
	return nil
}

// touched returns n as used at now, or nil where its last use is known exactly enough.
func touched(n *session.Session, now time.Time) *session.Session {
	if n == nil || !n.Stale(now) {
		return nil
	}
	c := *n
	c.UsedAt = now
	return &c
}

// IsGone reports whether err says that an interaction is not there, or has moved on.
func IsGone(err error) bool { return errors.Is(err, ErrNotFound) || errors.Is(err, ErrConflict) }
