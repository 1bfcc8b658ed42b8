package wire

import (
	"net/url"

	"github.com/gin-gonic/gin"
)

// Form returns the parameters of a form body of at most max bytes (RFC 6749 §3.2). Empty parameters are
// absent; a repeated one other than resource and audience is invalid_request, and so is a credential in the
// query. Other parameters of the query are not read.
func Form(c *gin.Context, max int64) (url.Values, error) { return nil, nil }

// Query returns the parameters of the query, by the rules of Form.
func Query(c *gin.Context) (url.Values, error) { return nil, nil }

// RawBody returns the body of at most max bytes.
func RawBody(c *gin.Context, max int64) ([]byte, error) { return nil, nil }

// ReadJSON decodes a JSON body of at most max bytes into v, a pointer. Unknown members are ignored.
func ReadJSON(c *gin.Context, max int64, v any) error { return nil }

// ReadStrictJSON is ReadJSON that refuses unknown members.
func ReadStrictJSON(c *gin.Context, max int64, v any) error { return nil }

// Bearer returns the bearer token of the request (RFC 6750 §2.1), or the empty string where there is no
// Authorization header. Another scheme, a malformed or a repeated header is invalid_token.
func Bearer(c *gin.Context) (string, error) { return "", nil }

// Basic returns the client id and secret of HTTP Basic authentication (RFC 6749 §2.3.1). ok is false where
// there is no Authorization header, or one of another scheme. A malformed or repeated one is invalid_client.
func Basic(c *gin.Context) (id, secret string, ok bool, err error) { return "", "", false, nil }

// Authorization returns scheme, in lower case, and credentials of the Authorization header; both are empty
// where there is none. Two headers, or one without credentials, are invalid_request.
func Authorization(c *gin.Context) (scheme, credentials string, err error) { return "", "", nil }
