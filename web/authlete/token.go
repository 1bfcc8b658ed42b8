package authlete

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// clientCredentials are those of the client's Basic header. Others are in the parameters.
type clientCredentials struct {
	ClientID     string `json:"clientId"`
	ClientSecret string `json:"clientSecret"`
}

// clientRequest hands over a request of a client as it came: the form body, and the Basic header.
type clientRequest struct {
	Parameters string `json:"parameters"`
	clientCredentials
	clientCertificate
}

// tokenRequest hands over a token request.
type tokenRequest struct {
	clientRequest
	Properties      propertyList `json:"properties"`
	AccessDuration  int64        `json:"accessTokenDuration"`
	RefreshDuration int64        `json:"refreshTokenDuration"`
	TokenClaims     string       `json:"jwtAtClaims"`
	AccessToken     string       `json:"accessToken"`
	dpopProof
}

// propertyList is an array of properties, or a string that holds one.
type propertyList []property

// UnmarshalJSON reads both forms.
func (l *propertyList) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) == nil {
		if text == "" {
			return nil
		}
		return wire.DecodeJSON(text, (*[]property)(l))
	}
	return json.Unmarshal(b, (*[]property)(l))
}

// tokenAnswer is the client's answer, and what it is made of. Times are milliseconds, durations seconds.
type tokenAnswer struct {
	result
	AccessToken       string        `json:"accessToken,omitempty"`
	AccessExpiresAt   int64         `json:"accessTokenExpiresAt,omitempty"`
	AccessDuration    int64         `json:"accessTokenDuration,omitempty"`
	RefreshToken      string        `json:"refreshToken,omitempty"`
	RefreshExpiresAt  int64         `json:"refreshTokenExpiresAt,omitempty"`
	RefreshDuration   int64         `json:"refreshTokenDuration,omitempty"`
	IDToken           string        `json:"idToken,omitempty"`
	JWTAccessToken    string        `json:"jwtAccessToken,omitempty"`
	GrantType         string        `json:"grantType,omitempty"`
	AuthMethod        string        `json:"clientAuthMethod,omitempty"`
	Subject           string        `json:"subject,omitempty"`
	Scopes            []string      `json:"scopes,omitempty"`
	RefreshScopes     []string      `json:"refreshTokenScopes,omitempty"`
	Resources         []string      `json:"resources,omitempty"`
	AccessResources   []string      `json:"accessTokenResources,omitempty"`
	Properties        []property    `json:"properties,omitempty"`
	Details           *authzDetails `json:"authorizationDetails,omitempty"`
	GrantID           string        `json:"grantId,omitempty"`
	ServiceAttributes []pair        `json:"serviceAttributes,omitempty"`
	dpopNonce
	*clientRef
	undecided
}

// undecided is what the authorization server is handed when it decides itself.
type undecided struct {
	Ticket             string   `json:"ticket,omitempty"`
	Username           string   `json:"username,omitempty"`
	Password           string   `json:"password,omitempty"`
	Audiences          []string `json:"audiences,omitempty"`
	RequestedTokenType string   `json:"requestedTokenType,omitempty"`
	SubjectToken       string   `json:"subjectToken,omitempty"`
	SubjectTokenType   string   `json:"subjectTokenType,omitempty"`
	ActorToken         string   `json:"actorToken,omitempty"`
	ActorTokenType     string   `json:"actorTokenType,omitempty"`
	Assertion          string   `json:"assertion,omitempty"`

	SubjectTokenInfo *tokenInfo `json:"subjectTokenInfo,omitempty"`
	ActorTokenInfo   *tokenInfo `json:"actorTokenInfo,omitempty"`

	RequestedIDTokenClaims []string `json:"requestedIdTokenClaims,omitempty"`
}

// token serves a token request.
func (d *Door) token(c *call) (answer, error) {
	var in tokenRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.AccessToken != "" {
		return nil, oauth.InvalidRequest("accessToken is not supported")
	}
	properties, err := propertiesOf(in.Properties)
	if err != nil {
		return nil, err
	}
	wish := token.Wish{AccessLifetime: in.AccessDuration, RefreshLifetime: in.RefreshDuration, Twin: true}
	if wish.Claims, err = objectIn("jwtAtClaims", in.TokenClaims); err != nil {
		return nil, err
	}
	client, params, refused := d.caller(c, &in.clientRequest)
	out := &tokenAnswer{dpopNonce: d.nonce(c, &in.dpopProof)}
	if client != nil {
		out.clientRef = refOf(client)
	}
	if refused != nil {
		return c.refused(out, refused)
	}
	out.GrantType = grantTypes.here(params.Get("grant_type"))
	r := &token.Request{Client: client, Params: params, Address: c.address(), Wish: wish}
	if r.Proved, err = d.proved(c.Request.Context(), c, &in.dpopProof, &in.clientCertificate, discovery.Token); err != nil {
		return c.refused(out, err)
	}
	tokens, pending, err := d.Tokens.Open(c.Request.Context(), c.tenant, r)
	if errors.Is(err, token.ErrWish) {
		return nil, oauth.InvalidRequest("jwtAtClaims are more than fits into a token beside the claims agreed").Because(err)
	}
	if err != nil {
		return c.refused(out, err)
	}
	if pending != nil {
		return d.handOver(c, out, pending, params)
	}
	properties = append(properties, tokens.Grant.Terms.Properties...)
	out.tokens(d.Now(), client, &tokens, properties)
	out.ServiceAttributes = attributes(c.tenant.Settings.Attributes)
	out.Resources = params["resource"]
	out.result = c.outcome(success, "The token response was made.").result(okay, response(&tokens, properties))
	if out.GrantType == grantTypes.here(oauth.RefreshToken) && c.tenant.Settings.Tokens.IDTokenReissue && tokens.Scope.Has(oauth.OpenID) {
		out.Action, out.RequestedIDTokenClaims = idTokenReissuable, tokens.Grant.Terms.IDTokenClaims
	}
	return out, nil
}

