package wire

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Deadline is how long a handler may take. Reading a request is bounded by the server's own timeouts.
const Deadline = 10 * time.Second

// edge is what the outermost layer learned of a request: who sent it, which tenant its URL names, and what
// became of it. It is the request's context, found under a key that only this package has.
type edge struct {
	context.Context
	address netip.Addr  // of the client, behind trusted proxies
	trusted bool        // the TCP peer is a trusted proxy
	scheme  string      // http or https
	host    string      // with the port where one was sent
	path    string      // of an issuer, escaped as it was sent; empty at the root
	named   bool        // path names a tenant; else only the host may
	name    tenant.Name // that path names
	token   *tenant.APIToken
	person  string // subject of the platform who holds an access token; then there is no API token
	page    ErrorPage
	of      tenant.ID // in whose share of the places it is
	event   Event

	certificateHeader string // of trusted proxies
	assumed           bool   // nobody named the trusted proxies
	resource          string // where the metadata of the resource are that is asked for; empty: it has none
}

type edgeKey struct{}

// Value returns the edge itself under its own key.
func (e *edge) Value(key any) any {
	if key == (edgeKey{}) {
		return e
	}
	return e.Context.Value(key)
}

// edgeOf returns the request's edge; for a request that did not come through Gate.Edge one that knows and
// trusts nothing.
func edgeOf(r *http.Request) *edge {
	if e, ok := r.Context().Value(edgeKey{}).(*edge); ok {
		return e
	}
	return &edge{Context: r.Context(), scheme: "http", host: r.Host, address: peer(r)}
}

// issuer is the issuer that scheme, host and path stand for.
func (e *edge) issuer() string { return e.scheme + "://" + e.host + e.path }

// Edge is the outermost layer: it notes who calls, splits an issuer's path from that of the endpoint which
// next routes by, and bounds the time that a request may take.
func (g *Gate) Edge(next http.Handler) http.Handler {
	base := ""
	if g.PublicURL != nil {
		base = strings.TrimSuffix(g.PublicURL.EscapedPath(), "/")
	}
	patience := cmp.Or(g.Patience, Deadline)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		e := &edge{Context: ctx, scheme: "http", host: r.Host, address: peer(r), certificateHeader: g.CertificateHeader, assumed: g.Assumed}
		if r.TLS != nil {
			e.scheme = "https"
		}
		if within(e.address, g.TrustedProxies) {
			e.forwarded(r, g.TrustedProxies)
		}
		e.event.begin(g.Now(), r, e)

		escaped := r.URL.EscapedPath()
		issuer, endpoint := locate(escaped, base, g.endpoints)
		e.path, e.named = issuer, issuer != "" && issuer != base
		if e.named {
			if id, ok := label(issuer, base); ok {
				e.name = tenant.Name{ID: id}
			} else {
				e.name = tenant.Name{Issuer: e.issuer()}
			}
		}
		r = r.WithContext(e)
		if endpoint != escaped {
			r.URL = rebase(r.URL, endpoint)
		}
		next.ServeHTTP(w, r)
	})
}

// forwarded takes address, scheme and host from what a trusted proxy says.
func (e *edge) forwarded(r *http.Request, trusted []netip.Prefix) {
	e.trusted = true
	e.address = client(r, e.address, trusted)
	switch p := last(r.Header["X-Forwarded-Proto"]); p {
	case "http", "https":
		e.scheme = p
	}
	if h := last(r.Header["X-Forwarded-Host"]); h != "" {
		e.host = h
	}
}

// wellKnown are the metadata documents that RFC 8414 §3.1 puts before an issuer's path.
var wellKnown = []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}

// resources are the metadata of protected resources, which RFC 9728 §3.1 puts before the resource's path: that of an issuer
// and what is below it.
const resources = "/.well-known/oauth-protected-resource"

// locate splits the escaped path of a request into the path of an issuer and that of an endpoint below it.
// Nothing is decoded or normalised: what is not written as we write it belongs to no issuer. base is the
// path of the public URL; endpoints holds the first segment of every endpoint.
func locate(path, base string, endpoints map[string]bool) (issuer, endpoint string) {
	for _, w := range wellKnown {
		if rest, ok := strings.CutPrefix(path, w); ok && len(rest) > 1 && rest[0] == '/' {
			return rest, w
		}
	}
	if rest, ok := strings.CutPrefix(path, resources); ok && strings.HasPrefix(rest, base+"/t/") {
		at := len(base) + len("/t/")
		at += segment(rest[at:])
		return rest[:at], resources + rest[at:]
	}
	at := 0
	if base != "" && strings.HasPrefix(path, base+"/") {
		at = len(base)
	}
	if id, ok := strings.CutPrefix(path[at:], "/t/"); ok {
		end := at + len("/t/") + segment(id)
		return path[:end], path[end:]
	}
	for i := at; i < len(path); {
		end := i + 1 + segment(path[i+1:])
		if endpoints[path[i+1:end]] {
			return path[:i], path[i:]
		}
		i = end
	}
	return path[:at], path[at:]
}

// segment returns the length of the first path segment of s.
func segment(s string) int {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return i
	}
	return len(s)
}

// label returns the tenant id in an issuer path of the form /t/{id}, below base or at the root.
func label(issuer, base string) (string, bool) {
	if base != "" {
		if rest, ok := strings.CutPrefix(issuer, base+"/"); ok {
			issuer = issuer[len(issuer)-len(rest)-1:]
		}
	}
	id, ok := strings.CutPrefix(issuer, "/t/")
	return id, ok && !strings.Contains(id, "/")
}

// rebase returns a copy of u with that escaped path.
func rebase(u *url.URL, escaped string) *url.URL {
	v := *u
	v.Path, v.RawPath = escaped, ""
	if plain, err := url.PathUnescape(escaped); err == nil && plain != escaped {
		v.Path, v.RawPath = plain, escaped
	}
	return &v
}

// peer returns the address of the TCP peer, or the zero Addr.
func peer(r *http.Request) netip.Addr {
	if p, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return p.Addr().Unmap().WithZone("")
	}
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	a, _ := netip.ParseAddr(host)
	return a.Unmap().WithZone("")
}

// within reports whether a lies in one of ps.
func within(a netip.Addr, ps []netip.Prefix) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// client returns the address that a trusted proxy speaks for: the last entry of X-Forwarded-For that is not
// a trusted proxy itself. An entry that is no address ends the search at the proxy that sent it.
func client(r *http.Request, peer netip.Addr, trusted []netip.Prefix) netip.Addr {
	found := peer
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		entries := strings.Split(lines[i], ",")
		for j := len(entries) - 1; j >= 0; j-- {
			a, err := netip.ParseAddr(strings.TrimSpace(entries[j]))
			if err != nil {
				return found
			}
			found = a.Unmap().WithZone("")
			if !within(found, trusted) {
				return found
			}
		}
	}
	return found
}

// last returns the last entry of a header that may be a list: the one that the nearest proxy wrote.
func last(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	l := lines[len(lines)-1]
	return strings.TrimSpace(l[strings.LastIndexByte(l, ',')+1:])
}
