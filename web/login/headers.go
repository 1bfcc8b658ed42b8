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

// formAction is where a form may lead whose answer goes to redirectURI: to us, and to the origin of that URI or, of an
// app's own scheme, to that scheme. Browsers apply form-action to every redirect that follows the form.
func formAction(redirectURI string) string {
	uri, err := url.Parse(redirectURI)
	switch {
	case err != nil || uri.Scheme == "" || slices.Contains(activeSchemes, uri.Scheme):
		return "'self'"
	case web(uri.Scheme) && strings.Trim(strings.ToLower(uri.Host), "abcdefghijklmnopqrstuvwxyz0123456789.-:[]") != "":
		return "'self'" // no host that exists, and it must not end the directive
	case web(uri.Scheme):
		return "'self' " + uri.Scheme + "://" + uri.Host
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
