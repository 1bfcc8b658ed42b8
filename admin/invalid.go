package admin

import "github.com/chancery-id/chancery/flows/oauth"

// Invalid says which members of what was submitted are not acceptable. It wraps an invalid_request.
type Invalid struct{ Fields []FieldError }

// FieldError is what is wrong with one member.
type FieldError struct {
	Pointer string // JSON pointer (RFC 6901) from the root of what was submitted
	Detail  string // a constant sentence
}

var errInvalid = oauth.InvalidRequest("Some members are not acceptable")

// Error is for logs. It names the members and quotes no value.
func (e *Invalid) Error() string {
	s := errInvalid.Error()
	for _, f := range e.Fields {
		s += "; " + f.Pointer + ": " + f.Detail
	}
	return s
}

// Unwrap returns the invalid_request.
func (e *Invalid) Unwrap() error { return errInvalid }

// invalid is an Invalid of one member.
func invalid(pointer, detail string) *Invalid {
	return &Invalid{Fields: []FieldError{{Pointer: pointer, Detail: detail}}}
}
