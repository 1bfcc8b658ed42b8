package tenant

// TokenPolicy is what the tenant says of one client's tokens in place of its settings. Times are in seconds, zero: as the
// settings say.
type TokenPolicy struct {
	RefreshLifetime int64 `json:"refresh_token_lifetime,omitempty"` // absolute; the settings' is never exceeded
	RefreshIdle     int64 `json:"refresh_token_idle,omitempty"`     // negative: no such limit
	RefreshRotation *bool `json:"refresh_token_rotation,omitempty"` // whatever is said here, those of public clients rotate
}
