package tenant

import (
	"slices"

	"github.com/chancery-id/chancery/tenant/keys"
)

// SigningSettings rule what answers to clients may be signed with, beside the keys that the tenant signs access tokens
// and ID tokens with. A tenant gets a key for each of Algs when they are set; only then may clients register for it.
type SigningSettings struct {
	Algs []string `json:"algs,omitempty"` // beside RS256 and ES256
	HMAC bool     `json:"hmac,omitempty"` // HS256, HS384 and HS512 with a client's own secret
	None bool     `json:"none,omitempty"` // ID tokens of the token endpoint may come without signature (OIDC Core §2)
}

// EncryptionSettings rule what clients may encrypt for us: request objects (RFC 9101 §6.1) and ID token hints. A tenant
// gets a key for each of Algs when they are set; those of an algorithm that is taken out are published no longer.
type EncryptionSettings struct {
	Algs []string `json:"algs,omitempty"` // none where empty
	Encs []string `json:"encs,omitempty"` // all of ours where empty
}

// Decryptable are what clients may encrypt to the tenant's own keys with.
func (s *Settings) Decryptable() []keys.Encryption {
	var out []keys.Encryption
	for _, alg := range s.Encryption.Algs {
		for _, enc := range s.ContentEncryptions() {
			out = append(out, keys.Encryption{Alg: keys.Alg(alg), Enc: enc})
		}
	}
	return out
}

// ContentEncryptions are the values of enc that clients may encrypt for us with.
func (s *Settings) ContentEncryptions() []string {
	if len(s.Encryption.Encs) == 0 {
		return keys.ContentEncryptions()
	}
	return s.Encryption.Encs
}

// protection checks algorithms that are listed.
func (c *checker) protection(s *Settings) {
	c.list("/signing/algs", s.Signing.Algs, func(v string) bool { return slices.Contains(keys.SigningAlgs(), keys.Alg(v)) },
		"is no signature algorithm of ours")
	c.list("/encryption/algs", s.Encryption.Algs, func(v string) bool { return slices.Contains(keys.OpeningAlgs(), keys.Alg(v)) },
		"is no algorithm of ours that clients may encrypt to")
	c.list("/encryption/encs", s.Encryption.Encs, func(v string) bool { return slices.Contains(keys.ContentEncryptions(), v) },
		"is no content encryption of ours")
}
