package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// deviceAuthorization is a device authorization response.
type deviceAuthorization struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	URI        string `json:"verification_uri"`
	Complete   string `json:"verification_uri_complete"`
	ExpiresIn  int    `json:"expires_in"`
	Interval   int    `json:"interval"`
}

// tv registers a public client for devices.
func (x *tenant) tv(t testing.TB) *client {
	t.Helper()
	return x.register(t, map[string]any{"client_name": "Living Room TV", "token_endpoint_auth_method": "none",
		"grant_types": []string{deviceGrant, "refresh_token"}, "response_types": []string{}})
}

// device makes a device authorization request as c.
func (x *tenant) device(t testing.TB, c *client, pairs ...string) (a deviceAuthorization) {
	t.Helper()
	x.askDevice(t, c, pairs...).want(t, "200").read(t, &a)
	secret(a.DeviceCode)
	return a
}

func (x *tenant) askDevice(t testing.TB, c *client, pairs ...string) reply {
	t.Helper()
	parts := []part{form(append(pairs, "client_id", c.ID)...)}
	if c.Secret != "" {
		parts = []part{form(pairs...), c.auth()}
	}
	return call(t, http.MethodPost, x.url("/device_authorization"), parts...)
}

func (x *tenant) pollDevice(t testing.TB, c *client, code string) reply {
	t.Helper()
	return x.token(t, c, "grant_type", deviceGrant, "device_code", code)
}

// enter opens the page for the code, enters it and signs in where that is asked for.
func (v *visitor) enter(t testing.TB, x *tenant, code string) page {
	t.Helper()
	p := v.open(t, x.url("/device"))
	p = v.fill(t, p, "user_code", code)
	if strings.Contains(string(p.body), `name="password"`) {
		p = v.fill(t, p, "action", "login", "username", x.User.Username, "password", x.User.Password)
	}
	return p
}

// A device gets its tokens once, after its user has entered the code, signed in and agreed; and each other end of that.
func TestDevice(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x, other := s.newTenant(t), s.newTenant(t)
		tv, second := x.tv(t), x.tv(t)
		var m map[string]any
		call(t, http.MethodGet, x.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
		if m["device_authorization_endpoint"] != x.Issuer+"/device_authorization" || !strings.Contains(fmt.Sprint(m["grant_types_supported"]), deviceGrant) {
			t.Errorf("announced are %v and %v", m["device_authorization_endpoint"], m["grant_types_supported"])
		}
		a := x.device(t, tv, "scope", "openid email offline_access")
		if len(a.DeviceCode) < 22 || a.URI != x.Issuer+"/device" || a.Complete != a.URI+"?user_code="+a.UserCode || a.ExpiresIn != 600 || a.Interval != 5 {
			t.Errorf("answered is %+v", a) // S126
		}
		x.pollDevice(t, tv, a.DeviceCode).want(t, "400 authorization_pending")
		x.pollDevice(t, tv, a.DeviceCode).want(t, "400 slow_down") // S127
		v := newVisitor(t)
		p := v.enter(t, x, strings.ToLower(strings.ReplaceAll(a.UserCode, "-", "")))
		if text := p.text(); !strings.Contains(text, "Living Room TV") || !strings.Contains(text, a.UserCode) {
			t.Fatalf("%s", text)
		}
		x.pollDevice(t, second, a.DeviceCode).want(t, "400 invalid_grant") // S126
		call(t, http.MethodPost, other.url("/token"), other.Client.auth(), form("grant_type", deviceGrant, "device_code", a.DeviceCode)).want(t, "400 invalid_grant")
		if text := v.fill(t, p, "action", "allow").text(); !strings.Contains(text, "Your device is connected") {
			t.Fatalf("%s", text)
		}
		k := issued(t, x.pollDevice(t, tv, a.DeviceCode))
		x.pollDevice(t, tv, a.DeviceCode).want(t, "400 invalid_grant")
		if _, got := claims(t, k.ID); got["sub"] != x.User.Subject || got["aud"] != tv.ID || got["auth_time"] == nil {
			t.Errorf("the ID token says %v", got)
		}
		call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)).want(t, "200").read(t, &m)
		if m["sub"] != x.User.Subject || m["email"] == nil {
			t.Errorf("UserInfo says %v", m)
		}
		issued(t, x.refresh(t, tv, k.Refresh))
		if text := v.enter(t, x, a.UserCode).text(); !strings.Contains(text, "This code does not work") { // S125
			t.Errorf("a code that was used: %s", text)
		}
		// The link spares no confirmation, although its user is signed in (S128).
		a = x.device(t, tv)
		p = v.open(t, a.Complete)
		if !strings.Contains(string(p.body), `value="`+a.UserCode+`"`) {
			t.Errorf("the link does not fill in the code: %s", p.body)
		}
		p = v.fill(t, p, "user_code", a.UserCode)
		x.pollDevice(t, tv, a.DeviceCode).want(t, "400 authorization_pending")
		if text := v.fill(t, p, "action", "deny").text(); !strings.Contains(text, "Nothing was connected") {
			t.Errorf("%s", text)
		}
		x.pollDevice(t, tv, a.DeviceCode).want(t, "400 access_denied")
		// What is approved is lost with the account (S136).
		a = x.device(t, tv)
		v.fill(t, v.enter(t, x, a.UserCode), "action", "allow")
		if out, err := s.run("user", "disable", x.TenantID, x.User.Username); err != nil {
			t.Fatal(out, err)
		}
		x.pollDevice(t, tv, a.DeviceCode).want(t, "400 invalid_grant")
	})
}

