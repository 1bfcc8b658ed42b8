package discovery

import (
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestLogoutIsAnnouncedWhereOurPagesKeepTheSession(t *testing.T) {
	for _, tt := range []struct{ rule, loginURL, want string }{
		{"our pages", "", "https://id.example/logout"},
		{"a login UI of the tenant's own", "https://login.example", ""},
	} {
		ten := &tenant.Tenant{Issuer: "https://id.example", Settings: &tenant.Settings{LoginURL: tt.loginURL}, Keys: keys.NewSet(nil)}
		if got := MetadataOf(ten, time.Now()).EndSession; got != tt.want {
			t.Errorf("%s: got %q", tt.rule, got)
		}
	}
}
