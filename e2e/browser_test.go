package e2e

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// screenshots is where pictures of the pages go; empty: nowhere.
var screenshots = os.Getenv("CHANCERY_TEST_SCREENSHOTS")

// chromium is one browser for all tests, each of which opens a window of its own, without anything of the others.
var chromium = sync.OnceValues(func() (context.Context, func() error) {
	dir, err := os.MkdirTemp("", "chancery-e2e-chromium-")
	if err != nil {
		return nil, func() error { return err }
	}
	flags := []chromedp.ExecAllocatorOption{chromedp.NoFirstRun, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.UserDataDir(dir)}
	for _, f := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync", "no-default-browser-check", "disable-dev-shm-usage"} {
		flags = append(flags, chromedp.Flag(f, true))
	}
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), append(flags, chromedp.ExecPath("chromium"))...)
	browser, end := chromedp.NewContext(alloc)
	return browser, func() error {
		end()
		cancel()
		// What the browser leaves behind may still write for a moment.
		for began := time.Now(); ; time.Sleep(50 * time.Millisecond) {
			if err := os.RemoveAll(dir); err == nil || time.Since(began) > 5*time.Second {
				return err
			}
		}
	}
})

// window is a browser's window.
type window struct {
	context.Context
	name     string
	mu       sync.Mutex
	problems []string // what the browser complained about: blocked by policy, not loaded, script errors
}

// open opens a window that is width wide, dark or not.
func openWindow(t *testing.T, name string, width int64, dark bool) *window {
	t.Helper()
	needs(t, "chromium")
	sharing.Lock()
	browser, end := chromium()
	if browser != nil && chromedp.FromContext(browser).Browser == nil {
		cleanup = append(cleanup, end)
		if err := chromedp.Run(browser); err != nil {
			sharing.Unlock()
			t.Fatal("chromium does not start: ", err)
		}
	}
	sharing.Unlock()
	id, err := newTarget(browser)
	if err != nil {
		t.Fatal("no window opens: ", err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithTargetID(id))
	ctx, timeout := context.WithTimeout(ctx, time.Minute)
	t.Cleanup(func() { timeout(); cancel() })
	w := &window{Context: ctx, name: name}
	chromedp.ListenTarget(ctx, w.hear)
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	w.do(t, network.Enable(), chromedp.EmulateViewport(width, 860),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}))
	return w
}

// newTarget opens a window that shares nothing with others.
func newTarget(browser context.Context) (target.ID, error) {
	ctx := cdp.WithExecutor(browser, chromedp.FromContext(browser).Browser)
	apart, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(ctx)
	if err != nil {
		return "", err
	}
	return target.CreateTarget("about:blank").WithBrowserContextID(apart).WithNewWindow(true).Do(ctx)
}

// do runs actions.
func (w *window) do(t *testing.T, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(w, actions...); err != nil {
		var at string
		_ = chromedp.Run(w, chromedp.Location(&at))
		w.shoot(t, "failure")
		t.Fatalf("%s, at %s: %v; the browser says %q", w.name, at, err, w.complaints())
	}
}

// shoot takes a picture of the whole page.
func (w *window) shoot(t *testing.T, name string) {
	if screenshots == "" {
		return
	}
	var picture []byte
	if err := chromedp.Run(w, chromedp.FullScreenshot(&picture, 100)); err != nil {
		t.Log("no picture: ", err)
		return
	}
	if err := os.WriteFile(filepath.Join(screenshots, strings.ReplaceAll(w.name, " ", "-")+"-"+name+".png"), picture, 0o600); err != nil {
		t.Log(err)
	}
}

func (w *window) complaints() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.problems
}

