package login

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/device"
	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

// devices keeps device authorizations in memory. down, when set, is what every method says.
type devices struct {
	decoupled.Store // of what is not used here
	mu              sync.Mutex
	codes           map[string]string
	rows            map[string]*decoupled.Authentication
	settled         []decoupled.Settlement
	down            error
}

func (d *devices) BeginDevice(_ context.Context, t tenant.ID, a decoupled.Authentication, userCode []byte, _ int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.rows[a.ID], d.codes[string(t)+string(userCode)] = &a, a.ID
	return nil
}

func (d *devices) Device(_ context.Context, t tenant.ID, userCode []byte) (*decoupled.Authentication, error) {
	d.mu.Lock()
	id := d.codes[string(t)+string(userCode)]
	d.mu.Unlock()
	return d.Authentication(context.Background(), t, time.Time{}, id)
}

func (d *devices) Authentication(_ context.Context, _ tenant.ID, now time.Time, id string) (*decoupled.Authentication, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.rows[id]
	switch {
	case d.down != nil:
		return nil, d.down
	case a == nil || !now.Before(a.EndsAt):
		return nil, decoupled.ErrNotFound
	}
	c := *a
	return &c, nil
}

func (d *devices) Authentications(_ context.Context, _ tenant.ID, now time.Time, subject string, _ int) (out []decoupled.Authentication, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, a := range d.rows {
		if a.State == decoupled.Waiting && a.Subject == subject && now.Before(a.EndsAt) {
			out = append(out, *a)
		}
	}
	return out, d.down
}

func (d *devices) Settle(_ context.Context, _ tenant.ID, _ time.Time, s decoupled.Settlement) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	a := d.rows[s.ID]
	if a.State != decoupled.Waiting {
		return decoupled.ErrConflict
	}
	a.State = decoupled.Refused
	if s.Grant != nil {
		a.State = decoupled.Granted
	}
	d.settled = append(d.settled, s)
	return nil
}

