package e2e

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// notice is what a relying party made of a logout token.
type notice struct {
	Method, Type, JTI, Alg, Error string
	Status                        int
	Sub, SID                      bool // are those of its ID token
	IAT                           int64
}

// kill ends a server at once.
func (s *server) kill() {
	s.once.Do(func() {
		_ = s.cmd.Process.Kill()
		<-s.done
	})
}

// A relying party on openid-client and jose logs out, and is told so behind its back: again after an answer that is an
// error, and after the server was killed while it waited for one, with the same jti and a fresh token (S157, S163).
func TestBackchannelLogout(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1") })
			x := s.newTenant(t)
			p := startStranger(t, "logout.js", map[string]any{"issuer": x.Issuer, "redirect_uri": callback, "post_logout_redirect_uri": bye, "answers": []int{500, 0, 503}})
			var at struct{ Receiver string }
			p.hear(t, &at)
			c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "post_logout_redirect_uris": []string{bye},
				"backchannel_logout_uri": at.Receiver, "backchannel_logout_session_required": true})
			p.say(t, map[string]string{"client_id": c.ID, "client_secret": c.Secret})
			v := newVisitor(t)
			p.signIn(t, x, func(t *testing.T, x *tenant, at string) *url.URL { return v.signIn(t, x, at) })
			var end struct {
				SID string
				URL string `json:"end_session_url"`
			}
			p.hear(t, &end)
			if end.SID == "" {
				t.Error("the ID token has no sid")
			}
			began := time.Now()
			if r := v.open(t, end.URL); r.Header.Get("Location") != bye+"?state=the+state" {
				t.Fatalf("logout leads to %q: %d\n%s", r.Header.Get("Location"), r.StatusCode, r.text())
			}
			var all []notice
			for i, status := range []int{500, 0, 503, 200} {
				var n notice
				p.hear(t, &n)
				if n.Error != "" || n.Status != status || n.Method != http.MethodPost || n.Type != "application/x-www-form-urlencoded" || !n.Sub || !n.SID {
					t.Fatalf("S163 token %d: %+v", i, n)
				}
				all = append(all, n)
				switch {
				case i == 0:
					if took := time.Since(began); took > busy.Patience(aboutASecond, began) {
						t.Errorf("the first token came after %v", took)
					}
				case n.JTI != all[0].JTI:
					t.Errorf("S157 token %d has another jti", i)
				}
				if status == 0 { // while we wait for the answer
					s.kill()
					again := s.conf
					again.publicURL = s.publicURL
					s = launch(t, again)
				}
			}
			if all[3].IAT <= all[0].IAT {
				t.Error("the token was not made anew")
			}
			within(t, aboutASecond, "nothing is owed any more", func() bool {
				return strings.Contains(string(call(t, http.MethodGet, s.ops+"/metrics").body), `chancery_outbox_attempts_total{kind="logout",outcome="delivered",tenant="`+x.TenantID+`"} 1`)
			})
		})
	}
}

// One relying party that hangs or fails holds up no other, nor another tenant's (S154, S163); and whatever ends a session
// tells those that were signed in by it.
func TestLogoutIsToldWhoeverEndsTheSession(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, func(c *conf) { c.env = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1") })
			r := newLogoutReceiver(t)
			x := s.newTenant(t)
			x.patch(t, map[string]any{"sessions": map[string]any{"per_subject": 1}})
			well, hangs, fails := r.client(t, x, "/well"), r.client(t, x, "/hangs"), r.client(t, x, "/fails")
			for _, tt := range []struct {
				rule string
				end  func(v *visitor)
			}{
				{"logout", func(v *visitor) { v.fill(t, v.open(t, x.url("/logout")), "action", "logout") }},
				{"a session beyond the quota", func(*visitor) {
					newVisitor(t).signIn(t, x, x.url("/authorize?"+x.Client.request("scope", "openid").Encode()))
				}},
				{"the account's end", func(*visitor) {
					if _, err := s.run("user", "disable", x.TenantID, x.User.Username); err != nil {
						t.Fatal(err)
					}
				}},
			} {
				v := newVisitor(t)
				for _, c := range []*client{well, hangs, fails} {
					v.signIn(t, x, x.url("/authorize?"+c.request("scope", "openid").Encode()))
				}
				before := r.count("/well")
				tt.end(v)
				within(t, theBound, tt.rule, func() bool { return r.count("/well") == before+1 })
			}
			within(t, theBound, "those that fail or hang were called too", func() bool { return r.count("/hangs") > 0 && r.count("/fails") > 0 })
		})
	}
}

// logoutReceiver takes logout tokens at /well, answers nothing at /hangs, and errors at /fails.
type logoutReceiver struct {
	url string
	mu  sync.Mutex
	got map[string]int
}

func newLogoutReceiver(t *testing.T) *logoutReceiver {
	r := &logoutReceiver{got: map[string]int{}}
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.mu.Lock()
		if q.FormValue("logout_token") != "" {
			r.got[q.URL.Path]++
		}
		r.mu.Unlock()
		switch q.URL.Path {
		case "/hangs":
			<-done
		case "/fails":
			http.Error(w, errors.ErrUnsupported.Error(), http.StatusInternalServerError)
		}
	}))
	t.Cleanup(func() { close(done); s.Close() })
	r.url = s.URL
	return r
}

func (r *logoutReceiver) count(path string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[path]
}

func (r *logoutReceiver) client(t *testing.T, x *tenant, path string) *client {
	t.Helper()
	return x.register(t, map[string]any{"redirect_uris": []string{callback}, "client_name": "Told at " + path, "backchannel_logout_uri": r.url + path})
}

// What was granted in a session ends with it, unless the tenant has it otherwise (S162; Back-Channel Logout §2.7).
func TestGrantsThatOutliveTheirSession(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c := x.register(t, map[string]any{"redirect_uris": []string{callback}, "grant_types": []string{"authorization_code", "refresh_token"}})
		for _, keep := range []bool{false, true} {
			x.patch(t, map[string]any{"logout": map[string]any{"keep_grants": keep}})
			v := newVisitor(t)
			k := issued(t, x.redeem(t, c, v.signIn(t, x, x.url("/authorize?"+c.request("scope", "openid").Encode())).Query().Get("code")))
			v.fill(t, v.open(t, x.url("/logout")), "action", "logout")
			if got := x.active(t, k.Access); got != keep {
				t.Errorf("keep_grants %v: the access token is active: %v", keep, got)
			}
			x.refresh(t, c, k.Refresh).want(t, map[bool]string{false: "400 invalid_grant", true: "200"}[keep])
		}
	})
}
