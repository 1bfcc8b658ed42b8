package oidc

import (
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// cacheable lets clients and proxies keep metadata and keys for a while: shorter than a new key is published ahead of its
// use. Both are public, so any page may read them.
func cacheable(c *gin.Context) {
	c.Header("Cache-Control", "public, max-age=300")
	c.Header("Access-Control-Allow-Origin", "*")
}

// metadata serves OpenID Connect Discovery 1.0 §4 and RFC 8414 §3.
func (d *Door) metadata(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("discovery")
	body, err := json.Marshal(d.Aliases.MetadataOf(t, d.Now()))
	if err != nil {
		wire.Error(c, err)
		return
	}
	cacheable(c)
	wire.Raw(c, http.StatusOK, "application/json", body)
}

// jwks serves the tenant's public keys (RFC 7517 §5).
func (d *Door) jwks(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("jwks")
	cacheable(c)
	wire.Raw(c, http.StatusOK, "application/jwk-set+json", t.Keys.JWKS(d.Now()))
}

// resource serves the metadata of a protected resource (RFC 9728 §3.2).
func (d *Door) resource(c *gin.Context, t *tenant.Tenant) {
	wire.EventOf(c).Flow("resource metadata")
	r, ok := discovery.ResourceOf(t, c.Param("resource"), d.Now())
	if !ok {
		wire.Error(c, oauth.NotFound("There is no such resource"))
		return
	}
	cacheable(c)
	wire.JSON(c, http.StatusOK, r)
}
