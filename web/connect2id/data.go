package connect2id

import (
	"encoding/json"
	"net/http"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// data answers with what the UI keeps with the session.
func (d *Door) data(c *call) error {
	p, err := d.load(c)
	if err != nil {
		return err
	}
	if p.Data == nil {
		p.Data = json.RawMessage("{}")
	}
	wire.Raw(c.Context, http.StatusOK, "application/json", p.Data)
	return nil
}

// putData replaces it.
func (d *Door) putData(c *call) error {
	p, err := d.load(c)
	if err != nil {
		return err
	}
	var in json.RawMessage
	if err := wire.ReadJSON(c.Context, maxBody, &in); err != nil {
		return err
	}
	if len(in) == 0 {
		return oauth.InvalidRequest("data must be an object")
	}
	if err := object("data", in); err != nil {
		return err
	}
	if err := d.Authorize.PutData(c.Request.Context(), c.tenant, p, in); err != nil {
		return err
	}
	wire.NoContent(c.Context)
	return nil
}
