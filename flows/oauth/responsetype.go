package oauth

import (
	"slices"
	"strings"
)

// What a response type is made of (RFC 6749 §3.1.1; OAuth 2.0 Multiple Response Type Encoding Practices §3, §4).
const (
	ResponseCode    = "code"
	ResponseNone    = "none"
	ResponseIDToken = "id_token"
	ResponseToken   = "token"
)

// ResponseType returns the one spelling of a response type, whose values may come in any order (RFC 6749 §3.1.1). One that
// names a value twice is none, and empty.
func ResponseType(s string) string {
	values := strings.Fields(s)
	slices.Sort(values)
	if n := len(values); len(slices.Compact(values)) != n {
		return ""
	}
	return strings.Join(values, " ")
}

// FrontChannel reports whether a response of that type brings tokens through the browser (OAuth 2.0 Multiple Response Type
// Encoding Practices §5).
func FrontChannel(responseType string) bool {
	values := strings.Fields(responseType)
	return slices.Contains(values, ResponseIDToken) || slices.Contains(values, ResponseToken)
}

// GrantTypesOf lists the grant types that a client which uses a response type needs (RFC 7591 §2.1, OIDC Registration §2).
func GrantTypesOf(responseType string) []string {
	var out []string
	if slices.Contains(strings.Fields(responseType), ResponseCode) {
		out = append(out, AuthorizationCode)
	}
	if FrontChannel(responseType) {
		out = append(out, Implicit)
	}
	return out
}
