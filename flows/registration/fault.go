package registration

import (
	"errors"
	"strconv"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// misplaced is what is wrong with one element of a list.
type misplaced struct {
	member string
	index  int
	why    error
}

// Error is for logs.
func (e *misplaced) Error() string {
	return e.member + "/" + strconv.Itoa(e.index) + ": " + e.why.Error()
}

// Unwrap returns what is wrong with it.
func (e *misplaced) Unwrap() error { return e.why }

// PointerOf is the JSON pointer of what err is about in the metadata that were sent; empty: of nothing in particular.
// The sentences of this package begin with the name of the member that they are about.
func PointerOf(err error) string {
	if e, ok := errors.AsType[*misplaced](err); ok {
		return "/" + e.member + "/" + strconv.Itoa(e.index)
	}
	o := oauth.ErrorOf(err)
	if o.Code != "invalid_client_metadata" && o.Code != "invalid_redirect_uri" {
		return ""
	}
	name, _, _ := strings.Cut(o.Description, " ")
	base, _, _ := strings.Cut(name, "#")
	if members[name] == nil && !localizable[base] {
		return ""
	}
	return "/" + name
}
