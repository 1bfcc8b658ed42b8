package access

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// By is who revokes what need not be its own.
type By struct{ Actor, Address string }

// Granted lists up to n grants of a subject that stand, after that id: to one client, or where clientID is empty to any.
// next is what to go on after; empty: that was all.
func (s *Service) Granted(ctx context.Context, t *tenant.Tenant, sub, clientID, after string, n int) (gs []grant.Grant, next string, err error) {
	gs, err = s.Register.ListGrants(ctx, t.ID, s.Now(), sub, clientID, after, n+1)
	if err == nil && len(gs) > n {
		gs, next = gs[:n], gs[n-1].ID
	}
	return gs, next, err
}

// RevokeGranted revokes the grant of that id with all that came of it, or returns grant.ErrNotFound where it does not
// stand.
func (s *Service) RevokeGranted(ctx context.Context, t *tenant.Tenant, id string, by By) error {
	g, err := s.Grants.Grant(ctx, t.ID, id)
	if err != nil {
		return err
	}
	if !g.Live(s.Now()) {
		return grant.ErrNotFound
	}
	return s.revokeGrant(ctx, t, id, audit.Event{At: s.Now(), Kind: audit.GrantRevoked, Actor: by.Actor, Subject: g.Subject, ClientID: g.ClientID,
		Session: g.SessionID, Address: by.Address})
}

// Withdraw forgets what a subject allowed, and revokes all that came of it: one client, or where clientID is empty any.
func (s *Service) Withdraw(ctx context.Context, t *tenant.Tenant, sub, clientID string, by By) error {
	if sub == "" {
		return nil
	}
	_, err := s.withdraw(ctx, t, sub, clientID, by)
	return err
}

func (s *Service) withdraw(ctx context.Context, t *tenant.Tenant, sub, clientID string, by By) (int, error) {
	now := s.Now()
	revoked := tenant.Revocation{Subject: sub, ClientID: clientID, At: now, ExpiresAt: now.Add(t.Settings.LongestAccessToken())}
	n, err := s.Grants.Withdraw(ctx, t.ID, sub, clientID, now, revoked,
		audit.Event{At: now, Kind: audit.GrantRevoked, Actor: by.Actor, Subject: sub, ClientID: clientID, Address: by.Address})
	if err == nil {
		t.Revoked.Add(revoked)
	}
	return n, err
}

// An App is a client that a subject let in: by consent that is remembered, by a grant that stands, or both.
type App struct {
	ClientID string
	Consent  *grant.Authorization // nil: none is remembered
	Grants   []grant.Grant
	Client   *tenant.Client // nil: it is gone, or described elsewhere
}

// maxApps is how many grants are looked through for a subject's apps.
const maxApps = 500

// Apps lists the clients that a subject let in, those with consent first.
func (s *Service) Apps(ctx context.Context, t *tenant.Tenant, sub string) (apps []*App, err error) {
	zs, err := s.Grants.Authorizations(ctx, t.ID, sub)
	if err != nil {
		return nil, err
	}
	gs, err := s.Register.ListGrants(ctx, t.ID, s.Now(), sub, "", "", maxApps)
	if err != nil {
		return nil, err
	}
	known := map[string]*App{}
	app := func(id string) *App {
		if known[id] == nil {
			known[id] = &App{ClientID: id}
			apps = append(apps, known[id])
		}
		return known[id]
	}
	for i := range zs {
		if zs[i].Actor == "" {
			app(zs[i].ClientID).Consent = &zs[i]
		}
	}
	for _, g := range gs {
		a := app(g.ClientID)
		a.Grants = append(a.Grants, g)
	}
	for _, a := range apps {
		if a.Client, err = s.Client(ctx, t, a.ClientID); err != nil {
			return nil, err
		}
	}
	return apps, nil
}

// Client is a client to be named to a subject; nil where it is gone, or described on a web server that we would wait for.
func (s *Service) Client(ctx context.Context, t *tenant.Tenant, id string) (*tenant.Client, error) {
	if t.Settings.Documents.Takes(id) {
		return nil, nil
	}
	c, err := t.Clients.Client(ctx, id)
	if errors.Is(err, tenant.ErrNoClient) {
		return nil, nil
	}
	return c, err
}
