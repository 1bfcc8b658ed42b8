package token

import (
	"context"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// neverAlone are scope values that need a subject; a client asking for itself does not get them.
var neverAlone = oauth.Scope{oauth.OpenID, oauth.OfflineAccess}

// clientCredentials issues an access token to the client itself (RFC 6749 §4.4): no refresh token, no ID token. The tenant's
// hook may refuse it, or grant less.
func (s *Service) clientCredentials(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	if r.Client.Public() {
		return grant.Tokens{}, oauth.UnauthorizedClient("a public client cannot use this grant_type")
	}
	asked, err := oauth.ParseScope(r.get("scope"))
	if err != nil {
		return grant.Tokens{}, err
	}
	registered, err := oauth.ParseScope(r.Client.Scope)
	if err != nil {
		return grant.Tokens{}, err
	}
	scope := asked
	switch {
	case len(asked) == 0:
		scope = registered
	case len(registered) > 0:
		scope = asked.And(registered)
	}
	scope = scope.Without(neverAlone)
	if len(asked) > 0 && len(scope) == 0 {
		return grant.Tokens{}, oauth.InvalidScope("the client may not ask for this scope")
	}
	aud, err := targets(t, r)
	if err != nil {
		return grant.Tokens{}, err
	}
	g := &grant.Grant{Subject: r.Client.ID, ClientID: r.Client.ID, Terms: grant.Terms{Face: t.Face()}}
	if g.Terms.Details, err = r.ownDetails(t); err != nil {
		return grant.Tokens{}, err
	}
	if t.Settings.Hook(tenant.HookClientCredentials) != nil {
		if scope, aud, err = s.clientHook(ctx, t, r, g, scope, aud); err != nil {
			return grant.Tokens{}, err
		}
	}
	r.on(g)
	out := grant.Tokens{TokenType: r.Proved.TokenType(), Scope: scope, Details: g.Terms.Details}
	var stored *grant.AccessToken
	if out.AccessToken, out.ExpiresIn, stored, err = s.Issuer.MintAccess(ctx, t, g, scope, aud, time.Time{}); err != nil {
		return grant.Tokens{}, err
	}
	if stored != nil {
		if err := s.Grants.PutAccessToken(ctx, t.ID, *stored); err != nil {
			return grant.Tokens{}, err
		}
	}
	tell(&out, g, aud, stored, nil)
	return out, nil
}

// clientHook asks the tenant's hook about the token of g. There is no subject for it to say anything of.
func (s *Service) clientHook(ctx context.Context, t *tenant.Tenant, r *Request, g *grant.Grant, scope oauth.Scope, aud []string) (oauth.Scope, []string, error) {
	o, err := s.hooked(ctx, t, r, tenant.HookClientCredentials, scope, nil)
	if err != nil {
		return nil, nil, err
	}
	if o.Subject != "" && o.Subject != g.Subject || o.RefreshToken != nil && *o.RefreshToken || o.IDToken != nil && *o.IDToken || len(o.Claims) > 0 {
		return nil, nil, o.Fault(errHookTokens)
	}
	if err := heed(&o, g); err != nil {
		return nil, nil, err
	}
	if aud, err = nearer(&o, aud); err != nil {
		return nil, nil, err
	}
	if left := narrower(&o, scope); len(left) > 0 || len(scope) == 0 {
		return left, aud, nil
	}
	return nil, nil, oauth.InvalidScope("nothing of this scope is granted")
}
