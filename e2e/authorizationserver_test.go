package e2e

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"
)

// authorizationServer is the example of that name, running for one service.
type authorizationServer struct {
	*tenant  // whose issuer it is
	url      string
	password string            // of carol and dave
	resource map[string]string // the resource server that may introspect
}

// serveAuthorizationServer starts the example for a tenant of its own.
func (s *server) serveAuthorizationServer(t *testing.T, program string) *authorizationServer {
	t.Helper()
	addr := freePort()
	as := &authorizationServer{url: "http://" + addr, password: rand.Text(), resource: map[string]string{"id": "records", "secret": rand.Text()}}
	secret(as.password, as.resource["secret"])
	as.tenant = s.polledTenant(t, as.url)
	as.User = &user{Subject: carolSub}
	if as.Issuer != as.url {
		t.Fatal("the issuer is", as.Issuer)
	}
	as.patch(t, map[string]any{"device": map[string]any{"verification_uri": as.url + "/device"}})
	said := &output{}
	cmd := exec.Command(program, "-listen", addr, "-api", s.url, "-service", fmt.Sprint(as.ServiceID), "-resource-server", as.resource["id"])
	cmd.Env = append(s.environment(), "CHANCERY_API_TOKEN="+as.APIToken, "USER_PASSWORD="+as.password, "RESOURCE_SERVER_SECRET="+as.resource["secret"])
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the example ended: %v\n%s", err, said.String())
		}
		for range secretsIn(said.String()) {
			t.Error("the example wrote a secret")
		}
		if t.Failed() {
			t.Log(said.String())
		}
	})
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if r, err := try(direct, http.MethodGet, as.url+"/style.css"); err == nil && r.StatusCode == http.StatusOK {
			return as
		}
		if time.Since(began) > busy.Patience(10*time.Second, began) {
			t.Fatal("the example does not answer:", said.String())
		}
	}
}

// ticketAPI calls the API that the example calls.
func (as *authorizationServer) ticketAPI(t *testing.T, path string, in any) reply {
	t.Helper()
	return call(t, http.MethodPost, fmt.Sprint(as.at.url, "/api/", as.ServiceID, path), bearer(as.APIToken), object(in))
}

// register registers a client as such an authorization server does; it goes by its number.
func (as *authorizationServer) register(t *testing.T, redirectURI string) *client {
	t.Helper()
	var made struct {
		ID     int64  `json:"clientId"`
		Secret string `json:"clientSecret"`
	}
	as.ticketAPI(t, "/client/create", map[string]any{"clientName": "Shop", "clientType": "CONFIDENTIAL", "redirectUris": []string{redirectURI},
		"responseTypes": []string{"CODE"}, "grantTypes": []string{"AUTHORIZATION_CODE", "REFRESH_TOKEN", "CIBA", "DEVICE_CODE"}, "bcDeliveryMode": "POLL"}).want(t, "200").read(t, &made)
	secret(made.Secret)
	return &client{ID: fmt.Sprint(made.ID), Secret: made.Secret, RedirectURIs: []string{redirectURI}}
}

// signIn signs a user in, from the page that v opens at an address to the page after it.
func (as *authorizationServer) signIn(t *testing.T, v *visitor, at, name string) page {
	t.Helper()
	p := v.open(t, at)
	if !strings.HasPrefix(p.at.String(), as.url) || !strings.Contains(string(p.body), `name="password"`) {
		t.Fatalf("%s is no sign-in page:\n%s", p.at, p.body)
	}
	return v.fill(t, p, "action", "login", "username", name, "password", as.password)
}

// carolsClaims are what the example tells of its user.
var carolsClaims = map[string]any{"sub": carolSub, "name": "Carol Example", "preferred_username": "carol", "email": "carol@example.com", "email_verified": true}

// A relying party at an authorization server that leaves the protocol to the ticket API: it cannot tell.
func TestAuthorizationServer(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		as := s.serveAuthorizationServer(t, built(t, "docs/examples/authorization-server"))
		c := as.register(t, callback)
		rp := startStepwise(t, as.url, c, as.resource)
		v := newVisitor(t)
		t.Run("metadata", func(t *testing.T) { as.announced(t, rp.learn(t, "metadata")) })
		t.Run("code flow", func(t *testing.T) { as.codeFlow(t, rp, v, c) })
		t.Run("refusals", func(t *testing.T) { as.refusals(t, rp, v, c) })
		t.Run("backchannel", func(t *testing.T) { as.polled(t, rp, c) })
		t.Run("pushed", func(t *testing.T) { as.pushed(t, rp, v, c) })
		t.Run("device", func(t *testing.T) { as.device(t, rp, c) })
		t.Run("looked after", func(t *testing.T) { as.lookedAfter(t, c) })
		t.Run("browser", as.browser)
	})
}

