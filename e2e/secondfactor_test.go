package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// totpAt is the code that an authenticator app shows at that time (RFC 6238 §4, RFC 4226 §5.3).
func totpAt(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(secret, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30)
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1_000_000)
}

// factor is a user's authenticator app, and the recovery codes on paper.
type factor struct {
	secret   string
	recovery []string
}

// next is a code that was not used yet.
func (f *factor) next(t testing.TB) string {
	t.Helper()
	if len(f.recovery) == 0 {
		t.Fatal("no recovery codes are left")
	}
	code := f.recovery[0]
	f.recovery = f.recovery[1:]
	return code
}

// secure gives the user of x a second factor, as an administrator does.
func (x *tenant) secure(t testing.TB) *factor {
	t.Helper()
	at := "/users/" + x.User.Subject + "/totp"
	var made struct{ Secret string }
	x.admin(t, http.MethodPost, at).want(t, "201").read(t, &made)
	var codes struct {
		Codes []string `json:"recovery_codes"`
	}
	x.admin(t, http.MethodPost, at+"/confirm", object(map[string]any{"code": totpAt(t, made.Secret, time.Now())})).want(t, "200").read(t, &codes)
	secret(made.Secret)
	secret(codes.Codes...)
	return &factor{made.Secret, codes.Codes}
}

// levels has a password reach the acr 1, and a code beside it 2.
var levels = map[string]any{"authentication": map[string]any{"password_acr": []string{"1"}, "otp_acr": []string{"2"}}}

// The password grant never becomes weaker than the pages are.
func TestSecondFactorAtTheTokenEndpoint(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, levels)
		x.patch(t, map[string]any{"grants": map[string]any{"password": map[string]any{"enabled": true}}})
		c := x.register(t, map[string]any{"grant_types": []string{"password"}, "redirect_uris": []string{}, "response_types": []string{}, "scope": "openid"})
		ask := func(pairs ...string) reply {
			return x.token(t, c, append([]string{"grant_type", "password", "scope", "openid", "username", x.User.Username, "password", x.User.Password}, pairs...)...)
		}
		if _, id := claims(t, issued(t, ask()).ID); id["acr"] != "1" {
			t.Errorf("by a password: %v", id)
		}
		f := x.secure(t)
		ask().want(t, "400 invalid_grant")
		ask("otp", "000000").want(t, "400 invalid_grant")
		code := totpAt(t, f.secret, time.Now().Add(30*time.Second)) // the present one confirmed it
		if _, id := claims(t, issued(t, ask("otp", code)).ID); id["acr"] != "2" || fmt.Sprint(id["amr"]) != "[pwd otp]" {
			t.Errorf("by both: %v", id)
		}
		ask("otp", code).want(t, "400 invalid_grant")
		once := f.next(t)
		issued(t, ask("otp", once))
		ask("otp", once).want(t, "400 invalid_grant")
		x.admin(t, http.MethodDelete, "/users/"+x.User.Subject+"/totp").want(t, "204")
		issued(t, ask())
	})
}

// Of 64 calls with one code, one is let in.
func TestOneCodeOneSignIn(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		c, f := x.firstParty(t, nil), x.secure(t)
		waiting := make([]string, 64)
		for i := range waiting {
			var asked struct {
				Session string `json:"auth_session"`
			}
			x.challengeAt(t, c, "scope", "openid", "username", x.User.Username, "password", x.User.Password).want(t, "401 otp_required").read(t, &asked)
			waiting[i] = asked.Session
		}
		code := totpAt(t, f.secret, time.Now().Add(30*time.Second))
		var in, other int
		var mu sync.Mutex
		var group sync.WaitGroup
		for _, session := range waiting {
			group.Go(func() {
				r := x.challengeAt(t, c, "auth_session", session, "otp", code)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case r.is("200"):
					in++
				case !r.is("401 otp_invalid") && !r.is("429 slow_down"):
					other++
				}
			})
		}
		group.Wait()
		if in != 1 || other != 0 {
			t.Errorf("%d were let in, %d answered otherwise", in, other)
		}
	})
}

