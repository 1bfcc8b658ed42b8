package wire

import (
	"errors"
	"net/netip"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Person returns the subject of the platform who holds an access token, which came by the scheme DPoP or as a bearer token.
// invalid_token says no more of why than that; other errors are told as they are.
type Person func(c *gin.Context, platform *tenant.Tenant, token string, dpop bool) (sub string, err error)

// Admin registers an endpoint of the administration: the handler gets the tenant where the caller is at home, which the
// caller's token names, or the platform. What the caller may do there and elsewhere is the handler's to decide. Tenant
// headers are not read. What is no API token may be the access token of a person; nil: there are none.
func (r *Router) Admin(method, path string, person Person, h Handler) {
	r.handle(method, path, r.gate.admin(person, h, r.page))
}

// PlatformMetadata registers what anyone may read of the platform, within limits by source.
func (r *Router) PlatformMetadata(method, path string, h Handler) {
	r.handle(method, path, r.gate.platformMetadata(h, r.page))
}

// AdminCall is what a Limiter counts calls of the administration under, by the id of the token, or the person, as the client.
const AdminCall = "admin call"

func (g *Gate) admin(person Person, h Handler, page ErrorPage) gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		e.page = page
		t, err := g.home(c, e, person)
		if err != nil {
			g.pause(e)
		} else if err = g.live(c, t, netip.Addr{}); err == nil {
			if err = g.allow(c, t, e.caller(), netip.Addr{}, AdminCall); err == nil {
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

func (g *Gate) platformMetadata(h Handler, page ErrorPage) gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		e.page = page
		t, err := g.platformOf(c, e)
		if err == nil {
			err = g.live(c, t, e.address)
		}
		if err != nil {
			refuse(c, e, err)
			return
		}
		h(c, t)
	}
}

func (g *Gate) platformOf(c *gin.Context, e *edge) (*tenant.Tenant, error) {
	if e.named {
		return nil, errNotFound
	}
	t, err := g.Resolver.Resolve(c.Request.Context(), tenant.Name{ID: string(tenant.Platform)})
	if errors.Is(err, tenant.ErrUnknown) {
		return nil, errNotFound
	}
	return t, err
}

// caller names whoever calls the administration.
func (e *edge) caller() string {
	if e.token != nil {
		return e.token.ID
	}
	return "user:" + e.person
}

// home returns the tenant where the caller is at home, once its token is proven to open the administration.
func (g *Gate) home(c *gin.Context, e *edge, person Person) (*tenant.Tenant, error) {
	if e.named {
		return nil, errNotFound
	}
	token, dpop, tokenErr := AccessToken(c)
	if token == "" && tokenErr == nil {
		return nil, errMissingToken
	}
	t, err := g.Resolver.Resolve(c.Request.Context(), tenant.Name{ID: string(tenant.HomeOf(token))})
	switch {
	case errors.Is(err, tenant.ErrUnknown):
		t = decoy
	case err != nil:
		return nil, err
	}
	k := t.Token(token, g.Now())
	switch {
	case t == decoy || tokenErr != nil:
		return nil, errInvalidToken.Because(tokenErr)
	case k == nil && t.ID == tenant.Platform && person != nil:
		return t, g.admitted(c, e, t, person, token, dpop)
	case k == nil || dpop:
		return nil, errInvalidToken
	}
	e.event.rec.Tenant = t.ID
	g.proved(e, t.ID, k)
	if !k.Administers() {
		return nil, errReach
	}
	return t, nil
}

// admitted notes the person who holds an access token of the platform.
func (g *Gate) admitted(c *gin.Context, e *edge, t *tenant.Tenant, person Person, token string, dpop bool) error {
	sub, err := person(c, t, token, dpop)
	if errors.Is(err, oauth.InvalidToken("")) {
		return errInvalidToken.Because(err)
	}
	if err != nil {
		return err
	}
	e.person = sub
	e.event.rec.Tenant, e.event.rec.Actor = t.ID, e.caller()
	return nil
}