func (as *authorizationServer) announced(t *testing.T, m map[string]any) {
	for name, path := range map[string]string{"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/jwks",
		"userinfo_endpoint": "/userinfo", "introspection_endpoint": "/introspect", "revocation_endpoint": "/revoke",
		"backchannel_authentication_endpoint": "/backchannel/authentication", "pushed_authorization_request_endpoint": "/par",
		"device_authorization_endpoint": "/device_authorization"} {
		if m[name] != as.url+path {
			t.Errorf("%s is %v", name, m[name])
		}
	}
	if m["issuer"] != as.url || m["registration_endpoint"] != nil || m["authorization_challenge_endpoint"] != nil {
		t.Errorf("announced: %v", m)
	}
}

func (as *authorizationServer) codeFlow(t *testing.T, rp *stepwise, v *visitor, c *client) {
	consent := as.signIn(t, v, rp.must(t, "authorize", "prompt", "consent").URL, "carol")
	if text := consent.text(); !strings.Contains(text, "Shop") || !strings.Contains(text, "offline_access") {
		t.Error("the consent page:", text)
	}
	back := v.fill(t, consent, "action", "allow").at
	if !strings.HasPrefix(back.String(), callback) || back.Query().Get("iss") != as.url {
		t.Fatal("the browser came to", back)
	}
	got := rp.must(t, "redeem", "url", back.String())
	if k := got.Claims; k["iss"] != as.url || k["sub"] != carolSub || k["aud"] != c.ID || k["email"] != "carol@example.com" || k["auth_time"] == nil {
		t.Errorf("ID token: %v", k)
	}
	if d := cmp.Diff(carolsClaims, rp.learn(t, "userinfo")); d != "" {
		t.Errorf("UserInfo (-want +got):\n%s", d)
	}
	if again := rp.must(t, "refresh"); !again.Rotated || again.Access == got.Access {
		t.Error("the tokens were not renewed")
	}
	i := rp.learn(t, "introspect")
	if i["active"] != true || i["client_id"] != c.ID || i["sub"] != carolSub || i["iss"] != as.url || i["scope"] != "openid profile email offline_access" {
		t.Errorf("introspection: %v", i)
	}
	rp.must(t, "revoke")
	if i := rp.learn(t, "introspect"); len(i) != 1 || i["active"] != false {
		t.Errorf("introspection after revocation: %v", i)
	}
	if e := rp.do(t, "refresh").Error; e != "invalid_grant" {
		t.Error("refresh after revocation:", e)
	}
	call(t, http.MethodGet, as.url+"/userinfo", bearer(got.Access)).want(t, "401")

	// Single sign-on: nobody is asked, and nothing is shown.
	if back := v.open(t, rp.must(t, "authorize", "prompt", "none").URL).at; rp.must(t, "redeem", "url", back.String()).Claims["sub"] != carolSub {
		t.Error("the browser came to", back)
	}
	// The form that posts itself.
	p := v.open(t, rp.must(t, "authorize", "response_mode", "form_post", "state", `"><b>`).URL)
	if !strings.Contains(string(p.body), `action="`+callback+`"`) || strings.Contains(string(p.body), `"><b>`) {
		t.Errorf("the form: %s", p.body)
	}
}

