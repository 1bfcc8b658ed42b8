package login

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// secured is a world where alice has a TOTP.
func secured(t *testing.T) *world {
	w := newWorld(t, false)
	w.people.totp = map[string]bool{"sub-alice": true}
	w.people.next = "111111"
	return w
}

// code answers the page that asks for one.
func (b *browser) code(s screen, code string) screen {
	b.w.t.Helper()
	return b.press(s, "code", url.Values{"proof": {s.field("proof")}, "otp": {code}})
}

func TestASecondStep(t *testing.T) {
	w := secured(t)
	w.tenants[acme].Settings.Authentication = tenant.AuthenticationSettings{PasswordACR: []string{"1"}, OTPACR: []string{"2"}}
	b := w.browser()
	s := b.signIn(b.begin(acme, nil), "alice", "right")
	if s.heading() != "Enter your code" || b.cookie("chy-s-acme") != "" || len(w.store.live(acme)) != 0 {
		t.Fatalf("a password leads to %q", s.heading())
	}
	for _, wrong := range []string{"", "000000"} {
		if s = b.code(s, wrong); s.heading() != "Enter your code" || !strings.Contains(s.html, `role="alert"`) || len(w.store.live(acme)) != 0 {
			t.Fatalf("%q leads to %q", wrong, s.heading())
		}
	}
	w.clock.pass(time.Minute)
	s = b.code(s, "111111")
	if s.heading() != "Allow Ledger to use your account?" {
		t.Fatalf("the code leads to %q", s.heading())
	}
	b.press(s, "allow", nil)
	g := w.store.grants[0]
	if g.Subject != "sub-alice" || !slices.Equal(g.Terms.Login.AMR, []string{"pwd", "otp"}) || g.Terms.Login.ACR != "2" || g.Terms.Login.AuthTime != w.clock.Now().Add(-time.Minute).Unix() {
		t.Errorf("%+v", g.Terms.Login)
	}
	// What is weaker is reached as well, and told so.
	s = b.begin(acme, url.Values{"claims": {`{"id_token":{"acr":{"essential":true,"value":"1"}}}`}})
	if s.query().Get("code") == "" || w.store.grants[1].Terms.Login.ACR != "1" {
		t.Errorf("what is weaker leads to %d %q, %+v", s.StatusCode, s.heading(), w.store.grants)
	}
}

// Without a second factor nothing else is asked, and what a password does not reach is refused.
func TestLevels(t *testing.T) {
	for _, tt := range []struct {
		rule, user, acr string
		code            bool
		want            string // acr, or error
	}{
		{"a password", "bob", "1", false, "1"},
		{"more than a user can do", "bob", "2", false, "unmet_authentication_requirements"},
		{"more, of a user who can", "alice", "2", true, "2"},
		{"less than a user does", "alice", "1", true, "1"},
		{"what nobody reaches", "", "9", false, "unmet_authentication_requirements"},
	} {
		w := secured(t)
		w.tenants[acme].Settings.Authentication = tenant.AuthenticationSettings{PasswordACR: []string{"1"}, OTPACR: []string{"2"}}
		b := w.browser()
		s := b.begin(acme, url.Values{"claims": {`{"id_token":{"acr":{"essential":true,"value":"` + tt.acr + `"}}}`}})
		if tt.user != "" {
			s = b.signIn(s, tt.user, "right")
		}
		if tt.code {
			s = b.code(s, "111111")
		}
		if s.StatusCode == http.StatusOK {
			s = b.press(s, "allow", nil)
		}
		got := s.query().Get("error")
		if len(w.store.grants) > 0 {
			got = w.store.grants[0].Terms.Login.ACR
		}
		if got != tt.want {
			t.Errorf("%s: got %q, %d %q", tt.rule, got, s.StatusCode, s.heading())
		}
	}
}

// Whoever is signed in by a password is asked for what is missing alone.
func TestStepUpAsksForTheCode(t *testing.T) {
	w := secured(t)
	w.tenants[acme].Settings.Authentication = tenant.AuthenticationSettings{OTPACR: []string{"2"}}
	w.people.totp = nil
	b := w.browser()
	b.press(b.signIn(b.begin(acme, nil), "alice", "right"), "allow", nil)
	if s := b.begin(acme, url.Values{"acr_values": {"2"}}); s.heading() != "Sign in" {
		t.Errorf("without a second factor: %q", s.heading())
	}
	w.people.totp = map[string]bool{"sub-alice": true}
	signed := w.clock.Now()
	w.clock.pass(time.Minute)
	for _, params := range []url.Values{{"acr_values": {"2"}, "prompt": {"login"}}, {"acr_values": {"2"}, "max_age": {"30"}}, {"acr_values": {"9"}}} {
		if s := b.begin(acme, params); s.heading() != "Sign in" {
			t.Errorf("%v leads to %q", params, s.heading())
		}
	}
	s := b.begin(acme, url.Values{"acr_values": {"2"}})
	if s.heading() != "Enter your code" {
		t.Fatalf("it leads to %q", s.heading())
	}
	if other := w.browser(); other.press(s, "code", url.Values{"proof": {s.field("proof")}, "otp": {"111111"}}).query().Get("code") != "" {
		t.Error("another browser goes on")
	}
	s = b.code(s, "111111")
	if s.query().Get("code") == "" {
		t.Fatalf("the code leads to %d %q", s.StatusCode, s.heading())
	}
	l := w.store.grants[len(w.store.grants)-1].Terms.Login
	if l.ACR != "2" || !slices.Equal(l.AMR, []string{"pwd", "otp"}) || l.AuthTime != signed.Unix() {
		t.Errorf("%+v", l)
	}
	if len(w.store.live(acme)) != 1 {
		t.Errorf("%d sessions", len(w.store.live(acme)))
	}
}

// The proof of a password is good for one browser, one request, and a while.
func TestTheProofOfAPassword(t *testing.T) {
	w := secured(t)
	b := w.browser()
	asked := b.signIn(b.begin(acme, nil), "alice", "right")
	another := b.begin(acme, url.Values{"state": {"s-2"}})
	for rule, got := range map[string]screen{
		"another request":  b.press(another, "code", url.Values{"proof": {asked.field("proof")}, "otp": {"111111"}}),
		"one that is bent": b.press(asked, "code", url.Values{"proof": {strings.Replace(asked.field("proof"), "sub-alice", "sub-bob", 1)}, "otp": {"111111"}}),
		"none":             b.press(asked, "code", url.Values{"otp": {"111111"}}),
	} {
		if got.heading() != "Sign in" || len(w.store.live(acme)) != 0 {
			t.Errorf("%s leads to %q", rule, got.heading())
		}
	}
	w.clock.pass(proofLife + time.Second)
	if s := b.code(asked, "111111"); s.heading() != "Sign in" || !strings.Contains(words(s.html), "took too long") {
		t.Errorf("too late leads to %q", s.heading())
	}
}

func FuzzCheckFirst(f *testing.F) {
	secret, err := keys.NewSecret(make([]byte, 32))
	if err != nil {
		f.Fatal(err)
	}
	w, now := &tenant.Tenant{ID: acme, Secret: secret}, time.Unix(1_800_000_000, 0)
	good := first{"alice", now}.proof(w, "binding", "about", now)
	for _, s := range []string{good, "", ".", "..", "AAAA.1.2.x", strings.Repeat(".", 100)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if _, ok := checkFirst(w, s, "binding", "about", now); ok && s != good {
			t.Errorf("%q is a proof", s)
		}
	})
}
