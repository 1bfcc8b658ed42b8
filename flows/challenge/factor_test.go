package challenge

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/flows/proof"
	"github.com/chancery-id/chancery/flows/request"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// secured is open where alice has a TOTP.
func secured(t *testing.T) *house {
	h := open(t)
	h.people.totp["alice"] = true
	return h
}

func TestASecondFactor(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		calls []string // after an auth_session was asked for with the first; the last one's answer is
		want  string
	}{
		{"all at once", []string{"username=alice&password=ecila&otp=111111"}, "code"},
		{"one after the other", []string{"use_auth_session=true", "username=alice", "password=ecila", "otp=111111"}, "code"},
		{"where no session was asked for", []string{"username=alice&password=ecila", "otp=111111"}, "code"},
		{"not without the code", []string{"username=alice&password=ecila"}, "otp_required +"},
		{"not without the password", []string{"use_auth_session=true&username=alice&otp=111111"}, "password_required +"},
		{"not with a wrong password", []string{"use_auth_session=true&username=alice&password=x&otp=111111"}, "username_or_password_invalid +"},
		{"not with a wrong code", []string{"username=alice&password=ecila", "otp=000000"}, "otp_invalid +"},
		{"the right one after a wrong one", []string{"username=alice&password=ecila", "otp=000000", "otp=111111"}, "code"},
		{"not by another user's password", []string{"username=alice&password=ecila", "username=eve&otp=111111"}, "password_required +"},
		{"the same user again", []string{"username=alice&password=ecila", "username=alice&otp=111111"}, "code"},
		{"a user without one", []string{"username=eve&password=eve"}, "code"},
	} {
		h := secured(t)
		session, said1 := "", ""
		for _, call := range tt.calls {
			if session != "" {
				call += "&auth_session=" + session
			}
			a, err := h.as("app", call)
			session, said1 = a.AuthSession, said(a, err)
		}
		if said1 != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, said1, tt.want)
		}
		for _, g := range h.grants() {
			if two := slices.Equal(g.Terms.Login.AMR, []string{"pwd", "otp"}); two != (g.Subject == "sub-of-alice") {
				t.Errorf("%s: %s by %v", tt.rule, g.Subject, g.Terms.Login.AMR)
			}
		}
		if strings.Contains(h.stored(), "111111") || strings.Contains(h.stored(), "ecila") {
			t.Errorf("%s: a secret is kept", tt.rule)
		}
	}
}

// The password does not count for ever while the code is awaited.
func TestTheFirstFactorIsForgotten(t *testing.T) {
	h := secured(t)
	s := h.asks("username=alice&password=ecila", "otp_required")
	h.now = noon.Add((longestPause + 1) * time.Second)
	h.asks("otp=111111&auth_session="+s, "password_required")
}

func TestFewWrongCodes(t *testing.T) {
	h := secured(t)
	s := h.asks("username=alice&password=ecila", "otp_required")
	for range maxWrong {
		s = h.asks("otp=000000&auth_session="+s, "otp_invalid")
	}
	if s != "" || len(h.store.interactions) != 0 {
		t.Error("the last wrong code leaves an auth_session")
	}
}

