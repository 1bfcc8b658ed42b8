package registration

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Granted keeps clients that access tokens register. Its method is one atomic effect.
type Granted interface {
	// CreateClientBy is Store.CreateClient by the access token of a grant, which it revokes; ErrUsedUp, and no client, where
	// that grant does not stand any more at now.
	CreateClientBy(ctx context.Context, t tenant.ID, c tenant.Client, most int, grantID string, now time.Time, revoked tenant.Revocation, ev audit.Event) (tenant.Client, error)
}

// Tokens looks up access tokens and their grants. *access.Service and a grant.Store do.
type Tokens interface {
	// Token returns an access token that lives, or grant.ErrNotFound.
	Token(ctx context.Context, t *tenant.Tenant, token string) (*grant.AccessToken, error)
}

// Grants looks up grants. A grant.Store does.
type Grants interface {
	Grant(ctx context.Context, t tenant.ID, id string) (*grant.Grant, error)
}

// permit is what an access token lets its holder register, once.
type permit struct {
	grant string
	token *grant.AccessToken
	scope oauth.Scope // about registration
}

// granted returns by as the authority of the access token that it shows: one that was given for the registration of a
// client by whoever acts for the tenant, and for this endpoint or its issuer. Any other is errToken; one without the scope
// for it insufficient_scope.
func (s *Service) granted(ctx context.Context, t *tenant.Tenant, by Authority) (Authority, error) {
	a, err := s.Access.Token(ctx, t, by.token)
	switch {
	case errors.Is(err, grant.ErrNotFound):
		return by, errToken.Because(err)
	case err != nil:
		return by, oauth.Unavailable().Because(err)
	case a.Grant == "" || a.Confirmation != (oauth.Confirmation{}) || !slices.ContainsFunc(a.Audience, func(aud string) bool { return t.Owns(strings.TrimSuffix(aud, "/clients")) }):
		return by, errToken
	}
	p := &permit{grant: a.Grant, token: a, scope: a.Scope.Registers()}
	if len(p.scope) == 0 {
		return by, oauth.InsufficientScope("The token is not for the client registry")
	}
	g, err := s.Grants.Grant(ctx, t.ID, a.Grant)
	switch {
	case errors.Is(err, grant.ErrNotFound), err == nil && (!g.Live(s.now()) || !g.Terms.Registration || g.ClientID != a.ClientID):
		return by, errToken.Because(err)
	case err != nil:
		return by, oauth.Unavailable().Because(err)
	}
	by.rank, by.permit = initial, p
	return by, nil
}

// short are the names of grant types that stand for longer ones in a scope.
var short = map[string]string{
	"code": oauth.AuthorizationCode, "jwt-bearer": oauth.JWTBearer, "token-exchange": oauth.TokenExchange,
	"ciba": oauth.CIBA, "device_code": oauth.DeviceCode,
}

// grants are the grant types that the token names; none where it names none.
func (p *permit) grants() (types []string) {
	for _, v := range p.scope {
		if g, ok := strings.CutPrefix(v, oauth.ClientGrant); ok {
			if long, ok := short[g]; ok {
				g = long
			}
			types = append(types, g)
		}
	}
	return types
}

// any reports whether the client may have any grant type and scope.
func (p *permit) any() bool { return p.scope.Has(oauth.ClientRegistration) }

// namesSector reports whether the client may be put into a sector that has a name.
func (p *permit) namesSector() bool {
	return p != nil && (p.any() || p.scope.Has(oauth.ClientSectorURN))
}

// base is what a client registered with p may have.
func (p *permit) base(s *Service, t *tenant.Tenant) *tenant.Metadata {
	m := advertised(t)
	if p.any() {
		m.GrantTypes, m.Scope = s.GrantTypes, ""
		return m
	}
	m.GrantTypes = p.grants()
	var scope oauth.Scope
	for _, v := range p.scope {
		if one, ok := strings.CutPrefix(v, oauth.ClientScope); ok && one != ChallengeScope {
			scope = append(scope, one)
		}
	}
	if len(scope) > 0 {
		m.Scope = scope.String()
	}
	return m
}

// holds returns why a client may not have these grant types by p: where the token names some it may have those, and
// refresh_token, alone. None is authorization_code.
func (p *permit) holds(types []string) error {
	named := p.grants()
	if p.any() || len(named) == 0 {
		return nil
	}
	if len(types) == 0 {
		types = []string{oauth.AuthorizationCode}
	}
	for _, g := range types {
		if g != oauth.RefreshToken && !slices.Contains(named, g) {
			return oauth.InvalidClientMetadata("grant_types holds one that the token does not allow")
		}
	}
	return nil
}
