package authlete

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// serviceView is what the pages of an authorization server show of a tenant.
type serviceView struct {
	Key          int64  `json:"apiKey"`
	Number       int64  `json:"number"`
	Name         string `json:"serviceName"`
	AliasEnabled bool   `json:"clientIdAliasEnabled"`
	Attributes   []pair `json:"attributes,omitempty"`
}

// service is a tenant. Durations are seconds. It holds no private key.
type service struct {
	*serviceView
	Secret             string        `json:"apiSecret,omitempty"` // in the answer that made it
	Issuer             string        `json:"issuer,omitempty"`
	Authorization      string        `json:"authorizationEndpoint,omitempty"`
	Token              string        `json:"tokenEndpoint,omitempty"`
	Revocation         string        `json:"revocationEndpoint,omitempty"`
	Introspection      string        `json:"introspectionEndpoint,omitempty"`
	UserInfo           string        `json:"userInfoEndpoint,omitempty"`
	Registration       string        `json:"registrationEndpoint,omitempty"`
	JWKS               string        `json:"jwksUri,omitempty"`
	Scopes             []scopeObject `json:"supportedScopes,omitempty"`
	GrantTypes         []string      `json:"supportedGrantTypes,omitempty"`
	ResponseTypes      []string      `json:"supportedResponseTypes,omitempty"`
	AuthMethods        []string      `json:"supportedTokenAuthMethods,omitempty"`
	Displays           []string      `json:"supportedDisplays,omitempty"`
	ClaimTypes         []string      `json:"supportedClaimTypes,omitempty"`
	Claims             []string      `json:"supportedClaims,omitempty"`
	ACRs               []string      `json:"supportedAcrs,omitempty"`
	DetailsTypes       []string      `json:"supportedAuthorizationDetailsTypes,omitempty"`
	Prompts            []string      `json:"supportedPromptValues,omitempty"`
	TokenType          string        `json:"accessTokenType,omitempty"`
	TokenAlg           string        `json:"accessTokenSignAlg,omitempty"`
	TokenDuration      int64         `json:"accessTokenDuration,omitempty"`
	RefreshDuration    int64         `json:"refreshTokenDuration,omitempty"`
	IDTokenDuration    int64         `json:"idTokenDuration,omitempty"`
	CodeDuration       int64         `json:"authorizationCodeDuration,omitempty"`
	RefreshKept        bool          `json:"refreshTokenKept"`
	PKCES256           bool          `json:"pkceS256Required"`
	ErrorURIOmitted    bool          `json:"errorUriOmitted"`
	DynamicRegistering bool          `json:"dynamicRegistrationSupported"`
	LoopbackVariable   bool          `json:"loopbackRedirectionUriVariable"`
	backchannelService
	deviceService
}

// serviceOf describes t, as it was configured or by default.
func (d *Door) serviceOf(t *tenant.Tenant) *service {
	s, m := t.Settings, discovery.MetadataOf(t, d.Now())
	out := &service{serviceView: limitedService(t), Issuer: t.Issuer,
		Authorization: m.Authorize, Token: m.Token, Revocation: m.Revoke, Introspection: m.Introspect, UserInfo: m.UserInfo, Registration: m.Registration,
		JWKS: m.JWKS, Scopes: scopesOf(m.Scopes), GrantTypes: grantTypes.all(m.GrantTypes), ResponseTypes: responseTypes.all(m.ResponseTypes),
		AuthMethods: authMethods.all(clientauth.Methods(t)), Displays: upper(m.Displays), ClaimTypes: upper(m.ClaimTypes), Claims: m.Claims,
		ACRs: m.ACRValues, DetailsTypes: m.DetailsTypes, Prompts: upper(m.Prompts), TokenType: "Bearer",
		TokenDuration: int64(s.AccessTokenLifetime().Seconds()), RefreshDuration: int64(s.RefreshTokenLifetime().Seconds()),
		IDTokenDuration: int64(s.IDTokenLifetime().Seconds()), CodeDuration: int64(s.CodeLifetime().Seconds()),
		RefreshKept: s.Tokens.RefreshTokenKeep, PKCES256: true, ErrorURIOmitted: true, DynamicRegistering: s.Clients.OpenRegistration,
		LoopbackVariable: true, backchannelService: backchannelOf(s, &m), deviceService: deviceOf(s, &m)}
	if !s.Tokens.AccessTokenOpaque {
		out.TokenAlg = string(s.AccessTokenAlg())
	}
	return out
}

func limitedService(t *tenant.Tenant) *serviceView {
	return &serviceView{Key: t.ServiceID, Number: t.ServiceID, Name: cmp.Or(t.Settings.Name, string(t.ID)), AliasEnabled: true,
		Attributes: attributes(t.Settings.Attributes)}
}

func upper(vs []string) []string {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = strings.ToUpper(v)
	}
	return out
}

func (d *Door) serviceGet(c *call) (int, any, error) {
	return http.StatusOK, d.serviceOf(c.tenant), nil
}

// documentRequest asks for a document: how it is written, and what is changed in it.
type documentRequest struct {
	Pretty bool   `json:"pretty"`
	Patch  string `json:"patch"`
}

// document reads such a request from the query or the body.
func (c *call) document() (in documentRequest, err error) {
	if c.Request.Method == http.MethodPost && c.Request.ContentLength != 0 {
		return in, c.read(&in)
	}
	q, err := wire.Query(c.Context)
	if err != nil {
		return in, err
	}
	in.Patch = q.Get("patch")
	in.Pretty, err = boolean(q.Get("pretty"))
	return in, err
}

// configuration tells what the service says of itself (OpenID Connect Discovery 1.0 §3).
func (d *Door) configuration(c *call) (int, any, error) {
	in, err := c.document()
	if err != nil {
		return 0, nil, err
	}
	doc, err := json.Marshal(discovery.MetadataOf(c.tenant, d.Now()))
	if err == nil && in.Patch != "" {
		doc, err = patched(doc, in.Patch)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, spaced(doc, in.Pretty), nil
}

// jwks tells the public keys of the service. Private ones leave the server for nobody.
func (d *Door) jwks(c *call) (int, any, error) {
	in, err := c.document()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, spaced(c.tenant.Keys.JWKS(d.Now()), in.Pretty), nil
}
