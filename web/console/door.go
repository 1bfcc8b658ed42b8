// Package console is the operator's HTTP API: the administration below /admin/v1, and the registry of tenants below
// /tenants/rest/v1. Every route is the platform's.
package console

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Door serves both APIs.
type Door struct{ Console *admin.Console }

// maxBody is the longest body read, in bytes.
const maxBody = tenant.MaxSettings + 16<<10

// The paths of the two APIs.
const (
	adminPath    = "/admin/v1"
	registryPath = "/tenants/rest/v1"
)

// Mount registers the routes.
func (d *Door) Mount(r *wire.Router) {
	a := r.Pages(refuse)
	for _, route := range []struct {
		method, path string
		h            wire.Handler
	}{
		{http.MethodPost, "/tenants", d.createTenant},
		{http.MethodGet, "/tenants", d.listTenants},
		{http.MethodGet, "/tenants/:id", d.readTenant},
		{http.MethodPatch, "/tenants/:id", d.patchTenant},
		{http.MethodDelete, "/tenants/:id", d.deleteTenant},
		{http.MethodPost, "/tenants/:id/tokens", d.createToken},
		{http.MethodGet, "/tenants/:id/tokens", d.listTokens},
		{http.MethodDelete, "/tenants/:id/tokens/:token", d.revokeToken},
		{http.MethodPost, "/tenants/:id/initial-tokens", d.createInitialToken},
		{http.MethodGet, "/tenants/:id/initial-tokens", d.listInitialTokens},
		{http.MethodDelete, "/tenants/:id/initial-tokens/:token", d.revokeInitialToken},
		{http.MethodPost, "/tenants/:id/keys", d.rotateKeys},
		{http.MethodGet, "/tenants/:id/keys", d.listKeys},
		{http.MethodDelete, "/tenants/:id/keys/:kid", d.revokeKey},
		{http.MethodGet, "/tenants/:id/events", d.listEvents},
	} {
		a.Platform(route.method, adminPath+route.path, route.h)
	}
	r.Platform(http.MethodPost, registryPath, d.register)
	r.Platform(http.MethodGet, registryPath, d.registered)
	r.Platform(http.MethodGet, registryPath+"/:tid", d.readEntry)
	r.Platform(http.MethodPut, registryPath+"/:tid", d.putEntry)
	r.Platform(http.MethodDelete, registryPath+"/:tid", d.deleteEntry)
}

// by is who calls.
func by(c *gin.Context) admin.By {
	who := admin.By{Actor: wire.TokenOf(c).ID}
	if a := wire.AddressOf(c); a.IsValid() {
		who.Address = a.String()
	}
	return who
}
