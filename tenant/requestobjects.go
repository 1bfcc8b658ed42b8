package tenant

import "time"

// RequestObjectSettings rule authorization requests that come as JWTs (RFC 9101, OIDC Core §6).
type RequestObjectSettings struct {
	Required   bool  `json:"required,omitempty"`    // of every client, signed; one may also register so for itself
	Merge      bool  `json:"merge,omitempty"`       // what a request object lacks may stand beside it (OIDC Core §6); else only the object counts
	Unsigned   bool  `json:"unsigned,omitempty"`    // accept alg none (OIDC Core §6.1)
	StrictType bool  `json:"strict_type,omitempty"` // typ must be oauth-authz-req+jwt
	OneTime    bool  `json:"one_time,omitempty"`    // jti and exp must be there, and each jti counts once
	Lifetime   int64 `json:"lifetime,omitempty"`    // seconds from nbf to exp, which then must be there; 0: neither need be
	AnyURI     bool  `json:"any_uri,omitempty"`     // request_uri need not be one that the client registered
}

// RequestObjectLifetime is the longest time from nbf to exp; zero: any.
func (s *Settings) RequestObjectLifetime() time.Duration {
	return time.Duration(s.RequestObjects.Lifetime) * time.Second
}
