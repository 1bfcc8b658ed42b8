package access

import (
	"context"
	"crypto/sha256"
	"encoding/base64"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant"
)

// Revoke withdraws a token of the client (RFC 7009 §2.1). A refresh token takes its whole grant with it, whatever its
// generation; an access token goes alone, unless the tenant has it otherwise. What is unknown, dead or another client's is
// no error and changes nothing. It needs no hint: every kind of token shows what it is.
func (s *Service) Revoke(ctx context.Context, t *tenant.Tenant, c *tenant.Client, token, address string) error {
	return s.revoke(ctx, t, c, token, address, t.Settings.Access.RevokeGrant)
}

// RevokePair is Revoke, except that an access token in any case takes its whole grant with it: its refresh token, and what
// came of that (RFC 7009 §2.1 lets a server do so).
func (s *Service) RevokePair(ctx context.Context, t *tenant.Tenant, c *tenant.Client, token, address string) error {
	return s.revoke(ctx, t, c, token, address, true)
}

func (s *Service) revoke(ctx context.Context, t *tenant.Tenant, c *tenant.Client, token, address string, whole bool) error {
	now := s.Now()
	ev := audit.Event{At: now, Kind: audit.GrantRevoked, ClientID: c.ID, Address: address}
	if g, ours, err := s.refresh(ctx, t, token); ours {
		if g == nil || g.ClientID != c.ID {
			return unlessGone(err)
		}
		ev.Subject, ev.Session = g.Subject, g.SessionID
		return s.revokeGrant(ctx, t, g.ID, ev)
	}
	a, err := s.Token(ctx, t, token)
	if err != nil || a.ClientID != c.ID {
		return unlessGone(err)
	}
	ev.Subject = a.Subject
	if whole && a.Grant != "" {
		return s.revokeGrant(ctx, t, a.Grant, ev)
	}
	return s.revokeToken(ctx, t, a, ev)
}

// RevokeAny revokes a token of any client for whoever acts for the tenant, with all of its grant, if it has one. An access
// token that is stored may be named by its hash in base64url. One that is unknown or dead is grant.ErrNotFound.
func (s *Service) RevokeAny(ctx context.Context, t *tenant.Tenant, token string, by By) error {
	g, ours, err := s.refresh(ctx, t, token)
	switch {
	case err != nil:
		return err
	case ours:
		return s.RevokeGranted(ctx, t, g.ID, by)
	}
	a, err := s.Token(ctx, t, token)
	if gone(err) {
		a, err = s.hashed(ctx, t, token)
	}
	switch {
	case err != nil:
		return err
	case a.Grant != "":
		return s.RevokeGranted(ctx, t, a.Grant, by)
	}
	return s.revokeToken(ctx, t, a, audit.Event{At: s.Now(), Kind: audit.GrantRevoked, Actor: by.Actor, Subject: a.Subject, ClientID: a.ClientID, Address: by.Address})
}

// hashed returns the stored access token of that hash in base64url, whoever its client is.
func (s *Service) hashed(ctx context.Context, t *tenant.Tenant, hash string) (*grant.AccessToken, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(hash)
	if err != nil || len(b) != sha256.Size {
		return nil, grant.ErrNotFound
	}
	return s.Grants.AccessToken(ctx, t.ID, s.Now(), b)
}

// revokeToken revokes one access token.
func (s *Service) revokeToken(ctx context.Context, t *tenant.Tenant, a *grant.AccessToken, ev audit.Event) error {
	ev.Grant = a.Grant
	revoked := tenant.Revocation{Token: a.ID, At: ev.At, ExpiresAt: a.ExpiresAt}
	if err := s.Grants.RevokeToken(ctx, t.ID, a.Hash, ev.At, revoked, ev); err != nil {
		return err
	}
	t.Revoked.Add(revoked)
	return nil
}

func (s *Service) revokeGrant(ctx context.Context, t *tenant.Tenant, id string, ev audit.Event) error {
	ev.Grant = id
	revoked := s.Issuer.Revocation(t, id)
	if err := s.Grants.RevokeGrant(ctx, t.ID, id, ev.At, revoked, ev); err != nil {
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
