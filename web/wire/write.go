package wire

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
)

// Status is an OAuth error with an HTTP status of its own.
type Status struct {
	Err        *oauth.Error
	HTTP       int
	RetryAfter time.Duration // sent in whole seconds when positive
	refusal    *Refusal      // where a limit is used up
}

// Error is for logs.
func (s *Status) Error() string { return s.Err.Error() }

// Unwrap returns the OAuth error.
func (s *Status) Unwrap() error { return s.Err }

// TooLarge says that a body exceeds what the endpoint reads: 413.
func TooLarge() error {
	return &Status{Err: oauth.InvalidRequest("The request body is too large"), HTTP: http.StatusRequestEntityTooLarge}
}

// UnsupportedMedia says, in the sentence d, that the content type is not the endpoint's: 415.
func UnsupportedMedia(d string) error {
	return &Status{Err: oauth.InvalidRequest(d), HTTP: http.StatusUnsupportedMediaType}
}

var errMethod = &Status{
	Err:  &oauth.Error{Code: "method_not_allowed", Description: "This method is not served here"},
	HTTP: http.StatusMethodNotAllowed,
}

// statuses are the HTTP statuses of error codes; all others are 400. A slow_down that is the protocol's own
// word (RFC 8628 §3.5) is a Status of 400.
var statuses = map[string]int{
	"invalid_client":          http.StatusUnauthorized,
	"invalid_token":           http.StatusUnauthorized,
	"missing_token":           http.StatusUnauthorized,
	"insufficient_scope":      http.StatusForbidden,
	"not_found":               http.StatusNotFound,
	"slow_down":               http.StatusTooManyRequests,
	"server_error":            http.StatusInternalServerError,
	"temporarily_unavailable": http.StatusServiceUnavailable,
}

// StatusOf returns the HTTP status that Error answers err with.
func StatusOf(err error) int {
	if s, ok := errors.AsType[*Status](err); ok {
		return s.HTTP
	}
	if s, ok := statuses[errorOf(err).Code]; ok {
		return s
	}
	return http.StatusBadRequest
}

// errorBody is the error object (RFC 6749 §5.2).
type errorBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
	URI         string `json:"error_uri,omitempty"`
	State       string `json:"state,omitempty"`
}

// Error answers with the error object for err (RFC 6749 §5.2), with the status that its code stands for and
// the headers that this status wants, and ends the request. What is no *oauth.Error is a server_error
// without text.
func Error(c *gin.Context, err error) { ErrorTo(c, err, "") }

// ErrorTo is Error for an endpoint that repeats the state of the request. An empty state is left out.
func ErrorTo(c *gin.Context, err error, state string) {
	EventOf(c).Fail(err)
	c.Abort()
	if c.Writer.Written() {
		return
	}
	status := StatusOf(err)
	o := errorOf(err)
	b := errorBody{spoken(o.Code), spoken(o.Description), spoken(o.URI), state}
	h := c.Writer.Header()
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		challenge(h, c.Request, o.Code, b)
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		Wait(c, status, err)
	}
	JSON(c, status, b)
}

// challenge sets WWW-Authenticate (RFC 9110 §11.6.1): Basic for a client that tried it (RFC 6749 §5.2),
// Bearer with the error for a token (RFC 6750 §3), and without one where there was no token. One that is set already stays.
func challenge(h http.Header, r *http.Request, code string, b errorBody) {
	defer located(h, r)
	if h["Www-Authenticate"] != nil {
		return
	}
	switch code {
	case "invalid_client":
		if scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " "); strings.EqualFold(scheme, "Basic") {
			h.Set("WWW-Authenticate", `Basic realm="client"`)
		}
	case "missing_token":
		h.Set("WWW-Authenticate", "Bearer")
	case "invalid_token", "insufficient_scope":
		v := `Bearer error="` + b.Error + `"`
		if b.Description != "" {
			v += `, error_description="` + b.Description + `"`
		}
		h.Set("WWW-Authenticate", v)
	}
}

// spoken returns s in the characters of RFC 6749 §5.2: %x20-21 / %x23-5B / %x5D-7E.
func spoken(s string) string {
	ok := func(r rune) bool { return r >= 0x20 && r <= 0x7e && r != '"' && r != '\\' }
	if strings.IndexFunc(s, func(r rune) bool { return !ok(r) }) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case ok(r):
			return r
		case r == '"':
			return '\''
		}
		return '?'
	}, s)
}

// JSON answers with v, never to be cached unless Cache-Control is already set.
func JSON(c *gin.Context, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		EventOf(c).Fail(err)
		status, b = http.StatusInternalServerError, []byte(`{"error":"server_error"}`)
	}
	Raw(c, status, "application/json", b)
}

// Raw answers with a finished body, never to be cached unless Cache-Control is already set.
func Raw(c *gin.Context, status int, contentType string, body []byte) {
	h := c.Writer.Header()
	h["Content-Type"] = []string{contentType}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	if h["Cache-Control"] == nil {
		NoStore(c)
	}
	c.Writer.WriteHeader(status)
	_, _ = c.Writer.Write(body) // a caller that is gone cannot be told
}

// NoContent answers 204.
func NoContent(c *gin.Context) {
	NoStore(c)
	c.Writer.WriteHeader(http.StatusNoContent)
	c.Writer.WriteHeaderNow()
}

// Values of headers that many answers share. Nobody writes into a header's values.
var (
	noStore   = []string{"no-store"}
	noCache   = []string{"no-cache"}
	nosniff   = []string{"nosniff"}
	noReferer = []string{"no-referrer"}
	deny      = []string{"DENY"}
	noContent = []string{"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}
	hsts      = []string{"max-age=31536000"}
)

// NoStore forbids caches to keep the answer (RFC 6749 §5.1).
func NoStore(c *gin.Context) {
	h := c.Writer.Header()
	h["Cache-Control"] = noStore
	h["Pragma"] = noCache
}

// Headers is the middleware that sets what every answer carries. Pages replace Content-Security-Policy by
// their own.
func Headers() gin.HandlerFunc {
	return func(c *gin.Context) {
		h := c.Writer.Header()
		h["X-Content-Type-Options"] = nosniff
		h["Referrer-Policy"] = noReferer
		h["X-Frame-Options"] = deny
		h["Content-Security-Policy"] = noContent
		if SecureOf(c) {
			h["Strict-Transport-Security"] = hsts
		}
	}
}

// ResourceMetadata says where the metadata of the resource are that is asked for, so that challenges tell it.
func ResourceMetadata(c *gin.Context, at string) { edgeOf(c.Request).resource = at }

// located adds to the challenge where the metadata of the resource are (RFC 9728 §5.1).
func located(h http.Header, r *http.Request) {
	at := edgeOf(r).resource
	if at == "" || len(h["Www-Authenticate"]) != 1 {
		return
	}
	v, separator := h["Www-Authenticate"][0], ", "
	if !strings.Contains(v, " ") {
		separator = " " // a scheme alone
	}
	h["Www-Authenticate"] = []string{v + separator + `resource_metadata="` + at + `"`}
}
