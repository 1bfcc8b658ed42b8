package admin

import (
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/chancery-id/chancery/tenant"
)

// reserved are the first segments of paths that the server itself serves at the root or below an issuer. No tenant has
// such an id, and no issuer such a segment in its path, or its endpoints could not be told from the server's.
var reserved = map[string]bool{
	"account": true, "admin": true, "api": true, "authorize": true, "authorize-challenge": true, "authz-sessions": true, "authz-store": true,
	"backchannel": true, "ciba": true, "ciba-sessions": true, "clients": true, "config": true, "device": true, "device_authorization": true, "grants": true,
	"direct-authz": true, "federation": true, "healthz": true, "jans-auth": true, "jwks": true, "key-store": true,
	"login": true, "logout": true, "logout-sessions": true, "metrics": true, "monitor": true, "par": true, "platform": true,
	"readyz": true, "saml": true, "scim": true, "session-store": true, "static": true, "sts": true, "t": true, "tenants": true,
	"token": true, "userinfo": true, "well-known": true, ".well-known": true, "jwks.json": true, "www": true,
}

// Reserved reports whether name is kept for the server's own paths.
func Reserved(name string) bool { return reserved[name] }

// checkID returns the id of a new tenant.
func checkID(s string) (tenant.ID, error) {
	id, err := tenant.ParseID(s)
	switch {
	case err != nil:
		return "", invalid("/tenant_id", "must be 1 to 63 of a-z, 0-9 and inner hyphens")
	case reserved[s]:
		return "", invalid("/tenant_id", "is reserved")
	}
	return id, nil
}

// issuerPath is the path of an issuer: segments of unreserved characters (RFC 3986 §2.3), none of which begins with a
// dot, so that it is spelled in one way only.
var issuerPath = regexp.MustCompile(`^(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*$`)

// hostName is a host in the one form that a browser sends it in.
var hostName = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)

// defaultIssuer is the issuer of a tenant that brings none.
func (c *Console) defaultIssuer(id tenant.ID) string {
	return strings.TrimSuffix(c.PublicURL.String(), "/") + "/t/" + string(id)
}

// checkIssuer returns the issuer of a new tenant: the one given, or the default. An issuer is compared as bytes, so
// there must be one way only to spell it. It is https, or http on a loopback, without user, query, fragment or a
// slash at the end (RFC 8414 §2); where it has the form of another tenant's path, requests would reach that one.
func (c *Console) checkIssuer(given string, id tenant.ID) (string, error) {
	if given == "" || given == c.defaultIssuer(id) {
		return c.defaultIssuer(id), nil
	}
	wrong := func(message string) (string, error) { return "", invalid("/issuer", message) }
	u, err := url.Parse(given)
	switch {
	case err != nil, len(given) > tenant.MaxIssuer, u.Opaque != "", u.Host == "":
		return wrong("must be a URL of at most 512 characters")
	case u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		return wrong("must be https, or http on a loopback host")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "", strings.ContainsAny(given, "?#@"):
		return wrong("must have no user, query or fragment")
	case strings.HasSuffix(given, "/"):
		return wrong("must not end with a slash")
	case !plainHost(u), !issuerPath.MatchString(u.EscapedPath()), u.String() != given:
		return wrong("must be spelled in its canonical form")
	case u.Scheme == c.PublicURL.Scheme && u.Host == c.PublicURL.Host && strings.HasPrefix(c.PublicURL.EscapedPath()+"/", u.EscapedPath()+"/"):
		return wrong("must not be the address of the server itself")
	}
	return c.checkPath(given, u, id)
}

// checkPath refuses paths by which requests would reach another tenant, or no tenant at all.
func (c *Console) checkPath(given string, u *url.URL, id tenant.ID) (string, error) {
	path := u.EscapedPath()
	for _, base := range []string{c.PublicURL.EscapedPath(), ""} {
		rest, below := strings.CutPrefix(path, strings.TrimSuffix(base, "/")+"/t/")
		if below && rest != string(id) {
			return "", invalid("/issuer", "must not lie below the path of another tenant")
		}
		if below {
			return given, nil
		}
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if reserved[segment] {
			return "", invalid("/issuer", "must not hold a path segment that the server serves itself")
		}
	}
	return given, nil
}

// plainHost reports whether host and port of u are spelled as in a Host header.
func plainHost(u *url.URL) bool {
	host, port := u.Hostname(), u.Port()
	switch {
	case u.Scheme == "https" && port == "443", u.Scheme == "http" && port == "80", strings.HasSuffix(u.Host, ":"):
		return false
	case port != "" && (strings.HasPrefix(port, "0") || len(port) > 5):
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return ip.String() == host && ip.Zone() == "" && !ip.Is4In6()
	}
	return len(host) <= 253 && hostName.MatchString(host) && !strings.Contains(host, "..")
}

// loopback reports whether host is this machine to whoever calls it.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
