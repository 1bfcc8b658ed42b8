package wire

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
)

var (
	errTwoHeaders    = oauth.InvalidRequest("The Authorization header is repeated")
	errAuthorization = oauth.InvalidRequest("The Authorization header is malformed")
	errBearer        = oauth.InvalidToken("The Authorization header holds no bearer token")
	errBasic         = oauth.InvalidClient("The Authorization header is malformed")
)

// Authorization returns scheme, in lower case, and credentials of the Authorization header; both are empty
// where there is none. Two headers, or one without credentials, are invalid_request (RFC 9110 §11.6.2).
func Authorization(c *gin.Context) (scheme, credentials string, err error) {
	vs := c.Request.Header["Authorization"]
	switch len(vs) {
	case 0:
		return "", "", nil
	case 1:
	default:
		return "", "", errTwoHeaders
	}
	scheme, credentials, _ = strings.Cut(vs[0], " ")
	credentials = strings.TrimLeft(credentials, " ")
	if scheme == "" || credentials == "" {
		return "", "", errAuthorization
	}
	return strings.ToLower(scheme), credentials, nil
}

// Bearer returns the bearer token of the request (RFC 6750 §2.1), or the empty string where there is no
// Authorization header. Two headers are invalid_request; another scheme, or what is no token, is
// invalid_token.
func Bearer(c *gin.Context) (string, error) {
	scheme, token, err := Authorization(c)
	switch {
	case err == errTwoHeaders:
		return "", err
	case err != nil:
		return "", errBearer
	case scheme == "":
		return "", nil
	case scheme != "bearer" || !token68(token):
		return "", errBearer
	}
	return token, nil
}

// Basic returns the client id and secret of HTTP Basic authentication (RFC 6749 §2.3.1). ok is false where
// there is no Authorization header, or one of another scheme. Two headers are invalid_request, a malformed
// one is invalid_client.
func Basic(c *gin.Context) (id, secret string, ok bool, err error) {
	scheme, encoded, err := Authorization(c)
	switch {
	case err == errTwoHeaders:
		return "", "", false, err
	case err != nil:
		return "", "", false, errBasic
	case scheme != "basic":
		return "", "", false, nil
	}
	b, err := base64.StdEncoding.Strict().DecodeString(encoded)
	if err != nil || !token68(encoded) { // the decoder skips line ends
		return "", "", false, errBasic
	}
	user, password, colon := strings.Cut(string(b), ":")
	id, err1 := url.QueryUnescape(user)
	secret, err2 := url.QueryUnescape(password)
	if !colon || err1 != nil || err2 != nil || id == "" || !text(id) || !text(secret) {
		return "", "", false, errBasic
	}
	return id, secret, true, nil
}

// token68 reports whether s is a b64token (RFC 6750 §2.1).
func token68(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := range len(body) {
		switch c := body[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return body != ""
}
