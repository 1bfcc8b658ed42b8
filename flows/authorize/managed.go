package authorize

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// manage has g be, or join, the agreement that r is about. An agreement that is over, or another subject's, is request.ErrGrantID.
func (s *Service) manage(ctx context.Context, t *tenant.Tenant, r *request.Request, g *grant.Grant) (grant.Joining, error) {
	j, err := s.Issuer.Manage(ctx, t, s.Managed, r.GrantAction, r.GrantID, g)
	if errors.Is(err, grant.ErrNotFound) {
		err = request.ErrGrantID
	}
	return j, err
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
