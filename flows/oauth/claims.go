package oauth

import (
	"encoding/json"
	"maps"
	"slices"
)

// Claims is the claims request parameter (OIDC Core §5.5). A nil map or member asks for nothing.
type Claims struct {
	UserInfo map[string]*Claim `json:"userinfo,omitempty"`
	IDToken  map[string]*Claim `json:"id_token,omitempty"`
}

// Claim is one individual claim request (OIDC Core §5.5.1). nil means voluntary, with no value asked for.
type Claim struct {
	Essential bool              `json:"essential,omitempty"`
	Value     json.RawMessage   `json:"value,omitempty"`
	Values    []json.RawMessage `json:"values,omitempty"`
}

// MaxClaims is the longest claims parameter accepted, in bytes.
const MaxClaims = 8192

// ParseClaims reads a claims parameter. Members it does not know are ignored (OIDC Core §5.5); what is not
// a JSON object of such objects is invalid_request.
func ParseClaims(s string) (*Claims, error) {
	if len(s) > MaxClaims {
		return nil, InvalidRequest("claims is too long")
	}
	var c Claims
	if err := json.Unmarshal([]byte(s), &c); err != nil || len(s) == 0 || s[0] != '{' {
		return nil, InvalidRequest("claims is not a valid JSON object").Because(err)
	}
	for _, m := range []map[string]*Claim{c.UserInfo, c.IDToken} {
		for name := range m {
			if !ClaimName(name) {
				return nil, InvalidRequest("claims holds a name that is not allowed")
			}
		}
	}
	return &c, nil
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
	r := c.IDToken["acr"]
	for _, raw := range append([]json.RawMessage{r.Value}, r.Values...) {
		var v string
		if json.Unmarshal(raw, &v) == nil && v != "" {
			values = append(values, v)
		}
	}
	return values, r.Essential
}

// Subject returns the sub value asked for in either place, or the empty string (OIDC Core §5.5.1).
func (c *Claims) Subject() string {
	if c == nil {
		return ""
	}
	for _, m := range []map[string]*Claim{c.IDToken, c.UserInfo} {
		if r := m["sub"]; r != nil {
			var v string
			if json.Unmarshal(r.Value, &v) == nil && v != "" {
				return v
			}
		}
	}
	return ""
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
