package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/authorize"
	"github.com/chancery-id/chancery/flows/oauth"
)

func TestForms(t *testing.T) {
	other := func(w *world, b *browser, s screen) string { return b.begin(acme, nil).field("csrf") }
	for _, tt := range []struct {
		rule   string
		header http.Header
		csrf   func(w *world, b *browser, s screen) string // nil: the page's own
		status int
	}{
		{"a program that fills in the form is served", nil, nil, http.StatusOK},
		{"so is a browser on our page", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"null"}}, nil, http.StatusOK},
		{"an older browser on our page", http.Header{"Origin": {"{issuer}"}}, nil, http.StatusOK},
		{"another site's form is refused", http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}}, nil, http.StatusForbidden},
		{"a sister site's as well", http.Header{"Sec-Fetch-Site": {"same-site"}}, nil, http.StatusForbidden},
		{"an older browser's from another site", http.Header{"Origin": {"https://evil.example"}}, nil, http.StatusForbidden},
		{"one from nowhere", http.Header{"Origin": {"null"}}, nil, http.StatusForbidden},
		{"a form without token is refused", nil, func(*world, *browser, screen) string { return "" }, http.StatusForbidden},
		{"a token of another interaction", nil, other, http.StatusForbidden},
		{"a token of another browser", nil, func(w *world, b *browser, s screen) string {
			handle := s.Request.URL.Path[strings.LastIndex(s.Request.URL.Path, "/")+1:]
			return csrf(w.tenants[acme], w.ui.newSecret(), handle, 1)
		}, http.StatusForbidden},
		{"a token with another version", nil, func(w *world, b *browser, s screen) string { return "2" + s.field("csrf")[1:] }, http.StatusForbidden},
		{"a token of another tenant", nil, func(w *world, b *browser, s screen) string {
			handle := s.Request.URL.Path[strings.LastIndex(s.Request.URL.Path, "/")+1:]
			return csrf(w.tenants[globex], b.cookie("chy-b-acme"), handle, 1)
		}, http.StatusForbidden},
	} {
		w := newWorld(t, false)
		b := w.browser()
		s := b.begin(acme, nil)
		token := s.field("csrf")
		if tt.csrf != nil {
			token = tt.csrf(w, b, s)
		}
		for name, values := range tt.header {
			b.header.Set(name, strings.ReplaceAll(values[0], "{issuer}", w.server.URL))
		}
		got := b.press(s, "login", url.Values{"username": {"alice"}, "password": {"right"}, "csrf": {token}})
		if got.StatusCode != tt.status {
			t.Errorf("%s: got %d %q", tt.rule, got.StatusCode, got.heading())
		}
		if tt.status == http.StatusForbidden && (w.people.asked != 0 || got.heading() != "That could not be accepted" || !strings.Contains(got.html, `href="`+s.Request.URL.Path+`">Try again<`)) {
			t.Errorf("%s: the password was checked %d times, the page says %q", tt.rule, w.people.asked, got.heading())
		}
	}
}

func TestMalformedForms(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	s := b.begin(acme, nil)
	address, token := s.Request.URL.String(), url.QueryEscape(s.field("csrf"))
	for _, tt := range []struct {
		rule, address, body string
		status              int
	}{
		{"an action that we do not know", address, "action=dance&csrf=" + token, http.StatusBadRequest},
		{"no action", address, "csrf=" + token, http.StatusBadRequest},
		{"a repeated field", address, "action=login&username=a&username=b&csrf=" + token, http.StatusBadRequest},
		{"a password in the URL", address + "?password=right", "action=login&username=alice&csrf=" + token, http.StatusBadRequest},
		{"more than any form of ours", address, "action=login&csrf=" + token + "&username=" + strings.Repeat("a", 20<<10), http.StatusRequestEntityTooLarge},
	} {
		got := b.do(http.MethodPost, tt.address, tt.body)
		if got.StatusCode != tt.status || got.heading() == "" {
			t.Errorf("%s: got %d %q", tt.rule, got.StatusCode, got.heading())
		}
	}
	if w.people.asked != 0 {
		t.Error("a password was checked")
	}
}