func TestStepUp(t *testing.T) {
	begun := func(t *testing.T, two bool) (*house, string) {
		h := secured(t)
		h.people.totp["alice"] = two
		s := h.begin()
		query := "password=ecila&auth_session=" + s
		if two {
			query += "&otp=111111"
		}
		if a, err := h.as("app", query); said(a, err) != "code" {
			t.Fatal(a, err)
		}
		h.people.totp["alice"], h.people.used = true, false
		h.t.Settings.Authentication = tenant.AuthenticationSettings{PasswordACR: []string{"1"}, OTPACR: []string{"2"}}
		h.now = noon.Add(time.Minute)
		return h, s
	}
	for _, tt := range []struct {
		rule  string
		two   bool // both factors were proved before
		query string
		want  string
	}{
		{"what is missing alone is asked for", false, "acr_values=2", "otp_required +"},
		{"and is enough", false, "acr_values=2&otp=111111", "code"},
		{"the call that got the code is over", false, "password=ecila", said(Answer{}, errSession)},
		{"nothing is got for nothing", true, "scope=openid", "otp_required +"},
		{"a code is enough where both are fresh", true, "otp=111111", "code"},
		{"all of it where that was too long ago", true, "max_age=59&otp=111111", "password_required +"},
		{"and is enough again", true, "max_age=59&password=ecila&otp=111111", "code"},
		{"all of it where the client says so", true, "prompt=login&otp=111111", "password_required +"},
		{"its user is known", true, "max_age=59&username=eve&password=eve", "username_or_password_invalid +"},
		{"a wrong code", true, "otp=000000", "otp_invalid +"},
		{"an unknown acr is no obstacle", true, "acr_values=9&otp=111111", "code"},
		{"what is demanded and cannot be", true, `claims={"id_token":{"acr":{"essential":true,"value":"9"}}}&otp=111111`,
			"unmet_authentication_requirements: no authentication here reaches an acr that the request demands"},
	} {
		h, s := begun(t, tt.two)
		a, err := h.as("app", tt.query+"&auth_session="+s)
		if got := said(a, err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
		if gs := h.grants(); tt.want == "code" && (len(gs) != 2 || gs[1].Subject != "sub-of-alice" || gs[1].Terms.Login.ACR != "2" || gs[1].Terms.Login.AuthTime != h.now.Unix() ||
			gs[1].Terms.Scope.String() != "openid" || gs[1].Terms.Login.Nonce != "") {
			t.Errorf("%s: %+v", tt.rule, gs[len(gs)-1])
		}
	}
	h, s := begun(t, true)
	h.grants()[0].RevokedAt = noon
	if a, err := h.as("app", "otp=111111&auth_session="+s); !errors.Is(err, errSession) {
		t.Errorf("what was revoked: %+v, %v", a, err)
	}
	h, s = begun(t, true)
	if a, err := h.as("other", "otp=111111&auth_session="+s); !errors.Is(err, errSession) {
		t.Errorf("another client: %+v, %v", a, err)
	}
	h, s = begun(t, true)
	h.Decider = step(func(in Input) (Verdict, error) { return Verdict{Outcome: Allow, Subject: "carol"}, nil })
	if a, err := h.as("app", "auth_session="+s); said(a, err) != "login_required: the auth_session is another subject's" {
		t.Errorf("another subject: %+v, %v", a, err)
	}
	h, s = begun(t, true)
	h.t.Settings.Challenge.StepUpAfter = 60
	h.now = noon.Add(2 * time.Minute)
	h.asks("otp=111111&auth_session="+s, "password_required")
}

// A session that was made for a step-up knows client, subject and key.
func TestReopened(t *testing.T) {
	h := secured(t)
	if a, err := h.as("app", "scope=openid&username=alice&password=ecila&otp=111111"); said(a, err) != "code" {
		t.Fatal(a, err)
	}
	h.people.used = false
	g := h.grants()[0]
	s, err := h.Reopen(context.Background(), h.t, g, oauth.Confirmation{})
	if err != nil || len(s) != handleSize {
		t.Fatal(s, err)
	}
	if a, err := h.as("app", "otp=111111&auth_session="+s); said(a, err) != "code" {
		t.Error(a, err)
	}
	bound, err := h.Reopen(context.Background(), h.t, g, oauth.Confirmation{JKT: "key"})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := h.as("app", "otp=111111&auth_session="+bound); !errors.Is(err, errNoKey) {
		t.Error(a, err)
	}
}

// proofs says that a proof is its own key.
type proofs struct{}

func (proofs) Check(_ context.Context, _ *tenant.Tenant, r proof.Request) (oauth.Confirmation, error) {
	switch {
	case len(r.Proofs) == 0:
		return oauth.Confirmation{}, nil
	case r.Proofs[0] == "bad":
		return oauth.Confirmation{}, oauth.InvalidDPoPProof("")
	}
	return oauth.Confirmation{JKT: r.Proofs[0]}, nil
}

// Thumbprints of keys.
const (
	mine   = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	theirs = "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"
)

func TestKeys(t *testing.T) {
	for _, tt := range []struct {
		rule                 string
		first, second        string // proofs
		firstSays, secondSay string
		want, bound          string
	}{
		{"none", "", "", "", "", "code", ""},
		{"the same", mine, mine, "", "", "code", mine},
		{"no longer", mine, "", "", "", said(Answer{}, errNoKey), ""},
		{"another", mine, theirs, "", "", said(Answer{}, errOtherKey), ""},
		{"only later", "", mine, "", "", "code", mine},
		{"announced, and proved later", "", mine, "&dpop_jkt=" + mine, "", "code", mine},
		{"announced, and never proved", "", "", "&dpop_jkt=" + mine, "", "code", mine},
		{"announced, and another proved", "", theirs, "&dpop_jkt=" + mine, "", said(Answer{}, errOtherKey), ""},
		{"proved, and another announced", mine, mine, "", "&dpop_jkt=" + theirs, said(Answer{}, errUnlikeJKT), ""},
		{"one that is bad", mine, "bad", "", "", "invalid_dpop_proof", ""},
	} {
		h := open(t)
		h.Proofs = proofs{}
		h.proof = tt.first
		s := h.asks("scope=openid&use_auth_session=true&username=alice"+tt.firstSays, "password_required")
		h.proof = tt.second
		a, err := h.as("app", "password=ecila&auth_session="+s+tt.secondSay)
		if got := said(a, err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
		if gs := h.grants(); len(gs) > 0 && gs[0].Terms.DPoPJKT != tt.bound {
			t.Errorf("%s: the code is bound to %q", tt.rule, gs[0].Terms.DPoPJKT)
		}
	}
}

func TestCertificates(t *testing.T) {
	one, two := certificate(t, 1), certificate(t, 2)
	for _, tt := range []struct {
		rule          string
		bound         bool // the client registered its tokens to be bound
		first, second *keys.Certificate
		want          string
	}{
		{"the same", true, one, one, "code"},
		{"another", true, one, two, said(Answer{}, errCertificate)},
		{"no longer", true, one, nil, said(Answer{}, errCertificate)},
		{"that mean nothing", false, one, two, "code"},
	} {
		h := open(t)
		c, _ := h.t.Clients.Client(context.Background(), "app")
		c.CertificateBound = tt.bound
		h.certificate = tt.first
		s := h.asks("scope=openid&use_auth_session=true&username=alice", "password_required")
		h.certificate = tt.second
		a, err := h.as("app", "password=ecila&auth_session="+s)
		if got := said(a, err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
		if gs := h.grants(); len(gs) > 0 && (gs[0].Terms.X5T != "") != tt.bound {
			t.Errorf("%s: the code is bound to %q", tt.rule, gs[0].Terms.X5T)
		}
	}
}

// The step of codes does not tell who is a user.
func TestCodesForOneUse(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		calls []string
		want  string
		sent  int
	}{
		{"a code that is sent", []string{"username=eve", "otp=222222"}, "username_or_otp_invalid +", 0},
		{"to a user", []string{"username=alice", "otp=222222"}, "code", 1},
		{"once", []string{"username=alice", "otp=333333", "otp=222222"}, "code", 1},
		{"a wrong one", []string{"username=alice", "otp=333333"}, "username_or_otp_invalid +", 1},
		{"of a TOTP", []string{"username=carol", "otp=111111"}, "username_or_otp_invalid +", 0},
		{"of nobody", []string{"username=nobody", "otp=222222"}, "username_or_otp_invalid +", 0},
		{"of somebody disabled", []string{"username=bob", "otp=222222"}, "username_or_otp_invalid +", 0},
		{"no user name", []string{"use_auth_session=true"}, "username_required +", 0},
	} {
		h := open(t)
		h.t.Settings.Challenge.Steps = map[string]string{"otp": tenant.StepOTP}
		h.Decider = &Choice{Steps: map[string]Decider{tenant.StepOTP: &OTP{Accounts: h.people}, tenant.StepPassword: &Password{Accounts: h.people}}}
		session, last := "", ""
		for _, call := range tt.calls {
			if session != "" {
				call += "&auth_session=" + session
			} else {
				call += "&acr_values=nothing+otp"
			}
			a, err := h.as("app", call)
			session, last = a.AuthSession, said(a, err)
		}
		if last != tt.want || len(h.people.sent) != tt.sent {
			t.Errorf("%s: got %s, want %s; %d sent", tt.rule, last, tt.want, len(h.people.sent))
		}
		if gs := h.grants(); len(gs) > 0 && (gs[0].Terms.Login.ACR != "otp" || !slices.Equal(gs[0].Terms.Login.AMR, []string{"otp"})) {
			t.Errorf("%s: %+v", tt.rule, gs[0].Terms.Login)
		}
	}
	h := open(t)
	h.people.totp["alice"] = true
	h.Decider = &OTP{Accounts: h.people}
	s := h.asks("username=alice", "otp_required")
	if a, err := h.as("app", "otp=111111&auth_session="+s); said(a, err) != "code" || len(h.people.sent) != 0 {
		t.Error(a, err, h.people.sent)
	}
}

func TestWhatChoosesAStep(t *testing.T) {
	ours := func(name string) Decider {
		return step(func(in Input) (Verdict, error) { return Verdict{Outcome: Ask, Code: name + "-" + in.ACR}, nil })
	}
	for _, tt := range []struct{ rule, query, want string }{
		{"nothing", "", "password-default_challenge"},
		{"an acr that is unknown", "acr_values=x", "password-default_challenge"},
		{"the first that is known", "acr_values=x+mine+two", "script-mine"},
		{"what is demanded first", `acr_values=two&claims={"id_token":{"acr":{"essential":true,"value":"mine"}}}`, "script-mine"},
		{"one that is built in", "acr_values=two", "otp-two"},
		{"one that there is not", "acr_values=gone", "server_error"},
	} {
		h := open(t)
		h.t.Settings.Challenge.Steps = map[string]string{"mine": "script", "two": "otp", "gone": "gone"}
		h.Decider = &Choice{Steps: map[string]Decider{"password": ours("password"), "otp": ours("otp")}, Own: func(name string) Decider {
			if name == "script" {
				return ours(name)
			}
			return nil
		}}
		a, err := h.as("app", tt.query)
		if got := said(a, err); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.rule, got, tt.want)
		}
	}
}

