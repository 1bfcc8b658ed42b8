package authorize

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// responseType is what a response gives at once, by its name, whose values stand in the order of the alphabet. The ID token
// comes last: it has the hashes of what stands beside it.
type responseType struct {
	name  string
	gives []give
}

// responseTypes are the response types (RFC 6749 §3.1.1; OAuth 2.0 Multiple Response Type Encoding Practices §3, §4, §5). All
// but code are there only where tenant and client want them.
var responseTypes = []responseType{
	{"code", []give{giveCode}},
	{"none", nil},
	{"id_token", []give{giveIDToken}},
	{"token", []give{giveToken}},
	{"id_token token", []give{giveToken, giveIDToken}},
	{"code id_token", []give{giveCode, giveIDToken}},
	{"code token", []give{giveCode, giveToken}},
	{"code id_token token", []give{giveCode, giveToken, giveIDToken}},
}

// ResponseTypes lists the names of the response types.
func ResponseTypes() []string {
	names := make([]string, len(responseTypes))
	for i, t := range responseTypes {
		names[i] = t.name
	}
	return names
}

// ResponseTypesOf lists those that clients of t may use.
func ResponseTypesOf(t *tenant.Tenant) []string {
	return slices.DeleteFunc(ResponseTypes(), func(name string) bool { return !t.Settings.AllowsResponseType(name) })
}

// Issued is what a response gives its client.
type Issued struct {
	Code string
	grant.Tokens
}

// issue is what a response to r gives of a grant, in the making. Nothing of it is written.
type issue struct {
	tenant *tenant.Tenant
	client *tenant.Client
	r      *request.Request
	grant  *grant.Grant
	Issued
	stored *grant.AccessToken // the access token, where it is opaque or has a twin
	params []Param
}

// give adds one value of a response type to what is issued.
type give func(*Service, context.Context, *issue) error

// issue mints what the response to r gives of g, which lives as long as any of it. A request whose ID token g does not have
// is invalid_request: whoever decided left openid out.
func (s *Service) issue(ctx context.Context, t *tenant.Tenant, client *tenant.Client, r *request.Request, g *grant.Grant) (*issue, error) {
	if r.Gives(oauth.ResponseIDToken) && !g.Terms.IDToken.Issue {
		return nil, oauth.InvalidRequest("scope must hold openid, as the response is to have an ID token")
	}
	g.ExpiresAt = s.Now().Add(client.Demands.CodeLifetime(t.Settings.CodeLifetime()))
	g.Terms.RefreshToken.Issue = g.Terms.RefreshToken.Issue && r.Gives(oauth.ResponseCode)
	i := &issue{tenant: t, client: client, r: r, grant: g}
	at := slices.IndexFunc(responseTypes, func(rt responseType) bool { return rt.name == r.ResponseType })
	for _, give := range responseTypes[max(at, 0)].gives {
		err := give(s, ctx, i)
		if errors.Is(err, keys.ErrTooLarge) {
			err = oauth.InvalidRequest("a token would be longer than 16 KiB").Because(err)
		}
		if err != nil {
			return nil, err
		}
	}
	return i, nil
}

// atOnce reports whether i holds tokens, for which there is no later moment to look whether their session still is.
func (i *issue) atOnce() bool { return oauth.FrontChannel(i.r.ResponseType) }

// add adds a parameter to the response.
func (i *issue) add(name, value string) { i.params = append(i.params, Param{name, value}) }

// giveCode gives an authorization code (RFC 6749 §4.1.2).
func giveCode(s *Service, _ context.Context, i *issue) error {
	g := i.grant
	i.Code = s.Issuer.MintCode(g.ID)
	g.Code = &grant.CodeState{Hash: grant.Hash(i.Code), ExpiresAt: g.ExpiresAt, Challenge: i.r.CodeChallenge}
	if i.r.RedirectSent {
		g.Code.RedirectURI = i.r.RedirectURI
	}
	i.add("code", i.Code)
	return nil
}

// giveToken gives an access token (RFC 6749 §4.2.2), which is no bearer's but by being one: nobody proves a key here. A
// refresh token never comes with it.
func giveToken(s *Service, ctx context.Context, i *issue) (err error) {
	g := i.grant
	i.Scope, i.Audience = g.Terms.Scope, g.Terms.Audience
	i.TokenType = g.Terms.AccessToken.Confirmation.TokenType()
	if i.AccessToken, i.ExpiresIn, i.stored, err = s.Issuer.MintAccess(ctx, i.tenant, g, i.Scope, i.Audience, time.Time{}); err != nil {
		return err
	}
	if i.stored != nil {
		i.Twin = i.stored.Twin
	}
	if ends := s.Now().Add(i.ExpiresIn); ends.After(g.ExpiresAt) {
		g.ExpiresAt = ends
	}
	i.add("access_token", i.AccessToken)
	i.add("token_type", i.TokenType)
	i.add("expires_in", strconv.FormatInt(int64(i.ExpiresIn/time.Second), 10))
	if len(i.Scope) > 0 {
		i.add("scope", i.Scope.String())
	}
	return nil
}

// giveIDToken gives an ID token, with the hashes of code, access token and state (OIDC Core §3.3.2.11, FAPI 1.0 Advanced
// §5.2.2.1).
func giveIDToken(s *Service, ctx context.Context, i *issue) (err error) {
	i.IDToken, err = s.Issuer.MintIDToken(ctx, i.tenant, i.grant, grant.IDToken{Client: i.client, Accounts: s.Accounts, AccessToken: i.AccessToken,
		Code: i.Code, State: i.r.State, First: true})
	i.add("id_token", i.IDToken)
	return err
}
