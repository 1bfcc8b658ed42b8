package authlete

import (
	"encoding/json"
	"net/url"
	"testing"
)

// What is told of the tokens of a grant, and of those that are over.
func TestStandardIntrospectionOfGrants(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ticket := w.ticket(t, "")
		a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice", "authTime": noon.Unix(), "acr": "gold",
			"properties": []map[string]any{{"key": "tier", "value": "gold"}, {"key": "secret", "value": "s", "hidden": true}, {"key": "active", "value": "no"}}})
		tokens := w.post(t, "/auth/token", redeeming(a["authorizationCode"].(string)))
		told := func(token, resource string, hidden bool) map[string]any {
			t.Helper()
			r := w.post(t, "/auth/introspection/standard", map[string]any{"parameters": url.Values{"token": {token}}.Encode(), "rsUri": resource, "withHiddenProperties": hidden})
			var out map[string]any
			if err := json.Unmarshal([]byte(r["responseContent"].(string)), &out); err != nil || r["action"] != "OK" {
				t.Fatalf("%v: %v", err, r)
			}
			return out
		}
		access, twin, refresh := tokens["jwtAccessToken"].(string), tokens["accessToken"].(string), tokens["refreshToken"].(string)
		for _, token := range []string{access, twin} {
			m := told(token, "", false)
			if m["active"] != true || m["sub"] != "alice" || m["scope"] != "openid email" || m["tier"] != "gold" || m["secret"] != nil || m["token_type"] != "Bearer" ||
				m["acr"] != "gold" || m["auth_time"] != float64(noon.Unix()) {
				t.Errorf("an access token: %v", m)
			}
		}
		if m := told(access, "", true); m["secret"] != "s" || m["active"] != true {
			t.Errorf("with what is hidden: %v", m)
		}
		if m := told(refresh, "https://api.example.org", false); m["active"] != true || m["sub"] != "alice" || m["token_type"] != nil || m["tier"] != "gold" {
			t.Errorf("a refresh token: %v", m)
		}
		w.post(t, "/auth/revocation", map[string]any{"parameters": "token=" + refresh, "clientId": "app", "clientSecret": clientsSecret})
		for _, token := range []string{access, refresh} {
			if m := told(token, "", true); len(m) != 1 || m["active"] != false {
				t.Errorf("one that was revoked: %v", m)
			}
		}
	})
}
