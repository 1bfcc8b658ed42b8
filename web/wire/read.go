package wire

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
)

// repeatable are the parameters that may occur more than once (RFC 8693 §2.1, RFC 8707 §2).
var repeatable = map[string]bool{"resource": true, "audience": true}

// credentials are the parameters that never stand in a URL (RFC 6749 §2.3.1, RFC 9700 §4.2.4).
var credentials = []string{
	"client_secret", "client_assertion", "access_token", "refresh_token", "code_verifier", "password", "assertion",
	"subject_token", "actor_token",
}

// formCredentials are those of a form besides; a GET may carry them where it is the protocol's way.
var formCredentials = []string{"code", "token", "device_code", "auth_req_id"}

// Form returns the parameters of a form body of at most max bytes (RFC 6749 §3.2). Empty parameters are
// absent; a repeated one other than resource and audience is invalid_request, and so is a credential in the
// query. Other parameters of the query are not read. Another content type is 415, a larger body 413.
func Form(c *gin.Context, max int64) (url.Values, error) {
	if err := mediaType(c.Request, "application/x-www-form-urlencoded"); err != nil {
		return nil, err
	}
	if c.Request.URL.RawQuery != "" {
		q, err := parameters(c.Request.URL.RawQuery)
		if err != nil {
			return nil, err
		}
		if holds(q, credentials) || holds(q, formCredentials) {
			return nil, errCredentials
		}
	}
	b, err := RawBody(c, max)
	if err != nil {
		return nil, err
	}
	return parameters(string(b))
}

// Query returns the parameters of the query, by the rules of Form.
func Query(c *gin.Context) (url.Values, error) {
	q, err := parameters(c.Request.URL.RawQuery)
	if err == nil && holds(q, credentials) {
		return nil, errCredentials
	}
	return q, err
}

// RawBody returns the body of at most max bytes; a larger one is 413, an encoded one 415.
func RawBody(c *gin.Context, max int64) ([]byte, error) {
	if e := c.Request.Header["Content-Encoding"]; len(e) > 0 && !(len(e) == 1 && strings.EqualFold(e[0], "identity")) {
		return nil, UnsupportedMedia("The content encoding is not supported")
	}
	if c.Request.ContentLength > max {
		return nil, TooLarge()
	}
	if c.Request.Body == nil {
		return nil, nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, max))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, TooLarge()
	}
	if err != nil {
		return nil, errBody.Because(err)
	}
	return b, nil
}

var (
	errBody        = oauth.InvalidRequest("The request body could not be read")
	errParameters  = oauth.InvalidRequest("The parameters are malformed")
	errDuplicate   = oauth.InvalidRequest("A parameter is repeated")
	errCredentials = oauth.InvalidRequest("The URL holds a parameter that belongs into the body")
)

// parameters decodes s (RFC 6749 appendix B). A repeated parameter is an error also where a value is empty.
func parameters(s string) (url.Values, error) {
	q, err := url.ParseQuery(s)
	if err != nil {
		return nil, errParameters // its cause quotes the input
	}
	for name, values := range q {
		if !text(name) {
			return nil, errParameters
		}
		if len(values) > 1 && !repeatable[name] {
			return nil, errDuplicate
		}
		kept := values[:0]
		for _, v := range values {
			if !text(v) {
				return nil, errParameters
			}
			if v != "" {
				kept = append(kept, v)
			}
		}
		if q[name] = kept; len(kept) == 0 {
			delete(q, name)
		}
	}
	return q, nil
}

// text reports whether s is UTF-8 without a zero byte, which not every store takes.
func text(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

func holds(q url.Values, names []string) bool {
	for _, n := range names {
		if q.Has(n) {
			return true
		}
	}
	return false
}

// mediaType checks that the body is of that type, in UTF-8 where a charset is given.
func mediaType(r *http.Request, want string) error {
	vs := r.Header["Content-Type"]
	if len(vs) == 1 && vs[0] == want {
		return nil
	}
	if len(vs) == 1 {
		got, ps, err := mime.ParseMediaType(vs[0])
		charset, given := ps["charset"]
		if err == nil && got == want && (!given || strings.EqualFold(charset, "utf-8")) {
			return nil
		}
	}
	return UnsupportedMedia("The content type must be " + want)
}
