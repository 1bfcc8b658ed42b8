package request

import (
	"encoding/base64"

	"github.com/chancery-id/chancery/flows/oauth"
)

// dpopJKT reads the thumbprint of the key that the code is bound to (RFC 9449 §10).
func (d *draft) dpopJKT() error {
	jkt := d.get("dpop_jkt")
	if b, err := base64.RawURLEncoding.Strict().DecodeString(jkt); jkt != "" && (err != nil || len(b) != 32 || len(jkt) != 43) {
		return oauth.InvalidRequest("dpop_jkt is not the base64url form of a SHA-256 thumbprint").Because(err)
	}
	d.DPoPJKT = jkt
	return nil
}
