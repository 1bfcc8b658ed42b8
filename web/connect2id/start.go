package connect2id

import (
	"encoding/json"
	"errors"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/flows/session"
	"github.com/chancery-id/chancery/web/wire"
)

// startRequest hands over an authorization request as it reached the login UI.
type startRequest struct {
	Query         *string         `json:"query"`
	SubSID        string          `json:"sub_sid"`
	FPT           string          `json:"fpt"`
	RedirectParam string          `json:"redirect_uri_template_param"`
	Data          json.RawMessage `json:"data"`
}

// start begins an authorisation session.
func (d *Door) start(c *call) error {
	if err := c.readAJAX(); err != nil {
		return err
	}
	var in startRequest
	if err := wire.ReadJSON(c.Context, maxBody, &in); err != nil {
		return err
	}
	switch {
	case in.Query == nil:
		return oauth.InvalidRequest("query is missing")
	case len(*in.Query) > request.MaxQuery:
		return oauth.InvalidRequest("query is too long")
	case in.FPT != "" && !session.Thumbprint(in.FPT):
		return oauth.InvalidRequest("fpt must be the base64url form of a SHA-256 hash")
	case !c.version.data:
		in.Data = nil
	}
	if err := object("data", in.Data); err != nil {
		return err
	}
	params := request.Parse(*in.Query)
	if !c.version.carries(params.Get("response_mode")) {
		c.refuse(errMode)
		return nil
	}
	res, err := d.Authorize.Begin(c.Request.Context(), c.tenant, authorize.Start{Params: params, SID: in.SubSID, FPT: in.FPT, RedirectParam: in.RedirectParam, Data: in.Data, Address: c.address(), Carries: c.version.carries})
	if res.Client != nil {
		wire.EventOf(c.Context).Client(res.Client.ID)
	}
	if err != nil {
		if e, ok := errors.AsType[*oauth.Error](err); ok && e.Code != "server_error" && e.Code != "temporarily_unavailable" {
			c.refuse(e)
			return nil
		}
		return err
	}
	d.answer(c, res)
	return nil
}

// refuse writes an error of the authorization request that may not go to the client.
func (c *call) refuse(e *oauth.Error) {
	wire.EventOf(c.Context).Fail(e)
	c.version.refuse(c, e)
}
