package request

import (
	"maps"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

// RFC 6749 §3.3: a request that names no scope has the one that the tenant set beforehand, as far as its client may ask for it.
func TestDefaultScope(t *testing.T) {
	for _, tt := range []struct {
		rule, client, scope, want string
		details                   map[string]tenant.ScopeDetails
	}{
		{"nothing is set", "shop", "", "", nil},
		{"one is set", "shop", "", "email read", map[string]tenant.ScopeDetails{"read": {Default: true}, "email": {Default: true}, "x": {}}},
		{"some is asked for", "shop", "openid", "openid", map[string]tenant.ScopeDetails{"read": {Default: true}}},
		{"the client registered less", "narrow", "", "email", map[string]tenant.ScopeDetails{"read": {Default: true}, "email": {Default: true}}},
		{"the client registered none of it", "narrow", "", "", map[string]tenant.ScopeDetails{"read": {Default: true}}},
	} {
		known := clients()
		ten := &tenant.Tenant{ID: "acme", Issuer: "https://id.example", Clients: known, Settings: &tenant.Settings{Authorization: tenant.AuthorizationSettings{ScopeDetails: tt.details}}}
		params := map[string][]string{"client_id": {tt.client}, "redirect_uri": {callback}, "response_type": {"code"}}
		if tt.scope != "" {
			params["scope"] = []string{tt.scope}
		}
		s := &Service{ResponseTypes: []string{"code"}, ResponseModes: []string{"query"}}
		r, _, err := s.Validate(t.Context(), ten, Authorize, maps.Clone(params))
		if err != nil || r.Scope.String() != tt.want || r.Narrowed {
			t.Errorf("%s: %v, %v", tt.rule, r, err)
		}
	}
}
