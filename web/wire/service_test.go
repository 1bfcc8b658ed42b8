package wire_test

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/web/wire"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestService(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		rule, path, authorization string
		status                    int
		code, tenant              string
	}{
		{"the number in the path", "/api/1000001/auth/token", "Bearer chy_acme-all", 200, "", "acme"},
		{"the Basic user", "/api/auth/token", basic("1000001", "chy_acme-all"), 200, "", "acme"},
		{"both", "/api/1000001/auth/token", basic("1000001", "chy_acme-all"), 200, "", "acme"},
		{"which differ", "/api/1000002/auth/token", basic("1000001", "chy_acme-all"), 400, "invalid_request", ""},
		{"below an issuer", "/t/acme/api/1000001/auth/token", "Bearer chy_acme-all", 200, "", "acme"},
		{"below another issuer", "/t/globex/api/1000001/auth/token", "Bearer chy_acme-all", 400, "invalid_request", ""},
		{"neither", "/api/auth/token", "Bearer chy_acme-all", 400, "invalid_request", ""},
		{"a wrong secret", "/api/auth/token", basic("1000001", "chy_globex-all"), 401, "invalid_token", ""},
		{"an unknown number", "/api/999/auth/token", "Bearer chy_acme-all", 401, "invalid_token", ""},
		{"a number in another form", "/api/01000001/auth/token", "Bearer chy_acme-all", 401, "invalid_token", ""},
		{"no token", "/api/1000001/auth/token", "", 401, "missing_token", ""},
		{"no token, and nobody named", "/api/auth/token", "", 401, "missing_token", ""},
		{"the operator's token", "/api/1000001/auth/token", "Bearer chy_admin", 200, "", "acme"},
		{"the operator's token with any user", "/api/1000001/auth/token", basic("1000002", "chy_admin"), 200, "", "acme"},
		{"the operator's token for a disabled tenant", "/api/1000006/auth/token", "Bearer chy_admin", 401, "invalid_token", ""},
		{"a token of the platform's that is not the operator's", "/api/1000001/auth/token", "Bearer chy_platform-all", 401, "invalid_token", ""},
		{"a token that does not reach", "/api/1000001/auth/token", "Bearer chy_acme-keys", 403, "insufficient_scope", ""},
		{"Basic in disorder", "/api/1000001/auth/token", "Basic !!", 401, "invalid_token", ""},
	} {
		var header []string
		if tt.authorization != "" {
			header = []string{bearer, tt.authorization}
		}
		rec := w.do(call("POST", "https://id.example"+tt.path, header...))
		if got := body(t, rec); rec.Code != tt.status || got.Error != tt.code || got.Tenant != tt.tenant {
			t.Errorf("%s: %d %s", tt.rule, rec.Code, rec.Body)
		}
	}
}

