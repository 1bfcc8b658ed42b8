package main

import (
	"crypto/subtle"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// userInfo is the UserInfo endpoint (OpenID Connect Core §5.3): the API says which claims, we say what they are.
func (s *Server) userInfo(w http.ResponseWriter, r *http.Request) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if token = strings.TrimSpace(token); !strings.EqualFold(scheme, "Bearer") || token == "" {
		w.Header().Set("WWW-Authenticate", "Bearer") // without an error: nothing was sent that could be wrong (RFC 6750 §3.1)
		write(w, http.StatusUnauthorized, "")
		return
	}
	var a struct {
		Answer
		Subject string   `json:"subject"`
		Claims  []string `json:"claims"`
	}
	err := s.API.Call(r.Context(), "/auth/userinfo", map[string]string{"token": token}, &a)
	if err == nil && a.Action == "OK" {
		claims := s.Users.of(a.Subject).claims(a.Claims)
		a.Answer = Answer{}
		err = s.API.Call(r.Context(), "/auth/userinfo/issue", map[string]string{"token": token, "claims": claims}, &a.Answer)
	}
	if err != nil {
		s.unavailable(w, r, err)
		return
	}
	s.resource(w, r, a.Answer)
}

// introspection is what is told of a token (RFC 7662 §2.2).
type introspection struct {
	Active    bool     `json:"active"`
	Issuer    string   `json:"iss,omitempty"`
	Subject   string   `json:"sub,omitempty"`
	ClientID  string   `json:"client_id,omitempty"`
	Scope     string   `json:"scope,omitempty"`
	TokenType string   `json:"token_type,omitempty"`
	ExpiresAt int64    `json:"exp,omitempty"`
	Audience  []string `json:"aud,omitempty"`
	ACR       string   `json:"acr,omitempty"`
	AuthTime  int64    `json:"auth_time,omitempty"`
}

// introspect is the introspection endpoint (RFC 7662). It is for our resource server, which we know ourselves.
func (s *Server) introspect(w http.ResponseWriter, r *http.Request) {
	if !s.Resource.match(r) {
		w.Header().Set("WWW-Authenticate", `Basic realm="resource servers", charset="UTF-8"`)
		writeError(w, http.StatusUnauthorized, "invalid_client", "the resource server is not known")
		return
	}
	raw, err1 := rawForm(w, r)
	form, err2 := url.ParseQuery(raw)
	if errors.Join(err1, err2) != nil || len(form["token"]) != 1 {
		writeError(w, http.StatusBadRequest, "invalid_request", "the request is not a form with one token")
		return
	}
	var a struct {
		Answer
		clientRef
		Subject   string   `json:"subject"`
		Scopes    []string `json:"scopes"`
		ExpiresAt int64    `json:"expiresAt"` // in milliseconds
		Resources []string `json:"accessTokenResources"`
		ACR       string   `json:"acr"`
		AuthTime  int64    `json:"authTime"`
	}
	err := s.API.Call(r.Context(), "/auth/introspection", map[string]string{"token": form.Get("token")}, &a)
	switch {
	case err != nil:
		s.unavailable(w, r, err)
	case a.Action == "OK":
		write(w, http.StatusOK, jsonOf(introspection{Active: true, Issuer: s.Issuer, Subject: a.Subject, ClientID: a.clientRef.String(),
			Scope: strings.Join(a.Scopes, " "), TokenType: "Bearer", ExpiresAt: a.ExpiresAt / 1000, Audience: a.Resources, ACR: a.ACR, AuthTime: a.AuthTime}))
	case a.Action == "UNAUTHORIZED" || a.Action == "BAD_REQUEST":
		write(w, http.StatusOK, jsonOf(introspection{}))
	default:
		a.Content = jsonOf(map[string]string{"error": "server_error"}) // the API's is made for a header
		s.reply(w, r, a.Answer)
	}
}

// match reports whether a request comes with these credentials.
func (c credentials) match(r *http.Request) bool {
	id, secret, err := basic(r)
	same := subtle.ConstantTimeCompare([]byte(id), []byte(c.ID)) & subtle.ConstantTimeCompare([]byte(secret), []byte(c.Secret))
	return err == nil && c.Secret != "" && same == 1
}
