package token

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Creation asks for tokens at once, as if they came of that grant type, for a client and a subject that the caller, whom the
// tenant trusts, has decided about by itself.
type Creation struct {
	GrantType  string
	ClientID   string
	Subject    string // empty for client credentials alone
	Scope      oauth.Scope
	Resources  []string
	Details    oauth.Details
	Properties []grant.Property
	Login      grant.Login
	Bound      oauth.Confirmation // keys that the tokens are bound to
	Wish       Wish
	Value      string // of the access token, which then is an identifier; empty: one of ours
	Actor      string // whose decision it is: id of an API token
	Address    string
}

// creatable are the grant types that tokens can be created as.
var creatable = []string{oauth.AuthorizationCode, oauth.Implicit, oauth.Password, oauth.ClientCredentials, oauth.CIBA, oauth.DeviceCode, oauth.TokenExchange, oauth.JWTBearer}

// Create makes the tokens that c asks for. What cannot be granted is an *oauth.Error: unauthorized_client, where the client may
// not have such tokens, access_denied, where the subject's account is disabled, else invalid_request, invalid_scope or
// invalid_target; then nothing has changed.
func (s *Service) Create(ctx context.Context, t *tenant.Tenant, c *Creation) (grant.Tokens, error) {
	m, d, err := s.created(ctx, t, c)
	if err != nil {
		return grant.Tokens{}, err
	}
	switch err := s.Grants.Derive(ctx, t.ID, s.Now(), d); {
	case errors.Is(err, grant.ErrNotFound):
		return grant.Tokens{}, errBarred.Because(err)
	case errors.Is(err, grant.ErrTaken):
		return grant.Tokens{}, errTaken.Because(err)
	case err != nil:
		return grant.Tokens{}, err
	}
	return m.Tokens, nil
}

var (
	errBarred = oauth.AccessDenied("the account of the subject is disabled")
	errTaken  = oauth.InvalidRequest("there is an access token of this value already")
)

// created makes what c asks for, and says what must be recorded of it.
func (s *Service) created(ctx context.Context, t *tenant.Tenant, c *Creation) (m grant.Minted, d grant.Derivation, err error) {
	client, err := t.Clients.Client(ctx, c.ClientID)
	if errors.Is(err, tenant.ErrNoClient) {
		err = oauth.InvalidRequest("there is no such client").Because(err)
	}
	if err == nil {
		err = c.check(t, client, s.Now())
	}
	if err != nil {
		return m, d, err
	}
	g := c.grant(t, client, s.Now())
	if g.Subject != client.ID {
		g.ID = s.Issuer.NewID()
	}
	c.Wish.on(g)
	if c.Value != "" { // what else it would be is a JWT
		g.Terms.AccessToken.Encoding = grant.Identifier
	}
	if err := g.Terms.Check(); err != nil {
		return m, d, err
	}
	m, err = s.Issuer.Mint(ctx, t, g, client, s.Accounts, c.Resources)
	if errors.Is(err, keys.ErrTooLarge) {
		err = oauth.InvalidRequest("a token would be longer than 16 KiB").Because(err)
	}
	if err != nil {
		return m, d, err
	}
	if c.Value != "" {
		m.AccessToken, m.Stored.Hash, g.Terms.AccessToken.Encoding = c.Value, grant.Hash(c.Value), ""
	}
	d = grant.Derivation{Subject: g.Subject, AccessToken: m.Stored, Event: audit.Event{At: s.Now(), Kind: audit.GrantIssued, Actor: c.Actor, Subject: g.Subject,
		ClientID: client.ID, Grant: g.ID, Address: c.Address, Detail: map[string]string{"grant": "created", "grant_type": c.GrantType, "scope": c.Scope.String()}}}
	if g.ID != "" {
		g.ExpiresAt, g.Refresh, d.Grant = m.ExpiresAt, m.Refresh, g
	}
	return m, d, nil
}

