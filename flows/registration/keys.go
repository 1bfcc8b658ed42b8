package registration

import (
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// clientKeys checks the client's own keys, and the algorithm of its assertions (RFC 7591 §2, OIDC Registration §2).
func clientKeys(s *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	algs := clientauth.Algs(m.Method())
	if algs == nil {
		algs = clientauth.Algs("") // it says nothing, and may be there
	}
	switch {
	case len(m.JWKS) > 0 && m.JWKSURI != "":
		return oauth.InvalidClientMetadata("jwks and jwks_uri exclude each other")
	case m.Uses(oauth.AuthPrivateJWT) && len(m.JWKS) == 0 && m.JWKSURI == "":
		return oauth.InvalidClientMetadata("token_endpoint_auth_method private_key_jwt needs jwks or jwks_uri")
	case m.Uses(oauth.AuthSelfSignedTLS) && len(m.JWKS) == 0 && m.JWKSURI == "":
		return oauth.InvalidClientMetadata("token_endpoint_auth_method self_signed_tls_client_auth needs jwks or jwks_uri")
	case m.TokenEndpointAuthAlg != "" && !slices.Contains(algs, keys.Alg(m.TokenEndpointAuthAlg)):
		return oauth.InvalidClientMetadata("token_endpoint_auth_signing_alg is not supported")
	}
	if m.JWKSURI != "" {
		if err := s.permits(m.JWKSURI); err != nil {
			return oauth.InvalidClientMetadata("jwks_uri is not an https URL of a public host").Because(err)
		}
	}
	if len(m.JWKS) > 0 {
		if _, err := keys.ParseJWKS(m.JWKS); err != nil {
			return oauth.InvalidClientMetadata("jwks is not a set of usable public keys").Because(err)
		}
	}
	return nil
}

// permits returns why a URL that we are to call may not be registered, or nil.
func (s *Service) permits(uri string) error {
	if _, err := absolute(uri); err != nil || s.Permits == nil {
		return err
	}
	return s.Permits(uri)
}
