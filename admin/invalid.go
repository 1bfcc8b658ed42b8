package admin

import (
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Invalid says which members of what was submitted are not acceptable. It wraps an invalid_request.
type Invalid struct{ Fields []tenant.FieldError }

var errInvalid = oauth.InvalidRequest("Some members are not acceptable")

// Error is for logs. It names the members and quotes no value.
func (e *Invalid) Error() string {
	s := errInvalid.Error()
	for _, f := range e.Fields {
		s += "; " + f.Pointer + " " + f.Message
	}
	return s
}

// Unwrap returns the invalid_request.
func (e *Invalid) Unwrap() error { return errInvalid }

// invalid is an Invalid of one member.
func invalid(pointer, message string) *Invalid {
	return &Invalid{Fields: []tenant.FieldError{{Pointer: pointer, Message: message}}}
}