func TestWhatAStepMayGive(t *testing.T) {
	h := open(t)
	less, more := oauth.Scope{"openid"}, oauth.Scope{"openid", "email"}
	says := Verdict{Outcome: Allow, Subject: "carol", Scope: &less, Claims: map[string]json.RawMessage{"role": json.RawMessage(`"boss"`)}}
	h.Decider = step(func(Input) (Verdict, error) { return says, nil })
	if a, err := h.as("app", "scope=openid+email"); said(a, err) != "code" {
		t.Fatal(a, err)
	}
	if terms := h.grants()[0].Terms; terms.Scope.String() != "openid" || string(terms.PresetIDToken["role"]) != `"boss"` || string(terms.PresetUserInfo["role"]) != `"boss"` {
		t.Errorf("%+v", terms)
	}
	says.Scope = &more
	if a, err := h.as("app", "scope=openid"); said(a, err) != "server_error" {
		t.Error("more than was asked for:", a, err)
	}
	says.Scope, says.Claims = nil, map[string]json.RawMessage{"sub": json.RawMessage(`"x"`)}
	if a, err := h.as("app", "scope=openid"); said(a, err) == "code" {
		t.Error("a claim that is the server's:", a, err)
	}
}

// pushes is a store of pushed requests.
type pushes struct {
	request.Store
	got []request.PushedRequest
	err error
}

