package main

import "net/http"

const (
	sessionCookie = "login-ui-session" // the subject's session at the server: single sign-on
	browserCookie = "login-ui-browser" // a secret that ties a waiting request to its browser
)

// cookieName adds the prefix by which a browser guarantees that the cookie was set by this host, over https.
func (u *UI) cookieName(name string) string {
	if u.Secure {
		return "__Host-" + name
	}
	return name
}

func (u *UI) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(u.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a cookie that no script can read and that only top-level navigation brings along from other sites.
// Lax and not Strict: an authorization request comes from another site by its nature.
func (u *UI) setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: u.cookieName(name), Value: value, Path: "/", Secure: u.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