func TestHandles(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		do      func(w *world, b *browser, s screen) screen
		heading string
	}{
		{"a finished interaction is gone", func(w *world, b *browser, s screen) screen {
			b.press(s, "cancel", nil)
			return b.do(http.MethodGet, s.Request.URL.String(), "")
		}, "This page is no longer valid"},
		{"its forms are gone too", func(w *world, b *browser, s screen) screen {
			consent := b.signIn(s, "alice", "right")
			b.press(consent, "allow", nil)
			return b.press(consent, "allow", nil)
		}, "This page is no longer valid"},
		{"an expired interaction is gone", func(w *world, b *browser, s screen) screen {
			w.clock.pass(time.Hour)
			return b.signIn(s, "alice", "right")
		}, "This page is no longer valid"},
		{"an unknown handle is gone", func(w *world, b *browser, s screen) screen {
			return b.open(acme, "/login/i/"+w.ui.newSecret())
		}, "This page is no longer valid"},
		{"what is no handle is gone", func(w *world, b *browser, s screen) screen { return b.open(acme, "/login/i/x") }, "This page is no longer valid"},
		{"another tenant knows nothing of it", func(w *world, b *browser, s screen) screen {
			b.begin(globex, nil)
			return b.do(http.MethodGet, strings.Replace(s.Request.URL.String(), "/t/acme/", "/t/globex/", 1), "")
		}, "This page is no longer valid"},
		{"another browser does not reach it", func(w *world, b *browser, s screen) screen {
			o := w.browser()
			o.begin(acme, nil)
			return o.do(http.MethodGet, s.Request.URL.String(), "")
		}, "This page is no longer valid"},
		{"nor does its form", func(w *world, b *browser, s screen) screen {
			o := w.browser()
			o.begin(acme, nil)
			return o.signIn(s, "alice", "right")
		}, "That could not be accepted"},
		{"a browser without cookies is told so", func(w *world, b *browser, s screen) screen {
			return w.browser().do(http.MethodGet, s.Request.URL.String(), "")
		}, "This browser was not recognised"},
		{"also when it sends the form", func(w *world, b *browser, s screen) screen {
			return w.browser().signIn(s, "alice", "right")
		}, "This browser was not recognised"},
	} {
		w := newWorld(t, false)
		b := w.browser()
		got := tt.do(w, b, b.begin(acme, nil))
		status := http.StatusNotFound
		if tt.heading == "That could not be accepted" {
			status = http.StatusForbidden
		}
		if got.StatusCode != status || got.heading() != tt.heading || got.Header.Get("Location") != "" {
			t.Errorf("%s: got %d %q", tt.rule, got.StatusCode, got.heading())
		}
	}
}

// An interaction that a login UI leads has no browser: our pages do not open it, with or without a cookie.
func TestInteractionOfALoginUI(t *testing.T) {
	w := newWorld(t, false)
	res, err := w.ui.Authorize.Begin(t.Context(), w.tenants[acme], authorize.Start{Params: url.Values{
		"client_id": {"web"}, "response_type": {"code"}, "redirect_uri": {callback}, "scope": {"openid"}}})
	if err != nil {
		t.Fatal(err)
	}
	b := w.browser()
	for range 2 {
		if s := b.open(acme, "/login/i/"+res.Pending.Handle); s.StatusCode != http.StatusNotFound {
			t.Errorf("got %d %q", s.StatusCode, s.heading())
		}
		b.begin(acme, nil) // now it has a cookie
	}
}

func TestStoreFails(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	consent := b.signIn(b.begin(acme, nil), "alice", "right")
	logout := b.open(acme, "/logout")
	w.store.broken = oauth.Unavailable()
	for name, s := range map[string]screen{
		"page": b.do(http.MethodGet, consent.Request.URL.String(), ""), "consent": b.press(consent, "allow", nil),
		"logout page": b.open(acme, "/logout"), "logout": b.press(logout, "logout", nil),
	} {
		if s.StatusCode != http.StatusServiceUnavailable || s.Header.Get("Retry-After") == "" || s.heading() != "We cannot answer just now" {
			t.Errorf("%s: got %d %q", name, s.StatusCode, s.heading())
		}
	}
	if b.cookie("chy-s-acme") == "" {
		t.Error("the cookie of a session that was not ended is gone")
	}
}
