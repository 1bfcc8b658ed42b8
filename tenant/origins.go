package tenant

import (
	"net/url"
	"strings"
)

// webOrigin reports whether s is the origin of a page as browsers write it in the Origin header (RFC 6454 §6.1): neither null
// nor a pattern.
func webOrigin(s string) bool {
	u, err := url.Parse(s)
	if err != nil || !secureURL(s) || s != u.Scheme+"://"+u.Host || s != strings.ToLower(s) || strings.HasSuffix(u.Host, ":") || strings.ContainsAny(s, "*%,") {
		return false
	}
	return u.Port() != map[string]string{"https": "443", "http": "80"}[u.Scheme]
}
