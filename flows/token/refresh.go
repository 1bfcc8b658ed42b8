package token

import (
	"context"
	"errors"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
)

var errRefresh = oauth.InvalidGrant("refresh_token is invalid, expired or revoked")

// redeemRefresh redeems a refresh token (RFC 6749 §6, RFC 9700 §4.14.2). Scope and resources may be narrowed, never
// widened. A token that was rotated away revokes its grant, unless it comes within the grace: then it gets the successor
// that it got before.
func (s *Service) redeemRefresh(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	now := s.Now()
	id, generation, ok := grant.ParseRefreshToken(t, r.get("refresh_token"))
	if !ok {
		return grant.Tokens{}, errRefresh
	}
	g, err := s.Grants.Grant(ctx, t.ID, id)
	switch {
	case errors.Is(err, grant.ErrNotFound):
		return grant.Tokens{}, errRefresh.Because(err)
	case err != nil:
		return grant.Tokens{}, err
	case g.ClientID != r.Client.ID, g.Refresh == nil, !g.Live(now), generation > g.Refresh.Generation:
		return grant.Tokens{}, errRefresh
	}
	if err := constrained(r, g.Refresh.Confirmation); err != nil {
		return grant.Tokens{}, err
	}
	if err := s.descends(ctx, t, g); err != nil {
		return grant.Tokens{}, err
	}
	scope, aud, err := narrowed(r, g)
	if err == nil {
		err = r.detailed(g)
	}
	if err == nil && generation >= g.Refresh.Generation-1 {
		err = s.stale(ctx, t, r, g)
	}
	if err != nil {
		return grant.Tokens{}, err
	}
	r.on(g)
	out := grant.Tokens{TokenType: r.Proved.TokenType(), Scope: scope, Details: g.Terms.Details}
	next := *g.Refresh
	next.Generation, next.UsedAt, next.IdleUntil = generation, now, g.Terms.RefreshToken.Of(r.Client).IdleUntil(t, now)
	if r.Client.Public() {
		next.Confirmation = r.Proved
	}
	if rotates(t, r.Client, g) || generation < g.Refresh.Generation {
		next.Generation, next.RotatedAt = generation+1, now
		s.Issuer.Count(t, g, grant.RefreshTokens)
	}
	effect := grant.Rotation{Grant: id, Presented: generation, Next: next}
	if generation >= g.Refresh.Generation-1 { // an older one is a replay, for which nothing is minted
		if out.AccessToken, out.ExpiresIn, effect.AccessToken, err = s.Issuer.MintAccess(ctx, t, g, scope, aud, next.End()); err != nil {
			return grant.Tokens{}, err
		}
		if out.IDToken, err = s.refreshedIDToken(ctx, t, r, g, out.AccessToken); err != nil {
			return grant.Tokens{}, err
		}
		out.RefreshToken = grant.RefreshToken(t, id, next.Generation)
		tell(&out, g, aud, effect.AccessToken, &next)
	}
	revoked := s.Issuer.Revocation(t, id)
	_, err = s.Grants.RotateRefresh(ctx, t.ID, now, effect, t.Settings.RefreshTokenGrace(), revoked, s.event(audit.RefreshReplayed, g, r))
	switch {
	case errors.Is(err, grant.ErrReplayed):
		t.Revoked.Add(revoked)
		return grant.Tokens{}, errRefresh.Because(err)
	case errors.Is(err, grant.ErrNotFound):
		return grant.Tokens{}, errRefresh.Because(err)
	case err != nil:
		return grant.Tokens{}, err
	}
	return out, nil
}

// narrowed returns scope and audience of the new access token, within what was granted.
func narrowed(r *Request, g *grant.Grant) (oauth.Scope, []string, error) {
	scope := g.Terms.Scope
	if asked := r.get("scope"); asked != "" {
		var err error
		if scope, err = oauth.ParseScope(asked); err != nil {
			return nil, nil, err
		}
		if !scope.Within(g.Terms.Scope) {
			return nil, nil, oauth.InvalidScope("scope exceeds what was granted")
		}
	}
	aud, err := audience(r, g.Terms.Audience)
	return scope, aud, err
}

// rotates reports whether using g's refresh token makes a new one: always for public clients (RFC 9700 §2.2.2), else as
// the grant, the client's registration or the tenant says.
func rotates(t *tenant.Tenant, c *tenant.Client, g *grant.Grant) bool {
	if c.Public() {
		return true
	}
	if rotate := g.Terms.RefreshToken.Of(c).Rotate; rotate != nil {
		return *rotate
	}
	return !t.Settings.Tokens.RefreshTokenKeep
}

// refreshedIDToken mints a new ID token where the grant allows it and the login session is still open (OIDC Core §12.2).
func (s *Service) refreshedIDToken(ctx context.Context, t *tenant.Tenant, r *Request, g *grant.Grant, accessToken string) (string, error) {
	if !g.Terms.IDToken.AllowRefresh || !g.Terms.IDToken.Issue {
		return "", nil
	}
	n, err := s.Sessions.Session(ctx, t.ID, g.SessionID)
	if errors.Is(err, session.ErrNotFound) || err == nil && !n.Open(s.Now()) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return s.Issuer.MintIDToken(ctx, t, g, grant.IDToken{Client: r.Client, Accounts: s.Accounts, AccessToken: accessToken})
}

// descends returns why g is over with the grant that it comes of, or nil: it comes of none, or that stands.
func (s *Service) descends(ctx context.Context, t *tenant.Tenant, g *grant.Grant) error {
	if g.Terms.Parent == "" {
		return nil
	}
	parent, err := s.Grants.Grant(ctx, t.ID, g.Terms.Parent)
	if errors.Is(err, grant.ErrNotFound) || err == nil && !parent.RevokedAt.IsZero() {
		return errRefresh.Because(errStands.Because(err))
	}
	return err
}
