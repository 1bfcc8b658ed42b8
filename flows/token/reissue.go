package token

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Reissue is what the tenant's backend says of a new ID token for a grant (OIDC Core §12.2).
type Reissue struct {
	AccessToken  string // that goes with it
	RefreshToken string // the newest of the same grant
	Subject      string // sub in place of the one of before; empty: that one
	Claims       map[string]json.RawMessage
	AudienceList bool
}

// errPair: the tokens are not alive, or not of one grant.
var errPair = oauth.InvalidGrant("the access token and the refresh token are not alive, or not of one grant")

// Reissue makes a new ID token for tokens that were issued, and returns all three. It records nothing. Tokens that do not belong
// together are invalid_grant, and a grant without openid is invalid_scope.
func (s *Service) Reissue(ctx context.Context, t *tenant.Tenant, r Reissue) (grant.Tokens, *tenant.Client, error) {
	a, err := s.Access.Token(ctx, t, r.AccessToken)
	is := &Changed{}
	if err == nil {
		is.Grant, err = s.lineOf(ctx, t, r.RefreshToken)
	}
	if err == nil {
		err = s.complete(ctx, t, is)
	}
	if errors.Is(err, grant.ErrNotFound) || err == nil && is.Grant.ID != a.Grant {
		return grant.Tokens{}, nil, errPair.Because(err)
	}
	if err != nil {
		return grant.Tokens{}, nil, err
	}
	g := *is.Grant
	if !g.Terms.Scope.Has(oauth.OpenID) || !a.Scope.Has(oauth.OpenID) {
		return grant.Tokens{}, nil, oauth.InvalidScope("the tokens lack the scope openid")
	}
	if r.Subject != "" {
		g.Terms.IDToken.Subject = r.Subject
	}
	g.Terms.IDToken.AudienceList = g.Terms.IDToken.AudienceList || r.AudienceList
	g.Terms.PresetIDToken = maps.Clone(g.Terms.PresetIDToken)
	for name, v := range r.Claims {
		if g.Terms.PresetIDToken == nil {
			g.Terms.PresetIDToken = map[string]json.RawMessage{}
		}
		g.Terms.PresetIDToken[name] = v
	}
	g.Terms.Login.Nonce = "" // of the first one alone (OIDC Core §12.2)
	if err := g.Terms.Check(); err != nil {
		return grant.Tokens{}, nil, err
	}
	out := grant.Tokens{AccessToken: r.AccessToken, TokenType: a.Confirmation.TokenType(), ExpiresIn: a.ExpiresAt.Sub(s.Now()).Truncate(time.Second), RefreshToken: r.RefreshToken,
		Scope: a.Scope, Details: a.Details, Grant: &g, Refresh: g.Refresh}
	out.IDToken, err = s.Issuer.MintIDToken(ctx, t, &g, grant.IDToken{Client: is.Client, Accounts: s.Accounts, AccessToken: r.AccessToken, First: true})
	return out, is.Client, err
}
