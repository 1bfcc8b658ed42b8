package ciba

import (
	"context"
	"errors"
	"slices"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// polledQueue is the name of the limit on how often an app asks what waits, by its session.
const polledQueue = "queue"

// maxQueued is how many authentications an app is shown at once.
const maxQueued = 20

// Queued is an authentication that waits for the subject of an app's session.
type Queued struct {
	decoupled.Pending
	Session  *session.Session
	Callback string // token that lets the app answer it, once
}

// What an app is told that shows no session, or no callback token, of which anything comes.
var (
	errNoApp      = oauth.InvalidToken("The session is unknown or over, or not one of a native app")
	errNoCallback = oauth.InvalidToken("The callback token is unknown, expired or used")
)

// app returns the queue of the session of that id, where it is open and an app's, and its subject may act.
func (s *Service) app(ctx context.Context, t *tenant.Tenant, sessionID, id string) (*Queue, error) {
	q, err := s.Register.Queue(ctx, t.ID, s.Now(), sessionID, id, maxQueued)
	if err != nil {
		return nil, err
	}
	if n := &q.Session; n.Context != session.NativeApp || !n.Open(s.Now()) || q.Disabled {
		return nil, session.ErrNotFound
	}
	// Of what waits for a hint that only the tenant's backend understands nobody here knows whose it is.
	q.Waiting = slices.DeleteFunc(q.Waiting, func(a decoupled.Authentication) bool { return a.Request.RequiredSub != q.Session.Subject })
	return q, nil
}

// Queue lists what waits for the subject of the app's session that sid opens, each with a callback token of its own: at most
// 20, in the order of Waiting. Asking again changes nothing. A handle that opens no app's session is invalid_token, and an
// app that asks too often slow_down.
func (s *Service) Queue(ctx context.Context, t *tenant.Tenant, sid string) ([]Queued, error) {
	n, err := s.App(ctx, t, sid)
	if err != nil {
		return nil, err
	}
	var out []Queued
	for i := range n.Waiting {
		p, err := decoupled.WithClient(ctx, t, &n.Waiting[i])
		if errors.Is(err, decoupled.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, Queued{*p, &n.Session, callbackOf(t, &p.Authentication, n.Session.ID)})
	}
	return out, nil
}

// App returns the app's session that sid opens, with what waits for its subject. Errors are those of Queue.
func (s *Service) App(ctx context.Context, t *tenant.Tenant, sid string) (*Queue, error) {
	id, ok := session.ID(sid)
	if !ok {
		return nil, errNoApp
	}
	if s.Limit != nil {
		if wait, ok := s.Limit.Allow(ctx, t.ID, polledQueue, id); !ok {
			return nil, oauth.SlowDown("the app asks too often").Because(oauth.Wait(wait))
		}
	}
	q, err := s.app(ctx, t, id, "")
	if err == nil && !s.Sessions.Opens(t, sid, &q.Session) {
		err = session.ErrNotFound
	}
	if errors.Is(err, session.ErrNotFound) {
		return nil, errNoApp.Because(err)
	}
	return q, err
}

// Callback returns the authentication that a callback token lets an app answer, and the session that it does so in. A token
// that is not one of ours, has expired or was used, or whose session is over, is invalid_token.
func (s *Service) Callback(ctx context.Context, t *tenant.Tenant, token string) (*Queued, error) {
	c, ok := parseCallback(t, token)
	if !ok || !s.Now().Before(c.endsAt) {
		return nil, errNoCallback
	}
	q, err := s.app(ctx, t, c.session, c.id)
	if err == nil && len(q.Waiting) == 0 {
		err = decoupled.ErrNotFound
	}
	var p *decoupled.Pending
	if err == nil {
		p, err = decoupled.WithClient(ctx, t, &q.Waiting[0])
	}
	if err != nil {
		return nil, gone(err)
	}
	return &Queued{*p, &q.Session, token}, nil
}

// gone is err, or where it says that nothing is left to be answered, what is said of its callback token.
func gone(err error) error {
	for _, is := range []error{session.ErrNotFound, decoupled.ErrNotFound, decoupled.ErrConflict, decoupled.ErrDisabled} {
		if errors.Is(err, is) {
			return errNoCallback.Because(err)
		}
	}
	return err
}

// Answer is what a subject said to an app.
type Answer struct {
	Denied  bool
	Subject string      // who agrees: the session's own
	Scope   oauth.Scope // of what was asked; nil: all of it
	Address string
}

// Answer records what the subject of q answered, as it is authenticated in its session. Of any number of concurrent calls
// one succeeds; the others get invalid_token, as for a session that has ended.
func (s *Service) Answer(ctx context.Context, t *tenant.Tenant, q *Queued, a Answer) error {
	c := decoupled.Completion{Result: decoupled.AccessDenied, Session: q.Session, Address: a.Address}
	if !a.Denied {
		switch {
		case a.Subject != q.Session.Subject:
			return oauth.InvalidRequest("sub is not the subject of the session")
		case slices.ContainsFunc(a.Scope, func(v string) bool { return !q.Request.Scope.Has(v) }):
			return oauth.InvalidRequest("scope holds more than was asked")
		}
		c.Result, c.Scope = decoupled.Authorized, a.Scope
		c.Subject, c.AuthTime, c.ACR, c.AMR = q.Session.Subject, q.Session.AuthTime, q.Session.ACR, q.Session.AMR
	}
	return gone(s.Flow().Complete(ctx, t, &q.Pending, c))
}
