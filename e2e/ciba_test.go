package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

const cibaGrant = "urn:openid:params:grant-type:ciba"

// acknowledged is the answer to a backchannel authentication request.
type acknowledged struct {
	AuthReqID string `json:"auth_req_id"`
	ExpiresIn int    `json:"expires_in"`
	Interval  int    `json:"interval"`
}

// ciba makes a backchannel authentication request as c for the starter's user; pairs come first.
func (x *tenant) ciba(t testing.TB, c *client, pairs ...string) reply {
	t.Helper()
	v := params("scope", "openid email", "login_hint", x.User.Username)
	for name, values := range params(pairs...) {
		v[name] = values
	}
	return call(t, http.MethodPost, x.url("/ciba"), c.auth(), body("application/x-www-form-urlencoded", v.Encode()))
}

func (x *tenant) acknowledged(t testing.TB, c *client, pairs ...string) string {
	t.Helper()
	var a acknowledged
	x.ciba(t, c, pairs...).want(t, "200").read(t, &a)
	secret(a.AuthReqID)
	return a.AuthReqID
}

func (x *tenant) poll(t testing.TB, c *client, authReqID string) reply {
	t.Helper()
	return x.token(t, c, "grant_type", cibaGrant, "auth_req_id", authReqID)
}

// sessions lists what waits for the starter's user.
func (x *tenant) sessions(t testing.TB) (out []map[string]any) {
	t.Helper()
	x.api(t, http.MethodGet, "/ciba-sessions/rest/v1?subject="+x.User.Subject).want(t, "200").read(t, &out)
	return out
}

// newest is the call for the session that waits for the user since last.
func (x *tenant) newest(t testing.TB) string {
	t.Helper()
	waiting := x.sessions(t)
	if len(waiting) == 0 {
		t.Fatal("nothing waits")
	}
	return "/ciba-sessions/rest/v1/" + fmt.Sprint(waiting[0]["id"])
}

func (x *tenant) approve(t testing.TB) {
	t.Helper()
	x.api(t, http.MethodPost, x.newest(t), object(map[string]any{"sub": x.User.Subject, "acr": "loa2", "amr": []string{"app"}})).want(t, "204")
}

// A poll flow from request to UserInfo, and each of its ends.
func TestCIBA(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		c := x.Client
		second := x.register(t, map[string]any{"grant_types": []string{cibaGrant}, "response_types": []string{}})

		var m map[string]any
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
		if m["backchannel_authentication_endpoint"] != x.Issuer+"/ciba" || fmt.Sprint(m["backchannel_token_delivery_modes_supported"]) != "[poll ping push]" {
			t.Errorf("announced are %v and %v", m["backchannel_authentication_endpoint"], m["backchannel_token_delivery_modes_supported"])
		}

		id := x.acknowledged(t, c, "binding_message", "W4SCT", "acr_values", "loa2")
		if len(id) < 22 { // S132: 128 bits
			t.Errorf("auth_req_id has %d characters", len(id))
		}
		x.poll(t, c, id).want(t, "400 authorization_pending")
		x.poll(t, c, id).want(t, "400 slow_down") // S127
		if got := x.sessions(t); len(got) != 1 || got[0]["binding_message"] != "W4SCT" || got[0]["sub"] != x.User.Subject || strings.Contains(fmt.Sprint(got), id) {
			t.Errorf("waiting are %v", got)
		}
		at := x.newest(t)
		other.api(t, http.MethodGet, at).want(t, "404 ciba_session_not_found")
		other.api(t, http.MethodDelete, at).want(t, "404 ciba_session_not_found")
		call(t, http.MethodGet, s.url+at, header("Tenant-ID", x.TenantID)).want(t, "401 missing_token")
		call(t, http.MethodGet, s.url+at, header("Tenant-ID", x.TenantID), bearer(other.APIToken)).want(t, "401 invalid_token")
		x.api(t, http.MethodPost, at, object(map[string]any{"sub": "somebody-else"})).want(t, "400 invalid_request")
		x.api(t, http.MethodPost, at, object(map[string]any{"sub": x.User.Subject, "foo": 1})).want(t, "400 invalid_request")
		x.approve(t)
		x.api(t, http.MethodDelete, at).want(t, "400 invalid_request")
		x.poll(t, second, id).want(t, "400 invalid_grant") // S132
		call(t, http.MethodPost, other.url("/token"), other.Client.auth(), form("grant_type", cibaGrant, "auth_req_id", id)).want(t, "400 invalid_grant")
		x.token(t, c, "grant_type", "authorization_code", "code", id, "redirect_uri", c.RedirectURIs[0]).want(t, "400 invalid_grant")
		k := issued(t, x.poll(t, c, id))
		x.poll(t, c, id).want(t, "400 invalid_grant")
		if _, got := claims(t, k.ID); got["sub"] != x.User.Subject || got["aud"] != c.ID || got["acr"] != "loa2" || got["auth_time"] != nil {
			t.Errorf("the ID token says %v", got)
		}
		if !x.active(t, k.Access) { // the replay took nothing away
			t.Error("the access token is not active")
		}
		call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).want(t, "200").read(t, &m)
		if m["sub"] != x.User.Subject || m["email"] == nil {
			t.Errorf("UserInfo says %v", m)
		}
		issued(t, x.refresh(t, c, k.Refresh))

		id = x.acknowledged(t, c)
		x.api(t, http.MethodDelete, x.newest(t)).want(t, "204")
		x.poll(t, c, id).want(t, "400 access_denied")

		id = x.acknowledged(t, c, "requested_expiry", "1")
		within(t, 5*time.Second, "the request is over", func() bool { return len(x.sessions(t)) == 0 })
		x.poll(t, c, id).want(t, "400 expired_token")
		x.api(t, http.MethodGet, "/ciba-sessions/rest/v1").want(t, "400 invalid_request")
	})
}

