package account

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Faults is all that is wrong with an account, or a list of them, by JSON pointers into the document that brought it: its
// members are those of New, and of an import a list named users. It wraps an invalid_request.
type Faults struct {
	Fields []tenant.FieldError
	why    error // nil: errFaults
}

var errFaults = oauth.InvalidRequest("Some of the users cannot be imported")

// Error is for logs. It names members and quotes no value.
func (e *Faults) Error() string {
	s := e.Unwrap().Error()
	for _, f := range e.Fields {
		s += "; " + f.Pointer + " " + f.Message
	}
	return s
}

// Unwrap returns the invalid_request.
func (e *Faults) Unwrap() error {
	if e.why == nil {
		return errFaults
	}
	return e.why
}

// with adds what is wrong with one member. The first says it for all.
func (e *Faults) with(pointer string, err error) {
	if e.why == nil {
		e.why = err
	}
	e.Fields = append(e.Fields, tenant.FieldError{Pointer: pointer, Message: oauth.ErrorOf(err).Description})
}

// orNil is e where anything is wrong.
func (e *Faults) orNil() error {
	if len(e.Fields) == 0 {
		return nil
	}
	return e
}

// fault is err as what is wrong with one member, where it is the caller's.
func fault(pointer string, err error) error {
	if !errors.Is(err, oauth.InvalidRequest("")) {
		return err
	}
	e := &Faults{}
	e.with(pointer, err)
	return e
}

// claimFaults is what is wrong with claims, as members of an account.
func claimFaults(claims map[string]json.RawMessage) (fields []tenant.FieldError) {
	err := checkClaims(claims)
	if err == nil {
		return nil
	}
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		if err := checkClaim(name, claims[name]); err != nil {
			fields = append(fields, tenant.FieldError{Pointer: "/claims/" + escape.Replace(name), Message: oauth.ErrorOf(err).Description})
		}
	}
	if len(fields) == 0 {
		fields = []tenant.FieldError{{Pointer: "/claims", Message: oauth.ErrorOf(err).Description}}
	}
	return fields
}

// escape makes a member name a reference token of a JSON pointer (RFC 6901 §3).
var escape = strings.NewReplacer("~", "~0", "/", "~1")
