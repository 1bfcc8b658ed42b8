package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web"
	"github.com/chancery-id/chancery/web/wire"
)

type resolver struct{}

func (resolver) Resolve(_ context.Context, names ...tenant.Name) (*tenant.Tenant, error) {
	for _, n := range names {
		if n.ID == "acme" {
			return &tenant.Tenant{ID: "acme", Issuer: "https://id.example/t/acme"}, nil
		}
	}
	return nil, tenant.ErrUnknown
}

func (resolver) Healthy(time.Time) error { return nil }

type door struct{}

func (door) Mount(r *wire.Router) {
	r.Public("POST", "/token", func(c *gin.Context, t *tenant.Tenant) { wire.JSON(c, 200, t.ID) })
}

func TestNew(t *testing.T) {
	public, _ := url.Parse("https://id.example/base")
	for _, tt := range []struct {
		rule       string
		production bool
		proxies    []netip.Prefix
		peer, path string
		header     string
		status     int
	}{
		{"an issuer below the public URL", true, nil, "192.0.2.1", "/base/t/acme/token", "", 200},
		{"also behind a proxy that cuts the path off", true, nil, "192.0.2.1", "/t/acme/token", "", 200},
		{"the path of the public URL counts once", true, nil, "192.0.2.1", "/base/base/t/acme/token", "", 404},
		{"in development the loopback is a trusted proxy", false, nil, "127.0.0.1", "/token", "acme", 200},
		{"also in IPv6", false, nil, "[::1]", "/base/token", "acme", 200},
		{"but nobody else", false, nil, "192.0.2.1", "/token", "acme", 400},
		{"in production nobody is", true, nil, "127.0.0.1", "/token", "acme", 400},
		{"unless named", true, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, "192.0.2.1", "/token", "acme", 200},
		{"naming none means none", false, []netip.Prefix{}, "127.0.0.1", "/token", "acme", 400},
	} {
		h := web.New(web.Config{Resolver: resolver{}, Now: time.Now, PublicURL: public, Production: tt.production, TrustedProxies: tt.proxies, Doors: []wire.Door{door{}}})
		r := httptest.NewRequest(http.MethodPost, "https://id.example"+tt.path, nil)
		r.RemoteAddr = tt.peer + ":1"
		if tt.header != "" {
			r.Header.Set("Tenant-ID", tt.header)
		}
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, r)
		if rec.Code != tt.status {
			t.Errorf("%s: %d %s", tt.rule, rec.Code, rec.Body)
		}
	}
}