// A user sets a second factor up with a real browser, signs in with it, steps up and turns it off.
func TestSecondFactorInABrowser(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		for _, look := range []struct {
			name  string
			width int64
			dark  bool
		}{{"light", 1000, false}, {"phone", 390, true}} {
			t.Run(look.name, func(t *testing.T) {
				x := s.newTenant(t)
				x.patch(t, levels)
				x.patch(t, map[string]any{"name": "Acme", "color": "#0b6e4f"})
				r := newReceiver(t)
				c := x.register(t, map[string]any{"redirect_uris": []string{r.URL + "/cb"}, "client_name": "Acme Shop"})
				w := openWindow(t, string(engineOf(s))+" factor "+look.name, look.width, look.dark)
				told := func() map[string]any {
					t.Helper()
					select {
					case got := <-r.got:
						secret(got.Form.Get("code"))
						if got.Form.Get("error") != "" {
							return map[string]any{"error": got.Form.Get("error")}
						}
						_, id := claims(t, issued(t, x.redeem(t, c, got.Form.Get("code"))).ID)
						return id
					case <-time.After(10 * time.Second):
						t.Fatal("the app was not called")
						return nil
					}
				}
				w.do(t, chromedp.Navigate(x.url("/authorize?"+c.request().Encode())), seen("#username"), typed("username", x.User.Username), typed("password", x.User.Password),
					press("login"), seen(`button[value="allow"]`), press("allow"), seen("#done"))
				if id := told(); id["acr"] != "1" {
					t.Errorf("by a password: %v", id)
				}
				w.do(t, chromedp.Navigate(x.url("/login/account")), seen(`button[value="totp_start"]`))
				w.shoot(t, "1-account")
				w.do(t, typed("password", "not the password"), press("totp_start"), seen("#problem"), typed("password", x.User.Password), press("totp_start"), seen("svg.qr"))
				w.shoot(t, "2-set-up")
				var shown string
				w.do(t, chromedp.Text("main code, body code", &shown, chromedp.ByQuery))
				secret(strings.ReplaceAll(shown, " ", ""))
				w.do(t, typed("otp", "000000"), press("totp_confirm"), seen("#problem"))
				w.shoot(t, "3-wrong")
				w.do(t, typed("otp", totpAt(t, shown, time.Now())), press("totp_confirm"), seen(".codes"))
				w.shoot(t, "4-recovery")
				var text string
				w.do(t, chromedp.Text(".codes", &text, chromedp.ByQuery))
				f := &factor{shown, strings.Fields(text)}
				if secret(f.recovery...); len(f.recovery) != 10 {
					t.Fatalf("recovery codes: %d", len(f.recovery))
				}
				w.do(t, chromedp.Navigate(x.url("/authorize?"+c.request("acr_values", "2").Encode())), seen("#otp"))
				w.shoot(t, "5-step-up")
				w.do(t, typed("otp", "000000"), press("code"), seen("#problem"))
				w.shoot(t, "6-wrong")
				w.do(t, typed("otp", totpAt(t, shown, time.Now().Add(30*time.Second))), press("code"), seen("#done"))
				if id := told(); id["acr"] != "2" || fmt.Sprint(id["amr"]) != "[pwd otp]" {
					t.Errorf("stepped up: %v", id)
				}
				w.do(t, chromedp.Navigate(x.url("/authorize?"+c.request("prompt", "login").Encode())), seen("#username"), typed("username", x.User.Username), typed("password", x.User.Password),
					press("login"), seen("#otp"), typed("otp", f.next(t)), press("code"), seen("#done"))
				if id := told(); id["acr"] != "2" {
					t.Errorf("signed in: %v", id)
				}
				w.do(t, chromedp.Navigate(x.url("/login/account")), seen(`button[value="totp_remove"]`))
				w.shoot(t, "7-account")
				w.do(t, typed("password", x.User.Password), typed("otp", f.next(t)), press("totp_remove"), seen(`button[value="totp_start"]`))
				w.do(t, chromedp.Navigate(x.url("/authorize?"+c.request("prompt", "login").Encode())), seen("#username"), typed("username", x.User.Username), typed("password", x.User.Password),
					press("login"), seen("#done"))
				if id := told(); id["acr"] != "1" {
					t.Errorf("afterwards: %v", id)
				}
				w.clean(t)
			})
		}
	})
}

