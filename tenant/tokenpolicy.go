package tenant

import "slices"

// TokenPolicy is what the tenant says of one client's tokens in place of its settings. Times are in seconds, zero: as the
// settings say.
type TokenPolicy struct {
	AccessLifetime  int64  `json:"access_token_lifetime,omitempty"`  // what a grant says comes first
	AccessFormat    string `json:"access_token_format,omitempty"`    // jwt (RFC 9068) or opaque
	IDTokenLifetime int64  `json:"id_token_lifetime,omitempty"`      // what a grant says comes first
	RefreshLifetime int64  `json:"refresh_token_lifetime,omitempty"` // absolute; the settings' is never exceeded
	RefreshIdle     int64  `json:"refresh_token_idle,omitempty"`     // negative: no such limit
	RefreshRotation *bool  `json:"refresh_token_rotation,omitempty"` // whatever is said here, those of public clients rotate

	ExchangeRights []string `json:"token_exchange_rights,omitempty"` // of ExchangeRights, beside what the settings give every client
}

// The rights of a client at token exchange (RFC 8693 §1.1).
const (
	Impersonation = "impersonation" // to be given tokens that do not name it
	Delegation    = "delegation"    // to act for a subject, which its tokens tell
)

// MayImpersonate reports whether c may exchange a token of others for one that does not name it.
func (s *Settings) MayImpersonate(c *Client) bool {
	return s.Grants.TokenExchange.Impersonation || slices.Contains(c.ExchangeRights, Impersonation)
}

// MayDelegate reports whether c may exchange tokens for one of somebody acting for a subject.
func (s *Settings) MayDelegate(c *Client) bool {
	return s.Grants.TokenExchange.Delegation || slices.Contains(c.ExchangeRights, Delegation)
}

// Formats of access tokens.
const (
	AccessJWT    = "jwt"
	AccessOpaque = "opaque"
)
