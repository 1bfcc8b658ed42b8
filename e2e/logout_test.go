package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// bye is where a client of the tests wants the browser after logout.
const bye = callback + "/bye"

// Logout asks the user unless an ID token of theirs comes along, leads nowhere that is not registered, and brings state
// back (S161, S100); it ends the session and what hangs on it, but not what was granted for offline use (S162).
func TestLogout(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.register(t, map[string]any{
			"redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{bye}, "client_name": "Leaving app",
			"token_endpoint_auth_method": "client_secret_basic", "grant_types": []string{"authorization_code", "refresh_token"},
		})
		var metadata struct {
			EndSession string `json:"end_session_endpoint"`
		}
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &metadata)
		if metadata.EndSession != x.Issuer+"/logout" {
			t.Fatalf("end_session_endpoint is %q", metadata.EndSession)
		}
		v := newVisitor(t)
		signIn := func(pairs ...string) tokens {
			t.Helper()
			at := v.signIn(t, x, x.url("/authorize?"+c.request(pairs...).Encode()))
			return issued(t, x.redeem(t, c, at.Query().Get("code")))
		}
		signedIn := func() bool {
			t.Helper()
			return v.open(t, x.url("/authorize?"+c.request("prompt", "none").Encode())).at.Query().Get("code") != ""
		}
		k := signIn()
		sub := x.User.Subject
		x.User.Subject = "another"
		others := x.tokens(t, c).ID
		x.User.Subject = sub
		y := s.newTenant(t)
		foreign := y.tokens(t, y.Client).ID
		unsigned := k.ID[:strings.LastIndex(k.ID, ".")+1]

		for _, tt := range []struct {
			rule   string
			params []string
			status int
			says   string
		}{
			{"no hint", nil, 200, "Sign out?"},
			{"no hint, but a URI", []string{"post_logout_redirect_uri", bye}, 200, "Sign out?"},
			{"client_id is no hint", []string{"client_id", c.ID, "post_logout_redirect_uri", bye}, 200, "Sign out?"},
			{"the hint is of another subject", []string{"id_token_hint", others, "post_logout_redirect_uri", bye}, 200, "Sign out?"},
			{"the hint is of another tenant", []string{"id_token_hint", foreign, "post_logout_redirect_uri", bye}, 400, "id_token_hint"},
			{"the hint is unsigned", []string{"id_token_hint", unsigned, "post_logout_redirect_uri", bye}, 400, "id_token_hint"},
			{"the hint is an access token", []string{"id_token_hint", k.Access, "post_logout_redirect_uri", bye}, 400, "id_token_hint"},
			{"the hint is another client's", []string{"id_token_hint", k.ID, "client_id", x.Client.ID}, 400, "client_id"},
			{"a foreign URI", []string{"id_token_hint", k.ID, "post_logout_redirect_uri", "https://evil.example/"}, 400, "post_logout_redirect_uri"},
			{"an active scheme", []string{"id_token_hint", k.ID, "post_logout_redirect_uri", "javascript:alert(1)"}, 400, "post_logout_redirect_uri"},
			{"a URI that only begins so", []string{"id_token_hint", k.ID, "post_logout_redirect_uri", bye + "/x"}, 400, "post_logout_redirect_uri"},
			{"a redirect URI that is not for logout", []string{"id_token_hint", k.ID, "post_logout_redirect_uri", callback}, 400, "post_logout_redirect_uri"},
			{"an unknown client", []string{"client_id", "nobody", "post_logout_redirect_uri", bye}, 400, "client"},
		} {
			for _, p := range []page{
				v.open(t, x.url("/logout?"+params(append(tt.params, "state", "s")...).Encode())),
				v.follow(t, http.MethodPost, x.url("/logout"), form(append(tt.params, "state", "s")...), header("Origin", "https://app.example"), header("Sec-Fetch-Site", "cross-site")),
			} {
				if p.StatusCode != tt.status || p.Header.Get("Location") != "" || !strings.Contains(p.text(), tt.says) {
					t.Errorf("S161 %s: %d to %q\n%s", tt.rule, p.StatusCode, p.Header.Get("Location"), p.text())
				}
			}
		}
		if !signedIn() || !x.active(t, k.Access) {
			t.Fatal("S161 what was refused or only asked has ended the session")
		}

		for _, tt := range []struct {
			rule    string
			confirm bool
			params  func(k tokens) []string
		}{
			{"with the user's ID token", false, func(k tokens) []string { return []string{"id_token_hint", k.ID} }},
			{"when the user agrees", true, func(tokens) []string { return []string{"client_id", c.ID} }},
		} {
			offline := signIn("scope", "openid offline_access")
			k := signIn("scope", "openid") // hangs on the session, although the subject's consent is remembered
			if !x.active(t, k.Access) {
				t.Fatal("the new access token is not active")
			}
			p := v.open(t, x.url("/logout?"+params(append(tt.params(k), "post_logout_redirect_uri", bye, "state", "a b&c")...).Encode()))
			if tt.confirm {
				p = v.fill(t, p, "action", "logout")
			}
			if p.StatusCode != http.StatusSeeOther || p.Header.Get("Location") != bye+"?state=a+b%26c" {
				t.Fatalf("S161 %s: %d to %q\n%s", tt.rule, p.StatusCode, p.Header.Get("Location"), p.text())
			}
			if signedIn() {
				t.Errorf("S162 %s: the session is still there", tt.rule)
			}
			if x.active(t, k.Access) {
				t.Errorf("S162 %s: the access token is still active", tt.rule)
			}
			call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).want(t, "401 invalid_token")
			x.refresh(t, c, k.Refresh).want(t, "400 invalid_grant")
			if x.refresh(t, c, offline.Refresh).want(t, "200"); !x.active(t, offline.Access) {
				t.Errorf("S162 %s: what was granted for offline use has ended", tt.rule)
			}
			// Again, without a session: there is nothing to end, and the way leads back.
			if p := v.open(t, x.url("/logout?"+params("id_token_hint", k.ID, "post_logout_redirect_uri", bye).Encode())); p.Header.Get("Location") != bye {
				t.Errorf("S161 %s, twice: %d to %q", tt.rule, p.StatusCode, p.Header.Get("Location"))
			}
		}
	})
}
