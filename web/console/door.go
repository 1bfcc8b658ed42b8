// Package console is the administration below /admin/v1, for the platform's administrators and each tenant's own, and
// the operator's registry of tenants below /tenants/rest/v1.
package console

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/discovery"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Door serves both APIs.
type Door struct {
	Console *admin.Console
	// Resolve returns an enabled tenant, for people who are the platform's and have roles at tenants; nil: they have none.
	Resolve func(ctx context.Context, id tenant.ID) (*tenant.Tenant, error)
	// Operator, where it is not empty, is the actor of all that is done, whoever calls: then nothing bounds the callers, who
	// reach the database themselves. It is for the command line.
	Operator string

	Tokens *access.Service // knows access tokens of people; nil: none are taken

	document json.RawMessage // that describes the administration
	metadata string          // where it is told how people sign in
}

// maxBody is the longest body read, in bytes.
const maxBody = tenant.MaxSettings + 16<<10

// The paths of the APIs.
const (
	adminPath    = "/admin/v1"
	registryPath = "/tenants/rest/v1"
	checkPath    = "/config/check"
)

// Mount registers the routes.
func (d *Door) Mount(r *wire.Router) {
	a := r.Pages(d.refuse)
	a.Unserved("admin")
	var err error
	if d.document, err = describe(routes); err != nil {
		panic(err) // it is made of our own tables
	}
	for i := range routes {
		a.Admin(routes[i].method, adminPath+routes[i].path, d.person, d.handler(&routes[i]))
	}
	if u := r.Gate().PublicURL; u != nil && d.Tokens != nil { // RFC 9728 §3.1: before the path of the resource
		at := discovery.ProtectedResource + strings.TrimSuffix(u.EscapedPath(), "/") + adminPath
		d.metadata = u.Scheme + "://" + u.Host + at
		a.PlatformMetadata(http.MethodGet, at, d.signIn)
	}
	r.Platform(http.MethodPost, registryPath, d.register)
	r.Platform(http.MethodGet, registryPath, d.registered)
	r.Platform(http.MethodGet, registryPath+"/:tid", d.readEntry)
	r.Platform(http.MethodPut, registryPath+"/:tid", d.putEntry)
	r.Platform(http.MethodDelete, registryPath+"/:tid", d.deleteEntry)
	r.Platform(http.MethodPost, checkPath, d.checkConfig)
}

// by is the operator, who may do everything.
func by(c *gin.Context) admin.By {
	who := admin.By{Actor: wire.TokenOf(c).ID}
	if a := wire.AddressOf(c); a.IsValid() {
		who.Address = a.String()
	}
	return who
}
