package authorize

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

// Used raises the last use of an open session to now, where it is not known exactly enough. One that has ended meanwhile
// is session.ErrNotFound.
func (s *Service) Used(ctx context.Context, t *tenant.Tenant, n *session.Session) error {
	now := s.Now()
	if !n.Stale(now) {
		return nil
	}
	return s.Sessions.Register.AmendSession(ctx, t.ID, n.ID, session.Amendment{UsedAt: now}, audit.Event{})
}

// SetAuthLife sets for how many minutes the authentication of an open session counts; negative: as long as the session,
// zero: as long as the tenant has it.
func (s *Service) SetAuthLife(ctx context.Context, t *tenant.Tenant, n *session.Session, minutes int64, by session.By) error {
	changed, l := *n, session.Login{AuthLife: minutes}
	if changed.AuthLife = minutes; minutes == 0 {
		changed.AuthLife = t.Settings.Sessions.AuthLifeMinutes()
	}
	now := s.Now()
	l.Subject = n.Subject
	if err := l.Check(now); err != nil {
		return err
	}
	if !changed.Fits(l) {
		return oauth.InvalidRequest("max_life must not be less than auth_life, nor auth_life less than max_idle")
	}
	ev := s.changed(n, by, "auth_life")
	ev.Detail["minutes"] = strconv.FormatInt(changed.AuthLife, 10)
	return s.Sessions.Register.AmendSession(ctx, t.ID, n.ID, session.Amendment{AuthLife: &changed.AuthLife}, ev)
}

// Reauthenticated records that the subject of an open session authenticated anew: when (now), how and how well.
func (s *Service) Reauthenticated(ctx context.Context, t *tenant.Tenant, n *session.Session, l session.Login, by session.By) error {
	now := s.Now()
	l.Subject = n.Subject
	if err := l.Check(now); err != nil {
		return err
	}
	if l.AuthTime.IsZero() {
		l.AuthTime = now
	}
	if l.AMR == nil {
		l.AMR = []string{}
	}
	return s.Sessions.Register.AmendSession(ctx, t.ID, n.ID, session.Amendment{UsedAt: now, AuthTime: l.AuthTime, ACR: &l.ACR, AMR: l.AMR},
		s.changed(n, by, "authentication"))
}

// SetClaims replaces the claims of an open session, an object, that its ID tokens carry from now on.
func (s *Service) SetClaims(ctx context.Context, t *tenant.Tenant, n *session.Session, claims json.RawMessage, by session.By) error {
	if err := checkSessionClaims(claims); err != nil {
		return err
	}
	return s.Sessions.Register.AmendSession(ctx, t.ID, n.ID, session.Amendment{Claims: claims}, s.changed(n, by, "claims"))
}

// SetData replaces what login UIs keep with an open session, an object.
func (s *Service) SetData(ctx context.Context, t *tenant.Tenant, n *session.Session, data json.RawMessage) error {
	return s.Sessions.Register.AmendSession(ctx, t.ID, n.ID, session.Amendment{Data: data}, audit.Event{})
}

func (s *Service) changed(n *session.Session, by session.By, member string) audit.Event {
	return audit.Event{At: s.Now(), Kind: audit.SessionChanged, Actor: by.Actor, Subject: n.Subject, Session: n.ID, Address: by.Address,
		Detail: map[string]string{"member": member}}
}
