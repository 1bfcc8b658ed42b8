// Package clientauth answers which client is calling (RFC 6749 §2.3, RFC 7523, RFC 8705 §2).
package clientauth

import "github.com/chancery-id/chancery/tenant/keys"

// Credentials are what a request presented. The door reads them off the wire: Basic credentials decoded strictly
// (RFC 6749 §2.3.1), parameters of the form body only, each at most once.
type Credentials struct {
	BasicID, BasicSecret     string
	Basic                    bool   // there was an Authorization header of the scheme Basic
	FormID, FormSecret       string // client_id, client_secret
	FormSecretSent           bool   // client_secret was there; an empty one counts as absent (RFC 6749 §3.2)
	AssertionType, Assertion string // client_assertion_type, client_assertion (RFC 7521 §4.2); empty ones count as absent
	Address                  string // of the caller

	Certificate *keys.Certificate // that the client presented (RFC 8705 §2); nil: none

	assertion *assertion // taken apart
	broken    error      // why it could not be
}

// OnlyID reports whether c names a client, or nothing, without any proof.
func (c *Credentials) OnlyID() bool { return !c.Basic && c.FormSecret == "" && !c.asserts() }

// Empty reports whether c neither names a client nor proves one.
func (c *Credentials) Empty() bool { return c.OnlyID() && c.FormID == "" }
