package authlete

import (
	"net/http"
	"strings"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// introspectionRequest asks about an access token, and says what a resource demands of it.
type introspectionRequest struct {
	presentedToken
	Scopes    []string `json:"scopes"`
	Subject   string   `json:"subject"`
	Resources []string `json:"resources"`
	ACRValues []string `json:"acrValues"`
	MaxAge    int64    `json:"maxAge"`
}

// introspectionAnswer says all of a token that is alive.
type introspectionAnswer struct {
	result
	Subject           string        `json:"subject,omitempty"`
	Scopes            []string      `json:"scopes,omitempty"`
	ScopeDetails      []scopeObject `json:"scopeDetails,omitempty"`
	ExpiresAt         int64         `json:"expiresAt,omitempty"`
	Existent          bool          `json:"existent"`
	Usable            bool          `json:"usable"`
	Sufficient        bool          `json:"sufficient"`
	Refreshable       bool          `json:"refreshable"`
	Properties        []property    `json:"properties,omitempty"`
	Resources         []string      `json:"resources,omitempty"`
	AccessResources   []string      `json:"accessTokenResources,omitempty"`
	Consented         []string      `json:"consentedClaims,omitempty"`
	Details           *authzDetails `json:"authorizationDetails,omitempty"`
	ACR               string        `json:"acr,omitempty"`
	AuthTime          int64         `json:"authTime,omitempty"`
	Certificate       string        `json:"certificateThumbprint,omitempty"`
	GrantType         string        `json:"grantType,omitempty"`
	GrantID           string        `json:"grantId,omitempty"`
	Grant             *grantView    `json:"grant,omitempty"`
	ServiceAttributes []pair        `json:"serviceAttributes,omitempty"`
	dpopNonce
	*clientRef
}

// byDefault is what a resource may answer with if it finds fault by itself.
const byDefault = ` error="invalid_request"`

// introspection tells a resource server about an access token.
func (d *Door) introspection(c *call) (answer, error) {
	var in introspectionRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &introspectionAnswer{}
	if in.Token == "" {
		out.result = c.refuse(c.outcome(clients, "The API call has no token."), badRequest, refusal{err: oauth.InvalidRequest("")})
		return out, nil
	}
	p, err := in.presented("")
	if err != nil {
		return nil, err
	}
	out.dpopNonce = d.nonce(c, &in.dpopProof)
	st, err := d.Access.Examine(c.Request.Context(), c.tenant, p, access.Demands{Scope: in.Scopes, Subject: in.Subject,
		Resources: in.Resources, ACRValues: in.ACRValues, MaxAge: in.MaxAge})
	if st != nil {
		out.standing(c.tenant, st)
		out.Sufficient = oauth.Scope(in.Scopes).Within(st.Token.Scope)
	}
	if err == nil {
		out.result = c.outcome(success, "The access token is valid.").result(okay, schemeOf(p.DPoP)+byDefault)
		return out, nil
	}
	out.result, err = c.resourceRefusal(err, refusal{dpop: p.DPoP, scope: strings.Join(in.Scopes, " "), acrs: strings.Join(in.ACRValues, " "), maxAge: in.MaxAge})
	return out, err
}

// standing says what is known of a token.
func (a *introspectionAnswer) standing(t *tenant.Tenant, st *access.Standing) {
	a.clientRef = refOf(st.Client)
	a.ServiceAttributes = attributes(t.Settings.Attributes)
	a.Subject, a.Scopes, a.ScopeDetails = st.Subject(), st.Token.Scope, scopesOf(t, st.Token.Scope)
	a.ExpiresAt = st.Token.ExpiresAt.UnixMilli()
	a.Existent, a.Usable, a.Refreshable = true, true, st.Refreshable
	a.AccessResources, a.Details, a.Certificate = st.Resources(t), detailsOf(st.Token.Details), st.Token.Confirmation.X5T
	a.GrantType = grantTypes.here(oauth.ClientCredentials)
	if g := st.Grant; g != nil {
		a.Resources, a.Consented, a.ACR, a.AuthTime = g.Terms.Audience, g.Terms.Consented, g.Terms.Login.ACR, g.Terms.Login.AuthTime
		for _, p := range g.Terms.Properties {
			a.Properties = append(a.Properties, property(p))
		}
		a.GrantType = grantTypes.here(g.Type())
		if a.GrantID = g.Managed; a.GrantID != "" {
			a.Grant = viewOfGrant(g)
		}
	}
}

// resourceRefusals are what a protected resource does for an error code, and which parts of the challenge go with it.
var resourceRefusals = map[string]struct {
	action action
	cut    func(refusal) refusal
}{
	"invalid_token":                    {unauthorized, func(r refusal) refusal { return refusal{err: r.err, dpop: r.dpop} }},
	"invalid_dpop_proof":               {unauthorized, func(r refusal) refusal { return refusal{err: r.err, dpop: r.dpop} }}, // RFC 9449 §7.1
	"use_dpop_nonce":                   {unauthorized, func(r refusal) refusal { return refusal{err: r.err, dpop: r.dpop} }}, // RFC 9449 §9
	"insufficient_scope":               {forbidden, func(r refusal) refusal { return refusal{err: r.err, dpop: r.dpop, scope: r.scope} }},
	"invalid_request":                  {forbidden, func(r refusal) refusal { return refusal{err: r.err, dpop: r.dpop} }},
	"insufficient_user_authentication": {unauthorized, func(r refusal) refusal { return refusal{err: r.err, dpop: r.dpop, acrs: r.acrs, maxAge: r.maxAge} }},
}

// resourceRefusal words err, which access says of a token, unless that is our fault.
func (c *call) resourceRefusal(err error, r refusal) (result, error) {
	e := oauth.ErrorOf(err)
	how, ok := resourceRefusals[e.Code]
	if !ok || wire.StatusOf(err) >= http.StatusInternalServerError {
		return result{}, err
	}
	r.err, r.dpop = e, r.dpop || access.Bound(err)
	return c.refuse(c.outcome(clients, e.Description), how.action, how.cut(r)), nil
}
