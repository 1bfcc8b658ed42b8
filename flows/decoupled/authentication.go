// Package decoupled is a request that its subject answers on another device than the one it was made on, while the client
// polls the token endpoint (CIBA Core; RFC 8628). How the subject is found is the flows' own: flows/ciba, flows/device.
package decoupled

import (
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// State is where an authentication stands.
type State string

// The states of an authentication. One that is redeemed is gone.
const (
	Identifying State = "identifying" // somebody looks for the subject; the client cannot poll yet
	Waiting     State = "waiting"     // for the subject's answer
	Granted     State = "granted"     // a grant of the same id is there to be redeemed
	Refused     State = "refused"
)

// Authentication is a decoupled request in flight. What reaches it is derived from ID under the tenant's secret, so that
// what is stored opens nothing.
type Authentication struct {
	ID        string // 128 random bits, base64url; also that of the grant that comes of it
	State     State
	ClientID  string
	Subject   string // whom it waits for, where we found out ourselves: a sub, or a login_hint that only the backend understands
	Request   *request.Request
	Interval  time.Duration // between two polls
	Refusal   *Refusal      // of a Refused one
	CreatedAt time.Time
	EndsAt    time.Time // from here it can neither be answered nor redeemed
}

// Refusal is what the client is told of a request that was refused. Its JSON is stored.
type Refusal struct {
	Code        string `json:"error"`
	Description string `json:"error_description,omitempty"`
	URI         string `json:"error_uri,omitempty"`
}

// Told is r as the client is told it.
func (r *Refusal) Told() *oauth.Error { return oauth.Custom(r.Code, r.Description, r.URI) }

// Pending is an authentication with the client that asked for it.
type Pending struct {
	Authentication
	Client *tenant.Client
}
