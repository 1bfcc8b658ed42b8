package registration

import (
	"net/url"
	"strings"

	"github.com/chancery-id/chancery/flows/oauth"
)

// The most that a client may register.
const (
	maxURI  = 2048 // bytes
	maxList = 100  // members of an array
)

// loopback are the hosts that plain http may name (RFC 8252 §7.3).
var loopback = map[string]bool{"127.0.0.1": true, "[::1]": true, "localhost": true}

// answered are the names that we add to a redirect URI's query, and those that a client could confuse with them.
var answered = map[string]bool{
	"code": true, "state": true, "response": true, "iss": true, "error": true, "error_description": true,
	"error_uri": true, "id_token": true, "access_token": true, "token_type": true, "session_state": true,
}

// redirectURI returns why uri may not be registered for redirection (RFC 6749 §3.1.2, RFC 9700 §2.1, RFC 8252 §7), or
// nil: https to any host, http to this very machine, and for native applications a scheme of their own with a dot.
func redirectURI(uri string, native bool) error {
	u, err := absolute(uri)
	if err != nil {
		return oauth.InvalidRedirectURI("A redirect URI is not a valid absolute URI").Because(err)
	}
	switch {
	case u.Scheme == "https":
	case u.Scheme == "http" && loopback[hostOf(u)]:
	case u.Scheme == "http":
		return oauth.InvalidRedirectURI("A redirect URI has the scheme http but is not on the loopback interface")
	case !native:
		return oauth.InvalidRedirectURI("A redirect URI has a scheme that only native applications may use")
	case !strings.Contains(u.Scheme, "."):
		return oauth.InvalidRedirectURI("A redirect URI has a scheme that is not allowed")
	}
	if u.Port() == "0" && !(native && u.Scheme == "http") {
		return oauth.InvalidRedirectURI("A redirect URI has the port 0, which only native applications may use, on the loopback interface")
	}
	if strings.Contains(uri, "*") {
		return oauth.InvalidRedirectURI("A redirect URI holds a wildcard")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return oauth.InvalidRedirectURI("A redirect URI has a query that is not valid").Because(err)
	}
	for name := range query {
		if answered[strings.ToLower(name)] {
			return oauth.InvalidRedirectURI("A redirect URI holds a response parameter in its query")
		}
	}
	return nil
}

// page reports whether uri is an http or https URL that a page may link to.
func page(uri string) bool {
	u, err := absolute(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http")
}

// secure reports whether uri is an https URL, or an http one of this very machine.
func secure(uri string) bool {
	u, err := absolute(uri)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" && loopback[hostOf(u)])
}

// absolute parses an absolute URI in the characters of RFC 3986, without fragment and userinfo. Its scheme is written
// in lower case; with http and https there is a host.
func absolute(uri string) (*url.URL, error) {
	bad := oauth.InvalidClientMetadata("A URI is not valid")
	if len(uri) > maxURI || strings.ContainsFunc(uri, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"<>\\^`{|}#", r)
	}) {
		return nil, bad
	}
	u, err := url.Parse(uri)
	if err != nil {
		return nil, bad.Because(err)
	}
	web := u.Scheme == "http" || u.Scheme == "https"
	if u.Scheme == "" || !strings.HasPrefix(uri, u.Scheme+":") || u.Opaque != "" || u.User != nil ||
		web && (u.Hostname() == "" || strings.HasSuffix(u.Host, ":")) || strings.ContainsAny(u.Host, "%@,;!$&'()=+") {
		return nil, bad
	}
	return u, nil
}

// hostOf is the host without its port, an IPv6 address in brackets.
func hostOf(u *url.URL) string { return strings.TrimSuffix(u.Host, ":"+u.Port()) }
