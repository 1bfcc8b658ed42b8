package main

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
)

// statuses are what the actions mean that end a request. Any other is not expected where they are looked up.
var statuses = map[string]int{
	"OK":                    http.StatusOK,
	"CREATED":               http.StatusCreated,
	"JSON":                  http.StatusOK,
	"JWT":                   http.StatusOK,
	"BAD_REQUEST":           http.StatusBadRequest,
	"INVALID_CLIENT":        http.StatusUnauthorized,
	"UNAUTHORIZED":          http.StatusUnauthorized,
	"FORBIDDEN":             http.StatusForbidden,
	"PAYLOAD_TOO_LARGE":     http.StatusRequestEntityTooLarge,
	"INVALID_TICKET":        http.StatusInternalServerError,
	"INTERNAL_SERVER_ERROR": http.StatusInternalServerError,
}

// reply answers a client with the JSON that the API made, at the endpoints where clients authenticate.
func (s *Server) reply(w http.ResponseWriter, r *http.Request, a Answer) {
	status, known := statuses[a.Action]
	if !known {
		s.unavailable(w, r, errors.New("unexpected action "+a.Action))
		return
	}
	s.note(r, status, a)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="clients", charset="UTF-8"`)
	}
	write(w, status, a.Content)
}

// resource answers at a protected resource: what is wrong stands in the header (RFC 6750 §3).
func (s *Server) resource(w http.ResponseWriter, r *http.Request, a Answer) {
	status, known := statuses[a.Action]
	switch {
	case !known || a.Action == "OK":
		s.unavailable(w, r, errors.New("unexpected action "+a.Action))
	case a.Action == "JWT":
		write(w, status, a.Content, "application/jwt")
	case status == http.StatusOK:
		write(w, status, a.Content)
	default:
		s.note(r, status, a)
		w.Header().Set("WWW-Authenticate", a.Content)
		write(w, status, "")
	}
}

// write writes a body, of JSON unless another type is named, that nobody may keep (RFC 6749 §5.1).
func write(w http.ResponseWriter, status int, body string, contentType ...string) {
	h := w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Pragma", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	if body != "" {
		h.Set("Content-Type", append(contentType, "application/json")[0])
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// writeError answers with an error of our own (RFC 6749 §5.2).
func writeError(w http.ResponseWriter, status int, code, description string) {
	write(w, status, jsonOf(map[string]string{"error": code, "error_description": description}))
}

// unavailable answers where the API does not. That is no verdict on what the client sent, and must not look like one: a
// client throws away what it is told to be invalid.
func (s *Server) unavailable(w http.ResponseWriter, r *http.Request, cause error) {
	s.Log.LogAttrs(r.Context(), slog.LevelError, "no answer", slog.String("path", r.URL.Path), slog.Any("cause", cause))
	writeError(w, http.StatusServiceUnavailable, "temporarily_unavailable", "the authorization server cannot answer just now")
}

// note logs what did not go well. It tells neither parameters nor tokens.
func (s *Server) note(r *http.Request, status int, a Answer) {
	if status >= http.StatusBadRequest {
		s.Log.LogAttrs(r.Context(), slog.LevelInfo, "refused", slog.String("path", r.URL.Path), slog.Int("status", status), slog.String("code", a.Code))
	}
}

// jsonOf encodes what always can be.
func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
