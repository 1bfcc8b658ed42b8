package wire

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
)

// sharing is whose scripts may read the answers of a route (Fetch standard, CORS protocol). Cookies never count: no answer
// allows credentials, and no shared route looks at any.
type sharing uint8

const (
	withNobody sharing = iota
	withApps           // scripts of the origins that the tenant names
	withAll            // any script: the answers are public
)

// Apps returns a Router whose public endpoints may be called by scripts in a browser: those of the origins that the tenant
// names.
func (r *Router) Apps() *Router {
	a := *r
	a.sharing = withApps
	return &a
}

// Values of headers of shared answers.
var (
	anyOrigin  = []string{"*"}
	varyOrigin = []string{"Origin"}
	exposed    = []string{"WWW-Authenticate, DPoP-Nonce, Retry-After, RateLimit, RateLimit-Policy"}
	appMethods = []string{"GET, POST, PUT, DELETE"}
	appHeaders = []string{"Authorization, Content-Type, DPoP"}
	anyHeaders = []string{"*"}
	sharedFor  = []string{"600"} // seconds
)

// share lets a script of the request's origin read the answer, where it may, and reports whether it may.
func share(c *gin.Context, t *tenant.Tenant, with sharing) bool {
	h := c.Writer.Header()
	switch with {
	case withAll:
		h["Access-Control-Allow-Origin"] = anyOrigin
		return true
	case withApps:
		if len(t.Settings.AppOrigins) == 0 {
			return false
		}
		h["Vary"] = varyOrigin
		origin := c.Request.Header["Origin"]
		if len(origin) != 1 || !slices.Contains(t.Settings.AppOrigins, origin[0]) {
			return false
		}
		h["Access-Control-Allow-Origin"] = []string{origin[0]} // one of the tenant's
		h["Access-Control-Expose-Headers"] = exposed
		return true
	}
	return false
}

// preflight answers a browser that asks whether it may call a shared endpoint for a script.
func preflight(with sharing) Handler {
	return func(c *gin.Context, t *tenant.Tenant) {
		r, h := c.Request, c.Writer.Header()
		if r.Header.Get("Origin") == "" || r.Header.Get("Access-Control-Request-Method") == "" || !share(c, t, with) {
			refuse(c, edgeOf(r), errMethod)
			return
		}
		delete(h, "Access-Control-Expose-Headers")
		h["Access-Control-Allow-Methods"], h["Access-Control-Allow-Headers"] = appMethods, appHeaders
		if with == withAll {
			h["Access-Control-Allow-Methods"], h["Access-Control-Allow-Headers"] = []string{http.MethodGet}, anyHeaders
		}
		h["Access-Control-Max-Age"] = sharedFor
		NoContent(c)
	}
}

// shared registers the preflight of an endpoint that is shared, once.
func (r *Router) shared(path string, with sharing, live bool) {
	if with == withNobody || r.gate.preflights[path] {
		return
	}
	if r.gate.preflights == nil {
		r.gate.preflights = map[string]bool{}
	}
	r.gate.preflights[path] = true
	r.handle(http.MethodOptions, path, r.gate.public(preflight(with), r.page, live, false, withNobody))
}
