package tenant

// CustomMetadata are members of a client that no standard has.
type CustomMetadata struct {
	CodeChallengeMethod string   `json:"code_challenge_method,omitempty"` // of PKCE, which it then must use: S256
	NoGrants            bool     `json:"no_grants,omitempty"`             // grant_types was registered empty: others are given tokens for it
	LoginHintTypes      []string `json:"login_hint_types,omitempty"`      // what its login_hint may hold, in the tenant's own words
}
