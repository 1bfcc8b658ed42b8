package authlete

import (
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/web/wire"
)

// authorizationFailRequest says why a subject grants nothing.
type authorizationFailRequest struct {
	Ticket      string `json:"ticket"`
	Reason      string `json:"reason"`
	Description string `json:"description"`
}

// failReasons are why a ticket fails: what the client is told, and the last two digits of the result code.
var failReasons = map[string]struct {
	class string
	err   *oauth.Error
}{
	"UNKNOWN":                    {"301", oauth.Custom("server_error", "The authorization server failed for a reason that it does not know.", "")},
	"NOT_LOGGED_IN":              {"302", oauth.LoginRequired("The end-user is not logged in.")},
	"MAX_AGE_NOT_SUPPORTED":      {"303", oauth.LoginRequired("The authorization server does not know when the end-user was authenticated.")},
	"EXCEEDS_MAX_AGE":            {"304", oauth.LoginRequired("The end-user was authenticated longer ago than max_age allows.")},
	"DIFFERENT_SUBJECT":          {"305", oauth.LoginRequired("The end-user is not the one that the request asks for.")},
	"ACR_NOT_SATISFIED":          {"306", oauth.UnmetAuthenticationRequirements("The end-user was not authenticated as the request demands.")},
	"DENIED":                     {"307", oauth.AccessDenied("The end-user denied the request.")},
	"SERVER_ERROR":               {"308", oauth.Custom("server_error", "The authorization server failed.", "")},
	"NOT_AUTHENTICATED":          {"309", oauth.LoginRequired("The end-user was not authenticated.")},
	"ACCOUNT_SELECTION_REQUIRED": {"310", oauth.AccountSelectionRequired("The end-user must choose an account.")},
	"CONSENT_REQUIRED":           {"311", oauth.ConsentRequired("The end-user must consent.")},
	"INTERACTION_REQUIRED":       {"312", oauth.InteractionRequired("The end-user must be asked.")},
	"INVALID_TARGET":             {"313", oauth.InvalidTarget("A resource is not acceptable.")},
	"INVALID_SCOPE":              {"314", oauth.InvalidScope("The scope is not acceptable.")},
	"UNAUTHORIZED_CLIENT":        {"315", oauth.UnauthorizedClient("The client may not make this request.")},
	"TEMPORARILY_UNAVAILABLE":    {"316", oauth.Custom("temporarily_unavailable", "The authorization server is temporarily unavailable.", "")},
}

// maxDescription is the longest description that a client is told, in bytes.
const maxDescription = 512

// authorizationFail ends a ticket with an error for the client.
func (d *Door) authorizationFail(c *call) (answer, error) {
	var in authorizationFailRequest
	if err := c.read(&in); err != nil {
		return nil, err
	}
	reason, ok := failReasons[in.Reason]
	if !ok {
		return nil, oauth.InvalidRequest("reason is missing, or none that there is.")
	}
	p, err := d.ticket(c, in.Ticket)
	if err != nil {
		return c.gone(err)
	}
	e := *reason.err
	if in.Description != "" {
		e.Description = wire.Spoken(in.Description[:min(len(in.Description), maxDescription)])
	}
	res, err := d.Authorize.Refuse(c.Request.Context(), c.tenant, p, &e, c.address())
	if err != nil {
		return c.gone(err)
	}
	r := c.respond(res.Response, reason.class, e.Description)
	wire.EventOf(c.Context).Tell(&e)
	return &r, nil
}
