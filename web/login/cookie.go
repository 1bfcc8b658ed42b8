package login

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
)

// cookie is one of ours. A __Host- cookie covers the whole host, which tenants share, so its name carries the tenant.
type cookie string

const (
	sessionCookie cookie = "chy-s-" // handle of the session, which is bound to the tenant by its MAC
	bindingCookie cookie = "chy-b-" // 256 random bits, to which interactions and forms are bound
)

// plain reports whether t is used over plain http, which only development allows.
func (u *UI) plain(t *tenant.Tenant) bool {
	return u.Insecure && strings.HasPrefix(t.Issuer, "http://")
}

func (u *UI) cookieName(t *tenant.Tenant, k cookie) string {
	if u.plain(t) {
		return string(k) + string(t.ID)
	}
	return "__Host-" + string(k) + string(t.ID)
}

// cookie returns the value of a cookie, or the empty string.
func (u *UI) cookie(c *gin.Context, t *tenant.Tenant, k cookie) string {
	ck, err := c.Request.Cookie(u.cookieName(t, k))
	if err != nil {
		return ""
	}
	return ck.Value
}

// setCookie sets a cookie that lasts as long as the browser runs, or clears it where value is empty. A second call
// replaces what the first one set.
func (u *UI) setCookie(c *gin.Context, t *tenant.Tenant, k cookie, value string) {
	ck := http.Cookie{Name: u.cookieName(t, k), Value: value, Path: "/", Secure: !u.plain(t), HttpOnly: true, SameSite: http.SameSiteLaxMode}
	if value == "" {
		ck.MaxAge = -1
	}
	h := c.Writer.Header()
	set := h["Set-Cookie"][:0:0]
	for _, line := range h["Set-Cookie"] {
		if !strings.HasPrefix(line, ck.Name+"=") {
			set = append(set, line)
		}
	}
	h["Set-Cookie"] = append(set, ck.String())
}

// secretSize is the length of 256 bits in base64url.
const secretSize = 43

// secret returns v if it has the form of a secret that we made.
func secret(v string) string {
	if len(v) != secretSize {
		return ""
	}
	if _, err := base64.RawURLEncoding.Strict().DecodeString(v); err != nil {
		return ""
	}
	return v
}

func (u *UI) newSecret() string {
	b := make([]byte, 32)
	_, _ = io.ReadFull(u.Rand, b)
	return base64.RawURLEncoding.EncodeToString(b)
}
