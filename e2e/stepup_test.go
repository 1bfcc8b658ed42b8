package e2e

import (
	"net/http"
	"testing"
	"time"
)

// A resource finds in the token how its subject authenticated, and a client steps up (RFC 9470): acr_values and max_age at
// the authorization endpoint ask for more than the session has, and the next token says so, in whatever form.
func TestStepUp(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"authorization": map[string]any{"acr_values": []string{"silver", "gold"}}})
		for _, opaque := range []bool{false, true} {
			x.patch(t, map[string]any{"tokens": map[string]any{"access_token_opaque": opaque}})
			c := x.confidential(t, callback)
			began, sid := time.Now().Add(-time.Minute).Unix(), ""
			token := func(acr string, authTime int64, ask ...string) map[string]any {
				t.Helper()
				r := x.start(t, c.request(ask...), sid)
				var p prompt
				if r.want(t, "200").read(t, &p); p.Type != "auth" {
					t.Fatalf("%v asks for %s", ask, p.Type)
				}
				r = x.put(t, r, map[string]any{"sub": x.User.Subject, "acr": acr, "auth_time": authTime, "amr": []string{"pwd"}})
				if r.StatusCode == http.StatusOK {
					r.read(t, &p)
					sid = p.SubSession.SID
					r = x.put(t, r, grantAll)
				}
				k := issued(t, x.redeem(t, c, x.response(t, r).Get("code")))
				if _, id := claims(t, k.ID); id["acr"] != acr {
					t.Errorf("the ID token: %v", id)
				}
				return x.introspect(t, k.Access)
			}
			if got := token("silver", began); got["acr"] != "silver" || got["auth_time"] != float64(began) {
				t.Errorf("opaque %v: %v", opaque, got)
			}
			if got := token("gold", began+50, "acr_values", "gold"); got["acr"] != "gold" || got["auth_time"] != float64(began+50) {
				t.Errorf("opaque %v, after acr_values: %v", opaque, got)
			}
			now := time.Now().Unix()
			if got := token("gold", now, "max_age", "1"); got["auth_time"] != float64(now) {
				t.Errorf("opaque %v, after max_age: %v", opaque, got)
			}
		}
		c := x.confidential(t, callback)
		if got, _ := x.ask(t, c.request("claims", `{"id_token":{"acr":{"essential":true,"values":["gold","platinum"]}}}`)); got != "sign-in" {
			t.Error("an essential acr that there is:", got)
		}
		if got, _ := x.ask(t, c.request("claims", `{"id_token":{"acr":{"essential":true,"value":"platinum"}}}`)); got != "client unmet_authentication_requirements" {
			t.Error("an essential acr that there is not:", got)
		}
	})
}