// caller reads the parameters of a client's request and authenticates the client. The error is one that the client is
// told, or ours.
func (d *Door) caller(c *call, in *clientRequest) (*tenant.Client, url.Values, error) {
	if in.Parameters == "" {
		return nil, nil, oauth.InvalidRequest("The API call has no parameters.")
	}
	params, err := wire.Parameters(in.Parameters)
	if err != nil {
		return nil, nil, err
	}
	cred := clientauth.Credentials{FormID: params.Get("client_id"), FormSecret: params.Get("client_secret"), FormSecretSent: params.Has("client_secret"),
		AssertionType: params.Get("client_assertion_type"), Assertion: params.Get("client_assertion"),
		BasicID: in.ClientID, BasicSecret: in.ClientSecret, Basic: in.ClientID != "" || in.ClientSecret != "", Address: c.address()}
	if cred.Certificate, err = in.presented(); err != nil {
		return nil, nil, err
	}
	if cred.Basic {
		wire.EventOf(c.Context).Client(cred.BasicID)
	} else {
		wire.EventOf(c.Context).Client(cred.FormID)
	}
	client, err := d.ClientAuth.Authenticate(c.Request.Context(), c.tenant, cred)
	if client != nil {
		wire.EventOf(c.Context).Client(client.ID) // whom an assertion names is known only now
	}
	return client, params, err
}

// refused has out tell the client err, unless that is our fault.
func (c *call) refused(out answer, err error) (answer, error) {
	if wire.StatusOf(err) >= http.StatusInternalServerError {
		return nil, err
	}
	e := oauth.ErrorOf(err)
	a, class := badRequest, clients
	switch {
	case e.Code == "invalid_client":
		a = invalidClient
	case errors.Is(err, token.ErrNoChallenge):
		class = noChallenge
	}
	*out.common() = c.refuse(c.outcome(class, e.Description), a, refusal{err: e})
	return out, nil
}

// tokens says what was issued to client at now.
func (a *tokenAnswer) tokens(now time.Time, client *tenant.Client, t *grant.Tokens, properties []grant.Property) {
	now = now.Truncate(time.Second)
	a.AccessToken = t.AccessToken
	if t.Twin != "" {
		a.AccessToken, a.JWTAccessToken = t.Twin, t.AccessToken
	}
	a.AccessDuration = int64(t.ExpiresIn.Seconds())
	a.AccessExpiresAt = now.Add(t.ExpiresIn).UnixMilli()
	a.IDToken, a.Scopes, a.AccessResources, a.Details = t.IDToken, t.Scope, t.Audience, detailsOf(t.Details)
	a.AuthMethod = authMethodOf(client)
	if t.Grant.ID != "" {
		a.Subject, a.GrantID = t.Grant.Subject, t.Grant.Managed
	}
	if t.RefreshToken != "" && t.Refresh != nil {
		a.RefreshToken, a.RefreshScopes = t.RefreshToken, t.Grant.Terms.Scope
		a.RefreshExpiresAt = t.Refresh.End().UnixMilli()
		a.RefreshDuration = int64(t.Refresh.End().Sub(now).Seconds())
	}
	for _, p := range properties {
		a.Properties = append(a.Properties, property(p))
	}
}

// response is the token response (RFC 6749 §5.1) with those properties that are not hidden and take no other's name.
func response(t *grant.Tokens, properties []grant.Property) string {
	out := map[string]any{}
	for _, p := range properties {
		if !p.Hidden && !responseMembers[p.Key] {
			out[p.Key] = p.Value
		}
	}
	out["access_token"], out["token_type"], out["expires_in"] = t.AccessToken, t.TokenType, int64(t.ExpiresIn.Seconds())
	for name, v := range map[string]string{"refresh_token": t.RefreshToken, "id_token": t.IDToken, "scope": t.Scope.String(), "issued_token_type": t.Issued} {
		if v != "" {
			out[name] = v
		}
	}
	if len(t.Details) > 0 {
		out["authorization_details"] = t.Details
	}
	if t.Grant != nil && t.Grant.Managed != "" {
		out["grant_id"] = t.Grant.Managed
	}
	b, _ := json.Marshal(out) // strings and a number always can be
	return string(b)
}

// responseMembers are the registered members of a token response (RFC 6749 §11.4), and of an error.
var responseMembers = map[string]bool{
	"access_token": true, "token_type": true, "expires_in": true, "refresh_token": true, "scope": true, "id_token": true, "state": true,
	"error": true, "error_description": true, "error_uri": true, "issued_token_type": true, "authorization_details": true, "grant_id": true,
	"device_secret": true, "c_nonce": true, "c_nonce_expires_in": true,
}
