package registration

import (
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// An update refuses what it newly asks for: what the client had before the tenant turned it off is no news.
func TestAnUpdateRefusesOnlyWhatItAsksFor(t *testing.T) {
	for _, c := range []struct {
		rule, members string
		off           func(s *tenant.Settings)
	}{
		{"a grant type", `"grant_types":["authorization_code","password"]`, func(s *tenant.Settings) { s.Grants.Password.Enabled = false }},
		{"a response type", `"grant_types":["authorization_code","implicit"],"response_types":["code","id_token"]`,
			func(s *tenant.Settings) { s.Authorization.ResponseTypes = nil }},
		{"a method of authentication", `"token_endpoint_auth_method":"client_secret_post"`, func(s *tenant.Settings) { s.Clients.AuthMethods = []string{oauth.AuthBasic} }},
		{"tokens bound to certificates", `"tls_client_certificate_bound_access_tokens":true`, func(s *tenant.Settings) { s.MTLS = tenant.MTLSSettings{} }},
		{"a type of authorization details", `"authorization_details_types":["payment"]`, func(s *tenant.Settings) { s.Authorization.DetailsTypes = nil }},
		{"user codes", `"grant_types":["authorization_code","urn:openid:params:grant-type:ciba"],"backchannel_user_code_parameter":true`,
			func(s *tenant.Settings) { s.CIBA = tenant.CIBASettings{} }},
	} {
		s, acme, _ := house(t)
		s.GrantTypes = append(s.GrantTypes, oauth.Password, oauth.CIBA)
		s.ResponseTypes = append(s.ResponseTypes, "id_token")
		acme.Settings.Grants.Password.Enabled = true
		acme.Settings.Authorization.ResponseTypes = []string{"id_token"}
		acme.Settings.Authorization.DetailsTypes = []tenant.DetailsType{{Type: "payment"}}
		acme.Settings.MTLS = tenant.MTLSSettings{Enabled: true, Authorities: []string{"x"}}
		acme.Settings.CIBA.Enabled, acme.Settings.CIBA.UserCode = true, true
		body := `{"redirect_uris":["https://a.example/cb"],` + c.members + `}`
		old, err := s.Register(t.Context(), acme, request(t, body, administrator))
		if err != nil {
			t.Fatal(c.rule, err)
		}
		plain, err := s.Register(t.Context(), acme, request(t, `{"redirect_uris":["https://a.example/cb"]}`, administrator))
		if err != nil {
			t.Fatal(c.rule, err)
		}
		c.off(acme.Settings)
		r := request(t, strings.Replace(body, "{", `{"client_name":"Another name",`, 1), administrator)
		r.RefreshSecret = true
		got, err := s.Update(t.Context(), acme, old.Client.ID, r)
		if err != nil || got.Client.Name != "Another name" || got.Secret == "" {
			t.Errorf("%s: a change of something else: %v", c.rule, err)
		}
		if _, err := s.Update(t.Context(), acme, plain.Client.ID, request(t, body, administrator)); said(err) != badMeta {
			t.Errorf("%s: asked for anew: %v", c.rule, err)
		}
		if _, err := s.Register(t.Context(), acme, request(t, body, administrator)); said(err) != badMeta {
			t.Errorf("%s: registered: %v", c.rule, err)
		}
	}
}
