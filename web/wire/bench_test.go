package wire_test

import (
	"net/http/httptest"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// BenchmarkGate measures what stands before and behind a handler that does nothing.
func BenchmarkGate(b *testing.B) {
	w := newWorld(b, mount(func(r *wire.Router) {
		r.Public("GET", "/nothing", func(c *gin.Context, _ *tenant.Tenant) { wire.NoContent(c) })
		r.API("GET", "/nothing/api", tenant.AuthzAPI, func(c *gin.Context, _ *tenant.Tenant) { wire.NoContent(c) })
	}))
	w.gate.Sink, w.gate.Limiter = nil, nil
	for name, r := range map[string]func() ([]string, string){
		"public": func() ([]string, string) { return nil, "https://id.example/t/acme/nothing" },
		"api": func() ([]string, string) {
			return []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-all"}, "https://id.example/nothing/api"
		},
	} {
		b.Run(name, func(b *testing.B) {
			header, target := r()
			request, rec := call("GET", target, header...), httptest.NewRecorder()
			b.ReportAllocs()
			for b.Loop() {
				w.ServeHTTP(rec, request)
			}
			if rec.Code != 204 {
				b.Fatal(rec.Code, rec.Body)
			}
		})
	}
}
