package connect2id

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// directRequest asks for tokens without a subject being asked: for whom, for which client, and as in a consentUpdate what
// is granted and how the tokens shall be.
type directRequest struct {
	Sub               string          `json:"sub"`
	SubSession        *login          `json:"sub_session"`
	SubSID            string          `json:"sub_sid"`
	ClientID          string          `json:"client_id"`
	Scope             []string        `json:"scope"`
	Audience          []string        `json:"audience"`
	Claims            []string        `json:"claims"`
	ClaimsLocales     []string        `json:"claims_locales"`
	ClaimsTransport   string          `json:"claims_transport"`
	PresetClaims      presetClaims    `json:"preset_claims"`
	ClaimsData        json.RawMessage `json:"claims_data"`
	LongLived         bool            `json:"long_lived"`
	IssueRefreshToken *bool           `json:"issue_refresh_token"` // where it stood first
	RefreshToken      refreshToken    `json:"refresh_token"`
	AccessToken       accessToken     `json:"access_token"`
	IDToken           idToken         `json:"id_token"`
	ImpersonatedSub   string          `json:"impersonated_sub"`
	Data              json.RawMessage `json:"data"`
}

// directResponse is a token response (RFC 6749 §5.1), and the session that was begun.
type directResponse struct {
	AccessToken  string `json:"access_token"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int64  `json:"expires_in"` // seconds
	RefreshToken string `json:"refresh_token,omitempty"`
	IDToken      string `json:"id_token,omitempty"`
	Scope        string `json:"scope,omitempty"`
	SubSID       string `json:"sub_sid,omitempty"`
}

// direct serves a direct authorization.
func (d *Door) direct(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("direct")
	var in directRequest
	err := wire.ReadJSON(c, maxBody, &in)
	var r authorize.DirectRequest
	if err == nil {
		wire.EventOf(c).Client(in.ClientID)
		r, err = in.request()
	}
	if err != nil {
		wire.Error(c, err)
		return
	}
	r.Actor, r.Address = wire.TokenOf(c).ID, address(c)
	out, err := d.Authorize.Direct(c.Request.Context(), t, r)
	if err != nil {
		failDirect(c, err)
		return
	}
	wire.JSON(c, http.StatusOK, directResponse{AccessToken: out.AccessToken, TokenType: out.TokenType, ExpiresIn: int64(out.ExpiresIn.Seconds()),
		RefreshToken: out.RefreshToken, IDToken: out.IDToken, Scope: out.Scope.String(), SubSID: out.SID})
}

// request says it in the flow's words. Unlike consent it is not remembered unless it says so.
func (in *directRequest) request() (r authorize.DirectRequest, err error) {
	if err := in.who(&r); err != nil {
		return r, err
	}
	if r.ClientID = in.ClientID; in.ClientID == "" {
		return r, oauth.InvalidRequest("client_id is missing")
	}
	u := consentUpdate{Scope: in.Scope, Audience: in.Audience, Claims: in.Claims, ClaimsLocales: in.ClaimsLocales, PresetClaims: in.PresetClaims, ClaimsData: in.ClaimsData,
		LongLived: &in.LongLived, IssueRefreshToken: in.IssueRefreshToken, RefreshToken: in.RefreshToken, AccessToken: in.AccessToken, IDToken: in.IDToken,
		ImpersonatedSub: in.ImpersonatedSub, Data: in.Data}
	if r.Consent, err = u.consent(false); err != nil {
		return r, err
	}
	switch in.ClaimsTransport {
	case "", "USERINFO":
	case "ID_TOKEN":
		r.Claims = make([]string, len(in.Claims))
		for i, name := range in.Claims {
			if r.Claims[i] = name; !strings.HasPrefix(name, accessTokenPrefix) {
				r.Claims[i] = idTokenPrefix + strings.TrimPrefix(name, idTokenPrefix)
			}
		}
	default:
		return r, oauth.InvalidRequest("claims_transport must be USERINFO or ID_TOKEN")
	}
	return r, nil
}

// What sends a claim into the ID token, and into the access token.
const (
	idTokenPrefix     = "id_token:"
	accessTokenPrefix = "access_token:"
)

// who reads the one of three members that says for whom the tokens are.
func (in *directRequest) who(r *authorize.DirectRequest) error {
	given := 0
	for _, there := range []bool{in.Sub != "", in.SubSession != nil, in.SubSID != ""} {
		if there {
			given++
		}
	}
	if given != 1 {
		return oauth.InvalidRequest("exactly one of sub, sub_session and sub_sid must be given")
	}
	r.Subject, r.SID = in.Sub, in.SubSID
	if in.SubSession == nil {
		return nil
	}
	if in.SubSession.Sub == "" {
		return oauth.InvalidRequest("sub_session.sub is missing")
	}
	l, err := in.SubSession.login("sub_session.")
	r.Login = &l
	return err
}

// directErrors are the refusals that have a status of their own. What is another tenant's is as unknown as any.
var directErrors = []struct {
	cause  error
	status int
	err    *oauth.Error
}{
	{tenant.ErrNoClient, 460, &oauth.Error{Code: "invalid_client_id", Description: "The client is unknown or disabled"}},
	{session.ErrNotFound, 461, &oauth.Error{Code: "invalid_subject_session_id", Description: "The subject session is unknown or over"}},
	{authorize.ErrMetadata, 462, &oauth.Error{Code: "client_metadata_conflict", Description: "The tenant has no key for the ID token algorithm that the client registered"}},
}

func failDirect(c *gin.Context, err error) {
	for _, e := range directErrors {
		if errors.Is(err, e.cause) {
			err = &wire.Status{Err: e.err.Because(err), HTTP: e.status}
			break
		}
	}
	wire.Error(c, err)
}
