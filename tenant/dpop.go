package tenant

import "time"

// DPoPSettings rule proofs of possession (RFC 9449).
type DPoPSettings struct {
	RequireNonce  bool  `json:"require_nonce,omitempty"`  // proofs must hold a nonce that the server gave out
	NonceLifetime int64 `json:"nonce_lifetime,omitempty"` // 300 s until there is a new nonce; for as long again the one before counts
}

// NonceLifetime is how long a nonce is the newest.
func (s *Settings) NonceLifetime() time.Duration { return or(s.DPoP.NonceLifetime, 5*time.Minute) }
