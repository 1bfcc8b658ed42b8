package access

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// errGrant: there is no such grant, or it is not the caller's to know of.
var errGrant = oauth.NotFound("there is no such grant")

// ManagedGrant returns the agreement of that id as it stands, or not_found (Grant Management for OAuth 2.0).
func (s *Service) ManagedGrant(ctx context.Context, t *tenant.Tenant, id string) (*grant.Grant, error) {
	gs, err := s.Managed.ManagedGrants(ctx, t.ID, s.Now(), id)
	if err == nil && len(gs) == 0 {
		err = errGrant
	}
	if err != nil {
		return nil, err
	}
	return &gs[0], nil
}

// manager checks that the token which is presented is one that its client may do that with, and returns its standing. The
// errors are those of Examine, and access_denied for a client that does not authenticate.
func (s *Service) manager(ctx context.Context, t *tenant.Tenant, p Presented, scope string) (*Standing, error) {
	st, err := s.Examine(ctx, t, p, Demands{Scope: oauth.Scope{scope}})
	if err == nil && st.Client.Public() {
		err = oauth.InsufficientScope("a client without authentication cannot manage grants")
	}
	return st, err
}

// QueryGrant returns the agreement of that id to the client that holds the token, which has to have the scope for it (§6.3). One
// that is over, unknown or another client's is not_found.
func (s *Service) QueryGrant(ctx context.Context, t *tenant.Tenant, p Presented, id string) (*grant.Grant, error) {
	st, err := s.manager(ctx, t, p, oauth.GrantQueryScope)
	if err != nil {
		return nil, err
	}
	g, err := s.ManagedGrant(ctx, t, id)
	if err == nil && g.ClientID != st.Client.ID {
		err = errGrant
	}
	if err != nil {
		return nil, err
	}
	return g, nil
}

// RevokeManaged ends the agreement of that id, with all that came of it, for the client that holds the token (§6.4).
func (s *Service) RevokeManaged(ctx context.Context, t *tenant.Tenant, p Presented, id, address string) error {
	st, err := s.manager(ctx, t, p, oauth.GrantRevokeScope)
	if err != nil {
		return err
	}
	now := s.Now()
	revoked, err := s.Managed.RevokeManaged(ctx, t.ID, id, st.Client.ID, now, now.Add(t.Settings.LongestAccessToken()),
		audit.Event{At: now, Kind: audit.GrantRevoked, ClientID: st.Client.ID, Address: address, Detail: map[string]string{"grant_id": id}})
	if errors.Is(err, grant.ErrNotFound) {
		return errGrant.Because(err)
	}
	if err != nil {
		return err
	}
	t.Revoked.Add(revoked...)
	return nil
}
