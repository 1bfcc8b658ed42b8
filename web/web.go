// Package web builds the HTTP handler of the public listener.
package web

import (
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/chancery-id/chancery/web/wire"
)

// Config is what the handler is built from. Resolver, Now, PublicURL and Doors are required.
type Config struct {
	Resolver   wire.Resolver
	Limiter    wire.Limiter // nil: no limits
	Uses       wire.Uses    // of API tokens; nil: nobody is told
	Places     *wire.Places // nil: any number of requests at once
	Now        func() time.Time
	PublicURL  *url.URL
	Production bool
	// TrustedProxies are the peers whose tenant and forwarding headers count. nil means the loopback in
	// development and none in production.
	TrustedProxies    []netip.Prefix
	CertificateHeader string       // in which trusted proxies hand on a client's certificate; empty: Client-Cert
	Sink              wire.Sink    // nil: none
	Tracer            trace.Tracer // nil: no spans
	Doors             []wire.Door
	Patience          time.Duration // how long a handler may take; zero: as wire.Deadline says
}

// floor hides how long the search for a tenant took from a caller that proved nothing. A cold tenant loads
// well within it.
const floor = 10 * time.Millisecond

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// New returns the handler of all doors. It expects the path as it was sent: no http.ServeMux may stand before
// it. The server around it bounds how long a request is read and how large its header is.
func New(c Config) http.Handler {
	proxies := c.TrustedProxies
	if proxies == nil && !c.Production {
		proxies = loopback
	}
	g := &wire.Gate{
		Resolver:          c.Resolver,
		Limiter:           c.Limiter,
		Uses:              c.Uses,
		Places:            c.Places,
		Now:               c.Now,
		PublicURL:         c.PublicURL,
		TrustedProxies:    proxies,
		CertificateHeader: c.CertificateHeader,
		Assumed:           c.TrustedProxies == nil,
		Sink:              c.Sink,
		Tracer:            c.Tracer,
		Floor:             floor,
		Patience:          c.Patience,
	}
	return g.Handler(c.Doors...)
}
