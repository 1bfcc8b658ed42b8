package proof

import (
	"net/url"
	"path"
	"strings"
)

// defaultPorts are those that a URL of the scheme need not say.
var defaultPorts = map[string]string{"http": "80", "https": "443"}

// sameURL tells whether two URLs are the same but for query and fragment, after normalisation of their syntax and scheme
// (RFC 9449 §4.3; RFC 3986 §6.2.2, §6.2.3).
func sameURL(a, b string) bool {
	x, ok := normalized(a)
	if !ok {
		return false
	}
	y, ok := normalized(b)
	return ok && x == y
}

// maxURL is the longest URL that is read, in bytes.
const maxURL = 2048

// normalized returns the normal form of an http or https URL without query and fragment: scheme and host in lower case, no
// default port, no escape of what needs none and the others in upper case, no dot segments, and no empty path. ok is false
// for what is no such URL, or has a user.
func normalized(s string) (form string, ok bool) {
	if len(s) > maxURL {
		return "", false
	}
	s, _, _ = strings.Cut(s, "#")
	s, _, _ = strings.Cut(s, "?")
	u, err := url.Parse(s)
	if err != nil || u.User != nil || u.Opaque != "" || u.Hostname() == "" {
		return "", false
	}
	port, known := defaultPorts[u.Scheme] // in lower case already
	if !known {
		return "", false
	}
	host := strings.ToLower(u.Host)
	if p := u.Port(); p == port || p == "" {
		host = strings.TrimSuffix(strings.TrimSuffix(host, p), ":")
	}
	p := unescaped(u.EscapedPath())
	if strings.Contains(p, "/.") {
		clean := path.Clean(p)
		if clean != "/" && (strings.HasSuffix(p, "/") || strings.HasSuffix(p, "/.") || strings.HasSuffix(p, "/..")) {
			clean += "/"
		}
		if !strings.Contains(p, "//") { // of empty segments Clean leaves none
			p = clean
		}
	}
	if p == "" {
		p = "/"
	}
	return u.Scheme + "://" + host + p, true
}

// unescaped undoes the escapes of unreserved characters, and writes the others in upper case (RFC 3986 §6.2.2.1,
// §6.2.2.2). Whoever parsed the path has checked that each is whole.
func unescaped(p string) string {
	if !strings.Contains(p, "%") {
		return p
	}
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		if p[i] != '%' || i+2 >= len(p) {
			b.WriteByte(p[i])
			continue
		}
		if plain, err := url.PathUnescape(p[i : i+3]); err == nil && unreserved(plain[0]) {
			b.WriteString(plain)
		} else {
			b.WriteString(strings.ToUpper(p[i : i+3]))
		}
		i += 2
	}
	return b.String()
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}
