package account

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
)

// affordablePBKDF2 is the most that an imported PBKDF2 hash may take: iterations, times the blocks of its length. It is
// about a second of SHA-512.
const affordablePBKDF2 = 2_000_000

// pbkdf2Hash is an imported PBKDF2 hash (RFC 8018 §5.2), with HMAC as its pseudorandom function.
type pbkdf2Hash struct {
	hash       func() hash.Hash
	iterations int
	salt, sum  []byte
}

// hashes are the hash functions below PBKDF2, by the names that the forms of its hashes have for them.
var hashes = map[string]func() hash.Hash{
	"": sha1.New, "sha1": sha1.New, "sha256": sha256.New, "sha512": sha512.New,
}

func (p pbkdf2Hash) matches(password string) bool {
	sum, err := pbkdf2.Key(p.hash, password, p.salt, p.iterations, len(p.sum))
	return err == nil && subtle.ConstantTimeCompare(sum, p.sum) == 1
}

func (p pbkdf2Hash) ours() bool { return false }

// checked returns p if it is strong enough to be told from another, and cheap enough to be checked.
func (p pbkdf2Hash) checked() (digest, error) {
	if p.hash == nil || p.iterations < 1 || p.iterations > affordablePBKDF2 || !measured(p.salt, p.sum) {
		return nil, errHash
	}
	size := p.hash().Size()
	if blocks := (len(p.sum) + size - 1) / size; p.iterations*blocks > affordablePBKDF2 {
		return nil, errHash
	}
	return p, nil
}

// measured reports whether salt and sum of an imported hash have lengths that we check.
func measured(salt, sum []byte) bool {
	return len(salt) >= 8 && len(salt) <= 64 && len(sum) >= 16 && len(sum) <= 64
}

// parsePBKDF2 reads the PHC form, $pbkdf2-sha256$i=600000,l=32$salt$sum, and that of modular crypt,
// $pbkdf2-sha256$600000$salt$sum, whose base64 has a dot for the plus sign. Without a hash's name it is SHA-1.
func parsePBKDF2(s string) (digest, error) {
	parts := strings.Split(s, "$") // "", pbkdf2-…, iterations, salt, sum
	if len(parts) != 5 {
		return nil, errHash
	}
	name, dash := strings.CutPrefix(parts[1], "pbkdf2-")
	if !dash && parts[1] != "pbkdf2" || dash && name == "" {
		return nil, errHash
	}
	if !dash {
		name = ""
	}
	iterations, phc := strings.CutPrefix(parts[2], "i=")
	iterations, length, long := strings.Cut(iterations, ",l=")
	if long && !phc {
		return nil, errHash
	}
	p := pbkdf2Hash{hash: hashes[name], iterations: number(iterations)}
	var err error
	for i, to := range []*[]byte{&p.salt, &p.sum} {
		text := parts[3+i]
		if !phc {
			text = strings.ReplaceAll(text, ".", "+")
		}
		if *to, err = b64.DecodeString(text); err != nil {
			return nil, errHash
		}
	}
	if long && number(length) != len(p.sum) {
		return nil, errHash
	}
	return p.checked()
}

// parseDjango reads pbkdf2_sha256$600000$salt$sum: the salt as it is, the sum in base64 with padding.
func parseDjango(s string) (digest, error) {
	parts := strings.Split(strings.TrimPrefix(s, "pbkdf2_"), "$")
	if len(parts) != 4 || parts[0] == "" {
		return nil, errHash
	}
	sum, err := base64.StdEncoding.Strict().DecodeString(parts[3])
	if err != nil {
		return nil, errHash
	}
	return pbkdf2Hash{hashes[parts[0]], number(parts[1]), []byte(parts[2]), sum}.checked()
}

// parseWerkzeug reads pbkdf2:sha256:600000$salt$sum and scrypt:32768:8:1$salt$sum: the salt as it is, the sum in
// hexadecimal.
func parseWerkzeug(s string) (digest, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 3 {
		return nil, errHash
	}
	sum, err := hex.DecodeString(parts[2])
	if err != nil {
		return nil, errHash
	}
	method, salt := strings.Split(parts[0], ":"), []byte(parts[1])
	switch {
	case method[0] == "pbkdf2" && len(method) == 3 && method[1] != "":
		return pbkdf2Hash{hashes[method[1]], number(method[2]), salt, sum}.checked()
	case method[0] == "scrypt" && len(method) == 4:
		return scryptHash{number(method[1]), number(method[2]), number(method[3]), salt, sum}.checked()
	}
	return nil, errHash
}

// number reads a positive decimal number as it is written, without sign or leading zeros. Anything else is zero.
func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || strconv.Itoa(n) != s {
		return 0
	}
	return n
}
