package wire

import (
	"errors"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// What a request that names its tenant wrongly is told.
var (
	errUnnamed   = oauth.InvalidRequest("No tenant is named: send an Issuer or Tenant-ID header")
	errNames     = oauth.InvalidRequest("The request names different tenants")
	errRepeated  = oauth.InvalidRequest("The Issuer or Tenant-ID header is repeated, empty or a list")
	errUntrusted = oauth.InvalidRequest("The Issuer and Tenant-ID headers are not accepted here")
)

// headers are the request headers that name a tenant, in canonical form.
var headers = []struct {
	key  string
	name func(v string) tenant.Name
}{
	{"Issuer", func(v string) tenant.Name { return tenant.Name{Issuer: v} }},
	{"Tenant-Id", func(v string) tenant.Name { return tenant.Name{ID: v} }},
}

// namesOf appends the names that the request's headers hold.
func namesOf(names []tenant.Name, r *http.Request) ([]tenant.Name, error) {
	for _, h := range headers {
		vs, ok := r.Header[h.key]
		if !ok {
			continue
		}
		if len(vs) != 1 || vs[0] == "" || strings.Contains(vs[0], ",") {
			return nil, errRepeated
		}
		names = append(names, h.name(vs[0]))
	}
	return names, nil
}

// resolve returns the one tenant that names, the path and the host of the request stand for. A host counts
// when it is the issuer of a tenant; that it cannot be looked up just now matters only where nothing else
// names a tenant.
func (g *Gate) resolve(c *gin.Context, e *edge, names []tenant.Name) (*tenant.Tenant, error) {
	ctx := c.Request.Context()
	if e.named {
		t, err := g.Resolver.Resolve(ctx, append(names, e.name)...)
		if err == nil && e.name.ID != "" {
			t, err = g.pathed(t, e)
		}
		return t, g.apparent(names, e, err)
	}
	host := tenant.Name{Issuer: e.issuer()}
	if len(names) == 0 {
		t, err := g.Resolver.Resolve(ctx, host)
		if errors.Is(err, tenant.ErrUnknown) {
			return nil, tenant.ErrUnnamed
		}
		return t, err
	}
	t, err := g.Resolver.Resolve(ctx, names...)
	if err != nil && !errors.Is(err, tenant.ErrUnknown) {
		return nil, g.apparent(names, e, err)
	}
	if t == nil || t.Issuer != host.Issuer {
		if other, err := g.Resolver.Resolve(ctx, host); err == nil && (t == nil || other.ID != t.ID) {
			return nil, tenant.ErrContradiction
		}
	}
	return t, err
}

// pathed returns t under the face that its path /t/{id} is. Where that is neither its issuer nor an alias, its issuer lies
// elsewhere, and only a proxy of ours may map it here.
func (g *Gate) pathed(t *tenant.Tenant, e *edge) (*tenant.Tenant, error) {
	path := "/t/" + e.name.ID
	if strings.HasSuffix(t.Issuer, path) || t.Face() != "" && strings.HasSuffix(t.At("").Issuer, path) {
		return t, nil
	}
	if g.PublicURL != nil {
		if issuer := strings.TrimSuffix(g.PublicURL.String(), "/") + path; t.Owns(issuer) {
			return t.At(issuer), nil
		}
	}
	if e.trusted {
		return t, nil
	}
	return nil, tenant.ErrUnknown
}

// apparent returns ErrUnknown for a contradiction between names that seem to agree, such as the Tenant-ID
// "a" with the issuer {PublicURL}/t/a: whether there is a tenant "a" must not show.
func (g *Gate) apparent(names []tenant.Name, e *edge, err error) error {
	if !errors.Is(err, tenant.ErrContradiction) || g.PublicURL == nil {
		return err
	}
	below := strings.TrimSuffix(g.PublicURL.String(), "/") + "/t/"
	one := e.name.ID
	if e.named && one == "" {
		return err
	}
	for _, n := range names {
		id := n.ID
		if id == "" {
			id = strings.TrimPrefix(n.Issuer, below)
		}
		if id == n.Issuer || one != "" && id != one {
			return err
		}
		one = id
	}
	return tenant.ErrUnknown
}
