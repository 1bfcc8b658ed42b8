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

// grantScope is scope at resources; none is every resource of the issuer.
type grantScope struct {
	Scope     string   `json:"scope"`
	Resources []string `json:"resource,omitempty"`
}

// managedGrant tells a client of its grant (Grant Management for OAuth 2.0 §6.3).
type managedGrant struct {
	Scopes  []grantScope  `json:"scopes,omitempty"`
	Claims  []string      `json:"claims,omitempty"`
	Details oauth.Details `json:"authorization_details,omitempty"`
}

// grant serves the grant management endpoint (Grant Management for OAuth 2.0 §6): GET tells a client of its grant, DELETE ends it.
func (d *Door) grant(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("grant management")
	id := c.Param("grant_id")
	if !t.Settings.GrantManagement.Enabled {
		wire.Error(c, oauth.NotFound("there is nothing here"))
		return
	}
	token, dpop, err := accessToken(c)
	if err != nil {
		wire.Error(c, err)
		return
	}
	cert, err := wire.Certificate(c)
	if err != nil {
		wire.Error(c, err)
		return
	}
	p := access.Presented{Token: token, DPoP: dpop, Proof: d.proofOf(c, t, discovery.Grants+"/"+id), Certificate: cert}
	if dpop {
		d.nonce(c, t)
	}
	if c.Request.Method == http.MethodDelete {
		if err = d.Access.RevokeManaged(c.Request.Context(), t, p, id, wire.AddressOf(c).String()); err == nil {
			wire.NoContent(c)
			return
		}
	} else {
		g, failed := d.Access.QueryGrant(c.Request.Context(), t, p, id)
		if err = failed; err == nil {
			out := managedGrant{Claims: g.AgreedClaims(), Details: g.Terms.Details}
			if len(g.Terms.Scope) > 0 {
				out.Scopes = []grantScope{{g.Terms.Scope.String(), g.Terms.Audience}}
			}
			wire.JSON(c, http.StatusOK, out)
			return
		}
	}
	if dpop || access.Bound(err) {
		wire.ResourceError(c, err, proofAlgs)
		return
	}
	wire.Error(c, err)
}
