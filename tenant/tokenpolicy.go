package tenant

// TokenPolicy is what the tenant says of one client's tokens in place of its settings. Times are in seconds, zero: as the
// settings say.
type TokenPolicy struct {
	AccessLifetime  int64  `json:"access_token_lifetime,omitempty"`  // what a grant says comes first
	AccessFormat    string `json:"access_token_format,omitempty"`    // jwt (RFC 9068) or opaque
	IDTokenLifetime int64  `json:"id_token_lifetime,omitempty"`      // what a grant says comes first
	RefreshLifetime int64  `json:"refresh_token_lifetime,omitempty"` // absolute; the settings' is never exceeded
	RefreshIdle     int64  `json:"refresh_token_idle,omitempty"`     // negative: no such limit
	RefreshRotation *bool  `json:"refresh_token_rotation,omitempty"` // whatever is said here, those of public clients rotate
}

// Formats of access tokens.
const (
	AccessJWT    = "jwt"
	AccessOpaque = "opaque"
)
