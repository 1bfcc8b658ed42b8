package console_test

import "testing"

func TestWhatIsWrongWithAClientIsPointedAt(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	const good = `"redirect_uris": ["https://app.example/cb"]`
	for _, tt := range []struct{ rule, body, at string }{
		{"a redirect URI", `{"redirect_uris": ["https://app.example/cb", "javascript:alert(1)"]}`, "#/redirect_uris/1"},
		{"where a sign-out leads", `{` + good + `, "post_logout_redirect_uris": ["https://app.example/*"]}`, "#/post_logout_redirect_uris/0"},
		{"no redirect URI", `{}`, "#/redirect_uris"},
		{"a type", `{` + good + `, "client_name": 5}`, "#/client_name"},
		{"a name", `{` + good + `, "client_name": "\u001b[2J"}`, "#/client_name"},
		{"a name in a language", `{` + good + `, "client_name#de": "\u001b[2J"}`, "#/client_name#de"},
		{"a contact", `{` + good + `, "contacts": ["ann@example.com", "\u001b[2J"]}`, "#/contacts"},
		{"a page", `{` + good + `, "logo_uri": "javascript:alert(1)"}`, "#/logo_uri"},
		{"a page in a language", `{` + good + `, "tos_uri#de": "javascript:alert(1)"}`, "#/tos_uri#de"},
		{"a method", `{` + good + `, "token_endpoint_auth_method": "magic"}`, "#/token_endpoint_auth_method"},
		{"a grant type", `{` + good + `, "grant_types": ["magic"]}`, "#/grant_types"},
		{"an algorithm", `{` + good + `, "id_token_signed_response_alg": "none"}`, "#/id_token_signed_response_alg"},
		{"a scope", `{` + good + `, "scope": "\u0022"}`, "#/scope"},
		{"keys", `{` + good + `, "jwks": {"keys": [1]}}`, "#/jwks"},
	} {
		a := h.call("POST", "/admin/v1/tenants/acme/clients", tt.body)
		faults, _ := a.json(t)["errors"].([]any)
		if a.status != 400 || len(faults) != 1 || faults[0].(map[string]any)["pointer"] != tt.at {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
		}
	}
}
