package oidc

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// userInfo serves the UserInfo endpoint (OIDC Core §5.3). The token comes in the header, or in the form of a POST, and one
// way only; never in the query (RFC 9700 §4.3.2).
func (d *Door) userInfo(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("userinfo")
	token, err := accessToken(c)
	if err != nil {
		wire.Error(c, err)
		return
	}
	claims, client, err := d.Access.UserInfo(c.Request.Context(), t, token)
	wire.EventOf(c).Client(client)
	if err != nil {
		wire.Error(c, err)
		return
	}
	wire.JSON(c, http.StatusOK, claims)
}

// accessToken reads the token that a resource request carries (RFC 6750 §2).
func accessToken(c *gin.Context) (string, error) {
	if c.Request.URL.Query().Has("access_token") {
		return "", oauth.InvalidRequest("access_token must not be in the query")
	}
	token, err := wire.Bearer(c)
	if err != nil {
		return "", err
	}
	if c.Request.Method == http.MethodPost && c.ContentType() == "application/x-www-form-urlencoded" {
		form, err := wire.Form(c, maxForm)
		if err != nil {
			return "", err
		}
		if form.Has("access_token") {
			if token != "" {
				return "", oauth.InvalidRequest("the access token is there twice")
			}
			token = form.Get("access_token")
		}
	}
	if token == "" {
		return "", oauth.MissingToken("an access token is required")
	}
	return token, nil
}