// What may not be asked, and what is answered to it.
func TestDeviceRefused(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		tv, plain := x.tv(t), x.confidential(t, callback)
		for _, tt := range []struct {
			rule  string
			c     *client
			pairs []string
			want  string
		}{
			{"a confidential client authenticates", x.Client, nil, "200"},
			{"with its own secret", &client{ID: x.Client.ID, Secret: "wrong"}, nil, "401 invalid_client"},
			{"and not without", &client{ID: x.Client.ID}, nil, "401 invalid_client"},
			{"nobody", &client{ID: "nobody"}, nil, "401 invalid_client"},
			{"a client without the grant", plain, nil, "400 unauthorized_client"},
			{"a scope that is none", tv, []string{"scope", "\"x\""}, "400 invalid_scope"},
			{"a resource that is none", tv, []string{"resource", "x"}, "400 invalid_target"},
			{"what is not known is not read", tv, []string{"foo", "bar"}, "200"},
		} {
			t.Run(tt.rule, func(t *testing.T) { x.askDevice(t, tt.c, tt.pairs...).want(t, tt.want) })
		}
		x.pollDevice(t, tv, "x").want(t, "400 invalid_grant")
		x.token(t, tv, "grant_type", deviceGrant).want(t, "400 invalid_request")
		x.token(t, plain, "grant_type", deviceGrant, "device_code", "x").want(t, "400 unauthorized_client")
		call(t, http.MethodGet, x.url("/device_authorization")).want(t, "405 method_not_allowed")

		off := &tenant{at: s}
		call(t, http.MethodPost, s.url+"/admin/v1/tenants", bearer(s.adminToken), object(map[string]any{"tenant_id": fmt.Sprintf("tenant-%d", tenants.Add(1))})).want(t, "201").read(t, off)
		var m map[string]any
		call(t, http.MethodGet, off.url("/.well-known/openid-configuration")).want(t, "200").read(t, &m)
		if m["device_authorization_endpoint"] != nil || strings.Contains(fmt.Sprint(m["grant_types_supported"]), deviceGrant) {
			t.Error("a tenant that has it off announces it")
		}
		off.askDevice(t, off.tv(t)).want(t, "400 unauthorized_client")
		call(t, http.MethodGet, off.url("/device")).want(t, "404")
	})
}

