package login

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// signedIn is a world with keys at acme, and a browser where alice is signed in there.
func signedIn(t *testing.T) (*world, *browser) {
	t.Helper()
	w := newWorld(t, false)
	k, err := keys.Generate(keys.ES256, rand.Reader, w.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	w.tenants[acme].Keys = keys.NewSet([]keys.Key{k})
	b := w.browser()
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	return w, b
}

// hint is an ID token of acme for sub and the client web, of the session of sub if there is one.
func (w *world) hint(sub string) string {
	w.t.Helper()
	sid := ""
	for id, n := range w.store.sessions[acme] {
		if n.Subject == sub {
			sid = grant.SID(w.tenants[acme], id, "web")
		}
	}
	token, err := w.tenants[acme].Keys.Sign(w.t.Context(), w.clock.Now(), keys.ES256, grant.IDTokenType,
		[]byte(`{"iss":"`+w.tenants[acme].Issuer+`","sub":"`+sub+`","aud":"web","exp":1,"sid":"`+sid+`"}`))
	if err != nil {
		w.t.Fatal(err)
	}
	return token
}

// send sends the form of s as it stands, with one of its buttons.
func (b *browser) send(s screen, action string) screen {
	b.w.t.Helper()
	m := regexp.MustCompile(`<form method="post" action="([^"]*)">`).FindStringSubmatch(s.html)
	if m == nil {
		b.w.t.Fatalf("no form that leads anywhere: %s", s.html)
	}
	f := url.Values{"action": {action}}
	for _, name := range append([]string{"csrf"}, logoutParams...) {
		if v := s.field(name); v != "" {
			f.Set(name, v)
		}
	}
	return b.do(http.MethodPost, b.w.server.URL+m[1], f.Encode())
}

func TestRequestsToLogOut(t *testing.T) {
	const stays, asks, ends = 1, 2, 0
	for _, tt := range []struct {
		rule   string
		params url.Values // {alice} and {bob} stand for their ID tokens
		want   int
		to     string // where the browser goes in the end
	}{
		{"an ID token of the user ends the session at once", url.Values{"id_token_hint": {"{alice}"}}, ends, ""},
		{"and the way leads back", url.Values{"id_token_hint": {"{alice}"}, "post_logout_redirect_uri": {bye}, "state": {"a&b"}}, ends, bye + "?state=a%26b"},
		{"an ID token of another: the user is asked", url.Values{"id_token_hint": {"{bob}"}, "post_logout_redirect_uri": {bye}}, asks, bye},
		{"client_id: the user is asked", url.Values{"client_id": {"web"}, "post_logout_redirect_uri": {bye}, "state": {`"><b>`}}, asks, bye + "?state=%22%3E%3Cb%3E"},
		{"nobody's URI: the user is asked, and goes nowhere", url.Values{"post_logout_redirect_uri": {bye}, "state": {"s"}}, asks, ""},
		{"a URI that is not registered", url.Values{"id_token_hint": {"{alice}"}, "post_logout_redirect_uri": {bye + "/"}}, stays, ""},
		{"a token that is none", url.Values{"id_token_hint": {"x"}, "client_id": {"web"}, "post_logout_redirect_uri": {bye}}, stays, ""},
		{"another client's token", url.Values{"id_token_hint": {"{alice}"}, "client_id": {"app"}}, stays, ""},
		{"an unknown client", url.Values{"client_id": {"x"}, "post_logout_redirect_uri": {bye}}, stays, ""},
		{"a repeated parameter", url.Values{"id_token_hint": {"{alice}"}, "state": {"a", "b"}}, stays, ""},
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			w, b := signedIn(t)
			query := tt.params.Encode()
			for name, sub := range map[string]string{"{alice}": "sub-alice", "{bob}": "sub-bob"} {
				query = strings.ReplaceAll(query, url.QueryEscape(name), w.hint(sub))
			}
			var s screen
			if method == http.MethodGet {
				s = b.open(acme, "/logout?"+query)
			} else {
				s = b.do(method, w.server.URL+"/t/acme/logout", query)
			}
			if tt.want == stays {
				if s.StatusCode != http.StatusBadRequest || s.heading() != "This request does not work" || s.Header.Get("Location") != "" || len(w.store.live(acme)) != 1 {
					t.Errorf("%s by %s: got %d %q to %q", tt.rule, method, s.StatusCode, s.heading(), s.Header.Get("Location"))
				}
				continue
			}
			if tt.want == asks {
				if s.StatusCode != http.StatusOK || s.heading() != "Sign out?" || !strings.Contains(words(s.html), "Alice Adams") || len(w.store.live(acme)) != 1 {
					t.Fatalf("%s by %s: got %d %q", tt.rule, method, s.StatusCode, s.heading())
				}
				if got := b.send(s, "cancel"); got.heading() != "You are still signed in" || got.Header.Get("Location") != "" || len(w.store.live(acme)) != 1 {
					t.Errorf("%s by %s: staying leads to %q", tt.rule, method, got.heading())
				}
				s = b.send(s, "logout")
			}
			if got := s.Header.Get("Location"); got != tt.to || tt.to != "" && s.StatusCode != http.StatusSeeOther || tt.to == "" && s.heading() != "You are signed out" {
				t.Errorf("%s by %s: got %d %q to %q", tt.rule, method, s.StatusCode, s.heading(), got)
			}
			if len(w.store.live(acme)) != 0 || b.cookie("chy-s-acme") != "" {
				t.Errorf("%s by %s: the session is still there", tt.rule, method)
			}
		}
	}
}

