package authlete

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// backchannelIssueRequest names the request whose user is found.
type backchannelIssueRequest struct {
	Ticket string `json:"ticket"`
}

// backchannelIssueAnswer is the acknowledgement of a request. Times are in seconds.
type backchannelIssueAnswer struct {
	result
	AuthReqID string `json:"authReqId,omitempty"`
	ExpiresIn int64  `json:"expiresIn"`
	Interval  int64  `json:"interval"`
}

// acknowledgement is the body of the client's answer (CIBA Core §7.3).
type acknowledgement struct {
	AuthReqID string `json:"auth_req_id"`
	ExpiresIn int64  `json:"expires_in"`
	Interval  int64  `json:"interval,omitempty"`
}

// backchannelIssue acknowledges a request.
func (d *Door) backchannelIssue(c *call) (answer, error) {
	var in backchannelIssueRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	if in.Ticket == "" {
		return nil, oauth.InvalidRequest("The API call has no ticket.")
	}
	p, ack, err := d.CIBA.Issue(c.Request.Context(), c.tenant, in.Ticket)
	if errors.Is(err, decoupled.ErrNotFound) {
		r := c.refuse(noTicket, invalidTicket, refusal{err: oauth.Custom("server_error", "", "").Because(err)})
		wire.EventOf(c.Context).Fail(oauth.InvalidRequest(noTicket.text).Because(err)) // which is not what the client is told
		return &r, nil
	}
	if err != nil {
		return nil, err
	}
	wire.EventOf(c.Context).Client(p.ClientID)
	out := &backchannelIssueAnswer{AuthReqID: ack.AuthReqID, ExpiresIn: int64(ack.ExpiresIn / time.Second), Interval: int64(ack.Interval / time.Second)}
	body, _ := json.Marshal(acknowledgement{out.AuthReqID, out.ExpiresIn, out.Interval}) // a string and two numbers always can be
	out.result = c.outcome(success, "An authentication request ID was issued.").result(okay, string(body))
	return out, nil
}
