package connect2id

import (
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/logout"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// logoutRequest hands over a request that reached the logout UI. Without query it is the tenant's own wish.
type logoutRequest struct {
	Query  *string `json:"query"`
	SubSID string  `json:"sub_sid"`
}

// logoutPrompt asks the UI whether its user agrees.
type logoutPrompt struct {
	Type        string      `json:"type"`
	SID         string      `json:"sid"`
	SubSession  *subSession `json:"sub_session"`
	Client      client      `json:"client,omitempty"`
	HintPresent bool        `json:"id_token_hint_present"`
	LogoutHint  string      `json:"logout_hint,omitempty"`
	UILocales   []string    `json:"ui_locales,omitempty"`
}

// logoutEnd is what is left for the UI to do: to load the front-channel URIs in frames, and to send the browser on.
type logoutEnd struct {
	Type      string   `json:"type"`
	Closed    bool     `json:"sub_session_closed"`
	To        string   `json:"post_logout_redirect_uri,omitempty"`
	Frames    []string `json:"frontchannel_logout_uris,omitempty"`
	UILocales []string `json:"ui_locales,omitempty"`
}

// mountLogout registers the calls of logout UIs.
func (d *Door) mountLogout(r *wire.Router) {
	at := func(method, path string, h func(*Door, *call) error) {
		r.API(method, "/logout-sessions/rest/v1"+path, tenant.LogoutAPI, func(c *gin.Context, t *tenant.Tenant) {
			wire.EventOf(c).Flow("logout")
			if err := h(d, &call{Context: c, tenant: t, version: versions[len(versions)-1]}); err != nil {
				if errors.Is(err, logout.ErrNotFound) {
					err = &wire.Status{Err: errNoLogout.Because(err), HTTP: http.StatusNotFound}
				}
				wire.Error(c, err)
			}
		})
	}
	at(http.MethodPost, "", (*Door).beginLogout)
	at(http.MethodPut, "/:sid", (*Door).answerLogout)
}

var errNoLogout = &oauth.Error{Code: "logout_not_found", Description: "The logout session is unknown or expired"}

// logoutErrors are the codes of refusals that the API has more to say of than the protocol.
var logoutErrors = []struct {
	cause error
	code  string
}{
	{logout.ErrHint, "invalid_id_token_hint"},
	{logout.ErrURI, "invalid_post_logout_redirect_uri"},
}

// beginLogout ends the session at the tenant's own wish, and at a relying party's asks the UI to ask its user.
func (d *Door) beginLogout(c *call) error {
	var in logoutRequest
	if err := wire.ReadJSON(c.Context, maxBody, &in); err != nil {
		return err
	}
	q := logout.Request{SID: in.SubSID}
	if in.Query != nil {
		if len(*in.Query) > request.MaxQuery {
			return oauth.InvalidRequest("query is too long")
		}
		sent := request.Parse(*in.Query)
		for _, values := range sent {
			if len(values) > 1 {
				return c.refuseLogout(oauth.InvalidRequest("A parameter is repeated"))
			}
		}
		q.IDTokenHint, q.LogoutHint, q.ClientID = sent.Get("id_token_hint"), sent.Get("logout_hint"), sent.Get("client_id")
		q.PostLogoutRedirectURI, q.State, q.UILocales = sent.Get("post_logout_redirect_uri"), sent.Get("state"), sent.Get("ui_locales")
	}
	p, err := d.Logout.Begin(c.Request.Context(), c.tenant, q)
	if err != nil {
		return c.refuseLogout(err)
	}
	if p.Client != nil {
		wire.EventOf(c.Context).Client(p.Client.ID)
	}
	if in.Query == nil || p.Session == nil {
		return d.endLogout(c, p)
	}
	sid, err := d.Logout.Hold(c.tenant, p)
	if err != nil {
		return err
	}
	out := logoutPrompt{Type: "confirm", SID: sid, SubSession: c.subSession(p.Session, in.SubSID), HintPresent: p.Hinted, LogoutHint: p.Hint, UILocales: p.UILocales}
	if p.Client != nil {
		out.Client = c.client(p.Client)
	}
	wire.JSON(c.Context, http.StatusOK, out)
	return nil
}

// refuseLogout writes what is wrong with a request to log out, which the UI shows its user.
func (c *call) refuseLogout(err error) error {
	e, ok := errors.AsType[*oauth.Error](err)
	if !ok || e.Code != "invalid_request" {
		return err
	}
	wire.EventOf(c.Context).Fail(err)
	out := plainError{Type: "error", Error: e.Code, Description: e.Description}
	for _, known := range logoutErrors {
		if errors.Is(err, known.cause) {
			out.Error = known.code
		}
	}
	wire.JSON(c.Context, http.StatusOK, out)
	return nil
}

// answerLogout takes the user's answer: to end the session, or to stay signed in here.
func (d *Door) answerLogout(c *call) error {
	p, err := d.Logout.Resume(c.Request.Context(), c.tenant, c.Param("sid"))
	if err != nil {
		return err
	}
	var in struct {
		OPLogout      *bool `json:"op_logout"`
		ConfirmLogout *bool `json:"confirm_logout"` // its name before
	}
	if err := wire.ReadStrictJSON(c.Context, maxBody, &in); err != nil {
		return err
	}
	agreed, err := either("op_logout and confirm_logout contradict each other", in.OPLogout, in.ConfirmLogout)
	if err != nil {
		return err
	}
	if !orElse(agreed, false) {
		wire.JSON(c.Context, http.StatusOK, logoutEnd{Type: "end", To: p.To(), UILocales: p.UILocales})
		return nil
	}
	return d.endLogout(c, p)
}

func (d *Door) endLogout(c *call, p logout.Prompt) error {
	ended, err := d.Logout.End(c.Request.Context(), c.tenant, p, c.address())
	if err != nil {
		return err
	}
	wire.JSON(c.Context, http.StatusOK, logoutEnd{Type: "end", Closed: p.Session != nil, To: ended.To, Frames: ended.Frames, UILocales: p.UILocales})
	return nil
}
