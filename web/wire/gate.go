package wire

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Handler answers a request that was made to a tenant.
type Handler func(c *gin.Context, t *tenant.Tenant)

// Resolver finds the one tenant that every name stands for. *tenant.Resolver is one.
type Resolver interface {
	// Resolve returns tenant.ErrUnnamed, ErrUnknown or ErrContradiction, or an error that says nothing about
	// tenants.
	Resolve(ctx context.Context, names ...tenant.Name) (*tenant.Tenant, error)
	// Healthy returns an error when changes have not been seen for too long to rely on what is cached.
	Healthy(now time.Time) error
}

// Limiter says how often something may happen.
type Limiter interface {
	// Allow counts one use of what, a route or a constant, or says which limit is used up. client may be empty;
	// source is the zero Addr where the caller proved that it acts for the tenant.
	Allow(ctx context.Context, t tenant.ID, client string, source netip.Addr, what string) *Refusal
}

// Uses is told which API tokens are used.
type Uses interface {
	// Used takes no time, and tells nothing back. It is safe for concurrent use.
	Used(t tenant.ID, token string, at time.Time)
}

// Gate decides which tenant a request is made to, and whether its caller may call at all.
type Gate struct {
	Resolver       Resolver
	Limiter        Limiter // nil: everything is allowed
	Uses           Uses    // of API tokens; nil: nobody is told
	Places         *Places // nil: any number of requests at once
	Now            func() time.Time
	PublicURL      *url.URL       // below which the issuers {PublicURL}/t/{id} lie
	TrustedProxies []netip.Prefix // peers whose tenant and forwarding headers count
	// CertificateHeader is the header in which trusted proxies hand on a client's certificate; empty: Client-Cert.
	CertificateHeader string
	// Assumed: the operator did not name the trusted proxies. Then a peer among them may be a client itself.
	Assumed bool
	Sink    Sink         // of one Record per request; nil: none
	Tracer  trace.Tracer // nil: no spans
	// Floor is the least time that refusing an unproven caller of an API takes, so that how long the search
	// for its tenant took does not show. Zero: no floor.
	Floor time.Duration
	// Patience is how long a handler may take; zero: Deadline.
	Patience time.Duration

	endpoints map[string]bool      // first segments of all endpoints
	unserved  map[string]ErrorPage // by the same: who answers what no route serves

	preflights map[string]bool // paths that are asked about by browsers
}

// What a caller without the right token is told. An unknown tenant and a wrong token are told the same.
var (
	errMissingToken = oauth.MissingToken("The request has no bearer token")
	errInvalidToken = oauth.InvalidToken("The token is not valid")
	errReach        = oauth.InsufficientScope("The token does not reach this API")
	errWrongHere    = oauth.InvalidToken("The token is not valid here")
	errNotFound     = oauth.NotFound("There is nothing here")
)

// Public admits anyone to a public endpoint of the tenant that the path, the host or a trusted proxy names.
// Uses are limited by source.
func (g *Gate) Public(h Handler) gin.HandlerFunc { return g.public(h, nil, true, false, withNobody) }

// Metadata is Public for what is served even while changes cannot be seen: metadata and keys. It is not
// limited.
func (g *Gate) Metadata(h Handler) gin.HandlerFunc { return g.public(h, nil, false, false, withNobody) }

// API admits callers with an API token of the named tenant that reaches api.
func (g *Gate) API(api tenant.API, h Handler) gin.HandlerFunc { return g.api(api, h, nil) }

// Platform admits callers with a token of the platform tenant that reaches api or everything. The handler
// gets the platform tenant. Tenant headers are not read.
func (g *Gate) Platform(api tenant.API, h Handler) gin.HandlerFunc { return g.platform(api, h, nil) }

func (g *Gate) public(h Handler, page ErrorPage, live, proven bool, with sharing) gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		e.page = page
		t, err := g.publicTenant(c, e, proven)
		if err == nil {
			share(c, t, with)
		}
		if err == nil && live {
			err = g.live(c, t, e.address)
		}
		if err == nil {
			err = params(c)
		}
		if err != nil {
			refuse(c, e, err)
			return
		}
		h(c, t)
	}
}

func (g *Gate) publicTenant(c *gin.Context, e *edge, proven bool) (*tenant.Tenant, error) {
	names, err := namesOf(make([]tenant.Name, 0, 3), c.Request)
	if err != nil {
		return nil, err
	}
	bearer, _ := Bearer(c)
	proven = proven && bearer != ""
	if len(names) > 0 && !e.trusted && !proven {
		return nil, errUntrusted
	}
	t, err := g.resolve(c, e, names)
	switch {
	case errors.Is(err, tenant.ErrContradiction):
		return nil, errNames
	case proven && errors.Is(err, tenant.ErrUnnamed):
		return nil, errUnnamed
	case proven && errors.Is(err, tenant.ErrUnknown):
		return nil, errWrongHere // as a token that is wrong
	case errors.Is(err, tenant.ErrUnknown), errors.Is(err, tenant.ErrUnnamed):
		return nil, errNotFound
	case err != nil:
		return nil, err
	}
	e.event.rec.Tenant = t.ID
	return t, nil
}

func (g *Gate) api(api tenant.API, h Handler, page ErrorPage) gin.HandlerFunc {
	return g.anyAPI([]tenant.API{api}, h, page)
}

func (g *Gate) anyAPI(apis []tenant.API, h Handler, page ErrorPage) gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		e.page = page
		t, err := g.apiTenant(c, e, apis)
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

