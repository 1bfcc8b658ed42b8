package oidc

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// userInfo serves the UserInfo endpoint (OIDC Core §5.3). The token comes in the header, or in the form of a POST, and one
// way only; never in the query (RFC 9700 §4.3.2). In the header it may come by the scheme DPoP (RFC 9449 §7.1).
func (d *Door) userInfo(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("userinfo")
	wire.ResourceMetadata(c, discovery.ResourceMetadata(t, tenant.OwnResource))
	token, dpop, err := accessToken(c)
	if err != nil {
		if oauth.ErrorOf(err).Code == "invalid_request" {
			c.Header("WWW-Authenticate", `Bearer error="invalid_request"`) // RFC 6750 §3.1
		}
		if dpop {
			wire.ResourceError(c, err, proofAlgs)
			return
		}
		wire.Error(c, err)
		return
	}
	cert, err := wire.Certificate(c)
	if err != nil {
		wire.Error(c, err)
		return
	}
	p := access.Presented{Token: token, DPoP: dpop, Proof: d.proofOf(c, t, discovery.UserInfo), Certificate: cert}
	claims, client, err := d.Access.UserInfo(c.Request.Context(), t, p)
	jwt := ""
	if err == nil {
		jwt, err = d.Access.SealUserInfo(c.Request.Context(), t, client, claims)
	}
	if client != nil {
		wire.EventOf(c).Client(client.ID)
	}
	if dpop {
		d.nonce(c, t)
	}
	switch {
	case err != nil && (dpop || access.Bound(err)):
		wire.ResourceError(c, err, proofAlgs)
	case err != nil:
		wire.Error(c, err)
	case jwt != "":
		wire.Raw(c, http.StatusOK, "application/jwt", []byte(jwt)) // OIDC Core §5.3.2
	default:
		wire.JSON(c, http.StatusOK, claims)
	}
}

// accessToken reads the token that a resource request carries (RFC 6750 §2, RFC 9449 §7.1).
func accessToken(c *gin.Context) (token string, dpop bool, err error) {
	if c.Request.URL.Query().Has("access_token") {
		return "", false, oauth.InvalidRequest("access_token must not be in the query")
	}
	if token, dpop, err = wire.AccessToken(c); err != nil {
		return "", dpop, err
	}
	if c.Request.Method == http.MethodPost && c.ContentType() == "application/x-www-form-urlencoded" {
		form, err := wire.Form(c, maxForm)
		if err != nil {
			return "", false, err
		}
		if form.Has("access_token") {
			if token != "" {
				return "", false, oauth.InvalidRequest("the access token is there twice")
			}
			token = form.Get("access_token")
		}
	}
	if token == "" {
		return "", false, oauth.MissingToken("an access token is required")
	}
	return token, dpop, nil
}
