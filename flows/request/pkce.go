package request

import (
	"encoding/base64"

	"github.com/chancery-id/chancery/flows/oauth"
)

// pkce reads the code challenge (RFC 7636 §4.3) of a request that gives a code. Only S256 is known, and a missing method would mean plain. Public
// clients must send one, others where their registration or the tenant says so (RFC 9700 §2.1.1).
func (d *draft) pkce() error {
	challenge, method := d.get("code_challenge"), d.get("code_challenge_method")
	switch {
	case !d.Gives(oauth.ResponseCode):
		return nil
	case challenge == "" && method != "":
		return oauth.InvalidRequest("code_challenge is missing")
	case challenge == "" && (d.client.Public() || d.client.RequirePKCE || d.tenant.Settings.Authorization.RequirePKCE):
		return oauth.InvalidRequest("code_challenge is required for this client")
	case challenge == "":
		return nil
	case method != oauth.S256:
		return oauth.InvalidRequest("code_challenge_method must be S256")
	}
	if b, err := base64.RawURLEncoding.Strict().DecodeString(challenge); err != nil || len(b) != 32 {
		return oauth.InvalidRequest("code_challenge is not the base64url form of a SHA-256 value").Because(err)
	}
	d.CodeChallenge = challenge
	return nil
}
