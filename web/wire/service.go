package wire

import (
	"errors"
	"net/netip"
	"net/url"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
)

// Service registers an endpoint of the numbered API. The service number in the path (:serviceId, wherever it stands)
// names the tenant, and so does the user of HTTP Basic, beside all that names it elsewhere; every name that is there
// must be the same tenant's. The caller shows an API token of that tenant which reaches tenant.ServiceAPI, or the
// operator's, as a bearer token or as the password of HTTP Basic. Where it shows nothing at all it is told so before
// anything else.
func (r *Router) Service(method, path string, h Handler) {
	r.handle(method, path, r.gate.admit(h, r.page, r.gate.serviceTenant))
}

// Services registers an endpoint of the numbered API that is about no one service. The handler gets the platform tenant
// where the operator calls, whatever is named then, and else the tenant that the issuer's path, the host, the tenant
// headers and the user of HTTP Basic name, whose token the caller then shows.
func (r *Router) Services(method, path string, h Handler) {
	r.handle(method, path, r.gate.admit(h, r.page, r.gate.callingTenant))
}

// Open registers an endpoint that knows no tenant and is open to anyone, within limits by source.
func (r *Router) Open(method, path string, h gin.HandlerFunc) {
	g, page := r.gate, r.page
	r.handle(method, path, func(c *gin.Context) {
		e := edgeOf(c.Request)
		e.page = page
		if err := g.allow(c, &tenant.Tenant{ID: tenant.Platform}, "", e.address, strings.TrimSuffix(c.FullPath(), "/")); err != nil {
			refuse(c, e, err)
			return
		}
		h(c)
	})
}

// Unserved has the Router's page answer what no route below the first path segment of that name serves.
func (r *Router) Unserved(segment string) {
	if r.gate.unserved == nil {
		r.gate.unserved = map[string]ErrorPage{}
	}
	r.gate.unserved[segment] = r.page
}

// noRoute answers with err what no route serves.
func (g *Gate) noRoute(err error) gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		if path := c.Request.URL.EscapedPath(); path != "" && e.page == nil {
			e.page = g.unserved[path[1:1+segment(path[1:])]]
		}
		refuse(c, e, err)
	}
}

// admit calls h for those whose tenant find returns.
func (g *Gate) admit(h Handler, page ErrorPage, find func(*gin.Context, *edge) (*tenant.Tenant, error)) gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		e.page = page
		t, err := find(c, e)
		if err != nil {
			g.pause(e)
		} else if err = g.live(c, t, netip.Addr{}); err == nil {
			err = params(c)
		}
		if err != nil {
			refuse(c, e, err)
			return
		}
		h(c, t)
	}
}

// shown is what a caller of the numbered API shows.
type shown struct {
	token string
	user  string // of HTTP Basic
	err   error  // why it is worthless
}

// shownBy reads the Authorization header. Neither form is tried where the header is there twice.
func shownBy(c *gin.Context) shown {
	user, password, ok, err := Basic(c)
	switch {
	case err != nil:
		return shown{err: err}
	case ok:
		return shown{token: password, user: user}
	}
	token, err := Bearer(c)
	return shown{token: token, err: err}
}

// nothing reports whether there was no Authorization header.
func (s *shown) nothing() bool { return s.token == "" && s.user == "" && s.err == nil }

// operator returns the operator's token that s is, nil if it is none.
func (g *Gate) operator(c *gin.Context, s shown) (*tenant.Tenant, *tenant.APIToken, error) {
	t, err := g.Resolver.Resolve(c.Request.Context(), tenant.Name{ID: string(tenant.Platform)})
	switch {
	case errors.Is(err, tenant.ErrUnknown):
		return nil, nil, nil
	case err != nil:
		return nil, nil, err
	}
	if k := t.Token(s.token, g.Now()); k != nil && s.err == nil && k.Reaches(tenant.AdminAPI) {
		return t, k, nil
	}
	return nil, nil, nil
}

func (g *Gate) serviceTenant(c *gin.Context, e *edge) (*tenant.Tenant, error) {
	s := shownBy(c)
	if s.nothing() {
		return nil, errMissingToken
	}
	names, err := namesOf(make([]tenant.Name, 0, 5), c.Request)
	if err != nil {
		return nil, err
	}
	_, k, err := g.operator(c, s)
	if err != nil {
		return nil, err
	}
	number := c.Param("serviceId")
	if number != "" {
		names = append(names, tenant.Name{ServiceID: number})
	}
	if k == nil && s.user != "" && s.user != number { // the operator's user name is nobody's number
		names = append(names, tenant.Name{ServiceID: s.user})
	}
	return g.proven(c, e, s, k, names)
}

func (g *Gate) callingTenant(c *gin.Context, e *edge) (*tenant.Tenant, error) {
	s := shownBy(c)
	if s.nothing() {
		return nil, errMissingToken
	}
	platform, k, err := g.operator(c, s)
	if err != nil {
		return nil, err
	}
	if k != nil {
		e.event.rec.Tenant = platform.ID
		g.proved(e, platform.ID, k)
		return platform, nil
	}
	names, err := namesOf(make([]tenant.Name, 0, 4), c.Request)
	if err != nil {
		return nil, err
	}
	if s.user != "" {
		names = append(names, tenant.Name{ServiceID: s.user})
	}
	return g.proven(c, e, s, nil, names)
}

// proven returns the tenant of those names, if k, or the token of that tenant which is shown, opens it.
func (g *Gate) proven(c *gin.Context, e *edge, s shown, k *tenant.APIToken, names []tenant.Name) (*tenant.Tenant, error) {
	t, err := g.resolve(c, e, names)
	switch {
	case errors.Is(err, tenant.ErrUnnamed) && s.err != nil:
		return nil, errInvalidToken.Because(s.err)
	case errors.Is(err, tenant.ErrUnnamed):
		return nil, errUnnamed
	case errors.Is(err, tenant.ErrContradiction):
		return nil, errNames
	case errors.Is(err, tenant.ErrUnknown):
		t = decoy
	case err != nil:
		return nil, err
	}
	e.event.rec.Tenant = t.ID
	home := tenant.Platform // of the operator's token
	if own := t.Token(s.token, g.Now()); k == nil {
		k, home = own, t.ID
	}
	if t == decoy || k == nil || s.err != nil {
		return nil, errInvalidToken.Because(s.err)
	}
	g.proved(e, home, k)
	if !k.Reaches(tenant.ServiceAPI) && !k.Reaches(tenant.AdminAPI) {
		return nil, errReach
	}
	return t, nil
}

// Parameters reads parameters that a caller hands on as its client sent them, by the rules of Form.
func Parameters(encoded string) (url.Values, error) { return parameters(encoded) }

// Spoken returns s in the characters of an error description (RFC 6749 §5.2): a double quote becomes a single one, and
// what else is not allowed a question mark.
func Spoken(s string) string { return spoken(s) }
