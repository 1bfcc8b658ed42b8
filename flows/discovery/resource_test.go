package discovery

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// RFC 9728 §2, §4.
func TestResourcesAreDescribed(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	acme := &tenant.Tenant{Issuer: "https://id.example/t/acme", Keys: keys.NewSet(nil), Settings: &tenant.Settings{
		Authorization: tenant.AuthorizationSettings{Scopes: []string{"openid", "email", "offline_access"}},
		Resources: map[string]tenant.ResourceSettings{
			"mcp":    {Resource: "https://mcp.example/mcp", Name: "Tools", Scopes: []string{"tools"}, Documentation: "https://mcp.example/docs", DPoPBound: true},
			"orders": {Resource: "https://api.example/orders"},
		}}}
	got, ok := ResourceOf(acme, "mcp", now)
	want := Resource{Resource: "https://mcp.example/mcp", Servers: []string{"https://id.example/t/acme"}, Scopes: []string{"tools"}, Methods: []string{"header"},
		Name: "Tools", Documentation: "https://mcp.example/docs", DPoPAlgs: names(keys.ProofAlgs()), DPoPBound: true}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Error(ok, diff)
	}
	got, ok = ResourceOf(acme, "userinfo", now)
	want = Resource{Resource: "https://id.example/t/acme/userinfo", Servers: []string{"https://id.example/t/acme"}, Scopes: []string{"openid", "email"},
		Methods: []string{"header", "body"}, DPoPAlgs: names(keys.ProofAlgs())}
	if diff := cmp.Diff(want, got); !ok || diff != "" {
		t.Error(ok, diff)
	}
	for _, name := range []string{"", "none", "https://mcp.example/mcp"} {
		if _, ok := ResourceOf(acme, name, now); ok {
			t.Errorf("there is a resource %q", name)
		}
	}
	if diff := cmp.Diff([]string{"https://id.example/t/acme/userinfo", "https://mcp.example/mcp", "https://api.example/orders"}, MetadataOf(acme, now).Resources); diff != "" {
		t.Error(diff)
	}
}
