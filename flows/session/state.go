package session

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/url"
	"strings"

	"github.com/chancery-id/chancery/tenant"
)

// BrowserState is what the browser of a session's handle shows to our frame in other sites' pages, and to scripts on our
// host. It opens nothing, and is another with every handle (Session Management §3.2).
func BrowserState(t *tenant.Tenant, handle string) string {
	return base64.RawURLEncoding.EncodeToString(t.Secret.MAC("browser state", []byte(handle))[:16])
}

// State is the session_state that a client gets which is called at redirectURI (Session Management §2): what our frame
// computes for a page of the same origin, as long as the session is the same.
func (s *Service) State(t *tenant.Tenant, n *Session, clientID, redirectURI string) string {
	b := make([]byte, 8)
	_, _ = io.ReadFull(s.Rand, b)
	salt := base64.RawURLEncoding.EncodeToString(b)
	return stateOf(clientID, origin(redirectURI), BrowserState(t, s.Handle(t, n)), salt)
}

func stateOf(clientID, origin, browserState, salt string) string {
	sum := sha256.Sum256([]byte(clientID + " " + origin + " " + browserState + " " + salt))
	return hex.EncodeToString(sum[:]) + "." + salt
}

// origin is what a browser calls the origin of a page at uri (RFC 6454 §6.2).
func origin(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	for scheme, port := range map[string]string{"https": ":443", "http": ":80"} {
		if u.Scheme == scheme {
			host = strings.TrimSuffix(host, port)
		}
	}
	return u.Scheme + "://" + host
}
