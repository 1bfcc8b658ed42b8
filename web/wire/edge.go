package wire

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// Deadline is how long a request may take, from its first byte read to the last written by a handler.
const Deadline = 10 * time.Second

// edge is what the outermost layer learned of a request: who sent it, and which tenant its URL names. It
// travels in the request's context under a key that only this package has.
type edge struct {
	context.Context
	address netip.Addr // of the client, behind trusted proxies
	trusted bool       // the TCP peer is a trusted proxy
	scheme  string
	host    string
	path    tenant.Name // named by the path before the endpoint; zero where there is none
	ours    string      // the label of a /t/{label} path
	event   Event
}

type edgeKey struct{}

// Value returns the edge itself for its own key.
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
	return &edge{Context: r.Context(), scheme: "http", host: r.Host}
}

// wellKnown are the metadata documents that RFC 8414 §3.1 puts before an issuer's path.
var wellKnown = []string{"/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"}

// locate splits the escaped path of a request into the path of an issuer and that of an endpoint below it.
// Nothing is decoded or normalised to do so: what is not written as we write it belongs to no issuer.
// endpoints holds the first segments of all endpoints; base is the path of the public URL.
func locate(path, base string, endpoints map[string]bool) (issuer, endpoint string) {
	for _, w := range wellKnown {
		if rest, ok := strings.CutPrefix(path, w); ok && len(rest) > 1 && rest[0] == '/' {
			return rest, w
		}
	}
	rest := path
	if base != "" && (rest == base || strings.HasPrefix(rest, base+"/")) {
		rest = rest[len(base):]
	} else {
		base = ""
	}
	if label, ok := strings.CutPrefix(rest, "/t/"); ok {
		end := len(base) + len("/t/") + segment(label)
		return path[:end], path[end:]
	}
	for i := 0; i < len(rest); {
		end := i + 1 + segment(rest[i+1:])
		if endpoints[rest[i+1:end]] {
			if i == 0 { // at the root, or at the public URL's own path
				return "", rest
			}
			return path[:len(base)+i], rest[i:]
		}
		i = end
	}
	return "", rest
}

// segment returns the length of the first path segment of s.
func segment(s string) int {
	if i := strings.IndexByte(s, '/'); i >= 0 {
		return i
	}
	return len(s)
}

// label returns the tenant id of an issuer path of the form {base}/t/{id}.
func label(issuer, base string) (string, bool) {
	rest, ok := strings.CutPrefix(issuer, base)
	if !ok {
		return "", false
	}
	id, ok := strings.CutPrefix(rest, "/t/")
	return id, ok && !strings.Contains(id, "/")
}

// peer returns the address of the TCP peer, or the zero Addr.
func peer(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
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
	last := peer
	lines := r.Header["X-Forwarded-For"]
	for i := len(lines) - 1; i >= 0; i-- {
		entries := strings.Split(lines[i], ",")
		for j := len(entries) - 1; j >= 0; j-- {
			a, err := netip.ParseAddr(strings.TrimSpace(entries[j]))
			if err != nil {
				return last
			}
			last = a.Unmap().WithZone("")
			if !within(last, trusted) {
				return last
			}
		}
	}
	return last
}

// rebase returns a copy of u with the given escaped path.
func rebase(u *url.URL, escaped string) (*url.URL, bool) {
	plain, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, false
	}
	v := *u
	v.Path, v.RawPath = plain, ""
	if plain != escaped {
		v.RawPath = escaped
	}
	return &v, true
}
