// Package clientauth answers which client is calling (RFC 6749 §2.3).
package clientauth

// Credentials are what a request presented. The door reads them off the wire: Basic credentials decoded strictly
// (RFC 6749 §2.3.1), parameters of the form body only, each at most once.
type Credentials struct {
	BasicID, BasicSecret string
	Basic                bool   // there was an Authorization header of the scheme Basic
	FormID, FormSecret   string // client_id, client_secret
	FormSecretSent       bool   // client_secret was there; an empty one counts as absent (RFC 6749 §3.2)
	Address              string // of the caller
}
