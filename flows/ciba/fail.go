package ciba

import (
	"context"
	"slices"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// reasons are the errors that a request may be refused with before it is acknowledged (CIBA Core §13, RFC 8707 §2).
var reasons = []string{"access_denied", "expired_login_hint_token", "invalid_binding_message", "invalid_target", "invalid_user_code",
	"missing_user_code", "server_error", "unauthorized_client", "unknown_user_id"}

// Failure is why a request is refused by whoever looked for its subject.
type Failure struct {
	Ticket      string // of the request; empty: it stays as it is
	Code        string // one of CIBA Core §13; server_error where empty
	Description string
	URI         string
	Actor       string // id of the API token
	Address     string
}

// Fail removes the authentication of a ticket, if there is one, and returns the error that the client is to be told, with
// no words but those of f. What is no reason, or cannot be said, is invalid_request, and then nothing has changed; but a
// URI that cannot be said is left out.
func (s *Service) Fail(ctx context.Context, t *tenant.Tenant, f Failure) (*oauth.Error, error) {
	if f.Code == "" {
		f.Code = "server_error"
	}
	if !slices.Contains(reasons, f.Code) {
		return nil, oauth.InvalidRequest("the reason is unknown")
	}
	if !decoupled.ErrorURI(f.URI) {
		f.URI = ""
	}
	told, err := decoupled.Worded(&oauth.Error{Code: f.Code}, f.Description, f.URI)
	if err != nil {
		return nil, err
	}
	id, ok := tickets.Parse(t, f.Ticket)
	if !ok {
		return told, nil
	}
	ev := audit.Event{At: s.Now(), Kind: audit.Denied, Actor: f.Actor, Address: f.Address, Detail: map[string]string{"grant": oauth.CIBA, "error": f.Code}}
	return told, s.Store.DropAuthentication(ctx, t.ID, id, ev)
}
