package access

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

var errToken = oauth.InvalidToken("the access token is invalid, expired or revoked")

// UserInfo tells the holder of an access token about its subject: sub, the claims consented to as far as the account has
// them or a source of the tenant's tells them, and those preset with the grant (OIDC Core §5.3.2). The client is the one that the token was issued to, nil where
// there is no such token. Errors are those of Present, and insufficient_scope;
// where a source does not answer there is no part of an answer.
func (s *Service) UserInfo(ctx context.Context, t *tenant.Tenant, p Presented) (claims map[string]any, client *tenant.Client, err error) {
	a, err := s.Present(ctx, t, p)
	if err != nil {
		return nil, nil, err
	}
	if client, err = t.Clients.Client(ctx, a.ClientID); err != nil {
		if errors.Is(err, tenant.ErrNoClient) {
			err = errToken.Because(err)
		}
		return nil, nil, err
	}
	if !a.Scope.Has(oauth.OpenID) || a.Grant == "" {
		return nil, client, oauth.InsufficientScope("the access token lacks the scope openid")
	}
	g, err := s.Grants.Grant(ctx, t.ID, a.Grant)
	if gone(err) || err == nil && !g.Live(s.Now()) {
		return nil, client, errToken.Because(err)
	}
	if err != nil {
		return nil, client, err
	}
	names := g.Terms.Claims
	if a.ClientID != g.ClientID { // exchanged: it is worth no more than its own scope
		names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !wanted(t, a.Scope, name) })
		g.Terms.PresetUserInfo = nil
	}
	var fed map[string]json.RawMessage
	if a.Fed != nil {
		fed = a.Fed.UserInfo
	}
	gathered, err := s.Issuer.Gather(ctx, t, s.Accounts, grant.Inquiry{Grant: g, Client: client, Scope: a.Scope, Place: grant.InUserInfo, Names: names}, fed, g.Terms.PresetUserInfo)
	if err != nil {
		return nil, client, err
	}
	claims = map[string]any{}
	for _, set := range []map[string]json.RawMessage{gathered, fed, g.Terms.PresetUserInfo} {
		for name, v := range set {
			if grant.Presettable(name) {
				claims[name] = v
			}
		}
	}
	claims["sub"] = g.SubjectFor(t, client)
	return claims, client, nil
}

// wanted reports whether a value of scope asks for the claim of that name (OIDC Core §5.4).
func wanted(t *tenant.Tenant, scope oauth.Scope, name string) bool {
	return slices.ContainsFunc(scope, func(v string) bool {
		return slices.Contains(oauth.ScopeClaims(v), name) || slices.Contains(t.Settings.Authorization.ClaimsOfScope[v], name)
	})
}
