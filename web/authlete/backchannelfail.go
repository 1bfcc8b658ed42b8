package authlete

import (
	"encoding/json"
	"strings"

	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// backchannelFailRequest says why a request is refused.
type backchannelFailRequest struct {
	Ticket      string `json:"ticket"`
	Reason      string `json:"reason"`
	Description string `json:"errorDescription"`
	URI         string `json:"errorUri"`
}

// backchannelFailActions are what the authorization server answers with, by the error that its client is told; all
// others are 400.
var backchannelFailActions = map[string]action{"access_denied": forbidden, "server_error": internalServerError}

// backchannelFail refuses a request whose user was looked for.
func (d *Door) backchannelFail(c *call) (answer, error) {
	var in backchannelFailRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	code := strings.ToLower(in.Reason)
	if in.Reason != strings.ToUpper(code) {
		return nil, oauth.InvalidRequest("reason is none that there is.")
	}
	f := ciba.Failure{Ticket: in.Ticket, Code: code, URI: in.URI, Actor: wire.TokenOf(c.Context).ID, Address: c.address(),
		Description: wire.Spoken(in.Description[:min(len(in.Description), maxDescription)])}
	told, err := d.CIBA.Fail(c.Request.Context(), c.tenant, f)
	if err != nil {
		return nil, err
	}
	a := badRequest
	if other, ok := backchannelFailActions[told.Code]; ok {
		a = other
	}
	o := c.outcome(success, "The error response was made.")
	r := c.refuse(o, a, refusal{err: told})
	wire.EventOf(c.Context).Tell(told)
	return &r, nil
}

// bare words a refusal by nothing but what the authorization server supplied.
func bare(_ outcome, r refusal) string {
	b, _ := json.Marshal(clientError{r.err.Code, r.err.Description, r.err.URI}) // strings always can be
	return string(b)
}
