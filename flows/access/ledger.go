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

// RevokeGrants revokes all that a subject granted a client, or where sub is empty all that the client has, also for itself. It
// tells how many grants that were. What was allowed is kept.
func (s *Service) RevokeGrants(ctx context.Context, t *tenant.Tenant, sub, clientID string, by By) (int, error) {
	now := s.Now()
	revoked := tenant.Revocation{Subject: sub, ClientID: clientID, At: now, ExpiresAt: now.Add(t.Settings.LongestAccessToken())}
	n, err := s.Ledger.RevokeGrants(ctx, t.ID, sub, clientID, now, revoked,
		audit.Event{At: now, Kind: audit.GrantRevoked, Actor: by.Actor, Subject: sub, ClientID: clientID, Address: by.Address})
	if err == nil {
		t.Revoked.Add(revoked)
	}
	return n, err
}

// ForgetScopes forgets that, if there is something. Tokens and remembered consent stay.
func (s *Service) ForgetScopes(ctx context.Context, t *tenant.Tenant, sub, clientID string, by By) error {
	_, err := s.Ledger.ForgetScopes(ctx, t.ID, sub, clientID, audit.Event{At: s.Now(), Kind: audit.ConsentForgotten, Actor: by.Actor, Subject: sub,
		ClientID: clientID, Address: by.Address})
	return err
}
