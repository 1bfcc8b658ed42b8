package registration

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// encoded gives c the secret of which r has the SHA-256: one that was made elsewhere, and that we never learn. It can be
// compared, and no more.
func (s *Service) encoded(t *tenant.Tenant, c *tenant.Client, old []tenant.ClientSecret, r *Request, now time.Time) error {
	sum, err := hex.DecodeString(r.SecretHash)
	switch {
	case err != nil || len(sum) != sha256.Size:
		return oauth.InvalidClientMetadata("encoded_client_secret is not a SHA-256 in hexadecimal").Because(err)
	case r.PreferredSecret != "":
		return oauth.InvalidClientMetadata("encoded_client_secret and preferred_client_secret must not be used together")
	case !c.Secretive():
		return oauth.InvalidClientMetadata("encoded_client_secret does not go with a token_endpoint_auth_method without secret")
	case len(c.SecretAlgs()) > 0:
		return oauth.InvalidClientMetadata("encoded_client_secret does not go with an algorithm that uses the secret itself")
	}
	c.Secrets = rotated(tenant.ClientSecret{Hash: sum}, hashed(old), now, now.Add(t.Settings.SecretOverlap()))
	return nil
}