// S125: guessing is stopped long before it may succeed, also for who then knows the code.
func TestDeviceGuesses(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		a, v := x.device(t, x.tv(t)), newVisitor(t)
		p := v.open(t, x.url("/device"))
		n := 0
		for ; n < 50 && p.StatusCode == http.StatusOK; n++ {
			p = v.fill(t, p, "user_code", "BBBB-BBBB")
		}
		if p.StatusCode != http.StatusTooManyRequests || p.Header.Get("Retry-After") == "" || n > 15 {
			t.Fatalf("after %d guesses: %d", n, p.StatusCode)
		}
		if p = v.fill(t, v.open(t, x.url("/device")), "user_code", a.UserCode); p.StatusCode != http.StatusTooManyRequests {
			t.Errorf("the right code is told from a wrong one: %d", p.StatusCode)
		}
	})
}

// S129: of 64 polls after the approval one gets tokens.
func TestDeviceRace(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		tv := x.tv(t)
		a, v := x.device(t, tv), newVisitor(t)
		v.fill(t, v.enter(t, x, a.UserCode), "action", "allow")
		var wg sync.WaitGroup
		answers := make([]int, 64)
		for i := range answers {
			wg.Go(func() { answers[i] = x.pollDevice(t, tv, a.DeviceCode).StatusCode })
		}
		wg.Wait()
		won := 0
		for _, status := range answers {
			if status == http.StatusOK {
				won++
			} else if status != http.StatusBadRequest {
				t.Errorf("a loser is answered %d", status)
			}
		}
		if won != 1 {
			t.Errorf("%d won", won)
		}
	})
}

// S183: another site's form, and one without our token, connect nothing.
func TestDeviceForgery(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		tv := x.tv(t)
		a, v := x.device(t, tv), newVisitor(t)
		p := v.enter(t, x, a.UserCode)
		for _, parts := range [][]part{
			{form("action", "allow")},
			{form(append(p.hidden(t), "action", "allow")...), header("Origin", "https://evil.example"), header("Sec-Fetch-Site", "cross-site")},
		} {
			r, err := try(v.http, http.MethodPost, p.at.String(), parts...)
			if err != nil || r.StatusCode != http.StatusForbidden {
				t.Errorf("%d, %v", r.StatusCode, err)
			}
		}
		if csp := p.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "frame-ancestors 'none'") { // S38
			t.Error(csp)
		}
		x.pollDevice(t, tv, a.DeviceCode).want(t, "400 authorization_pending")
	})
}

// openid-client as a device.
func TestDeviceRelyingParty(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.polledTenant(t, "")
		rp := startStepwise(t, x.Issuer, x.Client, nil)
		v := newVisitor(t)
		device := func() (a deviceAuthorization) {
			rp.tell(t, "device")
			rp.hear(t, &a)
			secret(a.DeviceCode)
			return a
		}
		got := rp.pollDevice(t, device(), func(a deviceAuthorization) { v.fill(t, v.enter(t, x, a.UserCode), "action", "allow") })
		if got.Error != "" || got.Claims["sub"] != x.User.Subject || got.Claims["iss"] != x.Issuer {
			t.Errorf("%s; ID token: %v", got.Error, got.Claims)
		}
		if info := rp.learn(t, "userinfo"); info["sub"] != x.User.Subject || info["email"] == nil {
			t.Errorf("UserInfo: %v", info)
		}
		if again := rp.must(t, "refresh"); !again.Rotated {
			t.Error("the refresh token was not rotated")
		}
		denied := rp.pollDevice(t, device(), func(a deviceAuthorization) { v.fill(t, v.enter(t, x, a.UserCode), "action", "deny") })
		if denied.Error != "access_denied" {
			t.Errorf("a user who denies: %+v", denied)
		}
	})
}

// pollDevice polls for the tokens of a device; decide is called once the answer was that they are pending.
func (s *stepwise) pollDevice(t *testing.T, a deviceAuthorization, decide func(deviceAuthorization)) (out outcome) {
	t.Helper()
	s.send(t, map[string]any{"step": "pollDevice", "device_code": a.DeviceCode, "expires_in": a.ExpiresIn, "interval": a.Interval})
	for s.hear(t, &out); out.Pending; s.hear(t, &out) {
		if out = (outcome{}); decide != nil {
			decide(a)
		}
		decide = nil
	}
	secret(out.Access, out.Refresh, out.ID)
	return out
}