func (as *authorizationServer) refusals(t *testing.T, rp *stepwise, v *visitor, c *client) {
	stranger := newVisitor(t)
	for _, tt := range []struct {
		rule  string
		v     *visitor
		pairs []string
		want  string
	}{
		{"nobody has signed in", stranger, []string{"prompt", "none"}, "login_required"},
		{"the app did not ask for this before", v, []string{"prompt", "none", "scope", "openid address"}, "consent_required"},
		{"the app asks for what no one can have", v, []string{"prompt", "none", "claims", `{"id_token":{"acr":{"essential":true,"value":"gold"}}}`}, "unmet_authentication_requirements"},
	} {
		back := tt.v.open(t, rp.must(t, "authorize", tt.pairs...).URL).at
		if q := back.Query(); !strings.HasPrefix(back.String(), callback) || q.Get("error") != tt.want || q.Get("iss") != as.url {
			t.Errorf("%s: the browser came to %s", tt.rule, back)
		}
		if e := rp.do(t, "redeem", "url", back.String()).Error; e != tt.want {
			t.Errorf("%s: the client sees %s", tt.rule, e)
		}
	}
	asked := as.signIn(t, newVisitor(t), rp.must(t, "authorize").URL, "dave")
	if asked.StatusCode != http.StatusOK || !strings.Contains(string(asked.body), `value="allow"`) {
		t.Fatalf("%d\n%s", asked.StatusCode, asked.body)
	}
	denied := newVisitor(t)
	p := denied.open(t, rp.must(t, "authorize").URL)
	if back := denied.fill(t, p, "action", "cancel").at; back.Query().Get("error") != "access_denied" {
		t.Error("a user who cancels comes to", back)
	}
	if p := stranger.open(t, as.url+"/authorize?client_id=nobody&response_type=code&redirect_uri="+url.QueryEscape(callback)); p.StatusCode != http.StatusBadRequest || !strings.Contains(p.text(), "invalid_") {
		t.Errorf("an unknown client: %d %s", p.StatusCode, p.text())
	}
	if p := stranger.open(t, as.url+"/authorize"); p.StatusCode != http.StatusBadRequest {
		t.Errorf("no request: %d", p.StatusCode)
	}
	r := call(t, http.MethodPost, as.url+"/token", basic(c.ID, "not the secret"), form("grant_type", "client_credentials")).want(t, "401 invalid_client")
	if !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") || r.Header.Get("Cache-Control") != "no-store" {
		t.Error("headers of invalid_client:", r.Header)
	}
	call(t, http.MethodPost, as.url+"/token", c.auth(), form("grant_type", "password", "username", "carol", "password", as.password)).want(t, "400 unsupported_grant_type")
	call(t, http.MethodPost, as.url+"/introspect", c.auth(), form("token", "x")).want(t, "401 invalid_client")
	call(t, http.MethodGet, as.url+"/userinfo", bearer("x")).want(t, "401")
	call(t, http.MethodPost, as.url+"/backchannel/authentication", basic(c.ID, "not the secret"), form("scope", "openid", "login_hint", "carol")).want(t, "401 invalid_client")
}

// polled goes through backchannel authentication in poll mode: the user answers at the example's own page.
func (as *authorizationServer) polled(t *testing.T, rp *stepwise, c *client) {
	carols, daves := newVisitor(t), newVisitor(t)
	as.signIn(t, carols, as.url+"/requests", "carol")
	as.signIn(t, daves, as.url+"/requests", "dave")
	answer := func(action string) func() {
		return func() {
			p := carols.open(t, as.url+"/requests")
			if text := p.text(); !strings.Contains(text, "Shop") || !strings.Contains(text, "W4SCT") {
				t.Error("the page of the one who is asked:", text)
			}
			if text := daves.open(t, as.url+"/requests").text(); strings.Contains(text, "Shop") {
				t.Error("another user sees:", text)
			}
			if p = carols.fill(t, p, "action", action); !strings.Contains(p.text(), "Nothing waits") {
				t.Error("the page after the answer:", p.text())
			}
		}
	}
	got := rp.poll(t, rp.must(t, "backchannel", "login_hint", "carol", "binding_message", "W4SCT"), answer("allow"))
	if k := got.Claims; got.Error != "" || k["iss"] != as.url || k["sub"] != carolSub || k["aud"] != c.ID || k["email"] != "carol@example.com" || k["auth_time"] == nil {
		t.Errorf("%s; ID token: %v", got.Error, k)
	}
	if d := cmp.Diff(carolsClaims, rp.learn(t, "userinfo")); d != "" {
		t.Errorf("UserInfo (-want +got):\n%s", d)
	}
	if !rp.must(t, "refresh").Rotated || rp.learn(t, "introspect")["active"] != true {
		t.Error("the tokens were not renewed")
	}
	if e := rp.poll(t, rp.must(t, "backchannel", "id_token_hint", got.ID, "binding_message", "W4SCT"), answer("deny")).Error; e != "access_denied" {
		t.Error("a user who denies:", e)
	}
	for hint, want := range map[string]string{"nobody": "unknown_user_id", "dave@example.com": "unknown_user_id"} {
		if e := rp.do(t, "backchannel", "login_hint", hint).Error; e != want {
			t.Errorf("%s: %s", hint, e)
		}
	}
}