// onEachEngine runs a test on every engine, of which it makes its own server.
func onEachEngine(t *testing.T, test func(t *testing.T, e engine)) {
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) { test(t, e) })
	}
}

// sender is a tenant's hook that sends codes: it keeps the last.
type sender struct {
	*httptest.Server
	mu   sync.Mutex
	last map[string]any
	deny bool
}

func newSender(t *testing.T) *sender {
	s := &sender{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		var ev struct {
			Type string
			Data map[string]any
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if json.Unmarshal(b, &ev) == nil && ev.Type == "send_code" && r.Header.Get("Webhook-Signature") != "" {
			s.last = ev.Data
		}
		w.Header().Set("Content-Type", "application/json")
		if s.deny {
			_, _ = w.Write([]byte(`{"action":"deny","error":"access_denied"}`))
			return
		}
		_, _ = w.Write([]byte(`{"action":"allow"}`))
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *sender) code(t *testing.T, sub string) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	code, _ := s.last["code"].(string)
	if s.last["sub"] != sub || len(code) != 6 {
		t.Fatalf("sent: %v", s.last)
	}
	secret(code)
	return code
}

// The two-step example: a user name, then a code for one use; then tokens, their renewal and claims.
func TestChallengeTwoSteps(t *testing.T) {
	onEachEngine(t, func(t *testing.T, e engine) {
		s := fresh(t, e, func(c *conf) { c.env, c.faults = append(c.env, "CHANCERY_OUTBOUND_ALLOW=127.0.0.1"), true })
		x, post := s.newTenant(t), newSender(t)
		x.patch(t, map[string]any{"challenge": map[string]any{"steps": map[string]any{"otp": "otp"}}, "hooks": map[string]any{"send_code": map[string]any{"url": post.URL}}})
		c := x.firstParty(t, nil)
		begin := func() string {
			t.Helper()
			var asked struct {
				Session string `json:"auth_session"`
			}
			x.challengeAt(t, c, "scope", "openid profile", "acr_values", "otp", "username", x.User.Username, "use_auth_session", "true").want(t, "401 otp_required").read(t, &asked)
			return asked.Session
		}
		session := begin()
		code := post.code(t, x.User.Subject)
		r := x.challengeAt(t, c, "auth_session", session, "otp", code).want(t, "200")
		var got struct {
			Code string `json:"authorization_code"`
		}
		r.read(t, &got)
		x.challengeAt(t, c, "auth_session", session, "otp", code).want(t, "400 invalid_session")
		k := issued(t, x.token(t, c, "grant_type", "authorization_code", "code", got.Code))
		if _, id := claims(t, k.ID); id["acr"] != "otp" || fmt.Sprint(id["amr"]) != "[otp]" || id["sub"] != x.User.Subject {
			t.Errorf("ID token: %v", id)
		}
		again := issued(t, x.refresh(t, c, k.Refresh))
		var info map[string]any
		call(t, http.MethodGet, x.url("/userinfo"), bearer(again.Access)).want(t, "200").read(t, &info)
		if info["sub"] != x.User.Subject {
			t.Errorf("UserInfo: %v", info)
		}
		first := begin()
		old := post.code(t, x.User.Subject)
		begin()
		x.challengeAt(t, c, "auth_session", begin(), "otp", old).want(t, "401 username_or_otp_invalid") // another exchange's
		x.challengeAt(t, c, "auth_session", first, "otp", old).want(t, "200")
		x.challengeAt(t, c, "acr_values", "otp", "username", "nobody", "use_auth_session", "true").want(t, "401 otp_required")
		post.deny = true
		x.challengeAt(t, c, "acr_values", "otp", "username", x.User.Username).want(t, "503 temporarily_unavailable")
	})
}

// Keys bind a challenge, its code and its tokens; a refresh after too long steps up with the same key, by what is missing.
func TestChallengeKeysAndStepUp(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		x.patch(t, levels)
		f := x.secure(t)
		c := x.firstParty(t, map[string]any{"token_endpoint_auth_method": "none", "application_type": "native", "redirect_uris": []string{"com.example.app:/cb"}, "authorization_challenge_error_style": "draft"})
		mine, theirs := newProver(t), newProver(t)
		at := x.Issuer + "/authorize-challenge"
		post := func(p *prover, pairs ...string) reply {
			t.Helper()
			parts := []part{form(append(pairs, "client_id", c.ID)...)}
			if p != nil {
				parts = append(parts, dpop(p.proof("POST", at)))
			}
			r := call(t, http.MethodPost, x.url("/authorize-challenge"), parts...)
			return r
		}
		type answer struct {
			Code     string `json:"authorization_code"`
			Session  string `json:"auth_session"`
			OTP      bool   `json:"otp_required"`
			Password bool   `json:"password_required"`
			URI      string `json:"request_uri"`
		}
		read := func(r reply) (a answer) {
			r.read(t, &a)
			secret(a.Code, a.Session)
			return a
		}
		pkce := []string{"code_challenge", s256(verifier), "code_challenge_method", "S256"}
		asked := read(post(mine, append(pkce, "scope", "openid", "username", x.User.Username, "password", x.User.Password, "use_auth_session", "true")...).want(t, "401 insufficient_authorization"))
		if !asked.OTP {
			t.Errorf("asked: %+v", asked)
		}
		post(nil, "auth_session", asked.Session, "otp", "000000").want(t, "400 invalid_dpop_proof")
		post(theirs, "auth_session", asked.Session, "otp", "000000").want(t, "400 invalid_dpop_proof")
		done := read(post(mine, "auth_session", asked.Session, "otp", f.next(t)).want(t, "200"))
		redeem := []string{"grant_type", "authorization_code", "code", done.Code, "code_verifier", verifier}
		x.token(t, c, redeem...).want(t, "400 invalid_dpop_proof")
		k := issued(t, mine.ask(t, x, c, "grant_type", "authorization_code", "code", done.Code, "code_verifier", verifier))
		x.patch(t, map[string]any{"challenge": map[string]any{"step_up_after": 60}})
		issued(t, mine.ask(t, x, c, "grant_type", "refresh_token", "refresh_token", k.Refresh)) // not yet
		up := read(post(mine, append(pkce, "auth_session", done.Session, "acr_values", "2")...).want(t, "401 insufficient_authorization"))
		if !up.OTP || up.Password {
			t.Errorf("a step-up asks for %+v", up)
		}
		post(theirs, "auth_session", up.Session, "otp", "000000").want(t, "400 invalid_dpop_proof")
		more := read(post(mine, "auth_session", up.Session, "otp", f.next(t)).want(t, "200"))
		k = issued(t, mine.ask(t, x, c, "grant_type", "authorization_code", "code", more.Code, "code_verifier", verifier))
		if _, id := claims(t, k.ID); id["acr"] != "2" || id["sub"] != x.User.Subject {
			t.Errorf("ID token: %v", id)
		}
	})
}

// The example of an app grows the second step without a change: it asks for what the server names.
func TestChallengeAppWithASecondFactor(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		app := built(t, "docs/examples/challenge-app")
		x := s.newTenant(t)
		c, f := x.firstParty(t, map[string]any{"token_endpoint_auth_method": "none", "application_type": "native", "redirect_uris": []string{"com.example.app:/cb"}}), x.secure(t)
		var out, said bytes.Buffer
		cmd := exec.Command(app, "-issuer", x.Issuer, "-client", c.ID)
		cmd.Env = x.at.environment()
		cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(strings.Join([]string{x.User.Username, x.User.Password, "000000", totpAt(t, f.secret, time.Now().Add(30*time.Second)), ""}, "\n")), &out, &said
		if err := cmd.Run(); err != nil {
			t.Fatal(err, said.String())
		}
		var info map[string]any
		if err := json.Unmarshal(out.Bytes(), &info); err != nil || info["sub"] != x.User.Subject {
			t.Errorf("got %v, %s", err, out.String())
		}
		if asked := said.String(); !slices.Equal([]int{strings.Count(asked, "otp: "), strings.Count(asked, "wrong")}, []int{2, 1}) {
			t.Errorf("the user saw: %s", asked)
		}
	})
}
