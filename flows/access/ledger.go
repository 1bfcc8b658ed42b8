package access

import (
	"context"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// GrantedScopes is what a subject granted a client by the tenant's backend; grant.ErrNotFound: nothing, ever.
func (s *Service) GrantedScopes(ctx context.Context, t *tenant.Tenant, sub, clientID string) (*grant.GrantedScopes, error) {
	return s.Ledger.GrantedScopes(ctx, t.ID, sub, clientID)
}

// ForgetScopes forgets that, if there is something. Tokens and remembered consent stay.
func (s *Service) ForgetScopes(ctx context.Context, t *tenant.Tenant, sub, clientID string, by By) error {
	_, err := s.Ledger.ForgetScopes(ctx, t.ID, sub, clientID, audit.Event{At: s.Now(), Kind: audit.ConsentForgotten, Actor: by.Actor, Subject: sub,
		ClientID: clientID, Address: by.Address})
	return err
}
