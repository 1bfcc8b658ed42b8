package connect2id

import (
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/chancery-id/chancery/web/wire"
)

// guarded are the APIs that a token of its own reaches, by the beginning of their paths, with the tenant whose tokens do and
// a token of it that does not.
var guarded = []struct{ prefix, tenant, lacking string }{
	{"/authz-sessions/", "acme", "other"},
	{"/direct-authz/", "acme", "other"},
	{"/session-store/", "acme", "authz"},
	{"/authz-store/", "acme", "authz"},
	{"/logout-sessions/", "acme", "authz"},
	{"/key-store/", "acme", "authz"},
	{"/sts/", "acme", "authz"},
	{"/monitor/", "platform", "console"},
}

// What every endpoint says to a caller without its token, and to input that is none.
func TestEveryEndpointIsGuarded(t *testing.T) {
	engine := gin.New()
	(&Door{}).Mount(wire.NewRouter(&wire.Gate{}, engine))
	each(t, func(t *testing.T, w *world) {
		seen := map[string]int{}
		for _, route := range engine.Routes() {
			for _, g := range guarded {
				if !strings.HasPrefix(route.Path, g.prefix) {
					continue
				}
				seen[g.prefix]++
				path := strings.NewReplacer(":sid", "nothing", ":kid", "nothing").Replace(route.Path)
				send := func(token, body string) (int, string) {
					rec := w.call(route.Method, path, body, func(r *http.Request) {
						if r.Header.Del("Authorization"); token != "" {
							r.Header.Set("Authorization", "Bearer "+token)
						}
						if r.Header.Del("Tenant-ID"); g.tenant != "platform" {
							r.Header.Set("Tenant-ID", g.tenant)
						}
					})
					code, _, _ := strings.Cut(errorOf(rec), ":")
					return rec.Code, code
				}
				for _, tt := range []struct {
					rule, token string
					status      int
					code        string
				}{
					{"no token", "", 401, "missing_token"},
					{"a wrong token", "chy_wrong", 401, "invalid_token"},
					{"another tenant's token", apiToken("globex", "all"), 401, "invalid_token"},
					{"a token that lacks the API", apiToken(g.tenant, g.lacking), 403, "insufficient_scope"},
				} {
					if status, code := send(tt.token, ""); status != tt.status || code != tt.code {
						t.Errorf("%s %s, %s: got %d %s", route.Method, route.Path, tt.rule, status, code)
					}
				}
				if route.Method != http.MethodPost && route.Method != http.MethodPut || g.tenant == "platform" {
					continue
				}
				for _, body := range []string{`{"a":1,}`, `[`, `{"a":"\u0000"}`, "\xff"} {
					if status, code := send(apiToken(g.tenant, "all"), body); status != 400 && status != 404 && status != 415 || code == "" || strings.HasPrefix(code, "server") {
						t.Errorf("%s %s, the body %q: got %d %s", route.Method, route.Path, body, status, code)
					}
				}
			}
		}
		for _, g := range guarded {
			if seen[g.prefix] == 0 {
				t.Errorf("nothing is served below %s", g.prefix)
			}
		}
	})
}

// An API that no token of the tenant reaches is off: nothing that is tried tells it from a wrong token.
func TestAnAPIWithoutTokenIsOff(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.tenants["acme"].Tokens = nil
		for _, path := range []string{"/session-store/rest/v2/subjects", "/authz-store/rest/v3/subjects", "/key-store/rest/v1/op"} {
			rec := w.call("GET", path, "", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+apiToken("acme", "all")) })
			if rec.Code != http.StatusUnauthorized || !strings.HasPrefix(errorOf(rec), "invalid_token") {
				t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
			}
		}
	})
}
