package connect2id

import (
	"net/http"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// answer writes where a request stands: a prompt, or its response.
func (d *Door) answer(c *call, res authorize.Result) {
	if res.Client != nil {
		wire.EventOf(c.Context).Client(res.Client.ID)
	}
	if p := res.Pending; p != nil {
		wire.JSON(c.Context, http.StatusOK, d.prompt(c, p))
		return
	}
	if res.Response.Err != nil {
		wire.EventOf(c.Context).Fail(res.Response.Err)
	}
	c.version.respond(d, c, res)
}

// redirect writes a response as a redirect. Where the subject's session is new, and no prompt tells, a header does.
func (d *Door) redirect(c *call, res authorize.Result) {
	if res.Session != nil {
		c.Header("Subject-Session-ID", res.SID)
	}
	wire.NoStore(c.Context)
	c.Header("Location", res.Response.URI())
	c.Status(c.redirect)
	c.Writer.WriteHeaderNow()
}

// refuse220 writes an error that may not go to the client under the status of its own that versions 1 and 2 have for it.
func refuse220(c *call, e *oauth.Error) {
	wire.JSON(c.Context, 220, plainError{Error: e.Code, Description: e.Description})
}

// plainError is an error that may not go to the client.
type plainError struct {
	Type        string `json:"type,omitempty"`
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// refuseJSON does the same in version 3.
func refuseJSON(c *call, e *oauth.Error) {
	wire.JSON(c.Context, http.StatusOK, plainError{Type: "error", Error: e.Code, Description: e.Description})
}

// finalResponse is a response on its way to the client, by way of the UI.
type finalResponse struct {
	Type       string      `json:"type"`
	Mode       string      `json:"mode"`
	Parameters parameters  `json:"parameters"`
	SubSID     string      `json:"sub_sid,omitempty"`
	SubSession *subSession `json:"sub_session,omitempty"`
	Client     client      `json:"client,omitempty"`
}

// parameters are the redirect URI as the browser is to call it, and for form_post the hidden inputs.
type parameters struct {
	URI  string            `json:"uri"`
	Form map[string]string `json:"form,omitempty"`
}

// respondJSON writes a response as JSON. sub_sid tells the UI to set its cookie anew.
func (d *Door) respondJSON(c *call, res authorize.Result) {
	out := finalResponse{Type: "response", Mode: res.Response.Mode, Parameters: parameters{URI: res.Response.URI()}, SubSID: res.SID}
	if res.Response.Mode == oauth.ModeFormPost {
		out.Parameters.Form = make(map[string]string, len(res.Response.Params))
		for _, p := range res.Response.Params {
			out.Parameters.Form[p.Name] = p.Value
		}
	}
	if n := res.Current; n != nil && c.tenant.Settings.Authorization.SessionInResponse {
		out.SubSession = c.subSession(n, d.Authorize.Sessions.Handle(c.tenant, n))
	}
	if res.Client != nil && c.tenant.Settings.Authorization.ClientInResponse {
		out.Client = c.client(res.Client)
	}
	wire.JSON(c.Context, http.StatusOK, out)
}
