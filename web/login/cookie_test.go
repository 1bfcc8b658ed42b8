package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// set returns the line that set a cookie.
func (s screen) set(name string) string {
	for _, line := range s.Header["Set-Cookie"] {
		if strings.HasPrefix(line, name+"=") {
			return line
		}
	}
	return ""
}

// stay makes the browser follow no redirect.
func (b *browser) stay() *browser {
	b.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return b
}

func TestCookies(t *testing.T) {
	for _, tt := range []struct {
		https  bool
		prefix string
		flags  string
	}{
		{true, "__Host-", "; Path=/; HttpOnly; Secure; SameSite=Lax"},
		{false, "", "; Path=/; HttpOnly; SameSite=Lax"},
	} {
		w := newWorld(t, tt.https)
		b := w.browser()
		page := b.begin(acme, nil)
		b.stay()
		for _, c := range []struct {
			cookie string
			s      screen
		}{
			{"chy-b-acme", w.browser().stay().begin(acme, nil)},
			{"chy-s-acme", b.signIn(page, "alice", "right")},
		} {
			line := c.s.set(tt.prefix + c.cookie)
			value, flags, _ := strings.Cut(line, ";")
			if "; "+strings.TrimSpace(flags) != tt.flags || len(value) < 43 {
				t.Errorf("https %v: %s is set as %q", tt.https, c.cookie, line)
			}
		}
		if got := b.open(acme, "/logout").Header["Set-Cookie"]; len(got) != 0 {
			t.Errorf("https %v: a browser that has its secret is given %v", tt.https, got)
		}
		confirm := b.open(acme, "/logout")
		line := b.press(confirm, "logout", nil).set(tt.prefix + "chy-s-acme")
		if _, flags, _ := strings.Cut(line, ";"); "; "+strings.Replace(strings.TrimSpace(flags), "Max-Age=0; ", "", 1) != tt.flags || !strings.Contains(line, "Max-Age=0") {
			t.Errorf("https %v: the session's cookie is cleared as %q", tt.https, line)
		}
	}
}

func TestCookiesOfTenants(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	if s := b.begin(globex, url.Values{"prompt": {"none"}}); s.query().Get("error") != "login_required" {
		t.Errorf("a session at acme is one at globex: %s", s.Header.Get("Location"))
	}
	// Even under the other tenant's name the value opens nothing.
	u, _ := url.Parse(w.server.URL)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "chy-s-globex", Value: b.cookie("chy-s-acme"), Path: "/"}})
	w.store.sessions[globex] = w.store.sessions[acme]
	if s := b.begin(globex, url.Values{"prompt": {"none"}}); s.query().Get("error") != "login_required" {
		t.Errorf("the handle of acme opens a session at globex: %s", s.Header.Get("Location"))
	}
	if s := b.open(globex, "/logout"); s.heading() != "You are signed out" {
		t.Errorf("at globex: %q", s.heading())
	}
}

func TestNewHandleAtEachAuthentication(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	old := b.cookie("chy-s-acme")
	b.signIn(b.begin(acme, url.Values{"prompt": {"login"}}), "alice", "right")
	if now := b.cookie("chy-s-acme"); now == old || now == "" {
		t.Errorf("after authentication the handle is %q, before %q", now, old)
	}
	o := w.browser()
	u, _ := url.Parse(w.server.URL)
	o.client.Jar.SetCookies(u, []*http.Cookie{{Name: "chy-s-acme", Value: old, Path: "/"}})
	if s := o.begin(acme, url.Values{"prompt": {"none"}}); s.query().Get("error") != "login_required" {
		t.Errorf("the old handle still opens the session: %s", s.Header.Get("Location"))
	}
}

func TestBindingIsKept(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	b.begin(acme, nil)
	secret := b.cookie("chy-b-acme")
	b.begin(acme, nil)
	if b.cookie("chy-b-acme") != secret {
		t.Error("the browser's secret changes with each request, so that its other tabs are lost")
	}
	u, _ := url.Parse(w.server.URL)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "chy-b-acme", Value: "guessed", Path: "/"}})
	b.begin(acme, nil)
	if got := b.cookie("chy-b-acme"); got == "guessed" || len(got) != secretSize {
		t.Errorf("a secret that we did not make becomes %q", got)
	}
}
