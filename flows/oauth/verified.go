package oauth

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Verified is one request for verified claims (OpenID Connect for Identity Assurance 1.0 §6).
type Verified struct {
	Verification json.RawMessage   `json:"verification"` // an object: how they must have been verified
	Claims       map[string]*Claim `json:"claims"`
}

// VerifiedClaims is the member of a claims request, and of ID token and UserInfo, that holds verified claims.
const VerifiedClaims = "verified_claims"

// maxVerified is how many requests for verified claims one claims parameter may have in one place.
const maxVerified = 8

var (
	errVerified = InvalidRequest("verified_claims is not an object, or an array of objects, with verification, its trust_framework and claims")
	errPurpose  = InvalidRequest("a purpose has from 3 to 300 characters")
)

// parseVerified reads verified_claims of a claims request: an object, or an array of them.
func parseVerified(raw json.RawMessage) ([]Verified, error) {
	elements := []json.RawMessage{raw}
	if strings.HasPrefix(strings.TrimLeft(string(raw), " \t\r\n"), "[") {
		if err := json.Unmarshal(raw, &elements); err != nil {
			return nil, errVerified.Because(err)
		}
	}
	if len(elements) == 0 || len(elements) > maxVerified {
		return nil, errVerified
	}
	var out []Verified
	for _, e := range elements {
		v, err := parseOneVerified(e)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func parseOneVerified(raw json.RawMessage) (v Verified, err error) {
	members, err := object(raw)
	if err != nil {
		return v, errVerified.Because(err)
	}
	verification, err := object(members["verification"])
	if _, there := verification["trust_framework"]; err != nil || !there {
		return v, errVerified.Because(errors.Join(err))
	}
	named, err := object(members["claims"])
	if err != nil || len(named) == 0 {
		return v, errVerified.Because(errors.Join(err))
	}
	v = Verified{members["verification"], map[string]*Claim{}}
	for name, raw := range named {
		if !ClaimName(name) {
			return v, InvalidRequest("claims holds a name that is not allowed")
		}
		if v.Claims[name], err = parseClaim(raw); err != nil {
			return v, err
		}
	}
	return v, nil
}

// Purpose reports whether s may tell a subject what for something is asked: 3 to 300 characters, none of them control
// characters.
func Purpose(s string) bool {
	n := utf8.RuneCountInString(s)
	return n >= 3 && n <= 300 && utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
