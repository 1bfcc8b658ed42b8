package tenant

// AccessSettings rule what is told of tokens, and how they are withdrawn.
type AccessSettings struct {
	// StrictIntrospection has a client told only of tokens that were issued to it or that name it, or a resource that it
	// registered, as their audience; else those for no one in particular, whose audience is the issuer, are told of too.
	StrictIntrospection bool `json:"strict_introspection,omitempty"`
	// RevokeGrant has an access token that is revoked take its whole grant with it (RFC 7009 §2.1); refresh tokens always do.
	RevokeGrant bool `json:"revoke_grant,omitempty"`
}
