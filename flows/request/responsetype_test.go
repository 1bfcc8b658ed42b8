package request

import (
	"context"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// respondAs validates a request of that response type by a client that registered all of them, at a tenant that has them on.
func respondAs(query string, change func(*tenant.Client)) (*Request, error) {
	all := []string{"none", "id_token", "token", "token id_token", "code id_token", "code token", "code id_token token"}
	c := client("spa", tenant.Metadata{RedirectURIs: []string{callback}, GrantTypes: []string{"authorization_code", "implicit"}, ResponseTypes: all})
	if change != nil {
		change(c)
	}
	s := service()
	s.ResponseTypes = []string{"code", "none", "id_token", "token", "id_token token", "code id_token", "code token", "code id_token token"}
	params := Parse(query)
	for name, value := range map[string]string{"client_id": "spa", "redirect_uri": callback, "scope": "openid", "nonce": "n"} {
		if !params.Has(name) {
			params.Set(name, value)
		}
	}
	t := &tenant.Tenant{Settings: &tenant.Settings{Authorization: tenant.AuthorizationSettings{ResponseTypes: all}}, Clients: registry{"spa": c}}
	r, _, err := s.Validate(context.Background(), t, Authorize, params)
	return r, err
}

func TestResponseTypes(t *testing.T) {
	public := func(c *tenant.Client) { c.TokenEndpointAuthMethod = "none" }
	bound := func(c *tenant.Client) { c.DPoPBound = true }
	certified := func(c *tenant.Client) { c.CertificateBound = true }
	coded := func(c *tenant.Client) { c.GrantTypes = []string{"authorization_code"} }
	for _, tt := range []struct {
		rule, query string
		client      func(*tenant.Client)
		mode, want  string // response mode, of the error too; error
	}{
		{"none goes by query", "response_type=none", nil, "query", ""},
		{"an ID token by fragment", "response_type=id_token", nil, "fragment", ""},
		{"an access token too", "response_type=token", nil, "fragment", ""},
		{"the order does not matter", "response_type=token+id_token+code", nil, "fragment", ""},
		{"a form is as good", "response_type=code+id_token&response_mode=form_post", nil, "form_post", ""},
		{"none may go by fragment", "response_type=none&response_mode=fragment", nil, "fragment", ""},
		{"a token does not go by query", "response_type=token&response_mode=query", nil, "fragment", "invalid_request: response_mode must not be query where response_type asks for tokens"},
		{"nor an ID token", "response_type=code+id_token&response_mode=query", nil, "fragment", "invalid_request: response_mode must not be query where response_type asks for tokens"},
		{"a value twice is no response type", "response_type=token+token", nil, "fragment", "unsupported_response_type: response_type is not supported"},
		{"none stands alone", "response_type=code+none", nil, "query", "unsupported_response_type: response_type is not supported"},
		{"an ID token needs a nonce", "response_type=id_token&nonce=", nil, "fragment", "invalid_request: nonce is required, as response_type asks for an ID token"},
		{"also beside a code", "response_type=code+id_token&nonce=", nil, "fragment", "invalid_request: nonce is required, as response_type asks for an ID token"},
		{"an access token needs none", "response_type=code+token&nonce=", nil, "fragment", ""},
		{"an ID token needs openid", "response_type=id_token+token&scope=email", nil, "fragment", "invalid_scope: scope must hold openid, as response_type asks for an ID token"},
		{"an access token does not", "response_type=token&scope=email", nil, "fragment", ""},
		{"the implicit grant must be registered", "response_type=code+id_token", coded, "fragment", "unauthorized_client: the client may not use this response_type"},
		{"but not for none", "response_type=none", coded, "query", ""},
		{"a public client's code needs PKCE in a hybrid too", "response_type=code+id_token", public, "fragment", "invalid_request: code_challenge is required for this client"},
		{"without a code there is nothing to prove", "response_type=id_token", public, "fragment", ""},
		{"a bound client gets no access token here", "response_type=token", bound, "fragment", "unauthorized_client: the client takes only access tokens that are bound to a key, and so none by this response_type"},
		{"nor one that is bound to certificates", "response_type=code+token", certified, "fragment", "unauthorized_client: the client takes only access tokens that are bound to a key, and so none by this response_type"},
		{"but a code and an ID token", "response_type=code+id_token", bound, "fragment", ""},
		{"a key binds nothing here", "response_type=code+token&dpop_jkt=" + challenge, nil, "fragment", "invalid_request: dpop_jkt is sent, but response_type asks for an access token that no key can be bound to"},
		{"but the code of a hybrid", "response_type=code+id_token&dpop_jkt=" + challenge, nil, "fragment", ""},
	} {
		r, err := respondAs(tt.query, tt.client)
		got := ""
		if err != nil {
			e := oauth.ErrorOf(err)
			got = e.Code + ": " + e.Description
		}
		if got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
		if r == nil || r.ResponseMode != tt.mode {
			t.Errorf("%s: %+v", tt.rule, r)
		}
	}
}

// A code challenge belongs to a code.
func TestChallengeWithoutCode(t *testing.T) {
	for rt, want := range map[string]string{"id_token": "", "code+id_token": challenge} {
		r, err := respondAs("response_type="+rt+"&code_challenge_method=S256&code_challenge="+challenge, nil)
		if err != nil || r.CodeChallenge != want {
			t.Errorf("%s: %+v, %v", rt, r, err)
		}
	}
}
