// Package access answers questions about issued tokens: introspection (RFC 7662), revocation (RFC 7009) and
// UserInfo (OIDC Core §5.3).
package access

import (
	"context"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/tenant"
)

// Service answers for the tokens of one deployment.
type Service struct {
	Now      func() time.Time
	Issuer   *grant.Issuer
	Grants   grant.Store
	Register grant.Register // of those who look after grants; may be nil elsewhere
	Ledger   grant.Ledger   // of those who ask what was granted; may be nil elsewhere
	Managed  grant.Managed  // that clients manage; nil where none are
	Accounts grant.Accounts
	Proofs   *proof.Service
	Hooks    Hooks // that tell more of tokens; nil: there are none
}

// MaxToken is the longest token looked at, in bytes.
const MaxToken = 16 << 10

// Token returns the access token that is presented, if it lives: a JWT from what it says and the revocations in memory,
// an opaque one from the store. Anything else is grant.ErrNotFound.
func (s *Service) Token(ctx context.Context, t *tenant.Tenant, token string) (*grant.AccessToken, error) {
	switch {
	case token == "" || len(token) > MaxToken:
		return nil, grant.ErrNotFound
	case grant.IsJWT(token):
		a, err := s.Issuer.ParseAccess(t, token)
		if err != nil {
			return nil, err
		}
		return a, able(ctx, t, a.ClientID)
	case !grant.IsIdentifier(token):
		return nil, grant.ErrNotFound
	}
	a, err := s.Grants.AccessToken(ctx, t.ID, s.Now(), grant.Hash(token))
	if err != nil {
		return nil, err
	}
	if t.Revoked.Revoked(grant.Issued(a)) {
		return nil, grant.ErrNotFound
	}
	return a, able(ctx, t, a.ClientID)
}

// able returns grant.ErrNotFound where the client is disabled or gone: its tokens do nothing until it is enabled again.
func able(ctx context.Context, t *tenant.Tenant, clientID string) error {
	if t.Settings.Documents.Takes(clientID) { // a question about a token waits for nobody's web server
		return nil
	}
	c, err := t.Clients.Client(ctx, clientID)
	if errors.Is(err, tenant.ErrNoClient) || err == nil && c.Disabled {
		return grant.ErrNotFound
	}
	return err
}

// refresh returns the grant and state of the refresh token that is presented, if it is the newest of its line and lives,
// else grant.ErrNotFound. ours is false where it is no refresh token of t at all, so that it may be something else.
func (s *Service) refresh(ctx context.Context, t *tenant.Tenant, token string) (g *grant.Grant, ours bool, err error) {
	id, generation, ok := grant.ParseRefreshToken(t, token)
	if !ok {
		return nil, false, nil
	}
	g, err = s.Grants.Grant(ctx, t.ID, id)
	if err != nil {
		return nil, true, err
	}
	if now := s.Now(); g.Refresh == nil || g.Refresh.Generation != generation || !g.Live(now) || !now.Before(g.Refresh.End()) {
		return g, true, grant.ErrNotFound
	}
	return g, true, nil
}

func gone(err error) bool { return errors.Is(err, grant.ErrNotFound) }
