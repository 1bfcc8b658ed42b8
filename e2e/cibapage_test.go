package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// requests opens the page of what waits for the tenant's user, and signs in where that is asked for.
func (v *visitor) requests(t testing.TB, x *tenant) page {
	t.Helper()
	p := v.open(t, x.url("/account/requests"))
	if strings.Contains(string(p.body), `name="password"`) {
		p = v.fill(t, p, "action", "login", "username", x.User.Username, "password", x.User.Password)
	}
	return p
}

// A subject answers at our own page, by a program that fills forms.
func TestCIBAPage(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		v := newVisitor(t)
		if text := v.requests(t, x).text(); !strings.Contains(text, "Nothing waits for you") {
			t.Fatal(text)
		}
		id := x.acknowledged(t, x.Client, "binding_message", "W4SCT")
		p := v.requests(t, x)
		if text := p.text(); !strings.Contains(text, "W4SCT") || !strings.Contains(text, "Starter") || strings.Contains(string(p.body), id) {
			t.Fatal(text)
		}
		if text := v.fill(t, p, "action", "allow").text(); !strings.Contains(text, "You allowed the request") {
			t.Fatal(text)
		}
		k := issued(t, x.poll(t, x.Client, id))
		if _, c := claims(t, k.ID); c["sub"] != x.User.Subject || c["auth_time"] == nil {
			t.Errorf("the ID token says %v", c)
		}
		id = x.acknowledged(t, x.Client)
		p = v.requests(t, x)
		forged, err := try(v.http, http.MethodPost, p.at.String(), form(append(p.hidden(t), "action", "allow")...), header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site"))
		if err != nil || forged.StatusCode != http.StatusForbidden { // S183
			t.Errorf("another site's form: %d, %v", forged.StatusCode, err)
		}
		x.poll(t, x.Client, id).want(t, "400 authorization_pending")
		if text := v.fill(t, p, "action", "deny").text(); !strings.Contains(text, "You denied the request") {
			t.Fatal(text)
		}
		x.poll(t, x.Client, id).want(t, "400 access_denied")
	})
}

// The page in a real browser, with its looks, and with keys alone and no scripts.
func TestCIBAPageInBrowser(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		for _, look := range []struct {
			name  string
			width int64
			dark  bool
		}{{"light", 1000, false}, {"dark", 1000, true}, {"phone", 390, false}} {
			t.Run(look.name, func(t *testing.T) {
				t.Parallel()
				x := s.newTenant(t)
				x.acknowledged(t, x.Client, "scope", "openid profile")
				id := x.acknowledged(t, x.Client, "binding_message", "W4SCT 17")
				w := openWindow(t, string(engineOf(s))+" requests "+look.name, look.width, look.dark)
				w.do(t, chromedp.Navigate(x.url("/account/requests")), seen("#username"))
				w.shoot(t, "1-sign-in")
				w.do(t, typed("username", x.User.Username), typed("password", x.User.Password), press("login"), seen(".request"))
				w.shoot(t, "2-waiting")
				w.do(t, press("allow"), chromedp.WaitNotPresent(`.request`, chromedp.ByQuery), seen("h1"))
				w.shoot(t, "3-allowed")
				issued(t, x.poll(t, x.Client, id))
				w.do(t, chromedp.Navigate(x.url("/account/requests")), seen(".request"), press("deny"), chromedp.WaitNotPresent(`.request`, chromedp.ByQuery),
					chromedp.Navigate(x.url("/account/requests")), seen("a.button"))
				w.shoot(t, "4-none")
				w.clean(t)
			})
		}
		t.Run("without scripts", func(t *testing.T) {
			t.Parallel()
			x := s.newTenant(t)
			id := x.acknowledged(t, x.Client)
			w := openWindow(t, string(engineOf(s))+" requests plain", 800, false)
			enter := func(field string) chromedp.Tasks {
				return chromedp.Tasks{chromedp.WaitReady(field, chromedp.ByQuery), chromedp.Focus(field, chromedp.ByQuery, chromedp.NodeReady)}
			}
			w.do(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(x.url("/account/requests")),
				enter("#username"), chromedp.KeyEvent(x.User.Username), enter("#password"), chromedp.KeyEvent(x.User.Password+"\r"),
				enter(`button[value="allow"]`), chromedp.KeyEvent("\r"), chromedp.WaitNotPresent(`button[value="allow"]`, chromedp.ByQuery), chromedp.WaitReady("h1", chromedp.ByQuery))
			within(t, 5*time.Second, "it is allowed", func() bool { return x.poll(t, x.Client, id).StatusCode == http.StatusOK })
			w.clean(t)
		})
	})
}
