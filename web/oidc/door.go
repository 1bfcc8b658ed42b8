// Package oidc is the door for plain OAuth 2.0 and OpenID Connect.
package oidc

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/clientauth"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/registration"
	"github.com/chancery-id/chancery/flows/token"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Door serves the standard endpoints below each issuer.
type Door struct {
	Now        func() time.Time
	Authorize  *authorize.Service
	Tokens     *token.Service
	Access     *access.Service
	ClientAuth *clientauth.Service
	Proofs     *proof.Service
	CIBA       *ciba.Service
	Device     *device.Service
	Clients    *registration.Service
	Uses       wire.Uses // of API tokens; nil: nobody is told
	Browser    Browser
	Aliases    discovery.Aliases
	Changed    func(context.Context) error // makes this instance see what was just changed
}

// Browser keeps what the server knows of a browser, and shows it pages.
type Browser interface {
	// SID returns the handle of the browser's subject session, or the empty string.
	SID(c *gin.Context, t *tenant.Tenant) string
	// Binding returns the browser's own secret at t, which it makes and sets where there is none.
	Binding(c *gin.Context, t *tenant.Tenant) string
	// Show sends the browser on: to the page of a pending interaction, or back to the client.
	Show(c *gin.Context, t *tenant.Tenant, res authorize.Result)
	// Error shows an error page. t may be nil.
	Error(c *gin.Context, t *tenant.Tenant, status int, err *oauth.Error)
}

// maxForm is the longest form body read, in bytes.
const maxForm = 64 << 10

// Mount registers the endpoints.
func (d *Door) Mount(r *wire.Router) {
	pages := r.Pages(func(c *gin.Context, status int, err *oauth.Error) { d.Browser.Error(c, nil, status, err) })
	pages.Public(http.MethodGet, discovery.Authorize, d.authorize)
	pages.Public(http.MethodPost, discovery.Authorize, d.authorize)
	apps := r.Apps()
	apps.Public(http.MethodPost, discovery.Token, d.token)
	apps.Public(http.MethodPost, discovery.PAR, d.push)
	r.Public(http.MethodPost, discovery.CIBA, d.ciba)
	apps.Public(http.MethodPost, discovery.Device, d.device)
	apps.Public(http.MethodPost, discovery.Introspect, d.introspect)
	apps.Public(http.MethodPost, discovery.Revoke, d.revoke)
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		apps.Public(method, discovery.Grants+"/:grant_id", d.grant)
	}
	apps.Public(http.MethodGet, discovery.UserInfo, d.userInfo)
	apps.Public(http.MethodPost, discovery.UserInfo, d.userInfo)
	r.Metadata(http.MethodGet, discovery.JWKS, d.jwks)
	for _, path := range []string{discovery.OpenIDConfiguration, discovery.AuthorizationServer} {
		r.Metadata(http.MethodGet, path, d.metadata)
	}
	r.Metadata(http.MethodGet, discovery.ProtectedResource+"/:resource", d.resource)
	d.mountClients(apps)
}