// The pages in a real browser, with its looks, and with keys alone and no scripts.
func TestDevicePages(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		tv := x.tv(t)
		for _, look := range []struct {
			name  string
			width int64
			dark  bool
		}{{"light", 1000, false}, {"dark", 1000, true}, {"phone", 390, false}} {
			t.Run(look.name, func(t *testing.T) {
				t.Parallel()
				a := x.device(t, tv, "scope", "openid email offline_access")
				w := openWindow(t, string(engineOf(s))+" device "+look.name, look.width, look.dark)
				w.do(t, chromedp.Navigate(a.URI), seen("#user_code"))
				w.shoot(t, "1-code")
				w.do(t, typed("user_code", "bbbb-bbbb"), press("verify"), seen("#problem"))
				w.shoot(t, "2-wrong")
				w.do(t, chromedp.Navigate(a.Complete), seen("#given"))
				w.shoot(t, "3-link")
				w.do(t, press("verify"), seen("#username"))
				w.shoot(t, "4-sign-in")
				w.do(t, typed("username", x.User.Username), typed("password", x.User.Password), press("login"), seen("#shown"))
				w.shoot(t, "5-confirm")
				w.do(t, press("allow"), chromedp.WaitNotPresent(`button[value="allow"]`, chromedp.ByQuery), seen("h1"))
				w.shoot(t, "6-connected")
				issued(t, x.pollDevice(t, tv, a.DeviceCode))
				w.do(t, chromedp.Navigate(x.url("/device/x")), seen("h1"))
				w.shoot(t, "7-gone")
				w.clean(t)
			})
		}
		t.Run("without scripts", func(t *testing.T) {
			t.Parallel()
			a := x.device(t, tv)
			w := openWindow(t, string(engineOf(s))+" device plain", 800, false)
			enter := func(field string) chromedp.Tasks {
				return chromedp.Tasks{chromedp.WaitReady(field, chromedp.ByQuery), chromedp.Focus(field, chromedp.ByQuery, chromedp.NodeReady)}
			}
			w.do(t, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(a.URI), enter("#user_code"), chromedp.KeyEvent(a.UserCode+"\r"),
				enter("#username"), chromedp.KeyEvent(x.User.Username), enter("#password"), chromedp.KeyEvent(x.User.Password+"\r"),
				enter(`button[value="allow"]`), chromedp.KeyEvent("\r"), chromedp.WaitNotPresent(`button[value="allow"]`, chromedp.ByQuery), chromedp.WaitReady("h1", chromedp.ByQuery))
			within(t, 5*time.Second, "the device is connected", func() bool { return x.pollDevice(t, tv, a.DeviceCode).StatusCode == http.StatusOK })
			w.clean(t)
		})
	})
}

// What a device gets is bound to the key that it proved to hold, its refresh tokens as well where it is public (RFC 9449 §5).
func TestDeviceBoundTokens(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		tv, key, other := x.tv(t), newProver(t), newProver(t)
		a, v := x.device(t, tv, "scope", "openid"), newVisitor(t)
		v.fill(t, v.enter(t, x, a.UserCode), "action", "allow")
		k := issued(t, key.ask(t, x, tv, "grant_type", deviceGrant, "device_code", a.DeviceCode))
		cnf, _ := x.introspect(t, k.Access)["cnf"].(map[string]any)
		if cnf["jkt"] != key.jkt() {
			t.Errorf("the access token is bound to %v", cnf)
		}
		other.ask(t, x, tv, "grant_type", "refresh_token", "refresh_token", k.Refresh).want(t, "400 invalid_grant")
		issued(t, key.ask(t, x, tv, "grant_type", "refresh_token", "refresh_token", k.Refresh))
	})
}
