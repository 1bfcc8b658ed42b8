package token

import (
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// S124: under FAPI no token is a bearer token, and no client that does not fit gets any.
func TestTokensOfAProfileAreBound(t *testing.T) {
	w := newWorld(t)
	shop := w.clients["shop"]
	shop.TokenEndpointAuthMethod, shop.RedirectURIs, shop.Demands = oauth.AuthPrivateJWT, []string{callback}, tenant.DemandsOf(tenant.FAPI2Security)
	shop.GrantTypes = []string{oauth.ClientCredentials}
	for rule, c := range map[string]struct {
		proved oauth.Confirmation
		want   map[string]any
		error  string
	}{
		"nothing proven":                        {oauth.Confirmation{}, nil, "invalid_request"},
		"a key":                                 {oauth.Confirmation{JKT: "key"}, map[string]any{"jkt": "key"}, ""},
		"a certificate":                         {oauth.Confirmation{X5T: "cert"}, map[string]any{"x5t#S256": "cert"}, ""},
		"a key, by whoever shows a certificate": {oauth.Confirmation{JKT: "key", X5T: "cert"}, map[string]any{"jkt": "key"}, ""},
	} {
		tokens, err := w.proving("shop", c.proved, "grant_type", oauth.ClientCredentials)
		if code(err) != c.error {
			t.Errorf("%s: %v", rule, err)
		}
		if err != nil {
			continue
		}
		cnf, _ := w.claims("at+jwt", tokens.AccessToken)["cnf"].(map[string]any)
		if len(cnf) != len(c.want) {
			t.Errorf("%s: %v", rule, cnf)
		}
		for name, v := range c.want {
			if cnf[name] != v {
				t.Errorf("%s: %v", rule, cnf)
			}
		}
	}
	shop.RedirectURIs = []string{"http://127.0.0.1/cb"}
	if _, err := w.proving("shop", oauth.Confirmation{JKT: "key"}, "grant_type", oauth.ClientCredentials); code(err) != "unauthorized_client" {
		t.Error("a client that does not fit:", err)
	}
}
