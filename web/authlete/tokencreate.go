package authlete

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/web/wire"
)

// tokenCreateRequest asks for tokens at once.
type tokenCreateRequest struct {
	GrantType       string       `json:"grantType"`
	Number          int64        `json:"clientId"`
	Client          string       `json:"clientIdentifier"`
	Subject         string       `json:"subject"`
	Scopes          []string     `json:"scopes"`
	Resources       []string     `json:"resources"`
	AccessDuration  int64        `json:"accessTokenDuration"`
	RefreshDuration int64        `json:"refreshTokenDuration"`
	Properties      propertyList `json:"properties"`
	AccessToken     string       `json:"accessToken"`
	RefreshToken    string       `json:"refreshToken"`
	Persistent      bool         `json:"accessTokenPersistent"`
	Certificate     string       `json:"certificateThumbprint"`
	Key             string       `json:"dpopKeyThumbprint"`
	Details         authzDetails `json:"authorizationDetails"`
	External        bool         `json:"forExternalAttachment"`
	TokenClaims     string       `json:"jwtAtClaims"`
	ACR             string       `json:"acr"`
	AuthTime        int64        `json:"authTime"`
}

// tokenCreateAnswer tells of the tokens that were made. expiresAt is in milliseconds, durations are in seconds.
type tokenCreateAnswer struct {
	result
	AccessToken   string        `json:"accessToken,omitempty"`
	RefreshToken  string        `json:"refreshToken,omitempty"`
	JWT           string        `json:"jwtAccessToken,omitempty"`
	TokenType     string        `json:"tokenType,omitempty"`
	TokenID       string        `json:"tokenId,omitempty"`
	ExpiresIn     int64         `json:"expiresIn,omitempty"`
	ExpiresAt     int64         `json:"expiresAt,omitempty"`
	GrantType     string        `json:"grantType,omitempty"`
	Number        int64         `json:"clientId,omitempty"`
	Client        string        `json:"clientIdentifier,omitempty"`
	Subject       string        `json:"subject,omitempty"`
	Scopes        []string      `json:"scopes,omitempty"`
	RefreshScopes []string      `json:"refreshTokenScopes,omitempty"`
	Properties    []property    `json:"properties,omitempty"`
	Details       *authzDetails `json:"authorizationDetails,omitempty"`
	External      bool          `json:"forExternalAttachment"`
}

// unkept are members that cannot be honoured, with why: of these calls, those that are asked for.
func unkept(refreshToken string, persistent, external bool) error {
	switch {
	case refreshToken != "":
		return oauth.InvalidRequest("refreshToken is not supported: refresh tokens are derived from their grant")
	case persistent:
		return oauth.InvalidRequest("accessTokenPersistent is not supported: every access token ends")
	case external:
		return oauth.InvalidRequest("forExternalAttachment is not supported")
	}
	return nil
}

// tokenCreate makes tokens that the authorization server has decided about by itself.
func (d *Door) tokenCreate(c *call) (answer, error) {
	var in tokenCreateRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	out := &tokenCreateAnswer{}
	wanted, err := d.creation(c, &in)
	if err != nil {
		return c.managed(out, err)
	}
	wire.EventOf(c.Context).Client(wanted.ClientID)
	tokens, err := d.Tokens.Create(c.Request.Context(), c.tenant, wanted)
	if err != nil {
		return c.managed(out, err)
	}
	client, err := c.tenant.Clients.Client(c.Request.Context(), wanted.ClientID)
	if err != nil {
		return nil, err
	}
	now := d.Now().Truncate(time.Second)
	out.AccessToken, out.RefreshToken, out.TokenType = tokens.AccessToken, tokens.RefreshToken, tokens.TokenType
	if tokens.Twin != "" {
		out.AccessToken, out.JWT = tokens.Twin, tokens.AccessToken
	}
	out.TokenID = hashOf(out.AccessToken)
	out.ExpiresIn, out.ExpiresAt = int64(tokens.ExpiresIn/time.Second), now.Add(tokens.ExpiresIn).UnixMilli()
	out.GrantType, out.Number, out.Client, out.Subject = in.GrantType, client.Number, client.ID, wanted.Subject
	out.Scopes, out.Details = tokens.Scope, detailsOf(tokens.Details)
	if tokens.RefreshToken != "" {
		out.RefreshScopes = tokens.Scope
	}
	for _, p := range wanted.Properties {
		out.Properties = append(out.Properties, property(p))
	}
	out.result = c.outcome(success, "The tokens were made.").result(okay, "")
	return out, nil
}

// hashOf names a stored access token.
func hashOf(token string) string { return base64.RawURLEncoding.EncodeToString(grant.Hash(token)) }

// creation says it in the flow's words.
func (d *Door) creation(c *call, in *tokenCreateRequest) (*token.Creation, error) {
	if err := unkept(in.RefreshToken, in.Persistent, in.External); err != nil {
		return nil, err
	}
	out := &token.Creation{Subject: in.Subject, Scope: in.Scopes, Resources: in.Resources, Value: in.AccessToken,
		Bound: oauth.Confirmation{JKT: in.Key, X5T: in.Certificate}, Login: grant.Login{ACR: in.ACR, AuthTime: max(in.AuthTime, 0), TellAuthTime: in.AuthTime > 0},
		Wish: token.Wish{AccessLifetime: max(in.AccessDuration, 0), RefreshLifetime: max(in.RefreshDuration, 0), Twin: true}, Actor: wire.TokenOf(c.Context).ID, Address: c.address()}
	var err error
	if out.GrantType, _ = grantTypes.standard(in.GrantType); out.GrantType == "" || out.GrantType == oauth.RefreshToken {
		return nil, oauth.InvalidRequest("grantType is missing, or none that tokens can be created as")
	}
	if in.Number > 0 {
		in.Client = strconv.FormatInt(in.Number, 10)
	}
	if in.Client == "" {
		return nil, oauth.InvalidRequest("The API call names no client.")
	}
	if out.ClientID, err = d.Clients.Numbered(c.Request.Context(), c.tenant, in.Client); err != nil {
		return nil, err
	}
	if out.Properties, err = propertiesOf(in.Properties); err != nil {
		return nil, err
	}
	if out.Wish.Claims, err = objectIn("jwtAtClaims", in.TokenClaims); err != nil {
		return nil, err
	}
	details, err := in.Details.details()
	if err != nil {
		return nil, err
	}
	if details != nil {
		out.Details = *details
	}
	return out, nil
}

// managed has out say why a token was not made or changed, unless that is our fault.
func (c *call) managed(out answer, err error) (answer, error) {
	if wire.StatusOf(err) >= http.StatusInternalServerError {
		return nil, err
	}
	wire.EventOf(c.Context).Fail(err)
	e := oauth.ErrorOf(err)
	a := badRequest
	switch e.Code {
	case "unauthorized_client", "access_denied":
		a = forbidden
	}
	*out.common() = c.outcome(misuse, cmp.Or(e.Description, "The API call cannot be served.")).result(a, "")
	return out, nil
}
