package authorize

import (
	"context"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Current returns what is known of the browser whose session sid opens, and of what its subject allowed client before;
// client may be nil. A handle that opens nothing is as good as none.
func (s *Service) Current(ctx context.Context, t *tenant.Tenant, sid string, client *tenant.Client) (Facts, error) {
	if client == nil {
		client = &tenant.Client{}
	}
	return s.current(ctx, t, sid, client)
}

// SignIn begins the session of a subject that has authenticated at a page of ours which serves no authorization request, in
// place of the one that sid opens, and returns its handle. A session of the same subject goes on under a new handle.
func (s *Service) SignIn(ctx context.Context, t *tenant.Tenant, sid string, a Authentication) (string, error) {
	now, nobody := s.Now(), &tenant.Client{}
	if err := checkLogin(now, nobody, &a.Login); err != nil {
		return "", err
	}
	facts, err := s.current(ctx, t, sid, nobody)
	if err != nil {
		return "", err
	}
	who, err := s.Store.SubjectOf(ctx, t.ID, a.Subject, "")
	switch {
	case err != nil:
		return "", err
	case who.Disabled:
		return "", oauth.AccessDenied("the account is disabled")
	}
	c := change{address: a.Address}
	if current := facts.Session; current != nil && current.Subject == a.Subject {
		c.session = s.Sessions.Again(current, a.Login, true)
	} else {
		c.session = s.Sessions.New(t, a.Login)
		if current != nil {
			c.ended = current.ID
		}
	}
	if err := checkSession(now, c.session, a.Login); err != nil {
		return "", err
	}
	ev := audit.Event{At: now, Kind: audit.LoggedIn, Actor: a.Actor, Subject: a.Subject, Session: c.session.ID, Address: a.Address}
	if c.session.Context != session.Browser {
		ev.Detail = map[string]string{"ctx": c.session.Context}
	}
	revoked, err := s.Store.Finish(ctx, t.ID, now, FinishEffect{Session: c.session, Ended: c.ended, TokensUntil: now.Add(t.Settings.LongestAccessToken()),
		KeepNewest: c.quota(t), KeepAlike: c.alike(t), Events: []audit.Event{ev}})
	if err != nil {
		return "", err
	}
	t.Revoked.Add(revoked...)
	return s.Sessions.Handle(t, c.session), nil
}
