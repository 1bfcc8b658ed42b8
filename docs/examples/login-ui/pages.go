package main

import (
	"bytes"
	"crypto/rand"
	"embed"
	"html/template"
	"log/slog"
	"net/http"
)

//go:embed pages
var files embed.FS

// html/template escapes by where a value stands, so that no text of a client or user becomes markup.
var pages = template.Must(template.ParseFS(files, "pages/*.html"))

// headers sets what every answer carries. What policy does not allow is forbidden: scripts, frames, other sites.
func headers(w http.ResponseWriter, policy string) {
	h := w.Header()
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "+policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer") // our addresses and queries are nobody else's business
	h.Set("Cache-Control", "no-store")
}

func (u *UI) show(w http.ResponseWriter, status int, page string, data any, policy string) {
	var b bytes.Buffer
	if err := pages.ExecuteTemplate(&b, page, data); err != nil {
		u.Log.Error("page", "page", page, "error", err)
		http.Error(w, "This page cannot be shown.", http.StatusInternalServerError)
		return
	}
	headers(w, policy)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

// fail shows an error page. The cause is for the log only.
func (u *UI) fail(w http.ResponseWriter, r *http.Request, status int, text string, cause error) {
	u.Log.LogAttrs(r.Context(), slog.LevelWarn, "refused", slog.Int("status", status), slog.Any("cause", cause))
	u.show(w, status, "error", text, "form-action 'none'")
}

// formPost shows the page that posts the response to the client (OAuth 2.0 Form Post Response Mode).
func (u *UI) formPost(w http.ResponseWriter, _ *http.Request, s Step) {
	nonce := rand.Text()
	u.show(w, http.StatusOK, "form-post", struct {
		URI   string
		Form  map[string]string
		Nonce string
	}{s.Parameters.URI, s.Parameters.Form, nonce}, "form-action "+origin(s.Parameters.URI)+"; script-src 'nonce-"+nonce+"'")
}

func (u *UI) style(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "pages/style.css")
}
