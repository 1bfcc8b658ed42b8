// Package token is the token endpoint (RFC 6749 §3.2): it exchanges a grant for tokens.
package token

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Service exchanges grants for tokens.
type Service struct {
	Now      func() time.Time
	Issuer   *grant.Issuer
	Grants   grant.Store
	Records  grant.Records // of those that the tenant's backend looks after; nil where it cannot
	Sessions session.Store
	Accounts grant.Accounts
	CIBA     *ciba.Service
	Hooks    Hooks
	Device   *device.Service

	StepUps       StepUps // nil: nobody is asked to authenticate anew
	Passwords     Passwords
	Guesses       Guesses
	Access        Access
	Keys          Keys
	Replay        Replay
	Tickets       Tickets
	TokenEndpoint string // path below the issuer; as an assertion's audience it will do unless the tenant is strict
}

// Keys finds the public keys of clients and trusted issuers: tenant.ClientKeys.
type Keys interface {
	Of(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, error)
	Again(ctx context.Context, t tenant.ID, c *tenant.Client) (*keys.ClientSet, bool)
}

// Replay remembers what may be used once.
type Replay interface {
	// UseOnce records the use of what kind and hash name, and keeps that until expires. Of any number of calls, at
	// whatever instance, the first is told true.
	UseOnce(ctx context.Context, t tenant.ID, kind string, hash []byte, expires time.Time) (first bool, err error)
}

// Request is a token request of a client that has been authenticated, or is public.
type Request struct {
	Client  *tenant.Client
	Params  url.Values
	Address string
	Wish    Wish
	Proved  oauth.Confirmation // keys that the client proved to hold

	tickets bool      // the tenant's backend can be asked
	left    *Petition // to it
}

func (r *Request) get(name string) string { return r.Params.Get(name) }

// grantType is one way to come by tokens.
type grantType struct {
	name   string
	params []string // that must be there
	redeem func(*Service, context.Context, *tenant.Tenant, *Request) (grant.Tokens, error)
	on     func(*tenant.Settings) bool // nil: always
}

// grantTypes are the grants of the token endpoint.
var grantTypes = []grantType{
	{oauth.AuthorizationCode, []string{"code"}, (*Service).redeemCode, nil},        // RFC 6749 §4.1.3
	{oauth.RefreshToken, []string{"refresh_token"}, (*Service).redeemRefresh, nil}, // RFC 6749 §6
	{oauth.ClientCredentials, nil, (*Service).clientCredentials, nil},              // RFC 6749 §4.4
	{oauth.CIBA, []string{"auth_req_id"}, (*Service).redeemCIBA, // CIBA Core §10.1
		func(s *tenant.Settings) bool { return s.CIBA.Enabled }},
	{oauth.DeviceCode, []string{"device_code"}, (*Service).redeemDevice, (*tenant.Settings).DeviceOn}, // RFC 8628 §3.4
	{oauth.TokenExchange, []string{"subject_token", "subject_token_type"}, (*Service).exchange, // RFC 8693 §2.1
		func(s *tenant.Settings) bool { return s.Grants.TokenExchange.Enabled }},
	{oauth.JWTBearer, []string{"assertion"}, (*Service).redeemAssertion, // RFC 7523 §2.1
		func(s *tenant.Settings) bool { return s.Grants.JWTBearer.Enabled }},
	{oauth.Password, []string{"username", "password"}, (*Service).redeemPassword, // RFC 6749 §4.3
		func(s *tenant.Settings) bool { return s.Grants.Password.Enabled }},
}

// Offers reports whether a tenant of those settings has the grant of that name on.
func Offers(s *tenant.Settings, name string) bool {
	i := slices.IndexFunc(grantTypes, func(g grantType) bool { return g.name == name })
	return i >= 0 && s.Serves(name) && (grantTypes[i].on == nil || grantTypes[i].on(s))
}

// GrantTypes lists the names of the grants.
func GrantTypes() []string {
	names := make([]string, len(grantTypes))
	for i, g := range grantTypes {
		names[i] = g.name
	}
	return names
}

// Exchange serves a token request. Its errors are those of RFC 6749 §5.2, and ErrWish.
func (s *Service) Exchange(ctx context.Context, t *tenant.Tenant, r *Request) (grant.Tokens, error) {
	name := r.get("grant_type")
	if name == "" {
		return grant.Tokens{}, oauth.InvalidRequest("grant_type is missing")
	}
	i := slices.IndexFunc(grantTypes, func(g grantType) bool { return g.name == name })
	if !Offers(t.Settings, name) {
		return grant.Tokens{}, oauth.UnsupportedGrantType("grant_type is not supported")
	}
	if !r.Client.MayGrant(name) {
		return grant.Tokens{}, oauth.UnauthorizedClient("the client may not use this grant_type")
	}
	for _, p := range grantTypes[i].params {
		if r.get(p) == "" {
			return grant.Tokens{}, oauth.InvalidRequest(p + " is missing")
		}
	}
	if rule, why := r.Client.Demands.Misfit(t.Settings, &r.Client.Metadata); rule != nil {
		return grant.Tokens{}, oauth.UnauthorizedClient("the client does not fit its profile").Because(errors.New(rule.ID + ": " + why))
	}
	if err := r.bound(); err != nil {
		return grant.Tokens{}, err
	}
	out, err := grantTypes[i].redeem(s, ctx, t, r)
	if len(r.Wish.Claims) > 0 && errors.Is(err, keys.ErrTooLarge) {
		err = ErrWish.Because(err)
	}
	return out, err
}

// audience returns what the access token is for: the resources asked for, which must lie within allowed where that
// names any, or else all of allowed (RFC 8707 §2.2).
func audience(r *Request, allowed []string) ([]string, error) {
	var as []string
	for _, v := range r.Params["resource"] {
		switch u, err := url.Parse(v); {
		case v == "":
		case err != nil || !u.IsAbs() || strings.Contains(v, "#"):
			return nil, oauth.InvalidTarget("resource is not an absolute URI without fragment")
		case !slices.Contains(allowed, v):
			return nil, oauth.InvalidTarget("this resource was not granted")
		default:
			as = append(as, v)
		}
	}
	if len(as) == 0 {
		return allowed, nil
	}
	return as, nil
}

// event is what the record says about g.
func (s *Service) event(kind audit.Kind, g *grant.Grant, r *Request) audit.Event {
	return audit.Event{At: s.Now(), Kind: kind, Subject: g.Subject, ClientID: r.Client.ID, Session: g.SessionID, Grant: g.ID, Address: r.Address}
}
