package token

import (
	"net/url"
	"slices"
	"testing"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// good is a request of shop by each grant type that is granted; nil: what comes after the checks of any
// grant is tested where its approvals are.
var good = map[string]func(w *world, s signer) []string{
	oauth.AuthorizationCode: func(w *world, _ signer) []string {
		code, _ := w.agree("shop", func(g *grant.Grant) { g.Terms.Audience = []string{"urn:two"} })
		return []string{"code", code, "redirect_uri", callback}
	},
	oauth.RefreshToken: func(w *world, _ signer) []string {
		return []string{"refresh_token", first(w.line("shop", func(g *grant.Grant) { g.Terms.Audience = []string{"urn:two"} }))}
	},
	oauth.ClientCredentials: func(*world, signer) []string { return nil },
	oauth.TokenExchange: func(w *world, _ signer) []string {
		return []string{"subject_token", first(w.access(nil, "urn:two")), "subject_token_type", oauth.TypeAccessToken}
	},
	oauth.JWTBearer:  func(w *world, s signer) []string { return []string{"assertion", s.jwt(es256, w.with(nil))} },
	oauth.Password:   func(*world, signer) []string { return []string{"username", "alice", "password", "s3cret"} },
	oauth.CIBA:       nil,
	oauth.DeviceCode: nil,
}

// Every grant type obeys the same rules: S71, S78, S119, S122, S123.
func TestEveryGrantObeysTheSameRules(t *testing.T) {
	bound := oauth.Confirmation{JKT: "key"}
	anew := []string{oauth.ClientCredentials, oauth.TokenExchange, oauth.JWTBearer, oauth.Password} // nothing was agreed before
	for _, name := range GrantTypes() {
		request, listed := good[name]
		if !listed {
			t.Errorf("%s is not in the table", name)
			continue
		}
		for _, c := range []struct {
			rule   string
			client func(*tenant.Client)
			tenant func(*tenant.Settings)
			more   []string
			proved oauth.Confirmation
			want   string   // error code
			of     []string // grant types; nil: every one
			early  bool     // it is found out before anything of the grant is read
		}{
			{"as it is", nil, nil, nil, oauth.Confirmation{}, "", nil, false},
			{"S71 a grant type that the client did not register", func(c *tenant.Client) { c.GrantTypes = []string{"x"} }, nil, nil, oauth.Confirmation{}, "unauthorized_client", nil, true},
			{"S122 a client of bound tokens without a proof", func(c *tenant.Client) { c.DPoPBound = true }, nil, nil, oauth.Confirmation{}, "invalid_dpop_proof", nil, true},
			{"S123 a client of bound tokens without its certificate", func(c *tenant.Client) { c.CertificateBound = true }, nil, nil, oauth.Confirmation{}, "invalid_request", nil, true},
			{"S119 with a proof", nil, nil, nil, bound, "", nil, false},
			{"S78 a resource of its own", nil, nil, []string{"resource", "urn:two"}, oauth.Confirmation{}, "", nil, false},
			{"S78 another resource", nil, nil, []string{"resource", "urn:three"}, oauth.Confirmation{}, "invalid_target", nil, false},
			{"S78 a relative resource", nil, nil, []string{"resource", "/two"}, oauth.Confirmation{}, "invalid_target", nil, false},
			{"S78 a resource with a fragment", nil, nil, []string{"resource", "urn:two#x"}, oauth.Confirmation{}, "invalid_target", nil, false},
			{"a resource that the tenant does not name", nil, func(s *tenant.Settings) { s.ResourcesOnly = true }, []string{"resource", "urn:two"}, oauth.Confirmation{}, "invalid_target", anew, false},
			{"S77 scope that cannot be", nil, nil, []string{"scope", `a"b`}, oauth.Confirmation{}, "invalid_scope", append(slices.Clone(anew), oauth.RefreshToken), false},
			{"S77 scope that it did not register", nil, nil, []string{"scope", "z"}, oauth.Confirmation{}, "invalid_scope", append(slices.Clone(anew), oauth.RefreshToken), false},
			{"details that nobody granted", nil, nil, []string{"authorization_details", `[{"type":"payment"}]`}, oauth.Confirmation{}, "invalid_authorization_details", nil, false},
			{"details that are none", nil, nil, []string{"authorization_details", `{}`}, oauth.Confirmation{}, "invalid_authorization_details", nil, false},
		} {
			if c.of != nil && !slices.Contains(c.of, name) || request == nil && !c.early {
				continue
			}
			w, s := trusting(t)
			w.tenant.Settings.Grants.Password.Enabled, w.tenant.Settings.CIBA.Enabled, w.tenant.Settings.Device.Enabled = true, true, true
			shop := *w.clients["shop"]
			shop.GrantTypes = append(slices.Clone(shop.GrantTypes), oauth.CIBA, oauth.DeviceCode)
			w.clients["shop"] = &shop
			var pairs []string
			if request != nil {
				pairs = request(w, s)
			} else {
				pairs = []string{"auth_req_id", "x", "device_code", "x"}
			}
			if c.client != nil {
				c.client(&shop)
			}
			if c.tenant != nil {
				c.tenant(w.tenant.Settings)
			}
			p := url.Values{"grant_type": {name}}
			for i, pairs := 0, append(pairs, c.more...); i+1 < len(pairs); i += 2 {
				p.Add(pairs[i], pairs[i+1])
			}
			out, err := w.Exchange(t.Context(), w.tenant, &Request{Client: &shop, Params: p, Address: "192.0.2.1", Proved: c.proved})
			code := ""
			if err != nil {
				code = oauth.ErrorOf(err).Code
			}
			if code != c.want {
				t.Errorf("%s: %s: got %q (%v)", name, c.rule, code, err)
				continue
			}
			if err != nil {
				if out.AccessToken != "" || out.RefreshToken != "" || out.IDToken != "" {
					t.Errorf("%s: %s: %+v", name, c.rule, out)
				}
				continue
			}
			got := w.claims(jwtAccess, out.AccessToken)
			cnf, _ := got["cnf"].(map[string]any)
			if (cnf["jkt"] == "key") != (c.proved == bound) || (out.TokenType == "DPoP") != (c.proved == bound) || got["client_id"] != "shop" {
				t.Errorf("%s: %s: %v, %+v", name, c.rule, got, out)
			}
			if len(c.more) > 0 && got["aud"] != "urn:two" {
				t.Errorf("%s: %s: for %v", name, c.rule, got["aud"])
			}
		}
	}
}
