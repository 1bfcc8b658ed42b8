package oauth

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
)

// Claims is the claims request parameter (OIDC Core §5.5). A nil map or member asks for nothing.
type Claims struct {
	UserInfo map[string]*Claim `json:"userinfo,omitempty"`
	IDToken  map[string]*Claim `json:"id_token,omitempty"`

	VerifiedUserInfo []Verified `json:"verified_userinfo,omitempty"` // of each what was asked for as one
	VerifiedIDToken  []Verified `json:"verified_id_token,omitempty"`
}

// Claim is one individual claim request (OIDC Core §5.5.1). nil means voluntary, with no value asked for.
type Claim struct {
	Essential bool              `json:"essential,omitempty"`
	Value     json.RawMessage   `json:"value,omitempty"`
	Values    []json.RawMessage `json:"values,omitempty"`
	Purpose   string            `json:"purpose,omitempty"` // what for, to be told to the subject
}

// MaxClaims is the longest claims parameter accepted, in bytes.
const MaxClaims = 8192

// ParseClaims reads a claims parameter. Members it does not know are ignored (OIDC Core §5.5). What is not a JSON object of
// such objects, names a member twice, asks for a sub or acr that is no string, for verified claims in another form than Identity
// Assurance has, or with a purpose too short or too long, is invalid_request: what is asked for must not be lost on the way.
func ParseClaims(s string) (*Claims, error) {
	if len(s) > MaxClaims {
		return nil, InvalidRequest("claims is too long")
	}
	malformed := InvalidRequest("claims is not a valid JSON object")
	members, err := object([]byte(s))
	if err != nil {
		return nil, malformed.Because(err)
	}
	var c Claims
	for _, place := range []struct {
		name     string
		to       *map[string]*Claim
		verified *[]Verified
	}{{"userinfo", &c.UserInfo, &c.VerifiedUserInfo}, {"id_token", &c.IDToken, &c.VerifiedIDToken}} {
		raw, there := members[place.name]
		if !there || string(raw) == "null" {
			continue
		}
		named, err := object(raw)
		if err != nil {
			return nil, malformed.Because(err)
		}
		*place.to = map[string]*Claim{}
		for name, raw := range named {
			if !ClaimName(name) {
				return nil, InvalidRequest("claims holds a name that is not allowed")
			}
			if name == VerifiedClaims && string(raw) != "null" {
				*place.verified, err = parseVerified(raw)
			} else {
				(*place.to)[name], err = parseClaim(raw)
			}
			if _, told := errors.AsType[*Error](err); told {
				return nil, err
			}
			if err != nil {
				return nil, malformed.Because(err)
			}
		}
	}
	for _, asked := range []*Claim{c.IDToken["acr"], c.IDToken["sub"], c.UserInfo["sub"]} {
		if !asked.strings() {
			return nil, InvalidRequest("claims asks for a sub or acr that is no string")
		}
	}
	if c.manySubjects() {
		return nil, InvalidRequest("claims asks for more than one sub")
	}
	return &c, nil
}

// parseClaim reads one individual claim request. null is nil.
func parseClaim(raw json.RawMessage) (*Claim, error) {
	if string(raw) == "null" {
		return nil, nil
	}
	members, err := object(raw)
	if err != nil {
		return nil, err
	}
	var c Claim
	for name, to := range map[string]any{"essential": &c.Essential, "values": &c.Values} {
		if v, there := members[name]; there {
			if err := json.Unmarshal(v, to); err != nil {
				return nil, err
			}
		}
	}
	c.Value = members["value"]
	if raw, there := members["purpose"]; there {
		if v, ok := text(raw); !ok || !Purpose(v) {
			return nil, errPurpose
		}
		c.Purpose, _ = text(raw)
	}
	return &c, nil
}

// asked returns the values that are asked for, by preference.
func (c *Claim) asked() []json.RawMessage {
	if c == nil {
		return nil
	}
	if c.Value != nil {
		return append([]json.RawMessage{c.Value}, c.Values...)
	}
	return c.Values
}

// strings reports whether every value asked for is a string that is not empty.
func (c *Claim) strings() bool {
	for _, raw := range c.asked() {
		var v string
		if json.Unmarshal(raw, &v) != nil || v == "" {
			return false
		}
	}
	return c == nil || c.Values == nil || len(c.Values) > 0
}

// manySubjects reports whether more than one subject is asked for: only one can answer.
func (c *Claims) manySubjects() bool {
	subs := slices.Concat(c.IDToken["sub"].asked(), c.UserInfo["sub"].asked())
	return slices.ContainsFunc(subs, func(raw json.RawMessage) bool { return !same(raw, subs[0]) })
}

func same(a, b json.RawMessage) bool {
	var v, w string
	return json.Unmarshal(a, &v) == nil && json.Unmarshal(b, &w) == nil && v == w
}

// ClaimName reports whether name may name a claim: 1 to 128 printable ASCII characters without space,
// quotes, backslash, angle brackets and ampersand. The pattern is strict so that a name can never break out
// of the JSON it is written into.
func ClaimName(name string) bool {
	if name == "" || len(name) > 128 {
		return false
	}
	for i := range len(name) {
		switch c := name[i]; {
		case c <= 0x20 || c >= 0x7f, c == '"', c == '\'', c == '\\', c == '<', c == '>', c == '&', c == '`':
			return false
		}
	}
	return true
}

// ACR returns the authentication context classes that the claims request asks of the ID token, by
// preference, and whether one of them is essential (OIDC Core §5.5.1.1).
func (c *Claims) ACR() (values []string, essential bool) {
	if c == nil || c.IDToken["acr"] == nil {
		return nil, false
	}
	for _, raw := range c.IDToken["acr"].asked() {
		var v string
		_ = json.Unmarshal(raw, &v) // ParseClaims saw that it is a string
		values = append(values, v)
	}
	return values, c.IDToken["acr"].Essential
}

// Subject returns the sub asked for in either place, or the empty string (OIDC Core §5.5.1).
func (c *Claims) Subject() (sub string) {
	if c == nil {
		return ""
	}
	for _, raw := range append(c.IDToken["sub"].asked(), c.UserInfo["sub"].asked()...) {
		_ = json.Unmarshal(raw, &sub)
	}
	return sub
}

// AuthTime reports whether the ID token is asked to tell when the subject authenticated (OIDC Core §2).
func (c *Claims) AuthTime() bool {
	if c == nil {
		return false
	}
	_, asked := c.IDToken["auth_time"]
	return asked
}

// Names returns the names asked for in m, sorted, those marked essential apart.
func Names(m map[string]*Claim) (essential, voluntary []string) {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if r := m[name]; r != nil && r.Essential {
			essential = append(essential, name)
		} else {
			voluntary = append(voluntary, name)
		}
	}
	return essential, voluntary
}

// scopeClaims are the claims that each standard scope value asks for (OIDC Core §5.4).
var scopeClaims = map[string][]string{
	"profile": {"name", "family_name", "given_name", "middle_name", "nickname", "preferred_username", "profile",
		"picture", "website", "gender", "birthdate", "zoneinfo", "locale", "updated_at"},
	"email":   {"email", "email_verified"},
	"address": {"address"},
	"phone":   {"phone_number", "phone_number_verified"},
}

// ScopeClaims returns the claims that a standard scope value asks for, or nil (OIDC Core §5.4).
func ScopeClaims(scope string) []string { return scopeClaims[scope] }
