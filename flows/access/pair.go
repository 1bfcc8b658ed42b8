package access

import (
	"context"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// RevokePair is Revoke, except that an access token too takes its whole grant with it: its refresh token, and what came
// of that (RFC 7009 §2.1 lets a server do so).
func (s *Service) RevokePair(ctx context.Context, t *tenant.Tenant, c *tenant.Client, token, address string) error {
	a, err := s.Token(ctx, t, token)
	if err != nil || a.Grant == "" {
		if unlessGone(err) != nil {
			return err
		}
		return s.Revoke(ctx, t, c, token, address)
	}
	if a.ClientID != c.ID {
		return nil
	}
	now := s.Now()
	ev := audit.Event{At: now, Kind: audit.GrantRevoked, Subject: a.Subject, ClientID: c.ID, Grant: a.Grant, Address: address}
	revoked := s.Issuer.Revocation(t, a.Grant)
	if err := s.Grants.RevokeGrant(ctx, t.ID, a.Grant, now, revoked, ev); err != nil {
		return err
	}
	t.Revoked.Add(revoked)
	return nil
}
