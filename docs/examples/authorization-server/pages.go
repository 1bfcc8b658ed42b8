package main

import (
	"bytes"
	"embed"
	"html/template"
	"io"
	"log/slog"
	"net/http"
)

//go:embed pages
var files embed.FS

// html/template escapes by where a value stands, so that no text of a client or user becomes markup.
var pages = template.Must(template.ParseFS(files, "pages/*.html"))

const tryAgain = "This does not work just now. Please try again."

// headers sets what every page and redirect carries. What policy does not allow is forbidden: scripts, frames, other
// sites. Where a form may lead is not limited, because the answer to it may be the redirect to the client, wherever that is.
func headers(w http.ResponseWriter, policy string) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'"+policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer") // our addresses and queries are nobody else's business
	h.Set("Cache-Control", "no-store")
}

func (s *Server) show(w http.ResponseWriter, status int, page string, data any) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, page, data); err != nil {
		s.Log.Error("page", "page", page, "error", err)
		http.Error(w, "This page cannot be shown.", http.StatusInternalServerError)
		return
	}
	headers(w, "")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// fail shows an error page. The cause is for the log only.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, text string, cause error) {
	s.Log.LogAttrs(r.Context(), slog.LevelWarn, "refused", slog.Int("status", status), slog.Any("cause", cause))
	s.show(w, status, "error", text)
}

// form shows the page that posts the response to the client (OAuth 2.0 Form Post Response Mode). It is the API's, and
// submits itself by a handler in its markup: that one page may run it.
func (s *Server) form(w http.ResponseWriter, page string) {
	headers(w, "; script-src 'unsafe-inline'")
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, page)
}

// redirect answers 303, so that the browser never posts a form on to where it goes (RFC 9700 §4.12).
func redirect(w http.ResponseWriter, r *http.Request, to string) {
	headers(w, "")
	http.Redirect(w, r, to, http.StatusSeeOther)
}

func (s *Server) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "pages/style.css")
}
