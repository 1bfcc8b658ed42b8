package challenge

import (
	"context"
	"encoding/json"
	"net/url"

	"github.com/chancery-id/chancery/flows/oauth"
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
	UserAgent  string            // of the caller
	ACR        string            // that chose the step
	Exchange   []byte            // what a code that is sent is good for: this auth_session, which may not be there yet
	Proved     *Proved           // what the user has proved before; nil: nothing
}

// Proved is what a user has proved so far.
type Proved struct {
	Subject string   `json:"sub"`
	AMR     []string `json:"amr,omitempty"` // none, of a subject that is known but must authenticate anew
	At      int64    `json:"at,omitempty"`  // Unix seconds
	StepUp  bool     `json:"step_up,omitempty"`
}

// Outcome is what a step comes to.
type Outcome uint8

// The outcomes.
const (
	Ask   Outcome = iota + 1 // the client must send more; it may go on with the auth_session, if there is one
	Allow                    // the subject is authenticated
	Deny                     // it never will be; the auth_session ends
	Web                      // not here: the client is to send its user to the authorization endpoint; the auth_session ends
)

// RedirectToWeb is the code that a Deny may have in place of the outcome Web.
const RedirectToWeb = "redirect_to_web"

// Verdict is what a step decided.
type Verdict struct {
	Outcome     Outcome
	Code        string            // of Ask and Deny: error code that tells the client what is next
	Description string            // of Deny: error_description; may be empty
	Data        json.RawMessage   // of Ask: what the client needs for that, an object; nil: nothing
	Keep        map[string]string // of Ask: attributes to be kept for the next call, beside those that are
	Proved      *Proved           // of Ask: what the user has proved so far; nil: as before
	Wrong       bool              // what was sent was a wrong guess; few are allowed
	Subject     string            // of Allow
	ACR         string            // of Allow; empty: that of the tenant
	AMR         []string          // of Allow (RFC 8176)
	Scope       *oauth.Scope      // of Allow, in place of what was asked for, as far as that was; nil: all of it
	Claims      map[string]json.RawMessage
	Blame       func(error) // is told why nothing can come of it; nil: nobody is
}

// Choice decides by the step that the acr values of the request choose (tenant.ChallengeSettings).
type Choice struct {
	Steps map[string]Decider          // those that are not scripts, by name
	Own   func(script string) Decider // those that are; nil: none
}

// Decide implements Decider. A step that the tenant names and nobody has is a server_error.
func (c *Choice) Decide(ctx context.Context, t *tenant.Tenant, in Input) (Verdict, error) {
	acr, name := t.Settings.ChallengeStep(append(append([]string{}, in.Request.EssentialACR...), in.Request.ACRValues...))
	in.ACR = acr
	d := c.Steps[name]
	if d == nil && c.Own != nil {
		d = c.Own(name)
	}
	if d == nil {
		return Verdict{}, errNoStep
	}
	v, err := d.Decide(ctx, t, in)
	if v.Outcome == Allow && v.ACR == "" {
		v.ACR = acr
	}
	return v, err
}
