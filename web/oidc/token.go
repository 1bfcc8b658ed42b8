package oidc

import (
	"errors"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// tokenResponse is a token response (RFC 6749 §5.1).
type tokenResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"`
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`

	Details oauth.Details `json:"authorization_details,omitempty"` // RFC 9396 §7
	Issued  string        `json:"issued_token_type,omitempty"`     // RFC 8693 §2.2.1
	Session string        `json:"auth_session,omitempty"`          // OAuth 2.0 for First-Party Applications §6.1
	GrantID string        `json:"grant_id,omitempty"`              // Grant Management for OAuth 2.0 §5.2
}

// stepUp is the answer to a token request whose subject must authenticate further first (OAuth 2.0 for First-Party
// Applications §6.2).
type stepUp struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
	AuthSession string `json:"auth_session"`
}

// token serves the token endpoint (RFC 6749 §3.2).
func (d *Door) token(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("token")
	client, params, err := d.caller(c, t)
	if err != nil {
		wire.Error(c, err)
		return
	}
	wire.EventOf(c).Flow("token " + flowName(params.Get("grant_type")))
	proved, err := d.proved(c, t, discovery.Token)
	if err != nil {
		wire.Error(c, err)
		return
	}
	tokens, err := d.Tokens.Exchange(c.Request.Context(), t, &token.Request{Client: client, Params: params, Address: wire.AddressOf(c).String(), Proved: proved})
	if up, ok := errors.AsType[*token.StepUp](err); ok {
		e := oauth.ErrorOf(err)
		wire.EventOf(c).Fail(e)
		wire.JSON(c, http.StatusForbidden, stepUp{e.Code, e.Description, up.AuthSession})
		return
	}
	if err != nil {
		wire.Error(c, polled(err))
		return
	}
	managed := ""
	if tokens.Grant != nil {
		managed = tokens.Grant.Managed
	}
	wire.JSON(c, http.StatusOK, tokenResponse{GrantID: managed, AccessToken: tokens.AccessToken, TokenType: tokens.TokenType, ExpiresIn: int64(tokens.ExpiresIn.Seconds()),
		RefreshToken: tokens.RefreshToken, IDToken: tokens.IDToken, Scope: tokens.Scope.String(), Details: tokens.Details, Issued: tokens.Issued, Session: tokens.AuthSession})
}

// flowName is grantType if it is one of ours, so that logs and metrics hold no caller's words.
func flowName(grantType string) string {
	for _, name := range token.GrantTypes() {
		if name == grantType {
			return name
		}
	}
	return "unknown"
}

// caller reads the form and authenticates the client that sent it (RFC 6749 §2.3).
func (d *Door) caller(c *gin.Context, t *tenant.Tenant) (*tenant.Client, url.Values, error) {
	params, err := wire.Form(c, maxForm)
	if err != nil {
		return nil, nil, err
	}
	cred := clientauth.Credentials{FormID: params.Get("client_id"), FormSecret: params.Get("client_secret"), FormSecretSent: params.Has("client_secret"),
		AssertionType: params.Get("client_assertion_type"), Assertion: params.Get("client_assertion"),
		Address: wire.AddressOf(c).String()}
	if cred.BasicID, cred.BasicSecret, cred.Basic, err = wire.Basic(c); err != nil {
		return nil, nil, err
	}
	if cred.Certificate, err = wire.Certificate(c); err != nil {
		return nil, nil, err
	}
	if cred.Basic {
		wire.EventOf(c).Client(cred.BasicID)
	} else {
		wire.EventOf(c).Client(cred.FormID)
	}
	client, err := d.ClientAuth.Authenticate(c.Request.Context(), t, cred)
	if client != nil {
		wire.EventOf(c).Client(client.ID) // whom an assertion names is known only now
	}
	return client, params, err
}