// The page that asks lets its form lead to us and to where the client wants the browser back, and to nobody else.
func TestLogoutPageLeadsBack(t *testing.T) {
	_, b := signedIn(t)
	for params, want := range map[string]string{
		"": "form-action 'self'", "?client_id=web&post_logout_redirect_uri=" + url.QueryEscape(bye): "form-action 'self' https://app.example.org",
		"?post_logout_redirect_uri=" + url.QueryEscape(bye): "form-action 'self'",
	} {
		if got := b.open(acme, "/logout"+params).Header.Get("Content-Security-Policy"); !strings.HasSuffix(got, "; "+want) {
			t.Errorf("%q: the policy is %q", params, got)
		}
	}
}

// Another site's form comes without our cookies; the browser brings them when it asks again.
func TestLogoutFormOfAnotherSite(t *testing.T) {
	w, b := signedIn(t)
	b.header.Set("Sec-Fetch-Site", "cross-site")
	o := w.browser()
	o.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	body := url.Values{"id_token_hint": {w.hint("sub-alice")}, "post_logout_redirect_uri": {bye}, "unknown": {"x"}}
	s := o.do(http.MethodPost, w.server.URL+"/t/acme/logout", body.Encode())
	to := s.Header.Get("Location")
	if s.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, "/t/acme/logout?") || strings.Contains(to, "unknown") || len(w.store.live(acme)) != 1 {
		t.Fatalf("got %d to %q", s.StatusCode, to)
	}
	if s = b.do(http.MethodGet, w.server.URL+to, ""); s.Header.Get("Location") != bye || len(w.store.live(acme)) != 0 {
		t.Errorf("asked again: %d to %q", s.StatusCode, s.Header.Get("Location"))
	}
	if s = b.do(http.MethodPost, w.server.URL+"/t/acme/logout", "state="+strings.Repeat("x", maxLogout)); s.StatusCode != http.StatusRequestEntityTooLarge {
		t.Errorf("a request that fits no address: %d", s.StatusCode)
	}
}

// A confirmation that our page did not make ends nothing, whatever request it carries.
func TestForgedConfirmation(t *testing.T) {
	w, b := signedIn(t)
	for _, body := range []url.Values{
		{"action": {"logout"}}, {"action": {"logout"}, "csrf": {"0.x"}},
		{"action": {"logout"}, "id_token_hint": {w.hint("sub-alice")}, "post_logout_redirect_uri": {bye}}, {"csrf": {"0.x"}},
	} {
		if s := b.do(http.MethodPost, w.server.URL+"/t/acme/logout", body.Encode()); s.StatusCode != http.StatusForbidden || s.Header.Get("Location") != "" || len(w.store.live(acme)) != 1 {
			t.Errorf("%v: got %d to %q", body, s.StatusCode, s.Header.Get("Location"))
		}
	}
	// What the page was asked is looked at again when its form arrives.
	s := b.open(acme, "/logout?client_id=web&post_logout_redirect_uri="+url.QueryEscape(bye))
	s.html = strings.ReplaceAll(s.html, bye, "https://evil.example/bye")
	if s = b.send(s, "logout"); s.StatusCode != http.StatusBadRequest || len(w.store.live(acme)) != 1 {
		t.Errorf("a form with another URI: got %d to %q", s.StatusCode, s.Header.Get("Location"))
	}
}

// A session that has ended by itself is no reason to strand the browser.
func TestLogoutAfterTheEnd(t *testing.T) {
	w, b := signedIn(t)
	hint := w.hint("sub-alice")
	w.clock.pass(100 * 365 * 24 * time.Hour)
	for _, params := range []string{"?id_token_hint=" + hint, "?client_id=web"} {
		s := b.open(acme, "/logout"+params+"&post_logout_redirect_uri="+url.QueryEscape(bye))
		if s.StatusCode != http.StatusSeeOther || s.Header.Get("Location") != bye {
			t.Errorf("%s: got %d to %q", params, s.StatusCode, s.Header.Get("Location"))
		}
	}
}

// Relying parties that want it are loaded in frames of their own once the session has ended, and nothing else is.
func TestLogoutFrames(t *testing.T) {
	w, b := signedIn(t)
	w.clients["web"].FrontchannelLogoutURI = "https://app.example.org/out?x=<b>"
	defer func() { w.clients["web"].FrontchannelLogoutURI = "" }()
	for _, n := range w.store.sessions[acme] {
		n.Clients = []string{"web", "app"}
	}
	s := b.open(acme, "/logout?"+url.Values{"id_token_hint": {w.hint("sub-alice")}, "post_logout_redirect_uri": {bye}, "state": {`"><b>`}}.Encode())
	policy := s.Header.Get("Content-Security-Policy")
	if s.StatusCode != http.StatusOK || s.heading() != "You are signed out" || strings.Count(s.html, "<iframe") != 1 || !strings.Contains(s.html, `src="https://app.example.org/out?x=%3cb%3e&amp;iss=`) {
		t.Errorf("got %d %q\n%s", s.StatusCode, s.heading(), s.html)
	}
	if !strings.Contains(policy, "frame-src https://app.example.org;") || !strings.Contains(policy, "form-action 'none'") || strings.Contains(policy, "script-src") {
		t.Errorf("the policy is %q", policy)
	}
	if to := s.Header.Get("Refresh"); to != "3; url="+bye+"?state=%22%3E%3Cb%3E" {
		t.Errorf("it goes on by %q", to)
	}
}
