package e2e

import (
	"testing"
	"time"
)

// What a session is good for, and when its user is asked again (S35).
func TestSessions(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.confidential(t, callback)
		v := newVisitor(t)
		ask := func(pairs ...string) page {
			return v.open(t, x.url("/authorize?"+c.request(pairs...).Encode()))
		}
		outcome := func(p page) string {
			switch q := p.at.Query(); {
			case q.Get("code") != "":
				return "code"
			case q.Get("error") != "":
				return q.Get("error")
			}
			return "asks"
		}
		back := v.signIn(t, x, x.url("/authorize?"+c.request().Encode()))
		first := issued(t, x.redeem(t, c, back.Query().Get("code")))
		began := time.Now()
		sub := x.User.Subject
		x.User.Subject = "another"
		others := x.tokens(t, c).ID
		x.User.Subject = sub
		for _, tt := range []struct {
			rule  string
			pairs []string
			want  string
		}{
			{"a session and consent are there", []string{"prompt", "none"}, "code"},
			{"a request that does not say", nil, "code"},
			{"the hint names the user", []string{"prompt", "none", "id_token_hint", first.ID}, "code"},
			{"the hint names another", []string{"prompt", "none", "id_token_hint", others}, "login_required"},
			{"the hint names another, and the user may be asked", []string{"id_token_hint", others}, "asks"},
			{"claims name another", []string{"prompt", "none", "claims", `{"id_token":{"sub":{"value":"another"}}}`}, "login_required"},
			{"more than was allowed", []string{"prompt", "none", "scope", "openid profile email address"}, "consent_required"},
			{"max_age that the session keeps to", []string{"prompt", "none", "max_age", "600"}, "code"},
			{"an essential acr that the session lacks", []string{"prompt", "none", "claims", `{"id_token":{"acr":{"essential":true,"values":["loa:3"]}}}`}, "login_required"},
			{"prompt=login", []string{"prompt", "login"}, "asks"},
			{"prompt=consent", []string{"prompt", "consent"}, "asks"},
			{"prompt=select_account", []string{"prompt", "select_account"}, "asks"},
		} {
			if got := outcome(ask(tt.pairs...)); got != tt.want {
				t.Errorf("S35 %s: %s, want %s", tt.rule, got, tt.want)
			}
		}
		time.Sleep(time.Until(began.Add(2100 * time.Millisecond)))
		if got := outcome(ask("prompt", "none", "max_age", "1")); got != "login_required" {
			t.Error("S35 max_age has passed:", got)
		}
		at := v.signIn(t, x, x.url("/authorize?"+c.request("max_age", "1").Encode()))
		k := issued(t, x.redeem(t, c, at.Query().Get("code")))
		if _, id := claims(t, k.ID); int64(id["auth_time"].(float64)) < began.Add(2*time.Second).Unix() {
			t.Error("S35 auth_time is not that of the new sign-in:", id["auth_time"])
		}

		x.patch(t, map[string]any{"authorization": map[string]any{"always_prompt_for_auth": true}})
		if got := outcome(ask()); got != "asks" {
			t.Error("a tenant that always wants a sign-in:", got)
		}
	})
}
