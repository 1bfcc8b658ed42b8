package registration

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// logout checks where a client is told that a session ended (Back-Channel Logout §2.2, Front-Channel Logout §2).
func logout(s *Service, _ *tenant.Tenant, m, _ *tenant.Metadata, _ time.Time) error {
	if m.BackchannelLogoutURI != "" {
		if err := s.permits(m.BackchannelLogoutURI); err != nil {
			return oauth.InvalidClientMetadata("backchannel_logout_uri is not an https URL of a public host").Because(err)
		}
	}
	if m.FrontchannelLogoutURI == "" {
		return nil
	}
	if m.ApplicationType == "native" && sameScheme(m.FrontchannelLogoutURI, m.RedirectURIs) {
		return nil
	}
	// The scheme, host and port are those of a redirect URI.
	if !secure(m.FrontchannelLogoutURI) {
		return oauth.InvalidClientMetadata("frontchannel_logout_uri is not an https URL")
	}
	for _, uri := range m.RedirectURIs {
		if template, ok := tenant.ParseRedirectTemplate(uri); ok && !template.Host {
			uri, _ = template.With("x")
		}
		if originOf(uri) == originOf(m.FrontchannelLogoutURI) {
			return nil
		}
	}
	return oauth.InvalidClientMetadata("frontchannel_logout_uri does not have the scheme, host and port of a redirect URI")
}

// sameScheme reports whether uri has a scheme of the application's own, and one of the redirect URIs has the same: then both
// lead to it.
func sameScheme(uri string, redirects []string) bool {
	u, err := absolute(uri)
	if err != nil || !strings.Contains(u.Scheme, ".") {
		return false
	}
	return slices.ContainsFunc(redirects, func(r string) bool { return strings.HasPrefix(r, u.Scheme+":") })
}

// originOf is scheme, host and port of a URI.
func originOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}
