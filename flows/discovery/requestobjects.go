package discovery

import (
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// requestObjects is what a tenant says of requests and responses that are JWTs (RFC 9101 §10.5, OIDC Discovery §3, JARM §4,
// CIBA Core §4).
type requestObjects struct {
	RequireRequestURIs  bool     `json:"require_request_uri_registration"`
	RequireSignedObject bool     `json:"require_signed_request_object,omitempty"`
	RequestAlgs         []string `json:"request_object_signing_alg_values_supported"`
	RequestKeyAlgs      []string `json:"request_object_encryption_alg_values_supported,omitempty"`
	RequestEncs         []string `json:"request_object_encryption_enc_values_supported,omitempty"`
	CIBARequestAlgs     []string `json:"backchannel_authentication_request_signing_alg_values_supported,omitempty"`
	ResponseAlgs        []string `json:"authorization_signing_alg_values_supported,omitempty"`
	ResponseKeyAlgs     []string `json:"authorization_encryption_alg_values_supported,omitempty"`
	ResponseEncs        []string `json:"authorization_encryption_enc_values_supported,omitempty"`
}

// requestObjectsOf says it of the requests of t.
func requestObjectsOf(t *tenant.Tenant) requestObjects {
	s := t.Settings
	out := requestObjects{RequireRequestURIs: !s.RequestObjects.AnyURI, RequireSignedObject: s.RequestObjects.Required, RequestAlgs: names(registration.RequestAlgs(t))}
	if out.RequestKeyAlgs = s.Encryption.Algs; len(out.RequestKeyAlgs) > 0 {
		out.RequestEncs = s.ContentEncryptions()
	}
	if s.CIBA.Enabled {
		out.CIBARequestAlgs = names(keys.ClientAlgs())
	}
	return out
}
