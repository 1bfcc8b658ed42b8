package keys

import "strings"

// maxTyp is the longest typ in bytes: a type and a subtype (RFC 6838 §4.2).
const maxTyp = 127 + 1 + 127

// mediaType tells whether typ can be a JOSE typ: a media type without parameters, of the characters of RFC 6838
// §4.2, which may lack its "application/" (RFC 7515 §4.1.9).
func mediaType(typ string) bool {
	if typ == "" || len(typ) > maxTyp || strings.Count(typ, "/") > 1 {
		return false
	}
	for _, part := range strings.Split(typ, "/") {
		if part == "" || strings.IndexFunc(part, func(r rune) bool {
			alphanumeric := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
			return !alphanumeric && !strings.ContainsRune("!#$&-^_.+", r)
		}) >= 0 {
			return false
		}
	}
	return true
}

// sameType compares two media types without regard to case; one without a slash is below "application/" (RFC 7515
// §4.1.9).
func sameType(a, b string) bool {
	full := func(typ string) string {
		if !strings.Contains(typ, "/") {
			return "application/" + typ
		}
		return typ
	}
	// Only ASCII passes mediaType, so that folding cannot reach other letters.
	return mediaType(a) && mediaType(b) && strings.EqualFold(full(a), full(b))
}
