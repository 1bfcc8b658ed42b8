// Package connect2id is the door for login UIs that speak the authorisation session API, versions 1 to 3: they hand over
// an authorization request, and answer its prompts. It is also the door for direct authorisation, version 2, where a
// caller that needs no answer asks for tokens.
package connect2id

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/access"
	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/ciba"
	"github.com/chancery-id/chancery/flows/logout"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/sts"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// Door serves the authorisation sessions and direct authorisations of every tenant, and the stores behind them.
type Door struct {
	Authorize *authorize.Service
	CIBA      *ciba.Service
	Logout    *logout.Service
	Access    *access.Service
	STS       *sts.Service
	Console   *admin.Console                  // keeps the tenants' keys
	Healthy   func(ctx context.Context) error // whether the server can do its work
	Metrics   *Metrics
	Now       func() time.Time
}

// Longest input read, in bytes.
const (
	maxBody   = 128 << 10
	maxObject = 16 << 10 // of an object that is kept as it came
)

// Mount registers the endpoints.
func (d *Door) Mount(r *wire.Router) {
	d.mountCIBA(r)
	d.mountSessions(r)
	d.mountLogout(r)
	d.mountAuthorizations(r)
	d.mountKeys(r)
	d.mountSTS(r)
	d.mountMonitor(r)
	for _, v := range versions {
		at := func(method, path string, h func(*Door, *call) error) {
			r.API(method, "/authz-sessions/rest/"+v.name+path, tenant.AuthzAPI, func(c *gin.Context, t *tenant.Tenant) {
				wire.EventOf(c).Flow("authorize")
				if err := h(d, &call{c, t, v, http.StatusFound}); err != nil {
					fail(c, err)
				}
			})
		}
		at(http.MethodPost, "", (*Door).start)
		at(http.MethodGet, "/:sid", (*Door).show)
		at(http.MethodPut, "/:sid", (*Door).update)
		at(http.MethodDelete, "/:sid", (*Door).deny)
		if v.data {
			at(http.MethodGet, "/:sid/data", (*Door).data)
			at(http.MethodPut, "/:sid/data", (*Door).putData)
		}
	}
	r.API(http.MethodPost, "/direct-authz/rest/v2", tenant.AuthzAPI, d.direct)
}

// call is one request to the API, of one tenant, in one version.
type call struct {
	*gin.Context
	tenant   *tenant.Tenant
	version  *version
	redirect int // status of a redirect
}

// address is where the call came from, for the record.
func (c *call) address() string { return address(c.Context) }

func address(c *gin.Context) string {
	if a := wire.AddressOf(c); a.IsValid() {
		return a.String()
	}
	return ""
}

// load returns the interaction that the path names, or authorize.ErrNotFound.
func (d *Door) load(c *call) (*authorize.Pending, error) {
	p, err := d.Authorize.Load(c.Request.Context(), c.tenant, c.Param("sid"), "")
	if err != nil {
		return nil, err
	}
	wire.EventOf(c.Context).Client(p.Client.ID)
	if !c.version.carries(p.Request.ResponseMode) {
		return nil, errMode
	}
	return p, nil
}

var (
	errNotFound = &oauth.Error{Code: "authz_not_found", Description: "The authorization session is unknown, expired or completed"}
	errConflict = oauth.InvalidRequest("The authorization session has moved on: another call answered its prompt")
)

// fail answers with err. What the interaction's store says is worded here; a sid of another tenant is as unknown as any.
func fail(c *gin.Context, err error) {
	switch {
	case errors.Is(err, authorize.ErrNotFound):
		err = &wire.Status{Err: errNotFound.Because(err), HTTP: http.StatusNotFound}
	case errors.Is(err, authorize.ErrConflict):
		err = errConflict.Because(err)
	}
	wire.Error(c, err)
}

// object checks that raw, the value of the member of that name, is a JSON object of at most maxObject bytes, or absent.
func object(name string, raw json.RawMessage) error {
	switch {
	case len(raw) == 0:
		return nil
	case raw[0] != '{':
		return oauth.InvalidRequest(name + " must be an object")
	case len(raw) > maxObject:
		return oauth.InvalidRequest(name + " is too long")
	}
	return nil
}