// tv begins a device authorization at acme.
func (w *world) tv(change ...func(*tenant.Settings)) device.Authorization {
	w.t.Helper()
	s := w.tenants[acme].Settings
	s.Device.Enabled = true
	for _, f := range change {
		f(s)
	}
	c := w.clients["app"]
	c.GrantTypes = []string{oauth.DeviceCode}
	a, err := w.ui.Device.Begin(context.Background(), w.tenants[acme], c, url.Values{"scope": {"openid email"}})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

// enter opens the page for the code and enters it.
func (b *browser) enter(code string) screen {
	b.w.t.Helper()
	return b.press(b.open(acme, "/device"), "verify", url.Values{"user_code": {code}})
}

func TestDevice(t *testing.T) {
	w := newWorld(t, true)
	a, b := w.tv(), w.browser()
	s := b.enter(strings.ToLower(strings.ReplaceAll(a.UserCode, "-", " ")))
	if s.heading() != "Sign in" || !strings.Contains(words(s.html), "to continue to Pocket") || !strings.HasPrefix(s.Request.URL.Path, "/t/acme/device/") {
		t.Fatalf("the code leads to %s, %q", s.Request.URL.Path, s.heading())
	}
	if s = b.signIn(s, "alice", "wrong"); !strings.Contains(s.html, "The user name or the password is wrong") || s.field("username") != "alice" {
		t.Fatalf("a wrong password leads to %q: %s", s.heading(), words(s.html))
	}
	w.clock.pass(3 * time.Minute)
	s = b.signIn(s, "alice", "right")
	text := words(s.html)
	if s.heading() != "Connect Pocket?" || s.Request.Method != http.MethodGet || !strings.Contains(text, a.UserCode) ||
		!strings.Contains(text, "It asked 3 minutes ago.") || !strings.Contains(text, "Signed in as Alice Adams alice") || !strings.Contains(text, "see your e-mail address") {
		t.Fatalf("sign-in leads to %s %q: %s", s.Request.Method, s.heading(), text)
	}
	if len(w.devices.settled) != 0 {
		t.Fatal("nobody was asked")
	}
	again := b.press(s, "allow", nil)
	if again.heading() != "Your device is connected" || len(w.devices.settled) != 1 {
		t.Fatalf("consent leads to %q", again.heading())
	}
	g := w.devices.settled[0].Grant
	if g.Subject != "sub-alice" || g.ClientID != "app" || g.SessionID != "" || g.Terms.Scope.String() != "openid email" || g.Terms.Login.AuthTime != w.clock.Now().Unix() {
		t.Errorf("granted is %+v", g)
	}
	for _, action := range []string{"allow", "deny"} {
		if got := b.press(s, action, nil); got.StatusCode != http.StatusNotFound || got.heading() != "This code is no longer valid" || len(w.devices.settled) != 1 {
			t.Errorf("%s once more: %d %q", action, got.StatusCode, got.heading())
		}
	}
	if s = b.enter(a.UserCode); !strings.Contains(s.html, "This code does not work") {
		t.Errorf("the code once more leads to %q", s.heading())
	}
}

// A link with the code does not spare its user the look at the device, nor the confirmation, signed in or not.
func TestDeviceByLink(t *testing.T) {
	w := newWorld(t, false)
	a, b := w.tv(), w.browser()
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	link := strings.TrimPrefix(a.VerificationURIComplete, w.tenants[acme].Issuer)
	s := b.open(acme, link)
	if s.heading() != "Connect a device" || s.field("user_code") != a.UserCode || !strings.Contains(words(s.html), "Go on only if your device shows this very code.") {
		t.Fatalf("the link leads to %q: %s", s.heading(), words(s.html))
	}
	s = b.press(s, "verify", url.Values{"user_code": {s.field("user_code")}})
	if s.heading() != "Connect Pocket?" || !strings.Contains(s.html, a.UserCode) || len(w.devices.settled) != 0 {
		t.Fatalf("the code leads to %q", s.heading())
	}
	if s = b.press(s, "deny", nil); s.heading() != "Nothing was connected" || len(w.devices.settled) != 1 || w.devices.settled[0].Refusal.Code != "access_denied" {
		t.Errorf("denial leads to %q", s.heading())
	}
	if s = b.open(acme, "/device?user_code="+url.QueryEscape(`"><script>alert(1)</script>`)); s.field("user_code") != "SCRIPTALERT1SCRIPT" || strings.Contains(s.html, "<script>") {
		t.Errorf("what is no code is shown as %q", s.field("user_code"))
	}
}

func TestDeviceAnswers(t *testing.T) {
	w := newWorld(t, false)
	for _, tt := range []struct {
		rule string
		act  func(b *browser, a device.Authorization) screen
		head string
		says string
	}{
		{"nothing is no code", func(b *browser, _ device.Authorization) screen { return b.enter(" ") }, "Connect a device", "Enter the code that your device shows."},
		{"a wrong code", func(b *browser, _ device.Authorization) screen { return b.enter("BBBB-BBBB") }, "Connect a device", "This code does not work."},
		{"a code that has expired is as wrong", func(b *browser, a device.Authorization) screen {
			w.clock.pass(10 * time.Minute)
			return b.enter(a.UserCode)
		}, "Connect a device", "This code does not work."},
		{"one that expires in the meantime", func(b *browser, a device.Authorization) screen {
			s := b.enter(a.UserCode)
			w.clock.pass(10 * time.Minute)
			return b.signIn(s, "alice", "right")
		}, "This code is no longer valid", "Start again on your device"},
		{"sign-in may be left out of", func(b *browser, a device.Authorization) screen { return b.press(b.enter(a.UserCode), "cancel", nil) }, "Nothing was connected", ""},
		{"another account", func(b *browser, a device.Authorization) screen {
			s := b.press(b.signIn(b.enter(a.UserCode), "alice", "right"), "switch", nil)
			if !strings.Contains(words(s.html), "You are signed in as Alice Adams. Signing in with another account signs that one out.") {
				t.Errorf("switching leads to %s", words(s.html))
			}
			return b.signIn(s, "bob", "right")
		}, "Connect Pocket?", "Signed in as bob"},
		{"nobody allows without a session", func(b *browser, a device.Authorization) screen { return b.press(b.enter(a.UserCode), "allow", nil) }, "Sign in", ""},
		{"an unknown answer", func(b *browser, a device.Authorization) screen { return b.press(b.enter(a.UserCode), "x", nil) }, "This request does not work", ""},
		{"another browser's page", func(b *browser, a device.Authorization) screen {
			s := b.enter(a.UserCode)
			o := w.browser()
			o.open(acme, "/device")
			return o.do(http.MethodGet, s.Request.URL.String(), "")
		}, "This code is no longer valid", ""},
		{"a browser without cookies", func(b *browser, a device.Authorization) screen {
			return w.browser().do(http.MethodGet, b.enter(a.UserCode).Request.URL.String(), "")
		}, "This browser was not recognised", ""},
		{"a page of another tenant", func(b *browser, a device.Authorization) screen {
			w.tenants[globex].Settings.Device.Enabled = true
			b.open(globex, "/device")
			return b.do(http.MethodGet, strings.Replace(b.enter(a.UserCode).Request.URL.String(), "/t/acme/", "/t/globex/", 1), "")
		}, "This code is no longer valid", ""},
		{"a page that we did not make", func(b *browser, a device.Authorization) screen {
			b.enter(a.UserCode)
			return b.open(acme, "/device/"+strings.Repeat("A", 64))
		}, "This code is no longer valid", ""},
		{"a handle that is changed", func(b *browser, a device.Authorization) screen {
			at := b.enter(a.UserCode).Request.URL.String()
			return b.do(http.MethodGet, at[:len(at)-4]+"AAAA", "")
		}, "This code is no longer valid", ""},
	} {
		b := w.browser()
		w.devices.settled = nil
		s := tt.act(b, w.tv())
		if s.heading() != tt.head || !strings.Contains(words(s.html), tt.says) {
			t.Errorf("%s: %q: %s", tt.rule, s.heading(), words(s.html))
		}
		for _, e := range w.devices.settled {
			if e.Grant != nil {
				t.Errorf("%s: it is granted", tt.rule)
			}
		}
	}
}

// Whether who is signed in already will do is decided as for an authorization request.
func TestDeviceAsksForSignInAsOthersDo(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	w.clock.pass(time.Minute)
	a := w.tv(func(s *tenant.Settings) { s.Authorization.AlwaysPromptForAuth = true })
	s := b.enter(a.UserCode)
	if s.heading() != "Sign in" || !strings.Contains(words(s.html), "You are signed in as Alice Adams.") {
		t.Fatalf("the code leads to %q", s.heading())
	}
	if got := b.press(s, "allow", nil); got.heading() != "Sign in" || len(w.devices.settled) != 0 {
		t.Errorf("allowed without signing in: %q", got.heading())
	}
	if s = b.signIn(s, "alice", "right"); s.heading() != "Connect Pocket?" {
		t.Errorf("sign-in leads to %q", s.heading())
	}
}

func TestDeviceForgeries(t *testing.T) {
	w := newWorld(t, false)
	a, b := w.tv(), w.browser()
	s := b.signIn(b.enter(a.UserCode), "alice", "right")
	for _, body := range []url.Values{{"action": {"allow"}}, {"action": {"allow"}, "csrf": {"0.x"}}, {"action": {"allow"}, "csrf": {b.open(acme, "/device").field("csrf")}}} {
		if got := b.do(http.MethodPost, s.Request.URL.String(), body.Encode()); got.StatusCode != http.StatusForbidden || len(w.devices.settled) != 0 {
			t.Errorf("%v: %d %q", body, got.StatusCode, got.heading())
		}
	}
	b.header.Set("Origin", "https://evil.example")
	b.header.Set("Sec-Fetch-Site", "cross-site")
	if got := b.press(s, "allow", nil); got.StatusCode != http.StatusForbidden || len(w.devices.settled) != 0 {
		t.Errorf("another site's form: %d %q", got.StatusCode, got.heading())
	}
	for _, p := range []screen{s, b.open(acme, "/device")} {
		if csp := p.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") || !strings.HasSuffix(csp, "form-action 'self'") {
			t.Errorf("the policy is %q", csp)
		}
		if strings.Contains(p.html, "<script") {
			t.Error("the page needs a script")
		}
	}
}

