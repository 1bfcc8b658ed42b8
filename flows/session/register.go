package session

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// Register keeps sessions for those who look after them: administrators, and subjects after their own.
type Register interface {
	// ListSessions lists up to n sessions after that id, in the order of their ids, whatever their times say: a subject's,
	// or where sub is empty all.
	ListSessions(ctx context.Context, t tenant.ID, sub, after string, n int) ([]Session, error)
	// EndSessions removes all sessions of a subject but the one of that id, as EndSession does one, with an event for each.
	EndSessions(ctx context.Context, t tenant.ID, sub, except string, now, tokensUntil time.Time, ev audit.Event) ([]tenant.Revocation, error)
	// CountSessions counts the sessions that are open at now, to the second, and the subjects that have them: of a subject,
	// or where sub is empty of all.
	CountSessions(ctx context.Context, t tenant.ID, sub string, now time.Time) (sessions, subjects int64, err error)
	// ListSubjects lists up to n subjects after that one that have sessions open at now, to the second, in their order.
	ListSubjects(ctx context.Context, t tenant.ID, after string, now time.Time, n int) ([]string, error)
	// PurgeSessions removes up to n sessions that are over at now, to the second, and returns how many.
	PurgeSessions(ctx context.Context, t tenant.ID, now time.Time, n int) (int, error)
	// AmendSession changes what a says of the session of that id, or returns ErrNotFound: it brings back none that has ended.
	// ev may be without a kind, where a is nothing to be recorded.
	AmendSession(ctx context.Context, t tenant.ID, id string, a Amendment, ev audit.Event) error
}

// Amendment is what is to change of a session. What is zero stays.
type Amendment struct {
	UsedAt   time.Time // raised to
	AuthTime time.Time
	ACR      *string
	AMR      []string
	AuthLife *int64 // as Session has it
	Claims   json.RawMessage
	Data     json.RawMessage
}

// By is who ends a session that need not be the caller's own.
type By struct{ Actor, Address string }

// List returns the open ones of up to n sessions after that id: of a subject, or where sub is empty of all. next is what to
// go on after; empty: that was all.
func (s *Service) List(ctx context.Context, t *tenant.Tenant, sub, after string, n int) (open []Session, next string, err error) {
	all, err := s.Register.ListSessions(ctx, t.ID, sub, after, n+1)
	if err != nil {
		return nil, "", err
	}
	if len(all) > n {
		all, next = all[:n], all[n-1].ID
	}
	now := s.Now()
	for i := range all {
		if all[i].Open(now) {
			open = append(open, all[i])
		}
	}
	return open, next, nil
}

// Get returns the open session of that id, or ErrNotFound.
func (s *Service) Get(ctx context.Context, t *tenant.Tenant, id string) (*Session, error) {
	n, err := s.Store.Session(ctx, t.ID, id)
	if err == nil && !n.Open(s.Now()) {
		err = ErrNotFound
	}
	return n, err
}

// Close ends the session of that id and revokes what hangs on it, or returns ErrNotFound. sub, where it is set, is whose it
// must be.
func (s *Service) Close(ctx context.Context, t *tenant.Tenant, id, sub string, by By) error {
	n, err := s.Get(ctx, t, id)
	if err != nil {
		return err
	}
	if sub != "" && n.Subject != sub {
		return ErrNotFound
	}
	return s.end(ctx, t, n, by)
}

// CloseAll ends all sessions of a subject but the one of that id.
func (s *Service) CloseAll(ctx context.Context, t *tenant.Tenant, sub, except string, by By) error {
	now := s.Now()
	ev := audit.Event{At: now, Kind: audit.SessionEnded, Actor: by.Actor, Subject: sub, Address: by.Address}
	rs, err := s.Register.EndSessions(ctx, t.ID, sub, except, now, now.Add(t.Settings.LongestAccessToken()), ev)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	t.Revoked.Add(rs...)
	return err
}

// EndBy ends an open session and revokes what hangs on it, as End does, at the wish of whoever looks after it.
func (s *Service) EndBy(ctx context.Context, t *tenant.Tenant, n *Session, by By) error {
	return s.end(ctx, t, n, by)
}

// Count counts the open sessions, and the subjects that have them: of a subject, or where sub is empty of all.
func (s *Service) Count(ctx context.Context, t *tenant.Tenant, sub string) (sessions, subjects int64, err error) {
	return s.Register.CountSessions(ctx, t.ID, sub, s.Now())
}

// Online lists up to n subjects after that one that have open sessions, in their order.
func (s *Service) Online(ctx context.Context, t *tenant.Tenant, after string, n int) ([]string, error) {
	return s.Register.ListSubjects(ctx, t.ID, after, s.Now(), n)
}

// atOnce is how many sessions one effect removes.
const atOnce = 1000

// Purge removes the sessions that are over, which goes by itself in time.
func (s *Service) Purge(ctx context.Context, t *tenant.Tenant) error {
	for {
		n, err := s.Register.PurgeSessions(ctx, t.ID, s.Now(), atOnce)
		if err != nil || n < atOnce {
			return err
		}
	}
}
