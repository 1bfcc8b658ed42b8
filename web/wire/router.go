package wire

import (
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Door is one dialect, or one set of pages.
type Door interface {
	// Mount registers the door's routes.
	Mount(r *Router)
}

// ErrorPage writes an error in a door's own form. status is the one that Error would answer with.
type ErrorPage func(c *gin.Context, status int, err *oauth.Error)

// Router registers routes behind a Gate. Paths are those below an issuer, such as "/token" or
// "/clients/:id"; each is served with and without a trailing slash.
type Router struct {
	gate *Gate
	gin  gin.IRoutes
	page ErrorPage

	sharing sharing // of public endpoints
}

// NewRouter returns a Router that registers at routes. Gate.Handler makes one for the doors it is given.
func NewRouter(g *Gate, routes gin.IRoutes) *Router { return &Router{gate: g, gin: routes} }

// Gate returns the gate of all routes.
func (r *Router) Gate() *Gate { return r.gate }

// Pages returns a Router whose refusals, and panics of its handlers, are written by page and not as JSON.
func (r *Router) Pages(page ErrorPage) *Router {
	p := *r
	p.page = page
	return &p
}

// Public registers a tenant's public endpoint: anyone may call it, within limits by source.
func (r *Router) Public(method, path string, h Handler) {
	r.shared(path, r.sharing, true)
	r.handle(method, path, r.gate.public(h, r.page, true, false, r.sharing))
}

// Proven is Public for an endpoint whose bearer tokens are worth nothing at another tenant: whoever sends one may name the
// tenant by a header, as on an API. The handler answers a token that is wrong with invalid_token, "The token is not valid
// here", and so is a tenant answered that there is not.
func (r *Router) Proven(method, path string, h Handler) {
	r.shared(path, r.sharing, true)
	r.handle(method, path, r.gate.public(h, r.page, true, true, r.sharing))
}

// Metadata registers a public endpoint that is served even while changes cannot be seen, and that any script may read:
// metadata and keys.
func (r *Router) Metadata(method, path string, h Handler) {
	r.shared(path, withAll, false)
	r.handle(method, path, r.gate.public(h, r.page, false, false, withNobody))
}

// API registers an endpoint for callers with an API token of the tenant that reaches api.
func (r *Router) API(method, path string, api tenant.API, h Handler) {
	r.handle(method, path, r.gate.api(api, h, r.page))
}

// APIsOr registers an endpoint for callers with an API token of the tenant that reaches any of apis; and for whoever shows something
// else by another scheme, in lower case, as a public endpoint that other judges.
func (r *Router) APIsOr(method, path string, apis []tenant.API, h Handler, scheme string, other Handler) {
	own, public := r.gate.anyAPI(apis, h, r.page), r.gate.public(other, r.page, true, false, withNobody)
	r.handle(method, path, func(c *gin.Context) {
		if shown, _, err := Authorization(c); err == nil && shown == scheme {
			public(c)
			return
		}
		own(c)
	})
}

// Platform registers an endpoint for the operator: the handler gets the platform tenant.
func (r *Router) Platform(method, path string, h Handler) {
	r.PlatformAPI(method, path, tenant.AdminAPI, h)
}

// PlatformAPI is Platform, open also to tokens of the platform tenant that reach api only.
func (r *Router) PlatformAPI(method, path string, api tenant.API, h Handler) {
	r.handle(method, path, r.gate.platform(api, h, r.page))
}

func (r *Router) handle(method, path string, h gin.HandlerFunc) {
	path = "/" + strings.Trim(path, "/")
	if r.gate.endpoints == nil {
		r.gate.endpoints = map[string]bool{}
	}
	r.gate.endpoints[path[1:1+segment(path[1:])]] = true
	r.gin.Handle(method, path, h)
	if path != "/" && !strings.Contains(path, "/*") {
		r.gin.Handle(method, path+"/", h)
	}
}
