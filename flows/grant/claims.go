package grant

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"slices"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant/keys"
)

// protocolClaims are the claims that say what a token is. Nobody presets them, and no account holds them.
var protocolClaims = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "azp", "nonce", "auth_time", "acr", "amr", "act", "may_act",
	"at_hash", "c_hash", "s_hash", "sid", "client_id", "scope", "cnf", "gid", "gsub", "gact", "gcl", "dat", "uip", "authorization_details", "events", "active", "token_type",
}

// Presettable reports whether a claim of that name may be set by whoever decides a grant, or come from an account.
func Presettable(name string) bool {
	return oauth.ClaimName(name) && !slices.Contains(protocolClaims, name)
}

// halfHash is at_hash and its kin: the left half of the hash that alg uses, of the token's bytes (OIDC Core §3.1.3.6).
// EdDSA by Ed25519 has SHA-512; "none" has no hash, and gets that of the default.
func halfHash(alg keys.Alg, token string) string {
	var sum []byte
	switch alg {
	case keys.RS384, keys.PS384, keys.ES384, keys.HS384:
		h := sha512.Sum384([]byte(token))
		sum = h[:]
	case keys.RS512, keys.PS512, keys.ES512, keys.HS512, keys.EdDSA:
		h := sha512.Sum512([]byte(token))
		sum = h[:]
	default:
		h := sha256.Sum256([]byte(token))
		sum = h[:]
	}
	return base64.RawURLEncoding.EncodeToString(sum[:len(sum)/2])
}

// What the ID token says that is pushed with its access token (CIBA Core §10.3.1).
const (
	authReqIDClaim = "urn:openid:params:jwt:claim:auth_req_id"
	rtHashClaim    = "urn:openid:params:jwt:claim:rt_hash"
)
