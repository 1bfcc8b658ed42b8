package tenant

import (
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
)

// responseTypes are those that a tenant may turn on beside code.
var responseTypes = []string{"none", "id_token", "token", "id_token token", "code id_token", "code token", "code id_token token"}

// responseType reports whether v is one of them, with its values in any order.
func responseType(v string) bool { return slices.Contains(responseTypes, oauth.ResponseType(v)) }

// AllowsResponseType reports whether a request may have that response type, in its one spelling.
func (s *Settings) AllowsResponseType(responseType string) bool {
	return responseType == oauth.ResponseCode || slices.ContainsFunc(s.Authorization.ResponseTypes, func(v string) bool {
		return oauth.ResponseType(v) == responseType
	})
}
