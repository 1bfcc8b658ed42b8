package main

import (
	"crypto/rand"
	"net/http"
	"time"
)

// session is a browser whose user has signed in.
type session struct {
	User     *user
	AuthTime time.Time
}

// How long things are kept.
const (
	sessionLife = 8 * time.Hour
	consentLife = 90 * 24 * time.Hour
	patience    = 15 * time.Minute // with a user who is to sign in
)

const (
	sessionCookie = "authorization-server-session" // single sign-on
	browserCookie = "authorization-server-browser" // a secret that ties a waiting request to its browser
)

// signedIn returns the session of a browser, nil if its user has not signed in.
func (s *Server) signedIn(r *http.Request) *session {
	if found, ok := s.sessions.get(s.Now(), s.cookie(r, sessionCookie)); ok {
		return &found
	}
	return nil
}

// signIn checks name and password and begins a session. Its id is new, so that nobody knows it who left one here before.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	u, err := s.Users.verify(r.Context(), s.Now(), r.PostForm.Get("username"), r.PostForm.Get("password"))
	if err != nil {
		return err
	}
	s.sessions.drop(s.cookie(r, sessionCookie))
	id := rand.Text()
	if !s.sessions.put(s.Now(), id, session{u, s.Now()}, sessionLife) {
		return errTooMany
	}
	s.setCookie(w, sessionCookie, id)
	return nil
}

// browser returns the secret of a browser, a new one if it has none.
func (s *Server) browser(w http.ResponseWriter, r *http.Request) string {
	secret := s.cookie(r, browserCookie)
	if secret == "" {
		secret = rand.Text()
		s.setCookie(w, browserCookie, secret)
	}
	return secret
}

// cookieName adds the prefix by which a browser guarantees that the cookie was set by this host, over https.
func (s *Server) cookieName(name string) string {
	if s.Secure {
		return "__Host-" + name
	}
	return name
}

func (s *Server) cookie(r *http.Request, name string) string {
	c, err := r.Cookie(s.cookieName(name))
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie sets a cookie that no script can read and that only top-level navigation brings along from other sites.
// Lax and not Strict: an authorization request comes from another site by its nature.
func (s *Server) setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(name), Value: value, Path: "/", Secure: s.Secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}
