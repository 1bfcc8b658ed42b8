package tenant

// RequestMetadata is how a client protects its authorization requests, and has the responses protected.
type RequestMetadata struct {
	RequireSignedObject bool     `json:"require_signed_request_object,omitempty"` // RFC 9101 §10.5
	RequestAlg          string   `json:"request_object_signing_alg,omitempty"`    // empty: any of its keys'
	RequestEncAlg       string   `json:"request_object_encryption_alg,omitempty"`
	RequestEnc          string   `json:"request_object_encryption_enc,omitempty"`
	RequestURIs         []string `json:"request_uris,omitempty"` // where its request objects may be

	BackchannelRequestAlg string `json:"backchannel_authentication_request_signing_alg,omitempty"` // CIBA Core §4; empty: it signs none

	ResponseAlg    string `json:"authorization_signed_response_alg,omitempty"` // of a response that is a JWT (JARM §3); RS256
	ResponseEncAlg string `json:"authorization_encrypted_response_alg,omitempty"`
	ResponseEnc    string `json:"authorization_encrypted_response_enc,omitempty"`
}
