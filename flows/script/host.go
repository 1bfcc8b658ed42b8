package script

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Host is what scripts may ask the server for, by name. What is not in it cannot be had.
type Host map[string]HostCall

// HostCall does one thing for the call c, and for no other: what a script sends are arguments, and never whose they are. A nil
// value is null. A Refusal is told to the script; of any other error it learns only that it could not be done.
type HostCall func(ctx context.Context, c *Call, args Args) (any, error)

// Call is one run of a script, as the server knows it.
type Call struct {
	Tenant *tenant.Tenant
	Event  *Event
	Dry    bool // it is a trial: nothing that others would notice is done

	wrong   bool  // a guess was wrong
	refusal error // of the server: it had no time, or was asked too often
}

// Refusal is an error that a script may know of.
type Refusal string

func (r Refusal) Error() string { return string(r) }

var errArgs = Refusal("the arguments are of the wrong type")

// Args are the arguments of a HostCall.
type Args []json.RawMessage

// Texts reads the first arguments as texts.
func (a Args) Texts(into ...*string) error {
	for i, to := range into {
		var s *string
		if i >= len(a) || json.Unmarshal(a[i], &s) != nil || s == nil {
			return errArgs
		}
		*to = *s
	}
	return nil
}

// Wrong notes that a guess was wrong.
func (c *Call) Wrong() { c.wrong = true }

// did is what became of a HostCall.
type did struct {
	answer
	wrong   bool
	refusal error
}

// do does what a script asks for. It never panics on what the script says.
func (h Host) do(ctx context.Context, c *Call, a ask) did {
	out := did{answer: answer{Number: a.Number}}
	call, known := h[a.Name]
	var args Args
	if err := json.Unmarshal([]byte(a.Args), &args); !known || err != nil {
		out.Error = fmt.Sprintf("api.%s is not to be had", Clip(a.Name, 64))
		return out
	}
	c.wrong = false
	v, err := safely(ctx, call, c, args)
	out.wrong = c.wrong
	if err == nil {
		var b []byte
		if b, err = json.Marshal(v); err == nil && len(b) > maxReply {
			err = Refusal("the answer is too long")
		}
		out.Value = string(b)
	}
	var refusal Refusal
	switch {
	case err == nil:
	case errors.As(err, &refusal):
		out.Value, out.Error = "", string(refusal)
	default:
		u := unserved{a.Name, err}
		out.Value, out.Error, out.refusal = "", u.said(), u
	}
	return out
}

// safely is call, of which a panic is an error: it runs where nobody else would catch it.
func safely(ctx context.Context, call HostCall, c *Call, args Args) (v any, err error) {
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("script: panic: %v\n%s", r, debug.Stack())
		}
	}()
	return call(ctx, c, args)
}

// unserved is that a script asked for something that could not be done.
type unserved struct {
	name  string
	cause error
}

func (u unserved) Error() string { return "script: api." + u.name + ": " + u.cause.Error() }
func (u unserved) Unwrap() error { return u.cause }

// said is u in words for whoever wrote the script.
func (u unserved) said() string {
	if oauth.RetryAfter(u.cause) > 0 {
		return "too many attempts"
	}
	return "api." + u.name + " failed"
}
