package wire

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
)

// Status is an OAuth error with an HTTP status of its own.
type Status struct {
	Err        *oauth.Error
	HTTP       int
	RetryAfter time.Duration // sent in whole seconds when positive
}

// Error is for logs.
func (s *Status) Error() string { return s.Err.Error() }

// Unwrap returns the OAuth error.
func (s *Status) Unwrap() error { return s.Err }

// TooLarge says that a body exceeds what the endpoint reads.
func TooLarge() error {
	return &Status{Err: oauth.InvalidRequest("The request body is too large"), HTTP: http.StatusRequestEntityTooLarge}
}

// UnsupportedMedia says that the content type is not the endpoint's.
func UnsupportedMedia(d string) error {
	return &Status{Err: oauth.InvalidRequest(d), HTTP: http.StatusUnsupportedMediaType}
}

// TooMany says that a limit was reached, and when to come back.
func TooMany(retryAfter time.Duration) error {
	return &Status{Err: oauth.SlowDown("Too many requests"), HTTP: http.StatusTooManyRequests, RetryAfter: retryAfter}
}

// JSON answers with v, never cached.
func JSON(c *gin.Context, status int, v any) {}

// Raw answers with a finished body, never cached unless the caller set Cache-Control.
func Raw(c *gin.Context, status int, contentType string, body []byte) {}

// NoContent answers 204.
func NoContent(c *gin.Context) {}

// Error answers with the OAuth error object for err (RFC 6749 §5.2) and the status that its code stands for.
func Error(c *gin.Context, err error) {}

// StatusOf returns the HTTP status that Error answers err with.
func StatusOf(err error) int { return 0 }

// NoStore forbids caches to keep the answer.
func NoStore(c *gin.Context) {}
