package tenant

import (
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Answers are how a client has what we tell it signed and encrypted (OIDC Registration §2, RFC 9701 §6). The alg and enc
// of encryption come together or not at all.
type Answers struct {
	IDTokenEncryptionAlg string `json:"id_token_encrypted_response_alg,omitempty"`
	IDTokenEncryptionEnc string `json:"id_token_encrypted_response_enc,omitempty"`

	UserInfoAlg           string `json:"userinfo_signed_response_alg,omitempty"`
	UserInfoEncryptionAlg string `json:"userinfo_encrypted_response_alg,omitempty"`
	UserInfoEncryptionEnc string `json:"userinfo_encrypted_response_enc,omitempty"`

	IntrospectionAlg           string `json:"introspection_signed_response_alg,omitempty"`
	IntrospectionEncryptionAlg string `json:"introspection_encrypted_response_alg,omitempty"`
	IntrospectionEncryptionEnc string `json:"introspection_encrypted_response_enc,omitempty"`
}

// SecretAlgs are the algorithms that the client's own secret is used with, beside being sent: where there are any, the
// secret itself is kept.
func (m *Metadata) SecretAlgs() []keys.Alg {
	var algs []keys.Alg
	if m.Uses(oauth.AuthSecretJWT) {
		algs = append(algs, keys.HS256)
		if alg := keys.Alg(m.TokenEndpointAuthAlg); alg.HMAC() {
			algs[0] = alg
		}
	}
	for _, name := range []string{m.IDTokenAlg, m.IDTokenEncryptionAlg, m.UserInfoAlg, m.UserInfoEncryptionAlg, m.IntrospectionAlg, m.IntrospectionEncryptionAlg,
		m.ResponseAlg, m.ResponseEncAlg, m.RequestAlg, m.RequestEncAlg} {
		if alg := keys.Alg(name); alg.HMAC() || alg.Shared() {
			algs = append(algs, alg)
		}
	}
	return algs
}
