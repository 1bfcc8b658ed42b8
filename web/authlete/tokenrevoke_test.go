package authlete

import (
	"fmt"
	"net/http"
	"testing"
)

// What the authorization server revokes is over, and nothing else is.
func TestTokenRevoke(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		issued := func() map[string]any { return w.post(t, "/auth/token", redeeming(w.code(t, ""))) }
		alive := func(tokens map[string]any) bool {
			return w.post(t, "/auth/introspection", map[string]any{"token": tokens["jwtAccessToken"]})["action"] == "OK"
		}
		own := w.post(t, "/auth/token", map[string]any{"parameters": "grant_type=client_credentials", "clientId": "app", "clientSecret": clientsSecret})
		a, b, other := issued(), issued(), issued()
		for _, tt := range []struct {
			rule         string
			method, path string
			body         string
			status       int
			code         string
			over         map[string]any
		}{
			{"an access token", "POST", "/auth/token/revoke", `{"accessTokenIdentifier":"` + a["jwtAccessToken"].(string) + `"}`, 200, "A312001", a},
			{"one that is over", "POST", "/auth/token/revoke", `{"accessTokenIdentifier":"` + a["accessToken"].(string) + `"}`, 404, "A312202", a},
			{"a refresh token", "POST", "/auth/token/revoke", `{"refreshTokenIdentifier":"` + b["refreshToken"].(string) + `","subject":"alice"}`, 200, "A312001", b},
			{"a token of a client for itself", "DELETE", "/auth/token/delete/" + own["jwtAccessToken"].(string), "", 204, "", own},
			{"one that is unknown", "DELETE", "/auth/token/delete/x", "", 404, "A313202", nil},
			{"nothing", "POST", "/auth/token/revoke", `{"subject":""}`, 400, "A312201", nil},
			{"a client with all of its subjects", "POST", "/auth/token/revoke", `{"clientIdentifier":"browser"}`, 200, "A312001", nil},
			{"an unknown client with all of its subjects", "POST", "/auth/token/revoke", `{"clientIdentifier":"nobody"}`, 404, "A312202", nil},
			{"what an unknown client was granted", "POST", "/auth/token/revoke", `{"clientIdentifier":"nobody","subject":"alice"}`, 404, "A312202", nil},
			{"what another client was granted", "POST", "/auth/token/revoke", `{"clientIdentifier":"browser","subject":"alice"}`, 404, "A312202", nil},
			{"of somebody else", "POST", "/auth/token/revoke", `{"subject":"bob"}`, 404, "A312202", nil},
		} {
			rec := w.call(tt.method, w.api("acme", tt.path), tt.body, nil)
			if rec.Code != tt.status {
				t.Errorf("%s: %d %s", tt.rule, rec.Code, rec.Body)
			} else if rec.Code != http.StatusNoContent {
				if code, _ := shownOf(t, rec.Body.Bytes()); code != tt.code {
					t.Errorf("%s: %s", tt.rule, rec.Body)
				}
			}
			if tt.over != nil && alive(tt.over) || !alive(other) {
				t.Errorf("%s: what was revoked lives, or another does not", tt.rule)
			}
		}
		rec := w.call("POST", w.api("acme", "/auth/token/revoke"), `{"clientIdentifier":"app","subject":"alice"}`, nil)
		if want := `{"resultCode":"A312001","resultMessage":"[A312001] The tokens are revoked.","count":1}`; rec.Body.String() != want || alive(other) {
			t.Errorf("by client and subject: %s", rec.Body)
		}
		if rec := w.call("POST", w.api("acme", "/auth/token/revoke"), `{"clientIdentifier":"app","subject":"alice"}`, nil); rec.Code != http.StatusNotFound {
			t.Errorf("once more: %d %s", rec.Code, rec.Body)
		}
		own = w.post(t, "/auth/token", map[string]any{"parameters": "grant_type=client_credentials", "clientId": "app", "clientSecret": clientsSecret})
		a, b = issued(), w.post(t, "/auth/token/create", creating("subject", "bob"))
		rec = w.call("POST", w.api("acme", "/auth/token/revoke"), fmt.Sprintf(`{"clientIdentifier":"%d"}`, w.number(t, "app")), nil)
		if want := `{"resultCode":"A312001","resultMessage":"[A312001] The tokens are revoked.","count":2}`; rec.Body.String() != want || alive(a) || alive(b) || alive(own) {
			t.Errorf("by client alone: %s, alive %v %v %v", rec.Body, alive(a), alive(b), alive(own))
		}
	})
}
