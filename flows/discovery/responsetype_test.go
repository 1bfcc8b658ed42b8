package discovery

import (
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestResponseTypesAreAnnouncedWhereTheyAreOn(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		on, want []string
		implicit bool
	}{
		{"code alone", nil, []string{"code"}, false},
		{"none", []string{"none"}, []string{"code", "none"}, false},
		{"a hybrid, in whatever order", []string{"token code"}, []string{"code", "code token"}, true},
	} {
		s := &tenant.Settings{Authorization: tenant.AuthorizationSettings{ResponseTypes: tt.on}}
		m := MetadataOf(&tenant.Tenant{Issuer: "https://id.example", Settings: s, Keys: keys.NewSet(nil)}, time.Now())
		if !slices.Equal(m.ResponseTypes, tt.want) || slices.Contains(m.GrantTypes, oauth.Implicit) != tt.implicit {
			t.Errorf("%s: %q, %q", tt.rule, m.ResponseTypes, m.GrantTypes)
		}
	}
}
