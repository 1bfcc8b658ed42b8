package access

import (
	"context"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// Revoke withdraws a token of the client (RFC 7009 §2.1). A refresh token takes its whole grant with it, whatever its
// generation; an access token goes alone. What is unknown, dead or another client's is no error and changes nothing.
func (s *Service) Revoke(ctx context.Context, t *tenant.Tenant, c *tenant.Client, token, address string) error {
	now := s.Now()
	ev := audit.Event{At: now, Kind: audit.GrantRevoked, ClientID: c.ID, Address: address}
	if g, ours, err := s.refresh(ctx, t, token); ours {
		if g == nil || g.ClientID != c.ID {
			return unlessGone(err)
		}
		ev.Subject, ev.Session, ev.Grant = g.Subject, g.SessionID, g.ID
		revoked := s.Issuer.Revocation(t, g.ID)
		if err := s.Grants.RevokeGrant(ctx, t.ID, g.ID, now, revoked, ev); err != nil {
			return err
		}
		t.Revoked.Add(revoked)
		return nil
	}
	a, err := s.Token(ctx, t, token)
	if err != nil || a.ClientID != c.ID {
		return unlessGone(err)
	}
	ev.Subject, ev.Grant = a.Subject, a.Grant
	revoked := tenant.Revocation{Token: a.ID, At: now, ExpiresAt: a.ExpiresAt}
	if err := s.Grants.RevokeToken(ctx, t.ID, a.Hash, now, revoked, ev); err != nil {
		return err
	}
	t.Revoked.Add(revoked)
	return nil
}

func unlessGone(err error) error {
	if gone(err) {
		return nil
	}
	return err
}
