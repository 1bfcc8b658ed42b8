package wire_test

import (
	"net/http"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

// S37, S182: whose scripts may call what.
func TestOriginsOfScripts(t *testing.T) {
	tell := func(c *gin.Context, t *tenant.Tenant) { wire.JSON(c, http.StatusOK, gin.H{"tenant": t.ID}) }
	w := newWorld(t, mount(func(r *wire.Router) {
		apps := r.Apps()
		apps.Public("POST", "/shared", tell)
		apps.Public("GET", "/shared", tell)
	}))
	w.directory.records["acme"].Settings.AppOrigins = []string{"https://app.example", "http://localhost:3000"}
	for _, c := range []struct {
		rule, method, path, origin string
		status                     int
		allowed                    string // origin
	}{
		{"an origin of the tenant", "POST", "/t/acme/shared", "https://app.example", 200, "https://app.example"},
		{"another one", "GET", "/t/acme/shared", "http://localhost:3000", 200, "http://localhost:3000"},
		{"its question", "OPTIONS", "/t/acme/shared", "https://app.example", 204, "https://app.example"},
		{"its question, with a slash", "OPTIONS", "/t/acme/shared/", "https://app.example", 204, "https://app.example"},
		{"no origin", "POST", "/t/acme/shared", "", 200, ""},
		{"no origin's question", "OPTIONS", "/t/acme/shared", "", 405, ""},
		{"a foreign origin", "POST", "/t/acme/shared", "https://evil.example", 200, ""},
		{"a foreign origin's question", "OPTIONS", "/t/acme/shared", "https://evil.example", 405, ""},
		{"null", "OPTIONS", "/t/acme/shared", "null", 405, ""},
		{"an asterisk", "OPTIONS", "/t/acme/shared", "*", 405, ""},
		{"one that begins alike", "OPTIONS", "/t/acme/shared", "https://app.example.evil.example", 405, ""},
		{"one that ends alike", "OPTIONS", "/t/acme/shared", "https://evil-app.example", 405, ""},
		{"a host below", "OPTIONS", "/t/acme/shared", "https://a.app.example", 405, ""},
		{"another scheme", "OPTIONS", "/t/acme/shared", "http://app.example", 405, ""},
		{"another port", "OPTIONS", "/t/acme/shared", "https://app.example:444", 405, ""},
		{"a slash behind it", "OPTIONS", "/t/acme/shared", "https://app.example/", 405, ""},
		{"in capitals", "OPTIONS", "/t/acme/shared", "https://APP.example", 405, ""},
		{"another tenant's", "POST", "/t/globex/shared", "https://app.example", 200, ""},
		{"another tenant's question", "OPTIONS", "/t/globex/shared", "https://app.example", 405, ""},
		{"a tenant that there is not", "OPTIONS", "/t/nobody/shared", "https://app.example", 404, ""},
		{"an endpoint that is not shared", "POST", "/t/acme/token", "https://app.example", 200, ""},
		{"its question", "OPTIONS", "/t/acme/token", "https://app.example", 405, ""},
		{"a page", "GET", "/t/acme/login/broken", "https://app.example", 500, ""},
		{"an API", "GET", "/authz-sessions/rest/v1", "https://app.example", 400, ""},
		{"metadata, for anybody", "OPTIONS", "/t/acme/.well-known/openid-configuration", "https://evil.example", 204, "*"},
		{"metadata, for anybody without origin", "OPTIONS", "/t/acme/.well-known/openid-configuration", "null", 204, "*"},
	} {
		r := call(c.method, "https://id.example"+c.path)
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		r.Header.Set("Access-Control-Request-Method", "PUT")
		r.Header.Set("Access-Control-Request-Headers", "x-evil")
		rec := w.do(r)
		h := rec.Header()
		if rec.Code != c.status || h.Get("Access-Control-Allow-Origin") != c.allowed || h.Get("Access-Control-Allow-Credentials") != "" ||
			(h.Get("Access-Control-Allow-Methods") != "") != (c.method == "OPTIONS" && c.allowed != "") {
			t.Errorf("%s: %d %v", c.rule, rec.Code, h)
		}
		if c.path == "/t/acme/shared" && h.Get("Vary") != "Origin" && rec.Code != 405 {
			t.Errorf("%s: a cache would give it to others: %v", c.rule, h)
		}
	}
	w.limiter.full = map[string]bool{"/shared": true} // whoever calls too often may read that
	r := call("POST", "https://id.example/t/acme/shared")
	r.Header.Set("Origin", "https://app.example")
	if h := w.do(r).Header(); h.Get("Access-Control-Allow-Origin") != "https://app.example" || h.Get("Access-Control-Expose-Headers") != "WWW-Authenticate, DPoP-Nonce, Retry-After, RateLimit, RateLimit-Policy" {
		t.Error("an error:", h)
	}
}
