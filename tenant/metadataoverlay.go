package tenant

import (
	"encoding/json"
	"slices"
	"strings"
)

// Overlay are members that a tenant adds to its metadata document, as JSON (RFC 8414 §2).
type Overlay map[string]json.RawMessage

// OverlaidLists are those of our own members that an overlay may replace: lists of texts, which say what may be asked for.
var OverlaidLists = []string{"scopes_supported", "claims_supported", "display_values_supported", "acr_values_supported"}

// abroad are members that lead to what a login UI of the tenant's own serves; nobody else's.
var abroad = []string{"end_session_endpoint", "check_session_iframe"}

// What the server alone can say of itself: who it is, where it is, and what it can do, of which a client may rely on the
// secure part.
var (
	ownMembers  = []string{"issuer", "jwks_uri", "jwks", "signed_jwks_uri", "signed_metadata", "mtls_endpoint_aliases", "protected_resources", "prompt_values_supported", "response_modes_supported"}
	ownPrefixes = []string{"require_", "dpop_", "tls_", "backchannel_", "frontchannel_"}
	ownSuffixes = []string{"_endpoint", "_iframe", "_alg_values_supported", "_enc_values_supported", "_methods_supported", "_types_supported", "_modes_supported",
		"_parameter_supported", "_actions_supported", "_required", "_document_supported"}
)

// MayOverlay reports whether a tenant may say what that member of its metadata is, whatever else it is set to.
func MayOverlay(member string) bool {
	switch {
	case slices.Contains(OverlaidLists, member):
		return true
	case slices.Contains(ownMembers, member),
		slices.ContainsFunc(ownPrefixes, func(p string) bool { return strings.HasPrefix(member, p) }),
		slices.ContainsFunc(ownSuffixes, func(p string) bool { return strings.HasSuffix(member, p) }):
		return false
	}
	return true
}

// List returns what the overlay says of one of OverlaidLists, or own.
func (o Overlay) List(member string, own []string) []string {
	var list []string
	if raw, ok := o[member]; !ok || json.Unmarshal(raw, &list) != nil {
		return own
	}
	return list
}

// Of an overlay: its members, and its size in bytes.
const (
	maxOverlay     = 50
	maxOverlaySize = 16 << 10
)

// overlay checks what a tenant adds to its metadata.
func (c *checker) overlay(s *Settings) {
	const at = "/metadata_overlay"
	size := 0
	for member, raw := range s.MetadataOverlay {
		size += len(member) + len(raw)
		pointer := at + "/" + escape.Replace(member)
		var list []string
		var url string
		switch {
		case !plainMember(member):
			c.that(false, pointer, "must be named in at most 255 visible ASCII characters")
		case slices.Contains(abroad, member):
			c.that(s.LoginURL != "", pointer, "is served by our own pages, unless login_url is that of the tenant's own")
			c.that(json.Unmarshal(raw, &url) == nil && secureURL(url), pointer, "must be an https URL without fragment; http only for the loopback")
		case !MayOverlay(member):
			c.that(false, pointer, "is what the server says of itself: which keys, endpoints and methods it has cannot be said otherwise")
		case slices.Contains(OverlaidLists, member):
			c.that(json.Unmarshal(raw, &list) == nil && list != nil, pointer, "must be a list of texts")
		default:
			c.that(string(raw) != "null" && json.Valid(raw), pointer, "must not be null")
		}
	}
	c.that(len(s.MetadataOverlay) <= maxOverlay && size <= maxOverlaySize, at, "must have at most 50 members, and 16 KiB")
}

func plainMember(s string) bool {
	return s != "" && len(s) <= maxItem && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' }) < 0
}
