package wire

import (
	"errors"
	"net/netip"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
)

// Admin registers an endpoint of the administration: the handler gets the tenant where the caller is at home, which the
// caller's token names, or the platform. What the caller may do there and elsewhere is the handler's to decide. Tenant
// headers are not read.
func (r *Router) Admin(method, path string, h Handler) {
	r.handle(method, path, r.gate.admin(h, r.page))
}

// AdminCall is what a Limiter counts calls of the administration under, by the id of the token as the client.
const AdminCall = "admin call"

func (g *Gate) admin(h Handler, page ErrorPage) gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		e.page = page
		t, err := g.home(c, e)
		if err != nil {
			g.pause(e)
		} else if err = g.live(c, t, netip.Addr{}); err == nil {
			if err = g.allow(c, t, e.token.ID, netip.Addr{}, AdminCall); err == nil {
				err = params(c)
			}
		}
		if err != nil {
			refuse(c, e, err)
			return
		}
		h(c, t)
	}
}

// home returns the tenant where the caller is at home, once its token is proven to open the administration.
func (g *Gate) home(c *gin.Context, e *edge) (*tenant.Tenant, error) {
	if e.named {
		return nil, errNotFound
	}
	bearer, tokenErr := Bearer(c)
	if bearer == "" && tokenErr == nil {
		return nil, errMissingToken
	}
	t, err := g.Resolver.Resolve(c.Request.Context(), tenant.Name{ID: string(tenant.HomeOf(bearer))})
	switch {
	case errors.Is(err, tenant.ErrUnknown):
		t = decoy
	case err != nil:
		return nil, err
	}
	k := t.Token(bearer, g.Now())
	if t == decoy || k == nil || tokenErr != nil {
		return nil, errInvalidToken.Because(tokenErr)
	}
	e.event.rec.Tenant = t.ID
	g.proved(e, t.ID, k)
	if !k.Administers() {
		return nil, errReach
	}
	return t, nil
}
