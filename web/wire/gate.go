package wire

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
)

// Handler answers a request that was made to a tenant.
type Handler func(c *gin.Context, t *tenant.Tenant)

// Resolver finds the one tenant that every name stands for. *tenant.Resolver is one.
type Resolver interface {
	// Resolve returns tenant.ErrUnnamed, ErrUnknown or ErrContradiction, or an error that says nothing about tenants.
	Resolve(ctx context.Context, names ...tenant.Name) (*tenant.Tenant, error)
	// Healthy returns an error when changes have not been seen for too long to rely on what is cached.
	Healthy(now time.Time) error
}

// Limiter says how often something may happen. *limit.Limiter is one; nil allows everything.
type Limiter interface {
	// Allow counts one use of what. client may be empty, source the zero Addr.
	Allow(ctx context.Context, t tenant.ID, client string, source netip.Addr, what string) (retryAfter time.Duration, ok bool)
}

// Gate decides which tenant a request is made to, and whether its caller may call at all.
type Gate struct {
	Resolver       Resolver
	Limiter        Limiter
	Now            func() time.Time
	PublicURL      *url.URL       // below which the issuers {PublicURL}/t/{id} lie
	TrustedProxies []netip.Prefix // peers whose tenant and forwarding headers count
	Sink           Sink           // of one Record per request

	endpoints map[string]bool // first segments of all endpoints
}

// Public admits anyone to a tenant's public endpoint, limited by source.
func (g *Gate) Public(h Handler) gin.HandlerFunc { return nil }

// Metadata is Public for what must be served even while changes cannot be seen, such as keys.
func (g *Gate) Metadata(h Handler) gin.HandlerFunc { return nil }

// API admits callers with an API token of the tenant that reaches api.
func (g *Gate) API(api tenant.API, h Handler) gin.HandlerFunc { return nil }

// Platform admits callers with an API token of the platform tenant that reaches api or everything. Its
// handler gets the platform tenant.
func (g *Gate) Platform(api tenant.API, h Handler) gin.HandlerFunc { return nil }

// Allow counts one use of what by a client of t, and returns a slow_down error once it is too many.
func (g *Gate) Allow(c *gin.Context, t *tenant.Tenant, client, what string) error { return nil }

// TokenOf returns the API token that opened an API or Platform route.
func TokenOf(c *gin.Context) *tenant.APIToken { return nil }

// AddressOf returns the address of the client, behind trusted proxies; the zero Addr where it is not known.
func AddressOf(c *gin.Context) netip.Addr { return edgeOf(c.Request).address }

// Edge is the outermost layer: it notes who calls, splits an issuer's path from the path of the endpoint
// that next routes by, and bounds the time a request may take.
func (g *Gate) Edge(next http.Handler) http.Handler { return nil }
