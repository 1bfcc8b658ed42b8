// Package firstparty is the door for first-party clients that authenticate their users without a browser (OAuth 2.0 for
// First-Party Applications), in the words of Janssen Server.
package firstparty

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/challenge"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Door serves the authorization challenge endpoint. It reads no cookie and lets no other origin read its answers: else a
// page could turn the session of a browser into a code.
type Door struct {
	Challenge *challenge.Service
	Browser   Browser
	Aliases   discovery.Aliases
	Now       func() time.Time
}

// Browser keeps what the server knows of a browser.
type Browser interface {
	// Signed gives the browser the handle of its login session.
	Signed(c *gin.Context, t *tenant.Tenant, sid string)
}

// Janssen is where Janssen Server has the endpoint.
const Janssen = "/jans-auth/restv1/authorize-challenge"

// Mount registers the endpoint.
func (d *Door) Mount(r *wire.Router) {
	for _, path := range []string{discovery.Challenge, Janssen} {
		r.Public(http.MethodPost, path, d.challenge)
	}
}

// granted is the answer that ends an exchange.
type granted struct {
	Code        string `json:"authorization_code"`
	AuthSession string `json:"auth_session,omitempty"`
}

// redirected is the answer that sends the user to the authorization endpoint.
type redirected struct {
	Error      string `json:"error"`
	RequestURI string `json:"request_uri,omitempty"`
	ExpiresIn  int64  `json:"expires_in,omitempty"`
}

// challenge serves one call.
func (d *Door) challenge(c *gin.Context, t *tenant.Tenant) {
	ev := wire.EventOf(c)
	ev.Flow("challenge")
	params, err := form(c)
	var a challenge.Answer
	if err == nil {
		a, err = d.step(c, t, params)
	}
	switch {
	case err != nil:
		wire.ErrorTo(c, worded(err), echo(params.Get("state")))
	case a.Code != "":
		if a.SID != "" {
			d.Browser.Signed(c, t, a.SID)
		}
		wire.JSON(c, http.StatusOK, granted{a.Code, a.AuthSession})
	case a.Web != nil:
		ev.Fail(&oauth.Error{Code: challenge.RedirectToWeb})
		wire.JSON(c, http.StatusBadRequest, redirected{challenge.RedirectToWeb, a.Web.RequestURI, int64(a.Web.ExpiresIn / time.Second)})
	default:
		ev.Fail(&oauth.Error{Code: a.Error})
		wire.JSON(c, http.StatusUnauthorized, asked(a))
	}
}

// asked is the answer of a step that wants more, or refuses, in the style of the client: error is the code of the step, or
// that which the draft has for all of them. What goes with a code is the member of its name.
func asked(a challenge.Answer) map[string]any {
	body := map[string]any{"error": a.Error}
	if a.Style == oauth.StyleDraft && !a.Over {
		body = map[string]any{"error": oauth.InsufficientAuthorization("").Code, a.Error: true}
	}
	if a.Data != nil && !a.Over {
		body[a.Error] = a.Data
	}
	if a.Description != "" {
		body["error_description"] = a.Description
	}
	if a.AuthSession != "" {
		body["auth_session"] = a.AuthSession
		if a.Former {
			body["device_session"] = a.AuthSession
		}
	}
	return body
}

// maxForm is the longest form body read, in bytes.
const maxForm = 64 << 10

// form reads the parameters. The published exchanges show no content type, so that one is not demanded.
func form(c *gin.Context) (url.Values, error) {
	if c.Request.Header["Content-Type"] == nil {
		c.Request.Header["Content-Type"] = []string{"application/x-www-form-urlencoded"}
	}
	return wire.Form(c, maxForm)
}

// step hands the call to the flow.
func (d *Door) step(c *gin.Context, t *tenant.Tenant, params url.Values) (challenge.Answer, error) {
	cred := clientauth.Credentials{FormID: params.Get("client_id"), FormSecret: params.Get("client_secret"), FormSecretSent: params.Has("client_secret"),
		AssertionType: params.Get("client_assertion_type"), Assertion: params.Get("client_assertion"),
		Address: wire.AddressOf(c).String()}
	var err error
	if cred.BasicID, cred.BasicSecret, cred.Basic, err = wire.Basic(c); err != nil {
		return challenge.Answer{}, err
	}
	if cred.Certificate, err = wire.Certificate(c); err != nil {
		return challenge.Answer{}, err
	}
	if wire.EventOf(c).Client(cred.FormID); cred.Basic {
		wire.EventOf(c).Client(cred.BasicID)
	}
	in := challenge.Request{Credentials: cred, Params: params, UserAgent: c.Request.UserAgent(), Proof: proof.Request{Proofs: wire.Proofs(c), Method: http.MethodPost,
		URL: t.Issuer + discovery.Challenge, Alias: d.Aliases.Of(t, discovery.Challenge)}}
	if strings.HasSuffix(strings.TrimSuffix(c.Request.URL.Path, "/"), Janssen) {
		in.Proof.URL, in.Proof.Alias = t.Issuer+Janssen, in.Proof.URL
	}
	if len(in.Proof.Proofs) > 0 && t.Settings.DPoP.RequireNonce {
		wire.Nonce(c, proof.Nonce(t, d.Now()))
	}
	a, err := d.Challenge.Step(c.Request.Context(), t, in)
	if a.ClientID != "" {
		wire.EventOf(c).Client(a.ClientID)
	}
	return a, err
}

// maxState is the longest state that is repeated, in bytes.
const maxState = 4096

// echo is state as a refusal repeats it.
func echo(state string) string {
	if len(state) > maxState {
		return ""
	}
	return state
}

// worded gives err the status that is documented for it.
func worded(err error) error {
	switch {
	case errors.Is(err, request.ErrNotFirstParty):
		return &wire.Status{Err: oauth.ErrorOf(err), HTTP: http.StatusUnauthorized}
	case oauth.RetryAfter(err) > 0:
		return &wire.Status{Err: oauth.ErrorOf(err), HTTP: wire.StatusOf(err), RetryAfter: oauth.RetryAfter(err)}
	}
	return err
}