// What may not be asked: S131, S133, S134, S135.
func TestCIBARefused(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		plain := x.confidential(t, callback)
		for _, tt := range []struct {
			rule  string
			c     *client
			pairs []string
			want  string
		}{
			{"S131 no hint", x.Client, []string{"login_hint", ""}, "400 invalid_request"},
			{"S131 two hints", x.Client, []string{"id_token_hint", "x"}, "400 invalid_request"},
			{"S131 a hint that is no ID token of ours", x.Client, []string{"login_hint", "", "id_token_hint", "e30.e30.x"}, "400 invalid_request"},
			{"S131 a hint that nobody reads here", x.Client, []string{"login_hint", "", "login_hint_token", "x"}, "400 invalid_request"},
			{"S131 a client without the grant", plain, nil, "400 unauthorized_client"},
			{"S131 a client that does not authenticate", &client{ID: x.Client.ID, Secret: "wrong"}, nil, "401 invalid_client"},
			{"S133 a poll client's notification token is not read", x.Client, []string{"client_notification_token", strings.Repeat("x", 2000)}, "200"},
			{"S134 a signed request is not supported", x.Client, []string{"request", "e30.e30.x"}, "400 invalid_request"},
			{"S135 a long binding message", x.Client, []string{"binding_message", strings.Repeat("x", 1000)}, "400 invalid_binding_message"},
			{"S135 markup", x.Client, []string{"binding_message", "<b>4711"}, "400 invalid_binding_message"},
			{"S135 nobody", x.Client, []string{"login_hint", "nobody"}, "400 unknown_user_id"},
			{"S135 a user code that nobody checks is not read", x.Client, []string{"user_code", "1234"}, "200"},
			{"openid is needed", x.Client, []string{"scope", "email"}, "400 invalid_scope"},
			{"an expiry is a number", x.Client, []string{"requested_expiry", "soon"}, "400 invalid_request"},
		} {
			if r := x.ciba(t, tt.c, tt.pairs...); !r.is(tt.want) {
				t.Errorf("%s: got %s, want %s: %s", tt.rule, r.outcome(), tt.want, r.body)
			}
		}
		call(t, http.MethodGet, x.url("/ciba")).want(t, "405 method_not_allowed")
		call(t, http.MethodPost, x.url("/ciba"), x.Client.auth(), object(map[string]string{"scope": "openid"})).want(t, "415 invalid_request")

		x.patch(t, map[string]any{"ciba": map[string]any{"unknown_users": "hide"}})
		within(t, aboutASecond, "nobody looks as if known", func() bool { return x.ciba(t, x.Client, "login_hint", "nobody").is("200") })
		x.poll(t, x.Client, x.acknowledged(t, x.Client, "login_hint", "nobody")).want(t, "400 authorization_pending")
		x.patch(t, map[string]any{"ciba": map[string]any{"enabled": false}})
		within(t, aboutASecond, "it is turned off", func() bool { return x.ciba(t, x.Client).is("400 unauthorized_client") })
	})
}

// A client that asks for a user again and again is told to slow down, and hides no other client's request.
func TestCIBAFlood(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		other := x.register(t, map[string]any{"grant_types": []string{cibaGrant}, "response_types": []string{}})
		x.acknowledged(t, other)
		var refused reply
		for range 400 {
			if refused = x.ciba(t, x.Client); refused.StatusCode != http.StatusOK {
				break
			}
		}
		refused.want(t, "429 slow_down")
		if refused.Header.Get("Retry-After") == "" {
			t.Error("it is not said for how long")
		}
		waiting := x.sessions(t)
		if len(waiting) != 100 || waiting[1]["client"].(map[string]any)["client_id"] != other.ID {
			t.Errorf("the request of the other client is not the second of %d", len(waiting))
		}
		x.acknowledged(t, other)
	})
}

// Of many polls after the approval one gets tokens (S129), and after the account is disabled none does (S136).
func TestCIBAOnce(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		id := x.acknowledged(t, x.Client)
		x.approve(t)
		var mu sync.Mutex
		var won []tokens
		var done sync.WaitGroup
		for range 64 {
			done.Go(func() {
				r, err := try(direct, http.MethodPost, x.url("/token"), x.Client.auth(), form("grant_type", cibaGrant, "auth_req_id", id))
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case r.StatusCode == http.StatusOK:
					won = append(won, issued(t, r))
				case !r.is("400 invalid_grant"):
					t.Errorf("a loser got %s", r.outcome())
				}
			})
		}
		done.Wait()
		if len(won) != 1 || !x.active(t, won[0].Access) {
			t.Errorf("%d won", len(won))
		}

		id = x.acknowledged(t, x.Client)
		waiting := x.acknowledged(t, x.Client)
		at := x.newest(t)
		x.api(t, http.MethodPost, "/ciba-sessions/rest/v1/"+fmt.Sprint(x.sessions(t)[1]["id"]), object(map[string]any{"sub": x.User.Subject})).want(t, "204")
		if out, err := s.run("user", "disable", x.TenantID, x.User.Username); err != nil {
			t.Fatal(out, err)
		}
		x.poll(t, x.Client, id).want(t, "400 invalid_grant")
		x.api(t, http.MethodPost, at, object(map[string]any{"sub": x.User.Subject})).want(t, "403 access_denied")
		x.poll(t, x.Client, waiting).want(t, "400 authorization_pending")
		x.ciba(t, x.Client).want(t, "400 unknown_user_id")
	})
}
