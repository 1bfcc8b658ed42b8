package main

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
)

// maxForm is the longest form that a client may send, in bytes.
const maxForm = 64 << 10

// clientRequest is a request of a client as the API takes it: the form as it came, and the credentials of the header.
type clientRequest struct {
	Parameters string `json:"parameters"`
	ID         string `json:"clientId,omitempty"`
	Secret     string `json:"clientSecret,omitempty"`
}

// read reads a request of a client; where it cannot, it has answered.
func (s *Server) read(w http.ResponseWriter, r *http.Request) (in clientRequest, ok bool) {
	raw, err := rawForm(w, r)
	if err == nil {
		in.Parameters = raw
		in.ID, in.Secret, err = basic(r)
	}
	if err != nil {
		writeError(w, http.StatusBadRequest, "invalid_request", err.Error())
	}
	return in, err == nil
}

// rawForm returns a form as it was sent.
func rawForm(w http.ResponseWriter, r *http.Request) (string, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return "", errors.New("the request is not a form")
	}
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxForm))
	if err != nil {
		return "", errors.New("the request is too long, or was cut off")
	}
	return string(b), nil
}

// basic returns the credentials in the header, if there are any: each is form-encoded (RFC 6749 §2.3.1).
func basic(r *http.Request) (id, secret string, err error) {
	id, secret, ok := r.BasicAuth()
	if !ok {
		if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Basic") {
			err = errors.New("the Authorization header cannot be read")
		}
		return "", "", err
	}
	id, err1 := url.QueryUnescape(id)
	secret, err2 := url.QueryUnescape(secret)
	if errors.Join(err1, err2) != nil {
		return "", "", errors.New("the Authorization header cannot be read")
	}
	return id, secret, nil
}

// token is the token endpoint (RFC 6749 §3.2).
func (s *Server) token(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	var a struct {
		Answer
		Ticket   string `json:"ticket"`
		Username string `json:"username"`
		Password string `json:"password"`
	}
	if err := s.API.Call(r.Context(), "/auth/token", in, &a); err != nil {
		s.unavailable(w, r, err)
		return
	}
	switch a.Action {
	case "PASSWORD":
		s.password(w, r, a.Ticket, a.Username, a.Password)
	case "TOKEN_EXCHANGE", "JWT_BEARER", "NATIVE_SSO":
		// The API has checked the form of the request; whom to trust would be for us to say, and we trust nobody.
		writeError(w, http.StatusBadRequest, "unsupported_grant_type", "the authorization server does not serve this grant")
	case "ID_TOKEN_REISSUABLE":
		a.Action = "OK"
		fallthrough
	default:
		s.reply(w, r, a.Answer)
	}
}

// password answers the ticket of a client that brings its user's password (RFC 6749 §4.3).
func (s *Server) password(w http.ResponseWriter, r *http.Request, ticket, name, password string) {
	path, in := "/auth/token/issue", map[string]string{"ticket": ticket}
	u, err := s.Users.verify(r.Context(), s.Now(), name, password)
	if err == nil {
		in["subject"] = u.Sub
	} else {
		path, in["reason"] = "/auth/token/fail", "INVALID_RESOURCE_OWNER_CREDENTIALS"
	}
	var a Answer
	if err := s.API.Call(r.Context(), path, in, &a); err != nil {
		s.unavailable(w, r, err)
		return
	}
	s.reply(w, r, a)
}

// revoke is the revocation endpoint (RFC 7009).
func (s *Server) revoke(w http.ResponseWriter, r *http.Request) {
	in, ok := s.read(w, r)
	if !ok {
		return
	}
	var a Answer
	if err := s.API.Call(r.Context(), "/auth/revocation", in, &a); err != nil {
		s.unavailable(w, r, err)
		return
	}
	s.reply(w, r, a)
}
