package device

import (
	"context"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/decoupled"
	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
)

func TestBegin(t *testing.T) {
	w := newWorld(t)
	a := w.begin("client_id=tv&scope=openid email phone&resource=https%3A%2F%2Fapi.example")
	if !regexp.MustCompile(`^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$`).MatchString(a.UserCode) || len(a.DeviceCode) != 64 {
		t.Errorf("codes are %q and %q", a.UserCode, a.DeviceCode)
	}
	if a.VerificationURI != "https://id.acme.example/device" || a.VerificationURIComplete != a.VerificationURI+"?user_code="+a.UserCode ||
		a.ExpiresIn != 10*time.Minute || a.Interval != 5*time.Second {
		t.Errorf("answered %+v", a)
	}
	for id, got := range w.store.rows {
		want := &decoupled.Authentication{ID: id, State: decoupled.Waiting, ClientID: "tv", Interval: 5 * time.Second, CreatedAt: noon, EndsAt: noon.Add(10 * time.Minute),
			Request: &request.Request{ClientID: "tv", Scope: oauth.Scope{"openid", "email"}, Narrowed: true, Resource: []string{"https://api.example"}}}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("stored: -want +got\n%s", d)
		}
	}
}

func TestVerificationPages(t *testing.T) {
	for _, tt := range []struct{ uri, complete, shown string }{
		{"https://as.example/device", "", "https://as.example/device?user_code="},
		{"https://as.example/device?x=1", "", "https://as.example/device?x=1&user_code="},
		{"https://as.example/device", "https://as.example/d/USER_CODE", "https://as.example/d/"},
	} {
		w := newWorld(t, func(s *tenant.Settings) {
			s.LoginURL, s.Device.VerificationURI, s.Device.VerificationURIComplete = "https://as.example/login", tt.uri, tt.complete
		})
		if a := w.begin(""); a.VerificationURI != tt.uri || a.VerificationURIComplete != tt.shown+a.UserCode {
			t.Errorf("%+v: %q and %q", tt, a.VerificationURI, a.VerificationURIComplete)
		}
	}
}

func TestBeginRefused(t *testing.T) {
	for _, tt := range []struct {
		rule, query string
		change      func(*world)
		err         string
	}{
		{"devices are off", "", func(w *world) { w.tenant.Settings.Device.Enabled = false }, "unauthorized_client: device authorization is turned off"},
		{"the tenant's users do not come to our pages", "", func(w *world) { w.tenant.Settings.LoginURL = "https://login.example" }, "unauthorized_client: device authorization is turned off"},
		{"the client has not the grant", "", func(w *world) { w.tv.GrantTypes = []string{oauth.RefreshToken} }, "unauthorized_client: the client may not use device authorization"},
		{"a parameter is repeated", "scope=openid&scope=email", nil, "invalid_request: a parameter is repeated"},
		{"a scope that the client may not ask for", "scope=phone", nil, "invalid_scope: the client may not ask for this scope"},
		{"a resource that is none", "resource=x", nil, "invalid_target: resource is not an absolute URI without fragment"},
		{"too many wait", "", func(w *world) {
			w.tenant.Settings.Device.UserCodeCharset = tenant.Numeric
			for i := range w.tenant.Settings.Device.MaxWaiting() {
				w.store.rows[strings.Repeat("x", i)] = nil
			}
		}, "slow_down: too many devices wait for their users, try again later"},
		{"the store is out of order", "", func(w *world) { w.store.down = errDown }, "out of order"},
		{"hardly a code is free", "", func(w *world) { w.store.taken = attempts }, "temporarily_unavailable: The service is temporarily unavailable"},
		{"a code that is taken is not told", "", func(w *world) { w.store.taken = attempts - 1 }, ""},
	} {
		w := newWorld(t)
		if tt.change != nil {
			tt.change(w)
		}
		_, err := w.Begin(context.Background(), w.tenant, w.tv, request.Parse(tt.query))
		w.says(tt.rule, err, tt.err)
	}
}

func TestUserCodes(t *testing.T) {
	for _, tt := range []struct {
		settings tenant.DeviceSettings
		form     string
	}{
		{tenant.DeviceSettings{UserCodeCharset: "numeric"}, `^\d{3}-\d{3}-\d{3}$`},
		{tenant.DeviceSettings{UserCodeMask: "*** *** *** ***"}, `^([BCDFGHJKLMNPQRSTVWXZ]{3} ){3}[BCDFGHJKLMNPQRSTVWXZ]{3}$`},
	} {
		tt.settings.Enabled = true
		w := newWorld(t, func(s *tenant.Settings) { s.Device = tt.settings })
		a := w.begin("")
		u, err := url.Parse(a.VerificationURIComplete)
		if err != nil || u.Query().Get("user_code") != a.UserCode || !regexp.MustCompile(tt.form).MatchString(a.UserCode) {
			t.Errorf("%q in %q", a.UserCode, a.VerificationURIComplete)
		}
	}
	// Every character is as likely: bytes that would favour the first are thrown away.
	d := &tenant.DeviceSettings{}
	if got := newUserCode(strings.NewReader("\xff\xf0\xef\x00\x13\x14\x01\x02\x03\x04"), d); got != "ZBZB-CDFG" {
		t.Errorf("bytes become %q", got)
	}
}

