package account

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// The most that one account may hold.
const (
	maxClaims     = 256
	maxClaimBytes = 64 << 10 // of all names and values
)

// standard are the types of the standard claims (OIDC Core §5.1). Other claims may be any JSON value.
var standard = map[string]func(json.RawMessage) bool{
	"name":                  text,
	"given_name":            text,
	"family_name":           text,
	"middle_name":           text,
	"nickname":              text,
	"preferred_username":    text,
	"profile":               webPage,
	"picture":               webPage,
	"website":               webPage,
	"email":                 email,
	"email_verified":        boolean,
	"gender":                text,
	"birthdate":             text,
	"zoneinfo":              text,
	"locale":                text,
	"phone_number":          text,
	"phone_number_verified": boolean,
	"address":               address,
	"updated_at":            seconds,
}

// reserved are the claims and members that the protocol gives a meaning; an account cannot set them.
var reserved = []string{
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce", "auth_time", "acr", "amr", "azp", "at_hash", "c_hash",
	"s_hash", "sid", "act", "may_act", "cnf", "scope", "client_id", "events", "active", "token_type", "token_use",
	"authorization_details", "sub_jwk", "sub_id", "gid", "dat", "_claim_names", "_claim_sources",
}

// languageTag is the shape of a language tag (RFC 5646 §2.1), without its registry.
var languageTag = regexp.MustCompile(`^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$`)

// checkClaims returns why an account may not have these claims: invalid_request.
func checkClaims(claims map[string]json.RawMessage) error {
	if len(claims) > maxClaims {
		return oauth.InvalidRequest("There are too many claims")
	}
	size := 0
	for name, value := range claims {
		size += len(name) + len(value)
		if err := checkClaim(name, value); err != nil {
			return err
		}
	}
	if size > maxClaimBytes {
		return oauth.InvalidRequest("The claims are too large")
	}
	return nil
}

// checkClaim returns why an account may not have that claim: invalid_request.
func checkClaim(name string, value json.RawMessage) error {
	base, tag, tagged := strings.Cut(name, "#")
	switch is := standard[base]; {
	case !oauth.ClaimName(name) || base == "" || tagged && !languageTag.MatchString(tag):
		return oauth.InvalidRequest("A claim has a name that is not allowed")
	case slices.Contains(reserved, base):
		return oauth.InvalidRequest("A claim has a name that the protocol reserves")
	case !json.Valid(value) || string(bytes.TrimSpace(value)) == "null":
		return oauth.InvalidRequest("A claim has no value")
	case is != nil && !is(value):
		return oauth.InvalidRequest("A standard claim has a value of the wrong type")
	}
	return nil
}

// decode reads a value that is exactly a V, and not null.
func decode[V any](raw json.RawMessage) (V, bool) {
	var v *V
	if err := json.Unmarshal(raw, &v); err != nil || v == nil {
		return *new(V), false
	}
	return *v, true
}

func text(raw json.RawMessage) bool {
	_, ok := decode[string](raw)
	return ok
}

func boolean(raw json.RawMessage) bool {
	_, ok := decode[bool](raw)
	return ok
}

// seconds is a number of seconds since 1970.
func seconds(raw json.RawMessage) bool {
	v, ok := decode[float64](raw)
	return ok && v >= 0
}

// email is one address: something on each side of an @, and nothing unseen.
func email(raw json.RawMessage) bool {
	v, ok := decode[string](raw)
	at := strings.LastIndexByte(v, '@')
	return ok && at > 0 && at < len(v)-1 && len(v) <= 254 && !strings.ContainsFunc(v, unseen) && !strings.Contains(v, " ")
}

// webPage is an absolute http or https URL, as pages may link to it.
func webPage(raw json.RawMessage) bool {
	v, ok := decode[string](raw)
	if !ok || strings.ContainsFunc(v, unseen) || strings.Contains(v, " ") {
		return false
	}
	u, err := url.Parse(v)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}

// address is an object of strings (OIDC Core §5.1.1).
func address(raw json.RawMessage) bool {
	members, ok := decode[map[string]json.RawMessage](raw)
	for _, v := range members {
		ok = ok && text(v)
	}
	return ok
}
