package account

import (
	"crypto/subtle"
	"strings"

	"golang.org/x/crypto/scrypt"
)

// The most that an imported scrypt hash may take: memory in blocks of 128 bytes (128 MiB), and how many of them are
// gone through, which is about a second.
const (
	affordableScryptMemory = 1 << 20
	affordableScryptWork   = 1 << 21
)

// scryptHash is an imported scrypt hash (RFC 7914 §2): cost n, block size r, parallelization p.
type scryptHash struct {
	n, r, p   int
	salt, sum []byte
}

func (s scryptHash) matches(password string) bool {
	sum, err := scrypt.Key([]byte(password), s.salt, s.n, s.r, s.p, len(s.sum))
	return err == nil && subtle.ConstantTimeCompare(sum, s.sum) == 1
}

func (s scryptHash) ours() bool { return false }

// checked returns s if it is strong enough to be told from another, and cheap enough to be checked.
func (s scryptHash) checked() (digest, error) {
	if s.n < 2 || s.n > affordableScryptMemory || s.n&(s.n-1) != 0 || s.r < 1 || s.r > 64 || s.p < 1 || s.p > 64 ||
		s.n*s.r > affordableScryptMemory || s.n*s.r*s.p > affordableScryptWork || !measured(s.salt, s.sum) {
		return nil, errHash
	}
	return s, nil
}

// parseScrypt reads the PHC form, $scrypt$ln=16,r=8,p=1$salt$sum, where ln is the logarithm of the cost to the base 2.
func parseScrypt(s string) (digest, error) {
	parts := strings.Split(s, "$") // "", scrypt, ln=,r=,p=, salt, sum
	if len(parts) != 5 {
		return nil, errHash
	}
	members := strings.Split(parts[2], ",")
	if len(members) != 3 {
		return nil, errHash
	}
	var values [3]int
	for i, name := range []string{"ln=", "r=", "p="} {
		value, ok := strings.CutPrefix(members[i], name)
		if values[i] = number(value); !ok {
			return nil, errHash
		}
	}
	if values[0] < 1 || values[0] > 30 {
		return nil, errHash
	}
	h := scryptHash{n: 1 << values[0], r: values[1], p: values[2]}
	var err error
	if h.salt, err = b64.DecodeString(parts[3]); err != nil {
		return nil, errHash
	}
	if h.sum, err = b64.DecodeString(parts[4]); err != nil {
		return nil, errHash
	}
	return h.checked()
}
