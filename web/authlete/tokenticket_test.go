package authlete

import (
	"encoding/json"
	"maps"
	"net/url"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// deciding has acme's backend decide all that it may, and gives acme a client of those grants, whose id is returned.
func (w *world) deciding(t *testing.T) string {
	t.Helper()
	settings := *w.tenants["acme"].Settings
	g := &settings.Grants
	g.Password = tenant.PasswordSettings{Enabled: true, Backend: true}
	g.TokenExchange = tenant.ExchangeSettings{Enabled: true, Backend: true}
	w.tenants["acme"].Settings = &settings
	made := w.answer(t, "/client/create", map[string]any{"clientType": "PUBLIC", "tokenAuthMethod": "NONE", "responseTypes": []string{"CODE"},
		"redirectUris": []string{"https://till.example/cb"}, "grantTypes": []string{"AUTHORIZATION_CODE", "REFRESH_TOKEN", "PASSWORD", "TOKEN_EXCHANGE"}})
	return string(mustNumber(t, made["clientId"]))
}

func mustNumber(t *testing.T, v any) json.Number {
	t.Helper()
	n, ok := v.(json.Number)
	if !ok {
		t.Fatalf("%v is no number", v)
	}
	return n
}

// answer makes a call and returns the answer.
func (w *world) answer(t *testing.T, path string, body map[string]any) map[string]any {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	rec := w.call("POST", w.api("acme", path), string(b), nil)
	d := json.NewDecoder(rec.Body)
	d.UseNumber()
	var out map[string]any
	if err := d.Decode(&out); err != nil {
		t.Fatal(rec.Code, err)
	}
	return out
}

// asks is a token request of that client.
func asks(client string, pairs ...string) map[string]any {
	p := url.Values{"client_id": {client}}
	for i := 0; i+1 < len(pairs); i += 2 {
		p.Add(pairs[i], pairs[i+1])
	}
	return map[string]any{"parameters": p.Encode()}
}

// content is the answer for the client.
func content(t *testing.T, answer map[string]any) map[string]any {
	t.Helper()
	text, _ := answer["responseContent"].(string)
	var out map[string]any
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		t.Fatalf("%v: %v", answer, err)
	}
	return out
}

func TestTheBackendDecidesTokenRequests(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		client := w.deciding(t)
		password := asks(client, "grant_type", oauth.Password, "username", "alice", "password", "s3cret", "scope", "read")
		got := w.answer(t, "/auth/token", password)
		if got["action"] != "PASSWORD" || got["username"] != "alice" || got["password"] != "s3cret" || got["responseContent"] != nil || got["grantType"] != "PASSWORD" || got["accessToken"] != nil {
			t.Fatal(got)
		}
		ticket := got["ticket"]
		for _, wrong := range []map[string]any{{"ticket": ticket}, {"subject": "alice"}, {"ticket": "x", "subject": "alice"}, {"ticket": ticket, "subject": "a\nb"}} {
			if got := w.answer(t, "/auth/token/issue", wrong); got["action"] != "INTERNAL_SERVER_ERROR" {
				t.Error(wrong, got)
			}
		}
		if got := w.answer(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"}); got["action"] != "BAD_REQUEST" {
			t.Error("at the authorization endpoint:", got)
		}
		issued := w.answer(t, "/auth/token/issue", map[string]any{"ticket": ticket, "subject": "alice", "accessTokenDuration": 60,
			"properties": []any{map[string]any{"key": "tier", "value": "gold"}}})
		c := content(t, issued)
		if issued["action"] != "OK" || issued["subject"] != "alice" || c["access_token"] == nil || c["refresh_token"] == nil || c["scope"] != "read" || c["expires_in"] != 60.0 || c["tier"] != "gold" {
			t.Fatal(issued)
		}
		if got := w.answer(t, "/auth/token/issue", map[string]any{"ticket": ticket, "subject": "alice"}); got["action"] != "INTERNAL_SERVER_ERROR" {
			t.Error("a second time:", got)
		}
		if got := w.answer(t, "/auth/introspection", map[string]any{"token": c["access_token"]}); got["action"] != "OK" || got["subject"] != "alice" {
			t.Error(got)
		}

		exchange := asks(client, "grant_type", oauth.TokenExchange, "subject_token", c["access_token"].(string), "subject_token_type", oauth.TypeAccessToken)
		got = w.answer(t, "/auth/token", exchange)
		if got["action"] != "TOKEN_EXCHANGE" || got["subjectToken"] != c["access_token"] || got["subjectTokenType"] != "ACCESS_TOKEN" || got["subject"] != "alice" {
			t.Fatal(got)
		}
		if info, _ := got["subjectTokenInfo"].(m); info["subject"] != "alice" || info["clientIdAlias"] == nil || info["expiresAt"] == nil || len(info["properties"].([]any)) != 1 || got["actorTokenInfo"] != nil {
			t.Error(got)
		}
		if issued := content(t, w.answer(t, "/auth/token/issue", map[string]any{"ticket": got["ticket"], "subject": "alice"})); issued["issued_token_type"] != oauth.TypeAccessToken {
			t.Error(issued)
		}

		for reason, want := range map[string]string{"INVALID_RESOURCE_OWNER_CREDENTIALS": "invalid_request", "INVALID_TARGET": "invalid_target", "UNKNOWN": "server_error"} {
			body := map[string]any{"ticket": w.answer(t, "/auth/token", password)["ticket"], "reason": reason}
			failed := w.answer(t, "/auth/token/fail", body)
			if c := content(t, failed); c["error"] != want {
				t.Error(reason, failed)
			}
			if again := w.answer(t, "/auth/token/fail", body); again["resultMessage"] != "[A067201] No entity owns the ticket." {
				t.Error(reason, "a second time:", again)
			}
		}
	})
}

func TestATicketOfTheTokenEndpointIsGoodOnce(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		client := w.deciding(t)
		for _, c := range []struct {
			path, won string
			body      map[string]any
		}{
			{"/auth/token/issue", "OK", map[string]any{"subject": "alice"}},
			{"/auth/token/fail", "BAD_REQUEST", map[string]any{"reason": "INVALID_TARGET"}},
		} {
			body := maps.Clone(c.body)
			body["ticket"] = w.answer(t, "/auth/token", asks(client, "grant_type", oauth.Password, "username", "alice", "password", "s3cret"))["ticket"]
			if got := w.crowd(t, c.path, body); got[c.won] != 1 || got["INTERNAL_SERVER_ERROR"] != callers-1 {
				t.Errorf("%s: %v", c.path, got)
			}
		}
	})
}