func (p *pushes) Push(_ context.Context, _ tenant.ID, r request.PushedRequest) error {
	p.got = append(p.got, r)
	return p.err
}

func TestToTheWeb(t *testing.T) {
	const pkce = "&code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
	for _, tt := range []struct {
		rule, query string
		uris        []string
		pushed      bool
	}{
		{"with the one redirect URI", pkce, []string{"https://app.example/cb"}, true},
		{"with one of two", pkce + "&redirect_uri=https://app.example/2", []string{"https://app.example/cb", "https://app.example/2"}, true},
		{"without a code challenge", "", []string{"https://app.example/cb"}, false},
		{"which of two is not known", pkce, []string{"https://app.example/cb", "https://app.example/2"}, false},
		{"a foreign one", pkce + "&redirect_uri=https://evil.example/", []string{"https://app.example/cb"}, false},
		{"none", pkce, nil, false},
	} {
		for _, says := range []Verdict{{Outcome: Web}, {Outcome: Deny, Code: RedirectToWeb}} {
			h := open(t)
			store := &pushes{}
			h.Requests.Store, h.Requests.Rand, h.Requests.Now = store, h.Rand, h.Now
			c, _ := h.t.Clients.Client(context.Background(), "app")
			c.RedirectURIs = tt.uris
			s := h.asks("scope=openid&state=st&nonce=n&use_auth_session=true&username=alice"+tt.query, "password_required")
			h.Decider = step(func(Input) (Verdict, error) { return says, nil })
			query := "auth_session=" + s
			if _, uri, ok := strings.Cut(tt.query, "&redirect_uri="); ok {
				query += "&redirect_uri=" + uri
			}
			a, err := h.as("app", query)
			if err != nil || a.Web == nil || a.Error != "" || a.Code != "" || (a.Web.RequestURI != "") != tt.pushed || (a.Web.ExpiresIn > 0) != tt.pushed {
				t.Errorf("%s: %+v, %v", tt.rule, a, err)
			}
			if tt.pushed && (len(store.got) != 1 || store.got[0].Params.Get("nonce") != "n" || store.got[0].Params.Get("code_challenge") == "" || store.got[0].Params.Get("scope") != "openid") {
				t.Errorf("%s: pushed %+v", tt.rule, store.got)
			}
			if len(h.store.interactions) != 0 {
				t.Errorf("%s: the auth_session goes on", tt.rule)
			}
		}
	}
}