// pushed goes through a code flow whose request is pushed: the browser brings a reference alone.
func (as *authorizationServer) pushed(t *testing.T, rp *stepwise, v *visitor, c *client) {
	at, err := url.Parse(rp.must(t, "authorize", "pushed", "yes").URL)
	if err != nil || len(at.Query()) != 2 || at.Query().Get("client_id") != c.ID || !strings.HasPrefix(at.Query().Get("request_uri"), "urn:ietf:params:oauth:request_uri:") {
		t.Fatalf("the browser is sent to %s: %v", at, err)
	}
	back := v.open(t, at.String()).at
	if k := rp.must(t, "redeem", "url", back.String()).Claims; k["sub"] != carolSub {
		t.Errorf("%s; ID token: %v", back, k)
	}
	if p := v.open(t, at.String()); p.StatusCode != http.StatusBadRequest {
		t.Errorf("a second time: %d %s", p.StatusCode, p.at)
	}
	call(t, http.MethodPost, as.url+"/par", basic(c.ID, "not the secret"), form("response_type", "code")).want(t, "401 invalid_client")
	call(t, http.MethodPost, as.url+"/par", c.auth(), form("response_type", "code", "redirect_uri", "https://evil.example/")).want(t, "400 invalid_request")
}

// device connects a device: its user enters the code at the example's own page.
func (as *authorizationServer) device(t *testing.T, rp *stepwise, c *client) {
	v := newVisitor(t)
	as.signIn(t, v, as.url+"/device", "carol")
	for answer, want := range map[string]string{"allow": "", "deny": "access_denied"} {
		a := rp.learn(t, "device")
		code := fmt.Sprint(a["user_code"])
		if a["verification_uri"] != as.url+"/device" || !strings.Contains(fmt.Sprint(a["verification_uri_complete"]), code) {
			t.Fatalf("the device is told %v", a)
		}
		rp.send(t, map[string]any{"step": "pollDevice", "device_code": a["device_code"], "expires_in": a["expires_in"], "interval": a["interval"]})
		var got outcome
		for rp.hear(t, &got); got.Pending; rp.hear(t, &got) {
			if got = (outcome{}); answer == "" {
				continue
			}
			p := v.fill(t, v.open(t, as.url+"/device"), "user_code", strings.ToLower(code))
			if text := p.text(); !strings.Contains(text, "Shop") || !strings.Contains(text, "offline_access") {
				t.Error("the page of the one who is asked:", text)
			}
			v.fill(t, p, "action", answer)
			answer = ""
		}
		secret(got.Access, got.Refresh, got.ID)
		if got.Error != want || want == "" && (got.Claims["sub"] != carolSub || got.Claims["aud"] != c.ID || got.Claims["email"] != "carol@example.com") {
			t.Errorf("%s; ID token: %v", got.Error, got.Claims)
		}
	}
	if text := v.fill(t, v.open(t, as.url+"/device"), "user_code", "nothing").text(); !strings.Contains(text, "does not work") {
		t.Error("a code that is none:", text)
	}
}

// browser goes through the pages with a real browser, which obeys their policies.
func (as *authorizationServer) browser(t *testing.T) {
	r := newReceiver(t)
	c := as.register(t, r.URL+"/cb")
	w := openWindow(t, string(engineOf(as.at))+" authorization server", 800, false)
	w.do(t, chromedp.Navigate(as.url+"/authorize?"+c.request().Encode()), seen("#username"))
	w.do(t, typed("username", "carol"), typed("password", "not the password"), press("login"), seen(".notice"))
	w.shoot(t, "1-sign-in")
	w.do(t, typed("password", as.password), press("login"), seen(`button[value="allow"]`))
	w.shoot(t, "2-consent")
	w.do(t, press("allow"), seen("#done"))
	w.redeem(t, as.tenant, c, r, http.MethodGet)
	w.do(t, chromedp.Navigate(as.url+"/authorize?"+c.request("response_mode", "form_post", "state", `"><b>`).Encode()), seen("#done"))
	w.redeem(t, as.tenant, c, r, http.MethodPost)

	var asked acknowledged
	call(t, http.MethodPost, as.url+"/backchannel/authentication", c.auth(), form("scope", "openid", "login_hint", "carol", "binding_message", "W4SCT")).want(t, "200").read(t, &asked)
	w.do(t, chromedp.Navigate(as.url+"/requests"), seen(`button[value="deny"]`))
	w.shoot(t, "3-requests")
	w.do(t, press("allow"), chromedp.WaitNotPresent(`button[value="deny"]`, chromedp.ByQuery), seen("h1"))
	issued(t, as.poll(t, c, asked.AuthReqID))
	w.do(t, chromedp.Navigate(as.url+"/authorize?client_id=nobody"), seen("h1"))
	w.shoot(t, "4-error")
	w.clean(t)
}