// grant is what c agrees to, without an id.
func (c *Creation) grant(t *tenant.Tenant, client *tenant.Client, now time.Time) *grant.Grant {
	g := &grant.Grant{Subject: c.Subject, ClientID: client.ID, CreatedAt: now, Terms: grant.Terms{Scope: c.Scope, Audience: c.Resources, Details: c.Details,
		Properties: c.Properties, Login: c.Login, GrantType: c.GrantType}}
	_, g.Terms.Claims = authorize.Wanted(t.Settings, &request.Request{}, c.Scope)
	g.Terms.AccessToken.Confirmation = c.Bound
	if c.GrantType == oauth.ClientCredentials {
		g.Subject = client.ID
	}
	g.Terms.RefreshToken.Issue = !slices.Contains([]string{oauth.ClientCredentials, oauth.Implicit}, c.GrantType) && client.MayGrant(oauth.RefreshToken)
	return g
}

// check returns why c cannot be granted, or nil.
func (c *Creation) check(t *tenant.Tenant, client *tenant.Client, now time.Time) error {
	alone := c.GrantType == oauth.ClientCredentials
	switch {
	case !slices.Contains(creatable, c.GrantType):
		return oauth.InvalidRequest("grantType is missing, or none that tokens can be created as")
	case client.Disabled:
		return oauth.UnauthorizedClient("the client is locked")
	case !c.allowed(client):
		return oauth.UnauthorizedClient("the client may not use this grant_type")
	case alone && client.Public():
		return oauth.UnauthorizedClient("a public client cannot use this grant_type")
	case alone && c.Subject != "" && c.Subject != client.ID:
		return oauth.InvalidRequest("subject cannot be there: the tokens are for the client itself")
	case !alone && (!authorize.TicketSubject(c.Subject) || c.Subject == client.ID):
		return oauth.InvalidRequest("subject must have 1 to 100 printable ASCII characters, and not be the id of the client")
	case alone && len(c.Properties) > 0:
		return oauth.InvalidRequest("properties cannot be kept with the token of a client for itself")
	case alone && len(c.Scope.And(neverAlone)) > 0:
		return oauth.InvalidScope("openid and offline_access need a subject")
	case c.Login.AuthTime < 0 || c.Login.AuthTime > now.Add(time.Minute).Unix():
		return oauth.InvalidRequest("authTime must not lie ahead")
	case len(c.Login.ACR) > 255 || strings.ContainsFunc(c.Login.ACR, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return oauth.InvalidRequest("acr must be a short string without control characters")
	case !Thumbprint(c.Bound.JKT) || !Thumbprint(c.Bound.X5T):
		return oauth.InvalidRequest("a thumbprint is not the base64url form of a SHA-256 hash")
	case client.DPoPBound && c.Bound.JKT == "", client.CertificateBound && c.Bound.X5T == "", client.OnlyBound() && c.Bound == oauth.Confirmation{}:
		return oauth.InvalidRequest("the client takes only access tokens that are bound to a key")
	case c.Value != "" && !grant.IsIdentifier(c.Value):
		return oauth.InvalidRequest("accessToken must have 32 to 512 characters of base64url")
	}
	if err := c.scope(t, client); err != nil {
		return err
	}
	for _, v := range c.Resources {
		if u, err := url.Parse(v); err != nil || !u.IsAbs() || strings.Contains(v, "#") {
			return oauth.InvalidTarget("a resource is not an absolute URI without fragment").Because(err)
		}
	}
	return named(t, c.Resources)
}

// allowed reports whether the client may have tokens of that grant type.
func (c *Creation) allowed(client *tenant.Client) bool {
	if c.GrantType == oauth.Implicit {
		return client.MayRespond(oauth.ResponseToken)
	}
	return client.MayGrant(c.GrantType)
}

// scope returns why the scope cannot be granted: it is none, the tenant does not list it where it lists any, or the client
// may not ask for it.
func (c *Creation) scope(t *tenant.Tenant, client *tenant.Client) error {
	registered, err := oauth.ParseScope(client.Scope)
	if err != nil {
		return err
	}
	listed := t.Settings.Authorization.Scopes
	for _, v := range c.Scope {
		switch {
		case !oauth.ScopeValue(v):
			return oauth.InvalidScope("scopes holds a value that is not allowed")
		case len(registered) > 0 && !registered.Has(v), len(registered) == 0 && len(listed) > 0 && !slices.Contains(listed, v):
			return oauth.InvalidScope("scopes holds a value that is not supported")
		}
	}
	return nil
}

// Thumbprint reports whether v is empty, or can be the thumbprint of a key or certificate (RFC 7638, RFC 8705 §3.1).
func Thumbprint(v string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(v)
	return v == "" || err == nil && len(b) == 32 && len(v) == 43
}
