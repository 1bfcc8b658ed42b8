package wire

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
)

// Refusal is what a caller is told whose limit is used up.
type Refusal struct {
	After  time.Duration // until it may call again
	Limit  string        // its name
	Quota  int           // how many uses the limit has
	Window time.Duration // in which so many are given again
}

// TooMany says that a limit is used up, and when to come back: 429.
func TooMany(r *Refusal) error {
	return &Status{Err: oauth.SlowDown("Too many requests"), HTTP: http.StatusTooManyRequests, RetryAfter: r.After, refusal: r}
}

// Wait tells the caller of an answer with that status when to come back, if it is 429 or 503: Retry-After, of a second at
// least (RFC 9110 §10.2.3), and with a 429 the fields RateLimit and, where the limit is known, RateLimit-Policy. err may be
// nil. Fields that are set already stay.
func Wait(c *gin.Context, status int, err error) {
	h := c.Writer.Header()
	if status != http.StatusTooManyRequests && status != http.StatusServiceUnavailable || h["Retry-After"] != nil {
		return
	}
	after := max(time.Second, oauth.RetryAfter(err))
	name := "requests"
	if s, ok := errors.AsType[*Status](err); ok {
		after = max(after, s.RetryAfter)
		if r := s.refusal; r != nil {
			name = r.Limit
			h.Set("RateLimit-Policy", fmt.Sprintf("%q;q=%d;w=%d", name, r.Quota, seconds(r.Window)))
		}
	}
	h.Set("Retry-After", strconv.FormatInt(seconds(after), 10))
	if status == http.StatusTooManyRequests {
		h.Set("RateLimit", fmt.Sprintf("%q;r=0;t=%d", name, seconds(after)))
	}
}

// seconds are whole seconds, rounded up.
func seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }
