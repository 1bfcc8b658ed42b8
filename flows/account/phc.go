package account

import (
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// A digest is a parsed password hash.
type digest interface {
	matches(password string) bool
	ours() bool // made with our parameters, or stronger ones
}

// schemes are the password hashes we can check, by how they begin. Passwords
// set with us are argon2id; the others come with imported accounts.
var schemes = []struct {
	prefix string
	parse  func(string) (digest, error)
}{
	{"$argon2id$", parseArgon2id},
	{"$2a$", parseBcrypt},
	{"$2b$", parseBcrypt},
	{"$2y$", parseBcrypt},
	{"$pbkdf2$", parsePBKDF2},
	{"$pbkdf2-", parsePBKDF2},
	{"pbkdf2_", parseDjango},
	{"pbkdf2:", parseWerkzeug},
	{"$scrypt$", parseScrypt},
	{"scrypt:", parseWerkzeug},
}

var errHash = errors.New("account: not a password hash that can be checked here")

func parseHash(s string) (digest, error) {
	for _, scheme := range schemes {
		if strings.HasPrefix(s, scheme.prefix) {
			return scheme.parse(s)
		}
	}
	return nil, errHash
}

// matches reports whether hash is of password. A hash that cannot be checked matches none, after the same work.
func matches(hash, password string) bool {
	d, err := parseHash(hash)
	if err != nil {
		decoyed.matches(password)
		return false
	}
	return d.matches(password)
}

// NeedsRehash reports whether a password hash is weaker than those we make now.
func NeedsRehash(phc string) bool {
	d, err := parseHash(phc)
	return err != nil || !d.ours()
}

// cost is what an argon2id hash takes (RFC 9106 §3.1).
type cost struct {
	memory uint32 // KiB
	time   uint32 // passes
	lanes  uint8
}

// ours is what new hashes take: the least that OWASP recommends, some 20 ms.
var ours = cost{memory: 19 << 10, time: 2, lanes: 1}

// affordable are the most that imported hashes may take, so that checking one cannot stall the server.
var affordable = cost{memory: 128 << 10, time: 10, lanes: 16}

// affordableBcrypt is the highest bcrypt cost of imported hashes: about a second.
const affordableBcrypt = 14

// decoy is checked where there is no account, so that the answer takes as long. It is the hash of no password
// that anybody knows: its salt and sum are arbitrary bytes.
var (
	decoyed = argon2id{ours, make([]byte, 16), make([]byte, 32)}
	decoy   = decoyed.String()
)

// argon2id is an argon2id hash with its salt.
type argon2id struct {
	cost
	salt, sum []byte
}

func (c cost) hash(password string, salt []byte) argon2id {
	return argon2id{c, salt, argon2.IDKey([]byte(password), salt, c.time, c.memory, c.lanes, 32)}
}

func (a argon2id) matches(password string) bool {
	sum := argon2.IDKey([]byte(password), a.salt, a.time, a.memory, a.lanes, uint32(len(a.sum)))
	return subtle.ConstantTimeCompare(sum, a.sum) == 1
}

func (a argon2id) ours() bool {
	return a.memory >= ours.memory && a.time >= ours.time && len(a.salt) >= 16 && len(a.sum) >= 32
}

var b64 = base64.RawStdEncoding.Strict()

// String is the PHC string.
func (a argon2id) String() string {
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, a.memory, a.time, a.lanes,
		b64.EncodeToString(a.salt), b64.EncodeToString(a.sum))
}

func parseArgon2id(s string) (digest, error) {
	parts := strings.Split(s, "$") // "", argon2id, v=, m=,t=,p=, salt, sum
	if len(parts) != 6 || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, errHash
	}
	var a argon2id
	if _, err := fmt.Sscanf(parts[3]+"\n", "m=%d,t=%d,p=%d\n", &a.memory, &a.time, &a.lanes); err != nil {
		return nil, errHash
	}
	var err error
	if a.salt, err = b64.DecodeString(parts[4]); err != nil {
		return nil, errHash
	}
	if a.sum, err = b64.DecodeString(parts[5]); err != nil {
		return nil, errHash
	}
	if a.time < 1 || a.lanes < 1 || a.memory < 8*uint32(a.lanes) || len(a.salt) < 8 || len(a.sum) < 16 ||
		a.time > affordable.time || a.lanes > affordable.lanes || a.memory > affordable.memory ||
		len(a.salt) > 64 || len(a.sum) > 64 {
		return nil, errHash
	}
	return a, nil
}

// bcryptHash is an imported bcrypt hash. It covers 72 bytes of a password; a longer one matches none, as its end
// would count for nothing.
type bcryptHash string

func (b bcryptHash) matches(password string) bool {
	err := bcrypt.CompareHashAndPassword([]byte(b), []byte(password[:min(len(password), 72)]))
	return err == nil && len(password) <= 72
}

func (b bcryptHash) ours() bool { return false }

func parseBcrypt(s string) (digest, error) {
	c, err := bcrypt.Cost([]byte(s))
	if err != nil || c > affordableBcrypt || len(s) != 60 {
		return nil, errHash
	}
	return bcryptHash(s), nil
}
