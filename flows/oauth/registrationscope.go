package oauth

import "strings"

// ClientRegistration is the scope of a token that registers one client with any grant type and scope. With a colon and more
// behind it a value says what the client may have: ClientGrant with a grant type, ClientScope with a value of scope, and
// ClientSectorURN. Only those who act for the tenant give such tokens.
const (
	ClientRegistration = "client-reg"
	ClientGrant        = ClientRegistration + ":grant:"
	ClientScope        = ClientRegistration + ":scope:"
	ClientSectorURN    = ClientRegistration + ":set-sector-id-urn"
)

// Registers returns the values of s that are about the registration of a client.
func (s Scope) Registers() Scope {
	return s.filter(func(v string) bool { return v == ClientRegistration || strings.HasPrefix(v, ClientRegistration+":") })
}