// apiTenant returns the tenant that the caller has proved to act for. What names no tenant, or several, is
// invalid_request; then comes the token.
func (g *Gate) apiTenant(c *gin.Context, e *edge, apis []tenant.API) (*tenant.Tenant, error) {
	names, err := namesOf(make([]tenant.Name, 0, 3), c.Request)
	if err != nil {
		return nil, err
	}
	bearer, tokenErr := Bearer(c)
	t, err := g.resolve(c, e, names)
	switch {
	case errors.Is(err, tenant.ErrUnnamed):
		return nil, errUnnamed
	case errors.Is(err, tenant.ErrContradiction):
		return nil, errNames
	case bearer == "" && tokenErr == nil:
		return nil, errMissingToken
	case errors.Is(err, tenant.ErrUnknown):
		t = decoy
	case err != nil:
		return nil, err
	}
	e.event.rec.Tenant = t.ID
	k := t.Token(bearer, g.Now())
	if t == decoy || k == nil || tokenErr != nil {
		return nil, errInvalidToken.Because(tokenErr)
	}
	g.proved(e, t.ID, k)
	if !slices.ContainsFunc(apis, k.Reaches) {
		return nil, errReach
	}
	return t, nil
}

// proved notes that the caller holds token k of tenant home.
func (g *Gate) proved(e *edge, home tenant.ID, k *tenant.APIToken) {
	e.event.rec.Actor, e.token = k.ID, k
	if g.Uses != nil {
		g.Uses.Used(home, k.ID, g.Now())
	}
}

// decoy is searched for a token in place of a tenant that does not exist.
var decoy = func() *tenant.Tenant {
	h := sha256.Sum256(nil)
	return &tenant.Tenant{Tokens: []tenant.APIToken{{Hash: h[:]}}}
}()

func (g *Gate) platform(api tenant.API, h Handler, page ErrorPage) gin.HandlerFunc {
	return func(c *gin.Context) {
		e := edgeOf(c.Request)
		e.page = page
		t, err := g.platformTenant(c, e, api)
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

func (g *Gate) platformTenant(c *gin.Context, e *edge, api tenant.API) (*tenant.Tenant, error) {
	if e.named {
		return nil, errNotFound
	}
	bearer, tokenErr := Bearer(c)
	if bearer == "" && tokenErr == nil {
		return nil, errMissingToken
	}
	t, err := g.Resolver.Resolve(c.Request.Context(), tenant.Name{ID: string(tenant.Platform)})
	switch {
	case errors.Is(err, tenant.ErrUnknown):
		t = decoy
	case err != nil:
		return nil, err
	}
	e.event.rec.Tenant = t.ID
	k := t.Token(bearer, g.Now())
	if t == decoy || k == nil || tokenErr != nil {
		return nil, errInvalidToken.Because(tokenErr)
	}
	g.proved(e, t.ID, k)
	if !k.Reaches(api) && !k.Reaches(tenant.AdminAPI) {
		return nil, errReach
	}
	return t, nil
}

// live refuses what depends on changes that cannot be seen, and what is too often.
func (g *Gate) live(c *gin.Context, t *tenant.Tenant, source netip.Addr) error {
	if err := g.Resolver.Healthy(g.Now()); err != nil {
		return oauth.Unavailable().Because(err)
	}
	if !g.Places.share(edgeOf(c.Request), t.ID) {
		return errFull
	}
	return g.allow(c, t, "", source, strings.TrimSuffix(c.FullPath(), "/"))
}

// Allow counts one use of what, a constant, by a client of t, and returns a slow_down error once it is too
// many.
func (g *Gate) Allow(c *gin.Context, t *tenant.Tenant, client, what string) error {
	return g.allow(c, t, client, edgeOf(c.Request).address, what)
}

func (g *Gate) allow(c *gin.Context, t *tenant.Tenant, client string, source netip.Addr, what string) error {
	if g.Limiter == nil {
		return nil
	}
	if r := g.Limiter.Allow(c.Request.Context(), t.ID, client, source, what); r != nil {
		return TooMany(r)
	}
	return nil
}

// pause waits until the floor of a refusal is reached.
func (g *Gate) pause(e *edge) {
	left := g.Floor - g.Now().Sub(e.event.rec.At)
	if left <= 0 || g.Floor == 0 {
		return
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-e.Done():
	}
}

// params decodes the path parameters, which the router takes as they were sent. What is not UTF-8, or holds
// a zero byte, names nothing.
func params(c *gin.Context) error {
	for i, p := range c.Params {
		v := p.Value
		if c.Request.URL.RawPath != "" {
			var err error
			if v, err = url.PathUnescape(v); err != nil {
				return errNotFound
			}
			c.Params[i].Value = v
		}
		if !utf8.ValidString(v) || strings.IndexByte(v, 0) >= 0 {
			return errNotFound
		}
	}
	return nil
}

// refuse answers with err in the form of the route.
func refuse(c *gin.Context, e *edge, err error) {
	if e.page == nil {
		Error(c, err)
		return
	}
	e.event.Fail(err)
	c.Abort()
	Wait(c, StatusOf(err), err)
	e.page(c, StatusOf(err), errorOf(err))
}

// TokenOf returns the API token that opened an API or Platform route; nil on a public one, and where a person calls.
func TokenOf(c *gin.Context) *tenant.APIToken { return edgeOf(c.Request).token }

// PersonOf returns the subject of whoever opened a route of the administration with an access token; empty: it was an API token.
func PersonOf(c *gin.Context) string { return edgeOf(c.Request).person }

// AddressOf returns the address of the client, behind trusted proxies; the zero Addr where it is not known.
func AddressOf(c *gin.Context) netip.Addr { return edgeOf(c.Request).address }

// SecureOf reports whether the client speaks https, to us or to a trusted proxy.
func SecureOf(c *gin.Context) bool { return edgeOf(c.Request).scheme == "https" }
