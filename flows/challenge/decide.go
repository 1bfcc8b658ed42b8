package challenge

import (
	"context"
	"net/url"

	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// Decider is a step: it looks at what a client sent and says how its user is to be authenticated further, or that it is.
type Decider interface {
	// Decide returns the verdict on one call. An *oauth.Error is told to the client, and nothing changes; any other error
	// is a server_error.
	Decide(ctx context.Context, t *tenant.Tenant, in Input) (Verdict, error)
}

// Input is what a step decides on.
type Input struct {
	Client     *tenant.Client
	Request    *request.Request  // what the client asks for, from this call and those before it
	Params     url.Values        // of this call alone, all of them
	Attributes map[string]string // that earlier calls kept
	Session    bool              // there is an auth_session, or the client wants one, so that attributes can be kept
	Address    string            // of the caller
}

// Outcome is what a step comes to.
type Outcome uint8

// The outcomes.
const (
	Ask   Outcome = iota + 1 // the client must send more; it may go on with the auth_session, if there is one
	Allow                    // the subject is authenticated
	Deny                     // it never will be; the auth_session ends
)

// Verdict is what a step decided.
type Verdict struct {
	Outcome Outcome
	Code    string            // of Ask and Deny: error code that tells the client what is next
	Keep    map[string]string // of Ask: attributes to be kept for the next call, beside those that are
	Wrong   bool              // of Ask: what was sent was a wrong guess; few are allowed
	Subject string            // of Allow
	ACR     string            // of Allow; empty: that of the tenant
	AMR     []string          // of Allow (RFC 8176)
}
