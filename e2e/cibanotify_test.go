package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

const notifyKey = "8d67dc78-7faa-4d41-aabd-67707b374255"

// notified is a client's notification endpoint. The first call is answered as if it were out of order.
type notified struct {
	*httptest.Server
	got chan map[string]any
}

func newNotified(t *testing.T) *notified {
	n := &notified{got: make(chan map[string]any, 8)}
	calls := 0
	n.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		var body map[string]any
		b, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(b, &body) != nil || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Authorization") != "Bearer "+notifyKey {
			t.Errorf("called with %s %v %s", r.Method, r.Header, b)
		}
		for _, name := range []string{"auth_req_id", "access_token", "refresh_token", "id_token"} {
			if v, ok := body[name].(string); ok {
				secret(v)
			}
		}
		w.WriteHeader(http.StatusNoContent)
		n.got <- body
	}))
	t.Cleanup(n.Close)
	return n
}

// next is the next notification.
func (n *notified) next(t *testing.T) map[string]any {
	t.Helper()
	select {
	case body := <-n.got:
		return body
	case <-time.After(15 * time.Second):
		t.Fatal("nothing is told")
		return nil
	}
}

// client registers one that is told in that mode.
func (n *notified) client(t *testing.T, x *tenant, mode string) *client {
	t.Helper()
	return x.register(t, map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{cibaGrant, "refresh_token", "authorization_code"},
		"token_endpoint_auth_method": "client_secret_basic", "backchannel_token_delivery_mode": mode, "backchannel_client_notification_endpoint": n.URL + "/ciba"})
}

// A client is pinged, or gets its tokens pushed, again after an endpoint was out of order (CIBA Core §10.2, §10.3, §12).
func TestCIBANotifications(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1") })
			x := s.polledTenant(t, "")
			x.patch(t, map[string]any{"ciba": map[string]any{"enabled": true, "interval": 1, "push": true}})
			n := newNotified(t)
			pinged, pushed := n.client(t, x, "ping"), n.client(t, x, "push")

			// S133: the token is demanded, and bounded.
			x.ciba(t, pinged).want(t, "400 invalid_request")
			x.ciba(t, pinged, "client_notification_token", strings.Repeat("x", 1025)).want(t, "400 invalid_request")
			x.ciba(t, pinged, "client_notification_token", "short").want(t, "400 invalid_request")

			// openid-client is pinged, and fetches its tokens.
			rp := startStepwise(t, x.Issuer, pinged, nil)
			asked := rp.must(t, "backchannel", "login_hint", x.User.Username, "client_notification_token", notifyKey)
			x.approve(t)
			if got := n.next(t); got["auth_req_id"] != asked.AuthReqID || len(got) != 1 {
				t.Errorf("pinged with %v", got)
			}
			if got := rp.poll(t, asked, nil); got.Error != "" || got.Claims["sub"] != x.User.Subject {
				t.Errorf("%s; ID token: %v", got.Error, got.Claims)
			}

			// Tokens are pushed once, and not for the client to poll.
			var a map[string]any
			x.ciba(t, pushed, "client_notification_token", notifyKey).want(t, "200").read(t, &a)
			if a["interval"] != nil {
				t.Errorf("acknowledged with %v", a)
			}
			id, _ := a["auth_req_id"].(string)
			x.approve(t)
			got := n.next(t)
			access, _ := got["access_token"].(string)
			idToken, _ := got["id_token"].(string)
			if got["auth_req_id"] != id || got["token_type"] != "Bearer" || got["refresh_token"] == nil || !x.active(t, access) {
				t.Errorf("pushed is %v", got)
			}
			if _, c := claims(t, idToken); c["urn:openid:params:jwt:claim:auth_req_id"] != id || c["urn:openid:params:jwt:claim:rt_hash"] == nil || c["at_hash"] == nil || c["aud"] != pushed.ID {
				t.Errorf("the ID token says %v", c)
			}
			x.poll(t, pushed, id).want(t, "400 unauthorized_client")
			refresh, _ := got["refresh_token"].(string)
			issued(t, x.refresh(t, pushed, refresh))

			x.ciba(t, pushed, "client_notification_token", notifyKey).want(t, "200").read(t, &a)
			x.api(t, http.MethodDelete, x.newest(t)).want(t, "204")
			if got := n.next(t); got["error"] != "access_denied" || got["auth_req_id"] != a["auth_req_id"] || got["access_token"] != nil {
				t.Errorf("a denial is told as %v", got)
			}
		})
	}
}

// A user's own code is checked against its account, and guessing at it is stopped (S135).
func TestCIBAUserCode(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"ciba": map[string]any{"enabled": true, "user_code": true}})
		c := x.register(t, map[string]any{"grant_types": []string{cibaGrant}, "response_types": []string{}, "backchannel_user_code_parameter": true})
		x.ciba(t, c).want(t, "400 missing_user_code")
		x.ciba(t, c, "user_code", "4711-x").want(t, "400 invalid_user_code") // nobody has one yet
		if out, err := s.runWith("4711-x\n", "user", "set-user-code", x.TenantID, x.User.Username); err != nil {
			t.Fatal(out, err)
		}
		x.ciba(t, c, "user_code", "4711-x").want(t, "200")
		x.ciba(t, c, "user_code", "4711-x", "login_hint", "nobody").want(t, "400 unknown_user_id")
		for n := range 12 {
			if r := x.ciba(t, c, "user_code", "wrong"); r.StatusCode != http.StatusBadRequest {
				r.want(t, "429 slow_down")
				break
			} else if n == 11 {
				t.Error("guessing is not stopped")
			}
		}
		x.ciba(t, c, "user_code", "4711-x").want(t, "429 slow_down")
	})
}
