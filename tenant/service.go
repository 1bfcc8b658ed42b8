package tenant

import (
	"encoding/json"
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
)

// ServiceSettings rule the numbered API, whose callers see the tenant as a service.
type ServiceSettings struct {
	Registration bool `json:"registration,omitempty"` // the tenant's own server hands on registrations of clients, and says who may register
	Unauthorized bool `json:"unauthorized,omitempty"` // a wrong registration access token is told apart from a bad request

	// Members are those of the service object that nothing here acts on, or that the object says in more words than the
	// settings do, as they were given. Those that are secrets are encrypted under the tenant's secret.
	Members map[string]json.RawMessage `json:"members,omitempty"`
}

// maxMembers is how much all members of a service may be, in bytes.
const maxMembers = 128 << 10

// service checks what was given for the numbered API.
func (c *checker) service(s *ServiceSettings) {
	const at = "/service/members"
	size := 0
	for name, raw := range s.Members {
		c.that(word(name) && len(name) <= 64 && json.Valid(raw), at+"/"+escape.Replace(name), "is no member of a service")
		size += len(name) + len(raw)
	}
	c.that(len(s.Members) <= maxItems && size <= maxMembers, at, "are too many, or too long")
}

// optional are the grant types that every tenant has unless it says otherwise.
var optional = []string{oauth.AuthorizationCode, oauth.RefreshToken, oauth.ClientCredentials}

// Serves reports whether the token endpoint serves a grant type as far as GrantSettings.Off says.
func (s *Settings) Serves(grantType string) bool { return !slices.Contains(s.Grants.Off, grantType) }

// authMethods are the methods of client authentication that new clients may be held to.
var authMethods = []string{oauth.AuthBasic, oauth.AuthPost, oauth.AuthSecretJWT, oauth.AuthPrivateJWT, oauth.AuthTLS, oauth.AuthSelfSignedTLS, oauth.AuthNone}

func authMethod(v string) bool { return slices.Contains(authMethods, v) }

// TakesMethod reports whether new clients may authenticate by method, as far as ClientSettings.AuthMethods says.
func (s *Settings) TakesMethod(method string) bool {
	return len(s.Clients.AuthMethods) == 0 || slices.Contains(s.Clients.AuthMethods, method)
}

// SecureURL reports whether s is an absolute https URL, or an http one of the loopback, without user and fragment.
func SecureURL(s string) bool { return secureURL(s) }
