package e2e

import (
	"bytes"
	"fmt"
	"net/http"
	"testing"
)

// One connection, two tenants, equal client ids: a thousand answers are each from the right tenant (S13).
func TestAlternatingTenants(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		one := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
		xs := []*tenant{s.newTenant(t), s.newTenant(t)}
		var cs []*client
		var jwks, discovery [][]byte
		for _, x := range xs {
			cs = append(cs, x.register(t, map[string]any{"preferred_client_id": "same-id", "redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "client_credentials"}}))
			jwks = append(jwks, call(t, http.MethodGet, x.url("/jwks.json")).body)
			discovery = append(discovery, call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).body)
		}
		for i := range 1000 {
			x, other := xs[i%2], cs[1-i%2]
			at, parts, want := "/token", []part{cs[i%2].auth(), form("grant_type", "client_credentials")}, "200"
			method := http.MethodPost
			switch i / 2 % 4 {
			case 1:
				parts, want = []part{other.auth(), form("grant_type", "client_credentials")}, "401 invalid_client"
			case 2:
				method, at, parts = http.MethodGet, "/jwks.json", nil
			case 3:
				method, at, parts = http.MethodGet, "/.well-known/openid-configuration", nil
			}
			if i > 600 && want != "200" { // so many wrong secrets would be a guesser's
				continue
			}
			r, err := try(one, method, x.url(at), parts...)
			if err != nil {
				t.Fatal(err)
			}
			r.want(t, want)
			wrong := false
			switch {
			case at == "/jwks.json":
				wrong = !bytes.Equal(r.body, jwks[i%2])
			case at != "/token":
				wrong = !bytes.Equal(r.body, discovery[i%2])
			case want == "200":
				_, payload := claims(t, issued(t, r).Access)
				wrong = payload["iss"] != x.Issuer
			}
			if wrong {
				t.Fatalf("S13 call %d to %s was answered for another tenant: %s", i, x.TenantID, r.body)
			}
		}
	})
}

// A disabled tenant serves nobody, an enabled one everybody again (S15); a new tenant of a deleted one's name inherits
// nothing (S14).
func TestDisabledAndDeletedTenants(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		k := x.tokens(t, x.Client)
		code := x.code(t, x.Client)
		at := s.url + "/admin/v1/tenants/" + x.TenantID
		enable := func(on bool) {
			call(t, http.MethodPatch, at, bearer(s.adminToken), object(map[string]any{"enabled": on})).want(t, "200")
		}
		refused := func(rule string, x *tenant) {
			t.Helper()
			for _, r := range []reply{
				x.refresh(t, x.Client, k.Refresh), x.redeem(t, x.Client, code), x.token(t, x.Client, "grant_type", "client_credentials"),
				call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)), x.start(t, x.Client.request(), ""),
				call(t, http.MethodPost, x.url("/token/introspect"), x.Client.auth(), form("token", k.Access)),
				call(t, http.MethodGet, x.url("/clients"), bearer(x.APIToken)),
			} {
				if r.StatusCode < 400 || r.StatusCode >= 500 {
					t.Errorf("%s: %s %s: %s", rule, r.Request.Method, r.Request.URL.Path, r.outcome())
				}
			}
		}
		enable(false)
		refused("S15 a disabled tenant", x)
		enable(true)
		if !x.active(t, k.Access) {
			t.Error("S15 enabling does not bring tokens back")
		}
		k2 := issued(t, x.refresh(t, x.Client, k.Refresh))

		call(t, http.MethodDelete, at, bearer(s.adminToken)).want(t, "204")
		refused("S14 a deleted tenant", x)
		call(t, http.MethodPost, at+"/restore", bearer(s.adminToken)).want(t, "200")
		if !x.active(t, k2.Access) {
			t.Error("S14 restoring does not bring tokens back")
		}
		call(t, http.MethodDelete, at, bearer(s.adminToken)).want(t, "204")
		refused("S14 a tenant that was deleted again", x)
		y := s.createTenant(t, x.TenantID)
		old := *x
		refused("S14 what was before under that name", &old)
		for _, token := range []string{k.Access, k2.Access, k2.Refresh} {
			if y.active(t, token) {
				t.Error("S14 a token of the deleted tenant is active at the new one")
			}
		}
		var clients []struct {
			ID string `json:"client_id"`
		}
		call(t, http.MethodGet, y.url("/clients"), bearer(y.APIToken)).want(t, "200").read(t, &clients)
		if len(clients) != 1 || clients[0].ID != y.Client.ID || fmt.Sprint(y.ServiceID) == fmt.Sprint(x.ServiceID) {
			t.Errorf("S14 the new tenant has clients %v and the number %d", clients, y.ServiceID)
		}
		issued(t, y.token(t, y.Client, "grant_type", "client_credentials"))
	})
}
