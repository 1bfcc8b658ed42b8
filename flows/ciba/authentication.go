// Package ciba is the life of a backchannel authentication (OpenID Connect Client-Initiated Backchannel Authentication
// 1.0, "CIBA Core"): a client asks for a subject, who answers on another device, while the client polls the token
// endpoint.
package ciba

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
	Identifying State = "identifying" // somebody looks for the subject; the client has no auth_req_id yet
	Waiting     State = "waiting"     // for the subject's answer
	Granted     State = "granted"     // a grant of the same id is there to be redeemed
	Refused     State = "refused"
)

// Authentication is a backchannel authentication in flight. What reaches it, ticket and auth_req_id, is derived from ID
// under the tenant's secret, so that what is stored opens nothing.
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

func (r *Refusal) error() *oauth.Error { return oauth.Custom(r.Code, r.Description, r.URI) }

// Pending is an authentication with the client that asked for it.
type Pending struct {
	Authentication
	Client *tenant.Client
}

// Ticket is a request that was found good, for whoever looks for its subject (CIBA Core §7.2).
type Ticket struct {
	Handle  string // reaches the authentication
	Client  *tenant.Client
	Request *request.Request
}

// Acknowledgement is what the client is told of a request that was accepted (CIBA Core §7.3).
type Acknowledgement struct {
	AuthReqID string
	ExpiresIn time.Duration
	Interval  time.Duration
}
