package registration

import (
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

const clientKey = `"jwks":{"keys":[{"kty":"EC","crv":"P-256","kid":"k","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}`

// How a client protects its requests and has responses protected must be what the tenant has, and the client has keys for.
func TestRequestObjects(t *testing.T) {
	weak := func(s *tenant.Settings) { s.RequestObjects.Unsigned, s.Signing.HMAC = true, true }
	opens := func(s *tenant.Settings) { s.Encryption.Algs = []string{"ECDH-ES"} }
	for _, c := range []struct {
		rule, members string
		settings      func(*tenant.Settings)
		want          string
	}{
		{"signed with a key", clientKey + `,"request_object_signing_alg":"ES256"`, nil, ""},
		{"without keys", `"request_object_signing_alg":"ES256"`, nil, badMeta},
		{"with an algorithm we do not know", clientKey + `,"request_object_signing_alg":"ES256K"`, nil, badMeta},
		{"with a secret where that is off", `"request_object_signing_alg":"HS256"`, nil, badMeta},
		{"with a secret where that is on", `"request_object_signing_alg":"HS256"`, weak, ""},
		{"with a secret that there is none of", `"request_object_signing_alg":"HS256","token_endpoint_auth_method":"none"`, weak, badMeta},
		{"not at all where that is off", `"request_object_signing_alg":"none"`, nil, badMeta},
		{"not at all where that is on", `"request_object_signing_alg":"none"`, weak, ""},
		{"not at all, and required", `"request_object_signing_alg":"none","require_signed_request_object":true`, weak, badMeta},
		{"required, without anything to sign with", `"require_signed_request_object":true`, nil, badMeta},
		{"required", clientKey + `,"require_signed_request_object":true`, nil, ""},
		{"encrypted where the tenant has no key", `"request_object_encryption_alg":"ECDH-ES"`, nil, badMeta},
		{"encrypted where it has one", `"request_object_encryption_alg":"ECDH-ES"`, opens, ""},
		{"encrypted to another", `"request_object_encryption_alg":"RSA-OAEP-256"`, opens, badMeta},
		{"encrypted with a secret", `"request_object_encryption_alg":"A256KW"`, nil, ""},
		{"encrypted without alg", `"request_object_encryption_enc":"A256GCM"`, opens, badMeta},
		{"with an enc we do not know", `"request_object_encryption_alg":"ECDH-ES","request_object_encryption_enc":"A256"`, opens, badMeta},
		{"request URIs", `"request_uris":["https://a.example/r#x"]`, nil, ""},
		{"over plain http", `"request_uris":["http://a.example/r"]`, nil, badMeta},
		{"of another scheme", `"request_uris":["urn:x"]`, nil, badMeta},
		{"signed authentication requests", clientKey + `,"backchannel_authentication_request_signing_alg":"ES256"`, nil, ""},
		{"with a secret", `"backchannel_authentication_request_signing_alg":"HS256"`, weak, badMeta},
		{"without keys", `"backchannel_authentication_request_signing_alg":"ES256"`, nil, badMeta},
		{"responses", `"authorization_signed_response_alg":"ES256"`, nil, ""},
		{"responses with an algorithm there is no key for", `"authorization_signed_response_alg":"RS256"`, nil, badMeta},
		{"responses that are unsigned", `"authorization_signed_response_alg":"none"`, weak, badMeta},
		{"encrypted responses", clientKey + `,"authorization_encrypted_response_alg":"ECDH-ES"`, nil, ""},
		{"encrypted responses without a key", `"authorization_encrypted_response_alg":"ECDH-ES"`, nil, badMeta},
	} {
		s, acme, m := house(t)
		if c.settings != nil {
			c.settings(acme.Settings)
		}
		r, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://a.example/cb"],`+c.members+`}`, administrator))
		if said(err) != c.want {
			t.Errorf("%s: %v, want %q", c.rule, err, c.want)
		}
		kept := err == nil && len(m.clients[r.Client.ID].Secrets) > 0 && !m.clients[r.Client.ID].Secrets[0].HMAC.IsZero()
		if used := strings.Contains(c.members, "HS256") || strings.Contains(c.members, "A256KW"); err == nil && kept != used {
			t.Errorf("%s: the secret is kept: %v", c.rule, kept)
		}
	}
}
