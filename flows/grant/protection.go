package grant

import (
	"cmp"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// ForIDToken is how the ID tokens of c are protected (OIDC Core §2).
func ForIDToken(t *tenant.Tenant, c *tenant.Client) Protection {
	return Protection{t.Settings.IDTokenAlg(c), c.IDTokenEncryptionAlg, c.IDTokenEncryptionEnc}
}

// ForUserInfo is how UserInfo answers for c are protected (OIDC Core §5.3.2); neither signed nor encrypted, they are JSON.
func ForUserInfo(c *tenant.Client) Protection {
	return Protection{keys.Alg(c.UserInfoAlg), c.UserInfoEncryptionAlg, c.UserInfoEncryptionEnc}
}

// ForIntrospection is how introspection answers for c are protected where it asks for a JWT (RFC 9701 §6).
func ForIntrospection(c *tenant.Client) Protection {
	return Protection{keys.Alg(cmp.Or(c.IntrospectionAlg, string(keys.RS256))), c.IntrospectionEncryptionAlg, c.IntrospectionEncryptionEnc}
}

// ForAuthorization is how authorization responses for c are protected where it asks for a JWT (JARM §3).
func ForAuthorization(c *tenant.Client) Protection {
	return Protection{keys.Alg(cmp.Or(c.ResponseAlg, string(keys.RS256))), c.ResponseEncAlg, c.ResponseEnc}
}