func TestServices(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		rule, url string
		header    []string
		status    int
		code      string
		tenant    string
	}{
		{"the operator's token", "https://id.example/api/info", []string{bearer, "Bearer chy_admin"}, 200, "", "platform"},
		{"the operator's token in HTTP Basic", "https://id.example/api/info", []string{bearer, basic("anybody", "chy_admin")}, 200, "", "platform"},
		{"the operator's token below an issuer", "https://id.example/t/acme/api/info", []string{bearer, "Bearer chy_admin"}, 200, "", "platform"},
		{"a tenant by the Basic user", "https://id.example/api/info", []string{bearer, basic("1000001", "chy_acme-all")}, 200, "", "acme"},
		{"a tenant by its issuer", "https://id.example/t/acme/api/info", []string{bearer, "Bearer chy_acme-all"}, 200, "", "acme"},
		{"a tenant by its host", "https://login.own.example/api/info", []string{bearer, "Bearer chy_own-all"}, 200, "", "own"},
		{"a tenant by its header", "https://id.example/api/info", []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-all"}, 200, "", "acme"},
		{"another tenant's header", "https://id.example/api/info", []string{"Tenant-ID", "globex", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"a header and a Basic user that differ", "https://id.example/api/info", []string{"Tenant-ID", "globex", bearer, basic("1000001", "chy_acme-all")}, 400, "invalid_request", ""},
		{"a tenant header twice", "https://id.example/api/info", []string{"Tenant-ID", "acme", "Tenant-ID", "acme", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"the operator's token with a tenant header", "https://id.example/api/info", []string{"Tenant-ID", "acme", bearer, "Bearer chy_admin"}, 200, "", "platform"},
		{"a tenant's token and no name", "https://id.example/api/info", []string{bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"a wrong token and no name, which is told the same", "https://id.example/api/info", []string{bearer, "Bearer nope"}, 400, "invalid_request", ""},
		{"another tenant's token", "https://id.example/t/globex/api/info", []string{bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"an unknown tenant", "https://id.example/t/nobody/api/info", []string{bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"a token that does not reach", "https://id.example/t/acme/api/info", []string{bearer, "Bearer chy_acme-keys"}, 403, "insufficient_scope", ""},
		{"no token", "https://id.example/t/acme/api/info", nil, 401, "missing_token", ""},
	} {
		rec := w.do(call("GET", tt.url, tt.header...))
		if got := body(t, rec); rec.Code != tt.status || got.Error != tt.code || got.Tenant != tt.tenant {
			t.Errorf("%s: %d %s", tt.rule, rec.Code, rec.Body)
		}
	}
}

func TestOpen(t *testing.T) {
	w := newWorld(t)
	for _, url := range []string{"https://id.example/api/misc/echo", "https://id.example/t/nobody/api/misc/echo/"} {
		if rec := w.do(call("GET", url)); rec.Code != 200 || body(t, rec).Param != "open" {
			t.Errorf("%s: %d %s", url, rec.Code, rec.Body)
		}
	}
	w.limiter.full = map[string]bool{"/api/misc/echo": true}
	if rec := w.do(call("GET", "https://id.example/api/misc/echo")); rec.Code != http.StatusTooManyRequests {
		t.Errorf("beyond the limit: %d %s", rec.Code, rec.Body)
	}
}

// A door may word what nobody serves below its own path segment, and no other.
func TestUnserved(t *testing.T) {
	w := newWorld(t, mount(func(r *wire.Router) {
		r = r.Pages(func(c *gin.Context, status int, err *oauth.Error) {
			wire.JSON(c, status, gin.H{"error": "ours: " + err.Code})
		})
		r.Unserved("ours")
		r.Service("POST", "/ours/:serviceId/call", func(*gin.Context, *tenant.Tenant) {})
	}))
	for _, tt := range []struct{ method, path, code string }{
		{"POST", "/ours/1000001/nothing", "ours: not_found"},
		{"POST", "/t/acme/ours/1000001/nothing", "ours: not_found"},
		{"GET", "/ours/1000001/call", "ours: method_not_allowed"},
		{"POST", "/other", "not_found"},
	} {
		if got := body(t, w.do(call(tt.method, "https://id.example"+tt.path))); got.Error != tt.code {
			t.Errorf("%s %s: %s", tt.method, tt.path, got.Error)
		}
	}
}

// How long the search for a tenant took does not show to whoever proved nothing.
func TestServiceFloor(t *testing.T) {
	w := newWorld(t)
	w.gate.Floor = 20 * time.Millisecond
	w.gate.Now = time.Now
	for rule, authorization := range map[string]string{"an unknown service": "Bearer chy_acme-all", "no token": ""} {
		start := time.Now()
		r := call("POST", "https://id.example/api/999/auth/token")
		if authorization != "" {
			r.Header.Set(bearer, authorization)
		}
		w.do(r)
		if took := time.Since(start); took < w.gate.Floor {
			t.Errorf("%s took %v", rule, took)
		}
	}
}
