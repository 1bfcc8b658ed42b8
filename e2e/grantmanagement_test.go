package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"
)

// granting has the tenant's backend grant a request of its client, and returns what the client's tokens are.
func (x *tenant) granting(t *testing.T, pairs ...string) map[string]any {
	t.Helper()
	ticket := func(path string, in any) (out map[string]any) {
		call(t, http.MethodPost, fmt.Sprint(x.at.url, "/api/", x.ServiceID, path), bearer(x.APIToken), object(in)).want(t, "200").read(t, &out)
		return out
	}
	q := url.Values{"response_type": {"code"}, "client_id": {x.Client.ID}, "redirect_uri": {x.Client.RedirectURIs[0]}, "scope": {"openid"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Set(pairs[i], pairs[i+1])
	}
	asked := ticket("/auth/authorization", map[string]any{"parameters": q.Encode()})
	if asked["action"] != "INTERACTION" {
		t.Fatal(asked)
	}
	code := ticket("/auth/authorization/issue", map[string]any{"ticket": asked["ticket"], "subject": x.User.Subject})["authorizationCode"]
	var tokens map[string]any
	call(t, http.MethodPost, x.url("/token"), x.Client.auth(), form("grant_type", "authorization_code", "code", fmt.Sprint(code), "redirect_uri", x.Client.RedirectURIs[0])).want(t, "200").read(t, &tokens)
	secret(fmt.Sprint(tokens["access_token"]), fmt.Sprint(tokens["refresh_token"]), fmt.Sprint(tokens["id_token"]))
	return tokens
}

// A client makes an agreement, adds to it, looks at it and ends it; and nobody else does.
func TestGrantManagement(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		for _, each := range []*tenant{x, other} {
			each.patch(t, map[string]any{"grant_management": map[string]any{"enabled": true}})
		}
		var m map[string]any
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
		if m["grant_management_endpoint"] != x.Issuer+"/grants" || len(m["grant_management_actions_supported"].([]any)) != 5 {
			t.Error(m["grant_management_endpoint"], m["grant_management_actions_supported"])
		}
		first := x.granting(t, "grant_management_action", "create")
		id := fmt.Sprint(first["grant_id"])
		at := x.url("/grants/" + url.PathEscape(id))
		own := func(x *tenant, scope string) string {
			var tokens map[string]any
			call(t, http.MethodPost, x.url("/token"), x.Client.auth(), form("grant_type", "client_credentials", "scope", scope)).want(t, "200").read(t, &tokens)
			secret(fmt.Sprint(tokens["access_token"]))
			return fmt.Sprint(tokens["access_token"])
		}
		query, revoke := own(x, "grant_management_query"), own(x, "grant_management_revoke")
		scopes := func() string {
			var told map[string]any
			call(t, http.MethodGet, at, bearer(query)).want(t, "200").read(t, &told)
			return fmt.Sprint(told["scopes"])
		}
		if got := scopes(); got != "[map[scope:openid]]" {
			t.Error("as it began:", got)
		}
		if more := x.granting(t, "grant_management_action", "merge", "grant_id", id, "scope", "openid email"); more["grant_id"] != id || scopes() != "[map[scope:openid email]]" {
			t.Error(more["grant_id"], scopes())
		}
		call(t, http.MethodGet, at).want(t, "401 missing_token")
		call(t, http.MethodGet, at, bearer(revoke)).want(t, "403 insufficient_scope")
		call(t, http.MethodDelete, at, bearer(query)).want(t, "403 insufficient_scope")
		call(t, http.MethodGet, other.url("/grants/"+id), bearer(own(other, "grant_management_query"))).want(t, "404 not_found")
		call(t, http.MethodGet, other.url("/grants/"+id), bearer(query)).want(t, "401 invalid_token")
		call(t, http.MethodDelete, at, bearer(revoke)).want(t, "204")
		call(t, http.MethodGet, at, bearer(query)).want(t, "404 not_found")
		call(t, http.MethodGet, x.url("/userinfo"), bearer(fmt.Sprint(first["access_token"]))).want(t, "401 invalid_token")
		call(t, http.MethodPost, x.url("/token"), x.Client.auth(), form("grant_type", "refresh_token", "refresh_token", fmt.Sprint(first["refresh_token"]))).want(t, "400 invalid_grant")
	})
}
