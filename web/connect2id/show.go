package connect2id

import (
	"encoding/json"
	"net/http"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/web/wire"
)

// authzSession is an authorisation session: the request as it was understood, and the subject session it is bound to.
type authzSession struct {
	AuthReq authRequest     `json:"auth_req"`
	SubSID  string          `json:"sub_sid,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// authRequest is an authorization request in effect: with the redirect URI that was left out, and the client's defaults.
type authRequest struct {
	ResponseType        string          `json:"response_type"`
	ResponseMode        string          `json:"response_mode,omitempty"`
	ClientID            string          `json:"client_id"`
	RedirectURI         string          `json:"redirect_uri"`
	Scope               []string        `json:"scope"`
	State               string          `json:"state,omitempty"`
	Nonce               string          `json:"nonce,omitempty"`
	Display             string          `json:"display,omitempty"`
	Prompt              []string        `json:"prompt,omitempty"`
	MaxAge              *int64          `json:"max_age,omitempty"`
	UILocales           []string        `json:"ui_locales,omitempty"`
	IDTokenHint         string          `json:"id_token_hint,omitempty"`
	LoginHint           string          `json:"login_hint,omitempty"`
	ACRValues           []string        `json:"acr_values,omitempty"`
	Claims              json.RawMessage `json:"claims,omitempty"`
	ClaimsLocales       []string        `json:"claims_locales,omitempty"`
	Purpose             string          `json:"purpose,omitempty"`
	Resource            []string        `json:"resource,omitempty"`
	Details             oauth.Details   `json:"authorization_details,omitempty"`
	CodeChallenge       string          `json:"code_challenge,omitempty"`
	CodeChallengeMethod string          `json:"code_challenge_method,omitempty"`
}

// show answers with the parsed request.
func (d *Door) show(c *call) error {
	p, err := d.load(c)
	if err != nil {
		return err
	}
	if err := d.Authorize.Resume(c.Request.Context(), c.tenant, p); err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, authzSession{AuthReq: requestOf(p.Request), SubSID: p.SID, Data: p.Data})
	return nil
}

func requestOf(r *request.Request) authRequest {
	out := authRequest{ResponseType: r.ResponseType, ResponseMode: r.ModeAsked, ClientID: r.ClientID, RedirectURI: r.RedirectURI, Scope: list(r.Scope),
		State: r.State, Nonce: r.Nonce, Display: r.Display, Prompt: r.Prompt.Values(), MaxAge: r.MaxAge, UILocales: r.UILocales, IDTokenHint: r.IDTokenHint,
		LoginHint: r.LoginHint, ACRValues: r.ACRValues, Claims: r.RawClaims, ClaimsLocales: r.ClaimsLocales, Purpose: r.Purpose, Resource: r.Resource, Details: r.Details, CodeChallenge: r.CodeChallenge}
	if r.CodeChallenge != "" {
		out.CodeChallengeMethod = oauth.S256
	}
	return out
}

// list returns vs so that an empty list is written as [].
func list(vs []string) []string {
	if vs == nil {
		return []string{}
	}
	return vs
}
