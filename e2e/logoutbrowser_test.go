package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// watching is a client's web server: its redirect URI, the frame that ends its part of a session, where it wants the
// browser afterwards, and a page that watches the session by the issuer's frame (Session Management §3.1).
type watching struct {
	*httptest.Server
	ended chan string // queries of the frame
}

func newWatching(t *testing.T, frame func() string) *watching {
	w := &watching{ended: make(chan string, 8)}
	w.Server = httptest.NewServer(http.HandlerFunc(func(a http.ResponseWriter, q *http.Request) {
		a.Header().Set("Content-Type", "text/html; charset=utf-8")
		switch q.URL.Path {
		case "/out": // what only a script of this origin could do
			_, _ = io.WriteString(a, `<!doctype html><script>fetch("/ended" + location.search)</script>`)
		case "/ended":
			w.ended <- q.URL.RawQuery
		case "/watch":
			_, _ = fmt.Fprintf(a, `<!doctype html><html lang="en"><title>App</title><h1 id="done">App</h1><p id="state">asking</p>
				<iframe id="op" src=%q></iframe><script>
				addEventListener("message", (e) => { if (e.origin === new URL(document.getElementById("op").src).origin) document.getElementById("state").textContent = e.data })
				setInterval(() => document.getElementById("op").contentWindow.postMessage(%q, "*"), 100)</script>`, frame(), q.URL.Query().Get("ask"))
		default:
			_, _ = io.WriteString(a, `<!doctype html><html lang="en"><title>App</title><h1 id="done">Welcome back to the app</h1>`)
		}
	}))
	t.Cleanup(w.Close)
	return w
}

// In a real browser: relying parties that want it are loaded in frames when the session ends, and nothing else is, and the
// way leads on (S164); one that watches the session hears that it changed, and a page of another origin never hears that
// it did not.
func TestLogoutInABrowser(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, map[string]any{"logout": map[string]any{"check_session": true}})
		var metadata struct {
			Frame    string `json:"check_session_iframe"`
			Front    bool   `json:"frontchannel_logout_supported"`
			FrontSID bool   `json:"frontchannel_logout_session_supported"`
		}
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &metadata)
		if metadata.Frame == "" || !metadata.Front || !metadata.FrontSID {
			t.Fatalf("metadata: %+v", metadata)
		}
		frame := func() string { return strings.Replace(metadata.Frame, s.publicURL, s.url, 1) }
		at, other := newWatching(t, frame), newWatching(t, frame)
		register := func(w *watching, name string) *client {
			return x.register(t, map[string]any{"redirect_uris": []string{w.URL + "/cb"}, "post_logout_redirect_uris": []string{w.URL + "/bye"}, "client_name": name,
				"frontchannel_logout_uri": w.URL + "/out?app=1", "frontchannel_logout_session_required": true})
		}
		c, d := register(at, "Shop"), register(other, "Desk")
		w := openWindow(t, string(engineOf(s))+" logout", 800, false)
		w.do(t, chromedp.Navigate(x.url("/authorize?"+c.request("scope", "openid").Encode())), seen("#username"),
			typed("username", x.User.Username), typed("password", x.User.Password), press("login"), seen(`button[value="allow"]`), press("allow"), seen("#done"))
		q := w.at(t).Query()
		state := q.Get("session_state")
		if state == "" || strings.Contains(state, " ") {
			t.Fatalf("session_state is %q", state)
		}
		sid := func(c *client, code string) string {
			_, id := claims(t, issued(t, x.redeem(t, c, code)).ID)
			return fmt.Sprint(id["sid"])
		}
		first := sid(c, q.Get("code"))
		w.do(t, chromedp.Navigate(x.url("/authorize?"+d.request("scope", "openid").Encode())), seen(`button[value="allow"]`), press("allow"), seen("#done"))
		second := sid(d, w.at(t).Query().Get("code"))

		hears := func(from *watching, ask, word string) {
			t.Helper()
			var got string
			w.do(t, chromedp.Navigate(from.URL+"/watch?"+params("ask", ask).Encode()), seen("#done"))
			within(t, theBound, word+" is heard", func() bool {
				w.do(t, chromedp.Text("#state", &got, chromedp.ByQuery))
				return got != "asking"
			})
			if got != word {
				t.Errorf("S164 the page at %s hears %q, want %q", from.URL, got, word)
			}
		}
		hears(at, c.ID+" "+state, "unchanged")
		hears(other, c.ID+" "+state, "changed") // another origin
		hears(at, d.ID+" "+state, "changed")    // another client's
		hears(at, "nonsense", "error")

		w.do(t, chromedp.Navigate(x.url("/logout?"+params("client_id", c.ID, "post_logout_redirect_uri", at.URL+"/bye", "state", "the state").Encode())), seen(`button[value="logout"]`),
			press("logout"), seen("a.button"))
		w.shoot(t, "1-signed-out")
		for _, x2 := range []struct {
			w   *watching
			sid string
		}{{at, first}, {other, second}} {
			select {
			case got := <-x2.w.ended:
				if want := "app=1&" + params("iss", x.Issuer, "sid", x2.sid).Encode(); got != want {
					t.Errorf("the frame was loaded with %q, want %q", got, want)
				}
			case <-time.After(10 * time.Second):
				t.Fatal("a relying party's frame was not loaded")
			}
		}
		within(t, 10*time.Second, "the browser goes on", func() bool { return w.at(t).String() == at.URL+"/bye?state=the+state" })
		hears(at, c.ID+" "+state, "changed")
		w.clean(t)
	})
}

// What must not be in a frame is not, and what may is the issuer's frame alone, where it is turned on (S164).
func TestFrames(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		call(t, http.MethodGet, x.url("/login/check-session")).want(t, "404")
		x.patch(t, map[string]any{"logout": map[string]any{"check_session": true}})
		r := call(t, http.MethodGet, x.url("/login/check-session")).want(t, "200")
		if p := r.Header.Get("Content-Security-Policy"); !strings.Contains(p, "frame-ancestors *") || !strings.Contains(p, "script-src 'sha256-") || strings.Contains(p, "unsafe") || r.Header.Get("X-Frame-Options") != "" {
			t.Errorf("the frame's policy is %q, X-Frame-Options %q", p, r.Header.Get("X-Frame-Options"))
		}
		for _, path := range []string{"/logout", "/authorize?client_id=nobody"} {
			r := newVisitor(t).open(t, x.url(path))
			if p := r.Header.Get("Content-Security-Policy"); !strings.Contains(p, "frame-ancestors 'none'") || strings.Contains(p, "frame-src") || r.Header.Get("X-Frame-Options") != "DENY" {
				t.Errorf("%s: the policy is %q", path, p)
			}
		}
	})
}
