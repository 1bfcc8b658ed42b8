package tenant

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/chancery-id/chancery/flows/oauth"
)

// ScopeDetails say of a scope value what neither the list of those advertised nor that of its claims does.
type ScopeDetails struct {
	Description  string            `json:"description,omitempty"`  // on the consent page, as what the client may do
	Descriptions map[string]string `json:"descriptions,omitempty"` // the same by language tag (RFC 5646)
	Default      bool              `json:"default,omitempty"`      // asked for by a request that names no scope (RFC 6749 §3.3)
}

// standardScopes are advertised by a tenant that lists none.
var standardScopes = []string{oauth.OpenID, "profile", "email", "address", "phone", oauth.OfflineAccess}

// AdvertisedScopes are the scope values that metadata names.
func (s *Settings) AdvertisedScopes() []string {
	if len(s.Authorization.Scopes) == 0 {
		return standardScopes
	}
	return s.Authorization.Scopes
}

// displays are the values of the parameter display (OIDC Core §3.1.2.1).
var displays = []string{"page", "popup", "touch", "wap"}

// AdvertisedDisplays are the values of display that metadata names.
func (s *Settings) AdvertisedDisplays() []string {
	if len(s.Authorization.DisplayValues) == 0 {
		return displays
	}
	return s.Authorization.DisplayValues
}

// DefaultScope is what a request asks for that names no scope, in order of name.
func (s *Settings) DefaultScope() (sc oauth.Scope) {
	for name, d := range s.Authorization.ScopeDetails {
		if d.Default {
			sc = append(sc, name)
		}
	}
	slices.Sort(sc)
	return sc
}

// In is the description in the first of these languages that there is one in, or of which there is one in a wider sense,
// else the plain one.
func (d ScopeDetails) In(locales ...string) string {
	for _, locale := range locales {
		for ; locale != ""; locale = locale[:max(0, strings.LastIndexByte(locale, '-'))] {
			for tag, text := range d.Descriptions {
				if text != "" && strings.EqualFold(tag, locale) {
					return text
				}
			}
		}
	}
	return d.Description
}

const maxDescription = 500 // bytes

// scopes checks what is said of scope values.
func (c *checker) scopes(details map[string]ScopeDetails) {
	const at = "/authorization/scope_details"
	legible := func(s string) bool {
		return len(s) <= maxDescription && utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
	}
	c.that(len(details) <= maxItems, at, "has too many members")
	for name, d := range details {
		pointer := at + "/" + escape.Replace(name)
		c.that(oauth.ScopeValue(name) && len(name) <= maxItem, pointer, "is no scope value")
		c.that(legible(d.Description), pointer+"/description", "must be at most 500 bytes without control characters")
		c.that(len(d.Descriptions) <= 50, pointer+"/descriptions", "has too many members")
		for tag, text := range d.Descriptions {
			c.that(languageTag(tag) && legible(text), pointer+"/descriptions/"+escape.Replace(tag),
				"must be named by a language tag, and be at most 500 bytes without control characters")
		}
	}
}

// languageTag reports whether s has the form of a language tag (RFC 5646 §2.1).
func languageTag(s string) bool {
	if len(s) < 2 || len(s) > 35 {
		return false
	}
	for part := range strings.SplitSeq(s, "-") {
		if part == "" || len(part) > 8 || !word(part) || strings.ContainsAny(part, "._") {
			return false
		}
	}
	return true
}