// at is the address of the page.
func (w *window) at(t *testing.T) *url.URL {
	t.Helper()
	var at string
	w.do(t, chromedp.Location(&at))
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// press presses the button that answers with action.
func press(action string) chromedp.Action {
	return chromedp.Click(fmt.Sprintf(`button[name="action"][value=%q]`, action), chromedp.ByQuery)
}

func typed(field, text string) chromedp.Action {
	return chromedp.SetValue("#"+field, text, chromedp.ByQuery)
}

// seen waits for what selector finds.
func seen(selector string) chromedp.Action { return chromedp.WaitVisible(selector, chromedp.ByQuery) }

// saying waits for the page whose problem says so, which the one before it may have in other words.
func saying(text string) chromedp.Action {
	return chromedp.WaitVisible(`//*[@id="problem" and contains(., "`+text+`")]`, chromedp.BySearch)
}

// A person signs in with a real browser, through our pages and through the example of a login UI.
func TestBrowser(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		acme := s.newTenant(t)
		acme.patch(t, map[string]any{"name": "Acme", "color": "#0b6e4f"})
		at := newReceiver(t)
		app := acme.register(t, map[string]any{"redirect_uris": []string{at.URL + "/cb"}, "client_name": "Acme Shop", "policy_uri": "https://shop.example/policy", "tos_uri": "https://shop.example/terms",
			"grant_types": []string{"authorization_code", "refresh_token"}})
		for _, look := range []struct {
			name  string
			width int64
			dark  bool
		}{{"light", 1000, false}, {"dark", 1000, true}, {"phone", 390, false}} {
			t.Run("our pages, "+look.name, func(t *testing.T) {
				t.Parallel()
				r := newReceiver(t)
				c := acme.register(t, map[string]any{"redirect_uris": []string{r.URL + "/cb"}, "client_name": "Acme Shop", "policy_uri": "https://shop.example/policy"})
				w := openWindow(t, string(engineOf(s))+" "+look.name, look.width, look.dark)
				w.do(t, chromedp.Navigate(acme.url("/authorize?"+c.request().Encode())), seen("#username"))
				w.shoot(t, "1-sign-in")
				w.do(t, typed("username", acme.User.Username), typed("password", "not the password"), press("login"), seen("#problem"))
				w.shoot(t, "2-denied")
				w.do(t, typed("password", acme.User.Password), press("login"), seen(`button[value="allow"]`))
				w.shoot(t, "3-consent")
				w.do(t, press("allow"), seen("#done"))
				w.redeem(t, acme, c, r, http.MethodGet)

				w.do(t, chromedp.Navigate(acme.url("/authorize?"+c.request("response_mode", "form_post").Encode())), seen("#done"))
				w.redeem(t, acme, c, r, http.MethodPost) // single sign-on, remembered consent, and a form that posts itself

				w.do(t, chromedp.Navigate(acme.url("/authorize?"+c.request("prompt", "select_account").Encode())), seen(`button[value="continue"]`))
				w.shoot(t, "4-choice")
				w.do(t, press("switch"), seen("#username"))
				w.shoot(t, "5-switch")
				w.do(t, press("cancel"), seen("#done"))
				if q := (<-r.got).Form; q.Get("error") != "access_denied" {
					t.Error("cancelling:", q)
				}
				w.do(t, chromedp.Navigate(acme.url("/authorize?client_id=nobody")), seen("h1"))
				w.shoot(t, "6-error")
				w.do(t, chromedp.Navigate(acme.url("/logout")), seen(`button[value="logout"]`))
				w.shoot(t, "7-logout")
				w.do(t, press("logout"), chromedp.WaitNotPresent(`button[value="logout"]`, chromedp.ByQuery), seen("h1"))
				w.shoot(t, "8-signed-out")
				w.do(t, chromedp.Navigate(acme.url("/authorize?"+c.request().Encode())), seen("#username"))
				w.clean(t)
			})
		}
		t.Run("our pages without scripts", func(t *testing.T) {
			t.Parallel()
			w := openWindow(t, string(engineOf(s))+" plain", 800, false)
			enter := func(field string) chromedp.Tasks { // by keys alone, as the helpers that look and click are scripts
				return chromedp.Tasks{chromedp.WaitReady(field, chromedp.ByQuery), chromedp.Focus(field, chromedp.ByQuery, chromedp.NodeReady)}
			}
			w.do(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(acme.url("/authorize?"+app.request("response_mode", "form_post").Encode())),
				enter("#username"), chromedp.KeyEvent(acme.User.Username), enter("#password"), chromedp.KeyEvent(acme.User.Password+"\r"),
				enter(`button[value="allow"]`), chromedp.KeyEvent("\r"), enter(`form[action^="http"] button`))
			w.shoot(t, "form-post")
			w.do(t, chromedp.KeyEvent("\r"))
			w.redeem(t, acme, app, at, http.MethodPost)
			w.clean(t)
		})
		t.Run("the example of a login UI", func(t *testing.T) {
			t.Parallel()
			x := s.withExampleUI(t)
			found, _ := uiOf.Load(x.TenantID)
			ui := found.(*loginUI)
			r := newReceiver(t)
			c := x.register(t, map[string]any{"redirect_uris": []string{r.URL + "/cb"}, "client_name": "Shop", "grant_types": []string{"authorization_code", "refresh_token"}})
			w := openWindow(t, string(engineOf(s))+" example", 800, false)
			w.do(t, chromedp.Navigate(x.url("/authorize?"+c.request().Encode())), seen("#username"))
			if at := w.at(t); !strings.HasPrefix(at.String(), ui.url) {
				t.Fatal("the browser is at", at)
			}
			w.shoot(t, "1-sign-in")
			w.do(t, typed("username", carol), typed("password", "not the password"), press("login"), seen(".notice"))
			w.do(t, typed("password", ui.password), press("login"), seen(`button[value="allow"]`))
			w.shoot(t, "2-consent")
			w.do(t, press("allow"), seen("#done"))
			w.redeem(t, x, c, r, http.MethodGet)
			w.do(t, chromedp.Navigate(x.url("/authorize?"+c.request("response_mode", "form_post", "state", `"><b>`).Encode())), seen("#done"))
			w.redeem(t, x, c, r, http.MethodPost)
			w.do(t, chromedp.Navigate(x.url("/authorize?"+c.request("prompt", "login").Encode())), seen("#username"), press("cancel"), seen("#done"))
			if q := (<-r.got).Form; q.Get("error") != "access_denied" {
				t.Error("cancelling:", q)
			}
			w.do(t, chromedp.Navigate(ui.url+"/authorize?client_id=nobody"), seen("h1"))
			w.shoot(t, "3-error")
			if got := w.at(t); strings.HasPrefix(got.String(), r.URL) {
				t.Error("an unproven request leads to", got)
			}
			w.clean(t)
		})
	})
}

func engineOf(s *server) engine {
	if s.databaseURL != "" {
		return postgres
	}
	return sqlite
}

// redeem takes the response that the app got, by that method, and redeems its code.
func (w *window) redeem(t *testing.T, x *tenant, c *client, at *receiver, method string) {
	t.Helper()
	select {
	case r := <-at.got:
		secret(r.Form.Get("code"))
		if r.Method != method || r.Form.Get("iss") != x.Issuer {
			t.Errorf("the app was called by %s with iss %q", r.Method, r.Form.Get("iss"))
		}
		k := issued(t, x.redeem(t, c, r.Form.Get("code")))
		if _, id := claims(t, k.ID); id["sub"] != x.User.Subject || id["nonce"] != "the nonce" {
			t.Errorf("ID token: %v", id)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("the app was not called")
	}
}

// clean checks that the browser complained about nothing.
func (w *window) clean(t *testing.T) {
	t.Helper()
	for _, p := range w.complaints() {
		t.Errorf("%s: the browser says: %s", w.name, p)
	}
}
