package e2e

import (
	"slices"
	"strings"
	"testing"
)

// openid-client proves its key throughout, also where the tenant demands nonces: S113, S118–S121.
func TestDPoPOfOpenIDClient(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		for _, nonce := range []bool{false, true} {
			x := s.newTenant(t)
			x.patch(t, map[string]any{"dpop": map[string]any{"require_nonce": nonce}})
			bound := x.register(t, map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token"}, "dpop_bound_access_tokens": true})
			for _, c := range []*client{bound, x.public(t, callback)} {
				got := provingClient(t, x, c)
				for _, typ := range got.Types {
					if !strings.EqualFold(typ, "DPoP") {
						t.Error("token_type:", typ)
					}
				}
				if len(got.JKT) != 43 || !slices.Equal(got.Subs, []string{x.User.Subject, x.User.Subject, x.User.Subject}) || got.Stolen != "invalid_token" {
					t.Errorf("nonce %v: %+v", nonce, got)
				}
			}
		}
	})
}

// proven is what a relying party learned that proved its key.
type proven struct {
	JKT    string   `json:"jkt"`
	Types  []string `json:"types"`
	Subs   []string `json:"subs"`
	Stolen string   `json:"stolen"` // error of UserInfo with another key
}

// provingClient is a relying party on openid-client, in a process of its own.
func provingClient(t *testing.T, x *tenant, c *client) (got proven) {
	t.Helper()
	p := startStranger(t, "dpop.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret,
		"redirect_uri": c.RedirectURIs[0], "scope": "openid offline_access"})
	p.signIn(t, x, byAPI)
	p.hear(t, &got)
	return got
}
