package authorize

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// managed is how a new grant stands to the agreement that it is of.
type managed struct {
	stands   string              // id of the grant that must stand until the new one is recorded; empty: none
	replaces string              // id of the agreement, of which nothing but the new one is left; empty: all is left
	ended    []tenant.Revocation // of what is replaced
}

// manage has g be, or join, the agreement that r is about (Grant Management for OAuth 2.0 §5.1). An agreement that is over, or
// another subject's, is request.ErrGrantID.
func (s *Service) manage(ctx context.Context, t *tenant.Tenant, r *request.Request, g *grant.Grant) (m managed, err error) {
	switch r.GrantAction {
	case "":
		return m, nil
	case oauth.GrantCreate:
		g.Managed = s.Issuer.NewID()
		return m, nil
	}
	now := s.Now()
	before, err := s.Managed.ManagedGrants(ctx, t.ID, now, r.GrantID)
	if err != nil {
		return m, err
	}
	if len(before) == 0 || before[0].ClientID != g.ClientID || before[0].Subject != g.Subject || before[0].Actor != g.Actor {
		return m, request.ErrGrantID
	}
	g.Managed, m.stands = r.GrantID, before[0].ID
	if newest := before[0].CreatedAt; !g.CreatedAt.After(newest) { // the clocks of two instances need not agree
		g.CreatedAt = newest.Add(time.Microsecond)
	}
	if r.GrantAction == oauth.GrantReplace {
		m.replaces = r.GrantID
		for i := range before {
			m.ended = append(m.ended, s.Issuer.Revocation(t, before[i].ID))
		}
		return m, nil
	}
	g.Terms.Merge(&before[0].Terms)
	return m, g.Terms.Check()
}

// ManagedSubject is request.Service.Granted over a store of managed grants.
func ManagedSubject(now func() time.Time, managed grant.Managed) func(ctx context.Context, t *tenant.Tenant, client *tenant.Client, id string) (string, error) {
	return func(ctx context.Context, t *tenant.Tenant, client *tenant.Client, id string) (string, error) {
		gs, err := managed.ManagedGrants(ctx, t.ID, now(), id)
		if err == nil && (len(gs) == 0 || gs[0].ClientID != client.ID) {
			err = request.ErrGrantID
		}
		if err != nil {
			return "", err
		}
		return gs[0].Subject, nil
	}
}
