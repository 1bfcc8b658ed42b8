package wire

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// AccessToken is Bearer for a resource that also takes tokens by the scheme DPoP (RFC 9449 §7.1), which dpop tells.
func AccessToken(c *gin.Context) (token string, dpop bool, err error) {
	scheme, token, err := Authorization(c)
	if err != nil || scheme != "dpop" {
		token, err = Bearer(c)
		return token, false, err
	}
	if !token68(token) {
		return "", true, errBearer
	}
	return token, true, nil
}

// Proofs returns the values of the DPoP header fields (RFC 9449 §4.1).
func Proofs(c *gin.Context) []string { return c.Request.Header["Dpop"] }

// ResourceError is Error for a resource to which a token came, or had to come, by the scheme DPoP: the challenge is of
// that scheme, and names the algorithms of proofs (RFC 9449 §7.1).
func ResourceError(c *gin.Context, err error, algs string) {
	o := errorOf(err)
	switch o.Code {
	case "invalid_dpop_proof", "use_dpop_nonce":
		err = &Status{Err: o, HTTP: http.StatusUnauthorized}
	case "invalid_token", "insufficient_scope":
	default:
		Error(c, err)
		return
	}
	v := `DPoP error="` + spoken(o.Code) + `"`
	if o.Description != "" {
		v += `, error_description="` + spoken(o.Description) + `"`
	}
	c.Writer.Header().Set("WWW-Authenticate", v+`, algs="`+algs+`"`)
	Error(c, err)
}

// Nonce tells the client the nonce for its next DPoP proof (RFC 9449 §8).
func Nonce(c *gin.Context, nonce string) {
	c.Writer.Header().Set("DPoP-Nonce", nonce)
}
