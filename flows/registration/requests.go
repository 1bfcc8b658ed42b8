package registration

import (
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// RequestAlgs are the algorithms that clients of t may sign request objects with (RFC 9101 §10.5): those of their own keys,
// and where the tenant says so HMACs with their secret, and none.
func RequestAlgs(t *tenant.Tenant) []keys.Alg {
	algs := keys.ClientAlgs()
	if t.Settings.Signing.HMAC {
		algs = append(algs, keys.HMACAlgs()...)
	}
	if t.Settings.RequestObjects.Unsigned {
		algs = append(algs, keys.None)
	}
	d := tenant.DemandsOf(t.Settings.Profile)
	return slices.DeleteFunc(algs, func(a keys.Alg) bool { return !d.AllowsAlg(a) })
}

// requestObjects checks how the client protects its authorization requests (OIDC Registration §2, RFC 9101, CIBA Core §4).
func requestObjects(s *Service, t *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	secretive, alg := (&tenant.Client{Metadata: *m}).Secretive(), keys.Alg(m.RequestAlg)
	switch {
	case alg == "":
	case !slices.Contains(RequestAlgs(t), alg):
		return oauth.InvalidClientMetadata("request_object_signing_alg is not supported")
	case alg.HMAC() && !secretive:
		return oauth.InvalidClientMetadata("request_object_signing_alg needs a client that has a secret")
	case alg == keys.None && m.RequireSignedObject:
		return oauth.InvalidClientMetadata("require_signed_request_object does not go with request_object_signing_alg none")
	case alg != keys.None && !alg.HMAC() && keyless(m):
		return oauth.InvalidClientMetadata("request_object_signing_alg needs jwks or jwks_uri")
	}
	switch alg := m.BackchannelRequestAlg; {
	case alg != "" && !slices.Contains(keys.ClientAlgs(), keys.Alg(alg)): // CIBA Core §4: asymmetric ones only
		return oauth.InvalidClientMetadata("backchannel_authentication_request_signing_alg is not supported")
	case alg != "" && keyless(m):
		return oauth.InvalidClientMetadata("backchannel_authentication_request_signing_alg needs jwks or jwks_uri")
	}
	if m.RequireSignedObject && m.RequestAlg == "" && keyless(m) {
		return oauth.InvalidClientMetadata("require_signed_request_object needs request_object_signing_alg, or jwks or jwks_uri")
	}
	if err := requestEncryption(t, m, secretive); err != nil {
		return err
	}
	return s.requestURIs(m)
}

// keyless reports whether the client has no keys of its own.
func keyless(m *tenant.Metadata) bool { return len(m.JWKS) == 0 && m.JWKSURI == "" }

// requestEncryption checks how the client encrypts its request objects: to a key of the tenant, or with its secret.
func requestEncryption(t *tenant.Tenant, m *tenant.Metadata, secretive bool) error {
	alg := keys.Alg(m.RequestEncAlg)
	switch {
	case alg == "" && m.RequestEnc == "":
		return nil
	case alg == "":
		return oauth.InvalidClientMetadata("request_object_encryption_enc needs request_object_encryption_alg")
	case alg.Shared() && !secretive:
		return oauth.InvalidClientMetadata("request_object_encryption_alg needs a client that has a secret")
	case !alg.Shared() && !slices.Contains(t.Settings.Encryption.Algs, m.RequestEncAlg):
		return oauth.InvalidClientMetadata("request_object_encryption_alg is not supported")
	}
	if m.RequestEnc == "" {
		m.RequestEnc = keys.A128CBCHS256
	}
	if !slices.Contains(t.Settings.ContentEncryptions(), m.RequestEnc) {
		return oauth.InvalidClientMetadata("request_object_encryption_enc is not supported")
	}
	return nil
}

// requestURIs checks where the client's request objects may be; a fragment is the hash of what is there (OIDC Registration
// §2).
func (s *Service) requestURIs(m *tenant.Metadata) error {
	if len(m.RequestURIs) > maxList {
		return oauth.InvalidClientMetadata("request_uris has too many members")
	}
	for _, uri := range m.RequestURIs {
		at, _, _ := strings.Cut(uri, "#")
		if err := s.permits(at); err != nil || !secure(at) {
			return oauth.InvalidClientMetadata("request_uris holds one that is not an https URL of a public host").Because(err)
		}
	}
	return nil
}
