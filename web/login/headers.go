package login

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"
)

// contain replaces the content security policy, which forbids everything, by one that allows what policy says.
func contain(c *gin.Context, policy string) {
	c.Header("Content-Security-Policy", "default-src 'none'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "+policy)
}

// activeSchemes are those whose URIs run in our page.
var activeSchemes = []string{"javascript", "data", "vbscript", "blob", "filesystem", "about"}

// formAction is where a form may lead whose answer goes to redirectURI: to us and to any URI of that scheme (http
// stands for both). Browsers apply form-action to every redirect that follows, also to those of the client's own,
// which may end at another host: so the client's origin alone would stop a sign-in that a broker passes on.
func formAction(redirectURI string) string {
	uri, err := url.Parse(redirectURI)
	if err != nil || uri.Scheme == "" || slices.Contains(activeSchemes, uri.Scheme) {
		return "'self'"
	}
	return "'self' " + uri.Scheme + ":"
}

// returnHost is the host that the browser returns to; empty: an app on the same device.
func returnHost(redirectURI string) string {
	uri, err := url.Parse(redirectURI)
	if err != nil || !web(uri.Scheme) {
		return ""
	}
	return uri.Host
}

func web(scheme string) bool { return scheme == "https" || scheme == "http" }

// link returns uri where a page may link to it, else the empty string.
func link(uri string) string {
	parsed, err := url.Parse(strings.TrimSpace(uri))
	if err != nil || !web(parsed.Scheme) || parsed.Host == "" || parsed.User != nil {
		return ""
	}
	return parsed.String()
}
