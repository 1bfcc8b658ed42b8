package authlete

import (
	"encoding/json"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
)

// ticketInfoRequest asks what is kept with a ticket.
type ticketInfoRequest struct {
	Ticket string `json:"ticket"`
}

// ticketUpdateRequest replaces it.
type ticketUpdateRequest struct {
	Ticket string      `json:"ticket"`
	Info   *ticketInfo `json:"info"`
}

// ticketInfo is an object, or its context alone.
type ticketInfo struct{ ticketContext }

// UnmarshalJSON reads both forms.
func (i *ticketInfo) UnmarshalJSON(b []byte) error {
	if json.Unmarshal(b, &i.Context) == nil {
		return nil
	}
	return json.Unmarshal(b, &i.ticketContext)
}

type ticketInfoAnswer struct {
	result
	Info *ticketContext `json:"info,omitempty"`
}

// ticketInfo tells what is kept with a ticket, which it leaves open.
func (d *Door) ticketInfo(c *call) (answer, error) {
	var in ticketInfoRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	p, err := d.ticket(c, in.Ticket)
	if err != nil {
		return c.notFound(err)
	}
	return c.info(contextOf(p)), nil
}

// ticketUpdate replaces what is kept with a ticket, which it leaves open.
func (d *Door) ticketUpdate(c *call) (answer, error) {
	var in ticketUpdateRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Info == nil {
		return nil, oauth.InvalidRequest("The API call has no info.")
	}
	p, err := d.ticket(c, in.Ticket)
	if err != nil {
		return c.notFound(err)
	}
	kept, err := contextData(in.Info.Context)
	if err != nil {
		return nil, err
	}
	if err := d.Authorize.PutData(c.Request.Context(), c.tenant, p, kept); err != nil {
		return c.notFound(err)
	}
	return c.info(&in.Info.ticketContext), nil
}

func (c *call) info(kept *ticketContext) answer {
	if kept == nil {
		kept = &ticketContext{}
	}
	return &ticketInfoAnswer{c.outcome(success, "The ticket is open.").result(okay, ""), kept}
}

// notFound answers for a ticket that is not there.
func (c *call) notFound(err error) (answer, error) {
	if !authorize.IsGone(err) {
		return nil, err
	}
	r := noTicket.result(notFound, "")
	return &r, nil
}