func TestWritten(t *testing.T) {
	for entered, want := range map[string]string{"wdjbmjht": "WDJB-MJHT", "WDJB-MJHT": "WDJB-MJHT", "w d j b m j h t": "WDJB-MJHT", "wdjb": "wdjb", "": ""} {
		if got := Written(&tenant.DeviceSettings{}, entered); got != want {
			t.Errorf("%q is written %q", entered, got)
		}
	}
}

func TestVerify(t *testing.T) {
	const unknown = "invalid_request: the user code is unknown, expired or already used"
	for _, tt := range []struct {
		rule   string
		change func(w *world, code string) string
		err    string
		is     error
	}{
		{"a code as it is shown", func(_ *world, code string) string { return code }, "", nil},
		{"in lower case and without hyphen", func(_ *world, code string) string { return strings.ToLower(strings.ReplaceAll(code, "-", "")) }, "", nil},
		{"with spaces, dots and dashes", func(_ *world, code string) string { return " " + strings.ReplaceAll(code, "-", ".–—_ ") + "\n" }, "", nil},
		{"less is another", func(_ *world, code string) string { return code[1:] }, unknown, ErrUnknown},
		{"more is another", func(_ *world, code string) string { return code + "B" }, unknown, ErrUnknown},
		{"letters of other scripts are not overlooked", func(_ *world, code string) string { return code + "а" }, unknown, ErrUnknown},
		{"nothing is none", func(*world, string) string { return "" }, unknown, ErrUnknown},
		{"one that has expired", func(w *world, code string) string { w.now = noon.Add(10 * time.Minute); return code }, unknown, ErrExpired},
		{"one that was answered", func(w *world, code string) string {
			w.answer(decoupled.Completion{Result: decoupled.AccessDenied})
			return code
		}, unknown, ErrUnknown},
		{"of a client that is gone", func(w *world, code string) string { clear(w.tenant.Clients.(registry)); return code }, unknown, ErrUnknown},
		{"of another tenant", func(w *world, code string) string { w.tenant.Secret = newWorld(w.T).tenant.Secret; return code }, unknown, ErrUnknown},
		{"the store is out of order", func(w *world, code string) string { w.store.down = errDown; return code }, "out of order", errDown},
	} {
		w := newWorld(t)
		code := tt.change(w, w.begin("scope=openid").UserCode)
		p, err := w.Verify(context.Background(), w.tenant, code, Guess{Address: "192.0.2.1", Subject: "alice"})
		w.says(tt.rule, err, tt.err)
		if tt.is != nil && !errors.Is(err, tt.is) || Expired(err) != (tt.is == error(ErrExpired)) {
			t.Errorf("%s: %v is not %v", tt.rule, err, tt.is)
		}
		if err == nil && (p.Client != w.tv || p.State != decoupled.Waiting) {
			t.Errorf("%s: found %+v", tt.rule, p)
		}
		counted := []string{"user_code//192.0.2.1", "user_code of account/alice/"}
		failed, right := w.limit.failed, w.limit.right
		switch {
		case err == nil && (cmp.Diff(counted, right) != "" || failed != nil),
			strings.HasPrefix(tt.err, "invalid") && (cmp.Diff(counted, failed) != "" || right != nil),
			errors.Is(err, errDown) && (failed != nil || right != nil):
			t.Errorf("%s: counted as wrong %q, as right %q", tt.rule, failed, right)
		}
	}
}

func TestGuessesAreLimited(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		blocked []string
		guess   Guess
		err     string
	}{
		{"by source", []string{"user_code//192.0.2.1"}, Guess{Address: "192.0.2.1", Subject: "alice"}, "slow_down: Too many wrong codes, try again later"},
		{"by account", []string{"user_code of account/alice/"}, Guess{Address: "192.0.2.1", Subject: "alice"}, "slow_down: Too many wrong codes, try again later"},
		{"not who acts for the tenant", []string{"user_code//", "user_code of account//"}, Guess{}, ""},
	} {
		w := newWorld(t)
		code := w.begin("").UserCode
		w.limit.blocked = tt.blocked
		_, err := w.Verify(context.Background(), w.tenant, code, tt.guess)
		w.says(tt.rule, err, tt.err)
		if tt.err != "" && oauth.RetryAfter(err) != time.Minute {
			t.Errorf("%s: wait %v", tt.rule, oauth.RetryAfter(err))
		}
	}
}