func TestDeviceGuessesAreLimited(t *testing.T) {
	w := newWorld(t, false)
	w.ui.Device.Limit = limit.New(w.clock.Now, nil, limit.Guesses())
	a, b := w.tv(), w.browser()
	n := 0
	var s screen
	for ; n < 100; n++ {
		if s = b.enter("BBBB-BBBB"); s.StatusCode == http.StatusTooManyRequests {
			break
		}
	}
	if n != 11 || s.Header.Get("Retry-After") == "" || !regexp.MustCompile(`href="/t/acme/device"`).MatchString(s.html) {
		t.Errorf("after %d guesses: %d, %s", n, s.StatusCode, s.html)
	}
	if s = b.enter(a.UserCode); s.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the right code is answered %d, so guesses are told apart", s.StatusCode)
	}
	w.clock.pass(15 * time.Second)
	if s = b.enter(a.UserCode); s.heading() != "Sign in" {
		t.Errorf("later the right code leads to %q", s.heading())
	}
}

func TestDeviceIsOff(t *testing.T) {
	w := newWorld(t, false)
	b := w.browser()
	for _, change := range []func(*tenant.Settings){func(*tenant.Settings) {}, func(s *tenant.Settings) { s.Device.Enabled, s.LoginURL = true, "https://login.example" },
		func(s *tenant.Settings) { s.LoginURL, s.Device.VerificationURI = "", "https://as.example/device" }} {
		change(w.tenants[acme].Settings)
		if s := b.open(acme, "/device"); s.StatusCode != http.StatusNotFound || s.heading() != "There is nothing here" {
			t.Errorf("the page is answered %d %q", s.StatusCode, s.heading())
		}
	}
}

func TestDeviceCodeOfDigits(t *testing.T) {
	w := newWorld(t, false)
	w.tv(func(s *tenant.Settings) { s.Device.UserCodeCharset = tenant.Numeric })
	if s := w.browser().open(acme, "/device"); !strings.Contains(s.html, `inputmode="numeric"`) {
		t.Error("no keyboard of digits is asked for")
	}
}
