package authlete

import (
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
)

// tokenTicketRequest answers a ticket of the token endpoint.
type tokenTicketRequest struct {
	Ticket  string `json:"ticket"`
	Subject string `json:"subject"`
	Reason  string `json:"reason"`
}

// The password grant alone gives out tickets at the token endpoint (RFC 9700 §2.4 forbids it), and we have none, so that
// whatever is handed in is no ticket.
var errTokenTicket = oauth.InvalidRequest("No entity owns the ticket.")

// tokenIssue would end a ticket with tokens.
func (d *Door) tokenIssue(c *call) (answer, error) {
	var in tokenTicketRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	switch {
	case in.Ticket == "":
		return nil, oauth.InvalidRequest("The API call has no ticket.")
	case in.Subject == "":
		return nil, oauth.InvalidRequest("The API call has no subject.")
	}
	return nil, errTokenTicket
}

// tokenFailReasons are why a token request fails.
var tokenFailReasons = []string{"UNKNOWN", "INVALID_RESOURCE_OWNER_CREDENTIALS", "INVALID_TARGET", "INVALID_CLIENT", "UNAUTHORIZED_CLIENT", "INVALID_SCOPE"}

// tokenFail would end a ticket with an error.
func (d *Door) tokenFail(c *call) (answer, error) {
	var in tokenTicketRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	switch {
	case in.Ticket == "":
		return nil, oauth.InvalidRequest("The API call has no ticket.")
	case !slices.Contains(tokenFailReasons, in.Reason):
		return nil, oauth.InvalidRequest("reason is missing, or none that there is.")
	}
	return nil, errTokenTicket
}