// counted is a limiter that blocks after a number of wrong guesses.
type counted struct{ wrong, most int }

func (c *counted) Blocked(_ context.Context, _ tenant.ID, _, key, _ string) (time.Duration, bool) {
	return time.Minute, key == "app" && c.wrong >= c.most
}

func (c *counted) Fail(context.Context, tenant.ID, string, string, string) { c.wrong++ }

func TestClientsThatGuessAreLimited(t *testing.T) {
	h := open(t)
	h.Limit = &counted{most: 2}
	for range 2 {
		h.asks("username=alice&password=wrong", "username_or_password_invalid")
	}
	a, err := h.as("app", "username=alice&password=ecila")
	if !errors.Is(err, oauth.SlowDown("")) || oauth.RetryAfter(err) != time.Minute || h.people.checks != 2 {
		t.Error(a, err)
	}
	if a, err := h.as("other", "username=alice&password=ecila"); said(a, err) != "code" {
		t.Error("another client:", a, err)
	}
}

// In the style of the draft what stays is told with the code, also of an exchange in one call.
func TestTheDraftsStyle(t *testing.T) {
	h := secured(t)
	c, _ := h.t.Clients.Client(context.Background(), "app")
	c.ChallengeErrorStyle = oauth.StyleDraft
	a, err := h.as("app", "scope=openid&use_auth_session=true&username=alice&password=ecila&otp=111111")
	if err != nil || a.Code == "" || a.AuthSession == "" || a.Style != oauth.StyleDraft {
		t.Fatal(a, err)
	}
	h.people.used = false
	b, err := h.as("app", "otp=111111&auth_session="+a.AuthSession)
	if err != nil || b.Code == "" || b.AuthSession == "" {
		t.Error(b, err)
	}
	if a, err := h.as("app", "scope=openid&username=eve&password=eve"); said(a, err) != "code" {
		t.Error("nobody asked for a session:", a, err)
	}
}

// certificate is one of a new key.
func certificate(t *testing.T, serial byte) *keys.Certificate {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(int64(serial)), NotBefore: noon, NotAfter: noon.Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := keys.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
