package grant

import (
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// Where the token endpoint serves no refresh tokens none is made, also of what was agreed while it did.
func TestNoRefreshTokenWithoutItsGrantType(t *testing.T) {
	i, ten := house(t, 1)
	for _, off := range []bool{false, true} {
		if ten.Settings.Grants.Off = nil; off {
			ten.Settings.Grants.Off = []string{oauth.RefreshToken}
		}
		g := &Grant{ID: i.NewID(), Subject: "alice", ClientID: "shop", Terms: Terms{RefreshToken: RefreshTerms{Issue: true}}}
		m, err := i.Mint(t.Context(), ten, g, &tenant.Client{ID: "shop"}, people{}, nil)
		if err != nil || (m.RefreshToken == "") != off || (m.Refresh == nil) != off {
			t.Errorf("off %v: %q, %+v, %v", off, m.RefreshToken, m.Refresh, err)
		}
	}
}
