package registration

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"regexp"
	"slices"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// random returns n random bytes in base64url.
func (s *Service) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return "", oauth.Unavailable().Because(err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

var (
	// preferred are the client ids that may be asked for: nothing that looks like a URL or needs encoding anywhere.
	preferred = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._~-]{0,79}$`)
	// subjectForm is the form of our accounts' subjects, 128 bits in base64url, which no client id may have (RFC 9700 §4.15).
	subjectForm = regexp.MustCompile(`^[A-Za-z0-9_-]{21}[AQgw]$`)
	// numberForm is that of client numbers: another client's id must not look like one.
	numberForm = regexp.MustCompile(`^[1-9][0-9]{6,15}$`)
	// generatedForm is that of generated client ids.
	generatedForm = regexp.MustCompile(`^c_[A-Za-z0-9_-]{22}$`)
	// secretForm is what a client secret asked for may be: long, in the characters of RFC 6749 Appendix A.2.
	secretForm = regexp.MustCompile(`^[ -~]{32,255}$`)
)

// clientID returns the id asked for, or c_ and 128 random bits: neither a URL nor a subject nor a tenant's id.
func (s *Service) clientID(asked string) (string, error) {
	if asked == "" {
		id, err := s.random(16)
		return "c_" + id, err
	}
	if !preferred.MatchString(asked) || subjectForm.MatchString(asked) || numberForm.MatchString(asked) || generatedForm.MatchString(asked) {
		return "", oauth.InvalidClientMetadata("preferred_client_id is too long or of a form that is not allowed")
	}
	return asked, nil
}

// newSecret returns the secret asked for, or 256 random bits, with what is stored of it. Where an algorithm uses it that
// wants a longer key, there are 384 random bits in 512 (RFC 7518 §3.2).
func (s *Service) newSecret(asked string, uses []keys.Alg) (secret string, stored tenant.ClientSecret, err error) {
	if asked != "" && !secretForm.MatchString(asked) {
		return "", stored, oauth.InvalidClientMetadata("preferred_client_secret is not of 32 to 255 printable characters")
	}
	if secret = asked; secret == "" {
		size := 32
		if slices.Contains(uses, keys.HS384) || slices.Contains(uses, keys.HS512) {
			size = 48
		}
		if secret, err = s.random(size); err != nil {
			return "", stored, err
		}
	}
	return secret, tenant.ClientSecret{Hash: hash(secret)}, nil
}

// suits tells whether a secret that is kept does for all of these.
func suits(secret keys.HMACKey, uses []keys.Alg) bool {
	return !slices.ContainsFunc(uses, func(alg keys.Alg) bool { return !secret.Suits(alg) })
}

func hash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

// rotated returns the secrets after a new one: beside it the newest of the old ones lives on until end at the latest.
func rotated(fresh tenant.ClientSecret, old []tenant.ClientSecret, now, end time.Time) []tenant.ClientSecret {
	secrets := []tenant.ClientSecret{fresh}
	if len(old) == 0 {
		return secrets
	}
	last := old[0]
	if last.ExpiresAt.IsZero() || end.Before(last.ExpiresAt) {
		last.ExpiresAt = end
	}
	if now.Before(last.ExpiresAt) {
		secrets = append(secrets, last)
	}
	return secrets
}

// hashed returns the secrets without those that are there to sign with.
func hashed(secrets []tenant.ClientSecret) []tenant.ClientSecret {
	out := slices.Clone(secrets)
	for i := range out {
		out[i].HMAC = keys.HMACKey{}
	}
	return out
}

// limitOf is how many clients t may have; negative: any number.
func limitOf(t *tenant.Tenant) int { return cmp.Or(t.Settings.Clients.Max, 10_000) }

// openLimitOf is at how many clients of t nobody may register without a token any more: by default nine tenths of all that
// there may be, so that strangers never take the last place.
func openLimitOf(t *tenant.Tenant) int {
	if n := t.Settings.Clients.OpenMax; n > 0 {
		return n
	}
	most := limitOf(t)
	return max(1, most-max(1, most/10))
}