// answer completes the one authorization that there is.
func (w *world) answer(c decoupled.Completion) {
	w.Helper()
	for _, a := range w.store.rows {
		if err := w.Flow().Complete(context.Background(), w.tenant, &decoupled.Pending{Authentication: *a, Client: w.tv}, c); err != nil {
			w.Fatal(err)
		}
	}
}

func TestAnswers(t *testing.T) {
	yes := decoupled.Completion{Result: decoupled.Authorized, Subject: "alice", AuthTime: noon, AMR: []string{"pwd"}, Address: "192.0.2.1"}
	const invalid = "invalid_grant: device_code is invalid or already used"
	for _, tt := range []struct {
		rule   string
		change func(w *world, a *Authorization)
		err    string
	}{
		{"the user has not answered", func(*world, *Authorization) {}, "authorization_pending: the user has not answered yet"},
		{"the user has agreed", func(w *world, _ *Authorization) { w.answer(yes) }, ""},
		{"the user has denied", func(w *world, _ *Authorization) { w.answer(decoupled.Completion{Result: decoupled.AccessDenied}) }, "access_denied: the user denied the request"},
		{"the time is over", func(w *world, _ *Authorization) { w.answer(yes); w.now = noon.Add(10 * time.Minute) }, "expired_token: device_code has expired"},
		{"another client's", func(w *world, _ *Authorization) { w.answer(yes); w.tv = &tenant.Client{ID: "thief"} }, invalid},
		{"a user code is no device code", func(_ *world, a *Authorization) { a.DeviceCode = a.UserCode }, invalid},
		{"another tenant's", func(w *world, _ *Authorization) { w.tenant.Secret = newWorld(w.T).tenant.Secret }, invalid},
	} {
		w := newWorld(t)
		a := w.begin("scope=openid email")
		tt.change(w, &a)
		_, err := w.Flow().Poll(context.Background(), w.tenant, w.tv, a.DeviceCode)
		w.says(tt.rule, err, tt.err)
	}
}

func TestWhatIsGranted(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		scope   string
		idToken bool
	}{
		{"an ID token for who asks by openid", "openid email", true},
		{"and for nobody else", "email", false},
	} {
		w := newWorld(t)
		a := w.begin("scope=" + url.QueryEscape(tt.scope))
		w.answer(decoupled.Completion{Result: decoupled.Authorized, Subject: "alice", AuthTime: noon, AMR: []string{"pwd"}, Address: "192.0.2.1"})
		for id, got := range w.store.grants {
			scope, _ := oauth.ParseScope(tt.scope)
			want := &grant.Grant{ID: id, Subject: "alice", ClientID: "tv", CreatedAt: noon, ExpiresAt: noon.Add(10 * time.Minute),
				Code: &grant.CodeState{Hash: grant.Hash(a.DeviceCode), ExpiresAt: noon.Add(10 * time.Minute)},
				Terms: grant.Terms{Scope: scope, Claims: []string{"email", "email_verified"}, IDToken: grant.IDTerms{Issue: tt.idToken}, RefreshToken: grant.RefreshTerms{Issue: true}, GrantType: oauth.DeviceCode,
					Login: grant.Login{AuthTime: noon.Unix(), TellAuthTime: true, AMR: []string{"pwd"}}}}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: -want +got\n%s", tt.rule, d)
			}
			event := []audit.Event{{At: noon, Kind: audit.GrantIssued, Subject: "alice", ClientID: "tv", Grant: id, Address: "192.0.2.1",
				Detail: map[string]string{"grant": oauth.DeviceCode, "scope": tt.scope}}}
			if d := cmp.Diff(event, w.store.events); d != "" {
				t.Errorf("%s: -want +got\n%s", tt.rule, d)
			}
		}
		if len(w.store.grants) != 1 {
			t.Errorf("%s: %d grants", tt.rule, len(w.store.grants))
		}
	}
}

func FuzzBare(f *testing.F) {
	f.Add("wdjb-mjht")
	f.Add(strings.Repeat("é", 300))
	f.Fuzz(func(t *testing.T, entered string) {
		if b := bare(entered); bare(b) != b && len(b) < maxEntered {
			t.Errorf("%q becomes %q, and that %q", entered, b, bare(b))
		}
	})
}
