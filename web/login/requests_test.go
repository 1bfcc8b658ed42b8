package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

// asks has the client web ask for a subject at acme, and returns the id of that.
func (w *world) asks(id, sub string, change ...func(*request.Request)) string {
	w.tenants[acme].Settings.CIBA.Enabled = true
	r := &request.Request{ClientID: "web", Scope: oauth.Scope{"openid", "email"}, RequiredSub: sub, Backchannel: request.Decoupled{BindingMessage: "W4SCT <b>"}}
	for _, f := range change {
		f(r)
	}
	w.devices.rows[id] = &decoupled.Authentication{ID: id, State: decoupled.Waiting, ClientID: "web", Subject: sub, Request: r,
		CreatedAt: w.clock.Now(), EndsAt: w.clock.Now().Add(10 * time.Minute)}
	return id
}

// answer presses a button of the request's form.
func (b *browser) answer(s screen, id, action string) screen {
	b.w.t.Helper()
	return b.press(s, action, url.Values{"request": {id}})
}

func TestRequests(t *testing.T) {
	w := newWorld(t, true)
	b := w.browser()
	id, of := w.asks("AAAAAAAAAAAAAAAAAAAAAA", "sub-alice"), w.asks("BBBBBBBBBBBBBBBBBBBBBB", "sub-bob")
	s := b.open(acme, "/account/requests")
	if s.heading() != "Sign in" || strings.Contains(s.html, "W4SCT") || strings.Contains(s.html, `value="cancel"`) {
		t.Fatalf("without a session: %q: %s", s.heading(), words(s.html))
	}
	if s = b.signIn(s, "alice", "wrong"); !strings.Contains(s.html, "The user name or the password is wrong") {
		t.Fatalf("a wrong password: %s", words(s.html))
	}
	w.clock.pass(20 * time.Second)
	s = b.signIn(s, "alice", "right")
	text := words(s.html)
	if s.heading() != "Requests that wait for you" || !strings.Contains(text, "Ledger asks you to confirm") || !strings.Contains(text, "W4SCT <b>") ||
		!strings.Contains(text, "It asked 20 seconds ago.") || !strings.Contains(text, "see your e-mail address") || strings.Contains(s.html, of) || s.Header.Get("Refresh") != "" {
		t.Fatalf("%q: %s", s.heading(), text)
	}
	if got := b.answer(s, of, "allow"); got.heading() != "This request waits no longer" || len(w.devices.settled) != 0 {
		t.Errorf("another's: %q", got.heading())
	}
	if got := b.answer(s, "none", "deny"); got.heading() != "This request waits no longer" {
		t.Errorf("nobody's: %q", got.heading())
	}
	if got := b.answer(s, id, "allow"); got.heading() != "You allowed the request" || len(w.devices.settled) != 1 {
		t.Fatalf("allowing leads to %q", got.heading())
	}
	g := w.devices.settled[0].Grant
	if g.Subject != "sub-alice" || g.ClientID != "web" || g.Terms.Scope.String() != "openid email" || g.Terms.Login.AuthTime != w.clock.Now().Unix() {
		t.Errorf("granted is %+v", g)
	}
	if got := b.answer(s, id, "deny"); got.heading() != "This request waits no longer" || len(w.devices.settled) != 1 {
		t.Errorf("once more: %q", got.heading())
	}
	if s = b.open(acme, "/account/requests"); !strings.Contains(words(s.html), "Nothing waits for you.") || s.Header.Get("Refresh") != "10" {
		t.Errorf("afterwards: %s", words(s.html))
	}
	w.asks(id, "sub-alice")
	if got := b.answer(b.open(acme, "/account/requests"), id, "deny"); got.heading() != "You denied the request" || w.devices.settled[1].Refusal.Code != "access_denied" {
		t.Errorf("denying leads to %q", got.heading())
	}
}

// Who is signed in may have to show it anew, as for an authorization request; that counts once it was done after the
// request was made.
func TestRequestsAskForSignInAsOthersDo(t *testing.T) {
	for _, tt := range []struct {
		rule   string
		change func(*tenant.Settings, *request.Request)
	}{
		{"where the tenant always wants it", func(s *tenant.Settings, _ *request.Request) { s.Authorization.AlwaysPromptForAuth = true }},
		{"for a class that the session has not", func(_ *tenant.Settings, r *request.Request) { r.ACRValues = []string{"gold"} }},
	} {
		w := newWorld(t, false)
		b := w.browser()
		b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
		w.clock.pass(time.Minute)
		id := w.asks("AAAAAAAAAAAAAAAAAAAAAA", "sub-alice", func(r *request.Request) { tt.change(w.tenants[acme].Settings, r) })
		s := b.answer(b.open(acme, "/account/requests"), id, "allow")
		if s.heading() != "Sign in" || len(w.devices.settled) != 0 {
			t.Fatalf("%s: %q", tt.rule, s.heading())
		}
		if s = b.answer(b.signIn(s, "alice", "right"), id, "allow"); s.heading() != "You allowed the request" {
			t.Errorf("%s: afterwards %q", tt.rule, s.heading())
		}
	}
}

func TestRequestsOfAnotherAccount(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	w.asks("BBBBBBBBBBBBBBBBBBBBBB", "sub-bob")
	s := b.signIn(b.open(acme, "/account/requests"), "alice", "right")
	if !strings.Contains(s.html, `href="/t/acme/account/requests?switch=1"`) {
		t.Error("there is no way to another account")
	}
	if s = b.signIn(b.open(acme, "/account/requests?switch=1"), "bob", "right"); !strings.Contains(words(s.html), "Ledger asks you to confirm") {
		t.Errorf("%q: %s", s.heading(), words(s.html))
	}
}

func TestRequestForgeries(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	id := w.asks("AAAAAAAAAAAAAAAAAAAAAA", "sub-alice")
	s := b.signIn(b.open(acme, "/account/requests"), "alice", "right")
	for _, body := range []url.Values{{}, {"csrf": {"0.x"}}, {"csrf": {w.browser().open(acme, "/account/requests").field("csrf")}}} {
		body.Set("action", "allow")
		body.Set("request", id)
		if got := b.do(http.MethodPost, w.server.URL+"/t/acme/account/requests", body.Encode()); got.StatusCode != http.StatusForbidden {
			t.Errorf("%v: %d", body, got.StatusCode)
		}
	}
	b.header.Set("Origin", "https://evil.example")
	b.header.Set("Sec-Fetch-Site", "cross-site")
	if got := b.answer(s, id, "allow"); got.StatusCode != http.StatusForbidden || len(w.devices.settled) != 0 {
		t.Errorf("another site's form: %d", got.StatusCode)
	}
	if csp := s.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(s.html, "<script") {
		t.Errorf("the policy is %q", csp)
	}
	b = w.browser()
	if got := b.answer(b.open(acme, "/account/requests"), id, "allow"); got.heading() != "Sign in" || len(w.devices.settled) != 0 {
		t.Errorf("without a session: %q", got.heading())
	}
}

func TestRequestsAreOff(t *testing.T) {
	for _, s := range []tenant.Settings{{}, {CIBA: tenant.CIBASettings{Enabled: true}, LoginURL: "https://login.example"}} {
		w := newWorld(t, false)
		w.tenants[acme].Settings = &s
		if got := w.browser().open(acme, "/account/requests"); got.StatusCode != http.StatusNotFound {
			t.Errorf("%+v: %d", s.CIBA, got.StatusCode)
		}
	}
}
