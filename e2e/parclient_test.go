package e2e

import (
	"net/url"
	"testing"
)

// openid-client pushes its requests, as a client that is registered for nothing else, whoever asks the user.
func TestRelyingPartyPushes(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		for _, way := range []string{"by our pages", "by the authorisation-session API"} {
			c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "require_pushed_authorization_requests": true})
			t.Run(way, func(t *testing.T) {
				asked, claims := pushingClient(t, x, c, signIns[way])
				if q := asked.Query(); len(q) != 2 || q.Get("client_id") != c.ID || q.Get("request_uri") == "" {
					t.Error("the authorization request:", asked)
				}
				if claims["sub"] != x.User.Subject || claims["iss"] != x.Issuer {
					t.Error("ID token:", claims)
				}
			})
		}
	})
}

// pushingClient signs the tenant's user in at a relying party that pushes, and returns the authorization URL and the claims
// of the ID token.
func pushingClient(t *testing.T, x *tenant, c *client, in signIn) (asked *url.URL, claims map[string]any) {
	t.Helper()
	p := startStranger(t, "pushed.js", map[string]any{"issuer": x.Issuer, "client_id": c.ID, "client_secret": c.Secret,
		"redirect_uri": c.RedirectURIs[0], "scope": "openid email"})
	asked = p.signIn(t, x, in)
	var learned struct {
		Claims map[string]any `json:"claims"`
	}
	p.hear(t, &learned)
	return asked, learned.Claims
}
