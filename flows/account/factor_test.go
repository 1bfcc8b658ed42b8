package account

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// pockets is a Factors for one tenant.
type pockets struct {
	mu       sync.Mutex
	totps    map[string]TOTP
	recovery map[string]bool
	codes    map[string]*OneTimeCode
	tried    map[string]int
	events   []audit.Event
	broken   error
}

func (p *pockets) TOTP(_ context.Context, _ tenant.ID, sub string) (*TOTP, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, ok := p.totps[sub]
	switch {
	case p.broken != nil:
		return nil, p.broken
	case !ok:
		return nil, ErrNotFound
	}
	f.Recovery = len(p.recovery)
	return &f, nil
}

func (p *pockets) EnrolTOTP(_ context.Context, _ tenant.ID, sub string, f TOTP, ev audit.Event) error {
	if !p.totps[sub].ConfirmedAt.IsZero() {
		return ErrExists
	}
	p.totps[sub], p.events = f, append(p.events, ev)
	return nil
}

func (p *pockets) ConfirmTOTP(_ context.Context, _ tenant.ID, sub string, enrolled, now time.Time, step int64, recovery [][]byte, ev audit.Event) error {
	f := p.totps[sub]
	if !f.EnrolledAt.Equal(enrolled) || !f.ConfirmedAt.IsZero() {
		return ErrConflict
	}
	f.ConfirmedAt, f.UsedStep = now, step
	p.totps[sub], p.events = f, append(p.events, ev)
	for _, hash := range recovery {
		p.recovery[string(hash)] = true
	}
	return nil
}

func (p *pockets) UseTOTP(_ context.Context, _ tenant.ID, sub string, _ time.Time, step int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.totps[sub]
	if f.UsedStep >= step {
		return ErrReplayed
	}
	f.UsedStep = step
	p.totps[sub] = f
	return nil
}

func (p *pockets) UseRecoveryCode(_ context.Context, _ tenant.ID, _ string, hash []byte, ev audit.Event) error {
	if !p.recovery[string(hash)] {
		return ErrReplayed
	}
	delete(p.recovery, string(hash))
	p.events = append(p.events, ev)
	return nil
}

func (p *pockets) RemoveTOTP(_ context.Context, _ tenant.ID, sub string, ev audit.Event) error {
	if _, ok := p.totps[sub]; !ok {
		return ErrNotFound
	}
	delete(p.totps, sub)
	clear(p.recovery)
	p.events = append(p.events, ev)
	return nil
}

func (p *pockets) PutCode(_ context.Context, _ tenant.ID, c OneTimeCode) error {
	at := string(c.Exchange) + c.Subject
	p.codes[at], p.tried[at] = &c, 0
	return p.broken
}

func (p *pockets) TryCode(_ context.Context, _ tenant.ID, exchange []byte, sub string, hash []byte, now time.Time, most int) (bool, error) {
	at := string(exchange) + sub
	c := p.codes[at]
	if c == nil || !now.Before(c.ExpiresAt) || p.tried[at] >= most {
		return false, ErrReplayed
	}
	p.tried[at]++
	if !bytes.Equal(c.Hash, hash) {
		return false, nil
	}
	delete(p.codes, at)
	return true, nil
}

// sending is a mailbox, and a limit on what comes into it.
type sending struct {
	got  []Delivery
	full bool
	fail error
}

func (s *sending) deliver(_ context.Context, _ *tenant.Tenant, d Delivery) error {
	s.got = append(s.got, d)
	return s.fail
}

func (s *sending) Allow(_ context.Context, _ tenant.ID, _ string, _ ...string) (time.Duration, bool) {
	if s.full {
		return time.Minute, false
	}
	return 0, true
}

// secured is house with factors and a clock, and the account alice.
func secured(t testing.TB) (s *Service, a *tenant.Tenant, p *pockets, sub string, clock *time.Time) {
	t.Helper()
	s, _, _ = house(t)
	now := noon
	p = &pockets{totps: map[string]TOTP{}, recovery: map[string]bool{}, codes: map[string]*OneTimeCode{}, tried: map[string]int{}}
	s.Factors, s.Now = p, func() time.Time { return now }
	a = acme()
	a.Issuer = "https://id.example/t/acme"
	var err error
	if a.Secret, err = keys.NewSecret(make([]byte, 32)); err != nil {
		t.Fatal(err)
	}
	alice, err := s.Create(t.Context(), a, New{Username: "alice", Password: pass})
	if err != nil {
		t.Fatal(err)
	}
	return s, a, p, alice.Subject, &now
}

// carried is a user's authenticator app.
func carried(t testing.TB, secret string, at time.Time) string {
	t.Helper()
	code, err := hotp.GenerateCodeCustom(secret, uint64(at.Unix()/30), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// equipped is secured where alice has a TOTP, confirmed a minute ago.
func equipped(t testing.TB) (s *Service, a *tenant.Tenant, p *pockets, sub, secret string, recovery []string, clock *time.Time) {
	t.Helper()
	s, a, p, sub, clock = secured(t)
	e, err := s.EnrolTOTP(t.Context(), a, sub, By{})
	if err != nil {
		t.Fatal(err)
	}
	recovery, err = s.ConfirmTOTP(t.Context(), a, sub, carried(t, e.Secret, *clock), By{})
	if err != nil {
		t.Fatal(err)
	}
	*clock = clock.Add(time.Minute)
	return s, a, p, sub, e.Secret, recovery, clock
}

func TestStepsOfRFC6238(t *testing.T) { // Appendix B, the last six digits
	f := &TOTP{Secret: []byte("12345678901234567890")}
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		step, right := f.step(code, time.Unix(at, 0))
		if !right || step != at/30 {
			t.Errorf("%d: %d, %v", at, step, right)
		}
		for steps, want := range map[int64]bool{-2: false, -1: true, 1: true, 2: false} {
			if _, right := f.step(code, time.Unix((step+steps)*30, 0)); right != want && step+steps >= 0 {
				t.Errorf("%d steps after %d: %v", steps, at, right)
			}
		}
	}
}

func TestATOTPIsEnrolledAndConfirmed(t *testing.T) {
	ctx := t.Context()
	s, a, p, sub, now := secured(t)
	a.Settings.Name = "Acme: shop"
	first, err := s.EnrolTOTP(ctx, a, sub, By{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(first.URI)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Acme  shop:alice" || u.Query().Get("secret") != first.Secret || u.Query().Get("issuer") != "Acme  shop" {
		t.Error(first.URI, err)
	}
	if b, err := base32Text.DecodeString(first.Secret); err != nil || len(b) != totpSecret {
		t.Error("the secret is", first.Secret, err)
	}
	second, err := s.EnrolTOTP(ctx, a, sub, By{})
	if err != nil || second.Secret == first.Secret {
		t.Fatal("another can be enrolled until one is confirmed:", err)
	}
	if has, err := s.HasTOTP(ctx, a, sub); has || err != nil {
		t.Error("it counts before it is confirmed", err)
	}
	for _, code := range []string{"", "000000", carried(t, first.Secret, *now), strings.Repeat("1", 100)} {
		if _, err := s.ConfirmTOTP(ctx, a, sub, code, By{}); !errors.Is(err, ErrCode) {
			t.Errorf("confirmed by %q: %v", code, err)
		}
	}
	code := carried(t, second.Secret, *now)
	recovery, err := s.ConfirmTOTP(ctx, a, sub, code[:3]+" "+code[3:], By{Actor: "admin"})
	if err != nil || len(recovery) != recoveryCodes || len(recovery[0]) != 19 {
		t.Fatal(recovery, err)
	}
	if _, err := s.ConfirmTOTP(ctx, a, sub, code, By{}); !errors.Is(err, oauth.InvalidRequest("")) {
		t.Error("confirmed twice:", err)
	}
	if _, err := s.EnrolTOTP(ctx, a, sub, By{}); !errors.Is(err, ErrExists) {
		t.Error("one that counts is replaced:", err)
	}
	if err := s.CheckTOTP(ctx, a, sub, code, Guesser{}); !errors.Is(err, ErrCode) {
		t.Error("the code that confirmed it counts again:", err)
	}
	state, err := s.TOTPOf(ctx, a, sub)
	if err != nil || state.Secret != nil || state.ConfirmedAt.IsZero() || state.Recovery != recoveryCodes {
		t.Errorf("%+v, %v", state, err)
	}
	if err := s.RemoveTOTP(ctx, a, sub, By{}); err != nil {
		t.Error(err)
	}
	if err := s.RemoveTOTP(ctx, a, sub, By{}); !errors.Is(err, oauth.NotFound("")) {
		t.Error("removed twice:", err)
	}
	var what []string
	for _, ev := range p.events {
		what = append(what, ev.Detail["change"]+" "+ev.Actor)
	}
	if got := strings.Join(what, ", "); got != "totp_enrolled , totp_enrolled , totp_confirmed admin, totp_removed " {
		t.Error(got)
	}
	for _, missing := range []string{"nobody", ""} {
		if _, err := s.EnrolTOTP(ctx, a, missing, By{}); !errors.Is(err, oauth.NotFound("")) {
			t.Error("enrolled for nobody:", err)
		}
	}
}

func TestCheckTOTP(t *testing.T) {
	ctx := t.Context()
	s, a, _, sub, secret, recovery, now := equipped(t)
	check := func(code string) error { return s.CheckTOTP(ctx, a, sub, code, Guesser{"app", "192.0.2.1"}) }
	for _, c := range []struct {
		rule, code string
		right      bool
	}{
		{"the code of the step before", carried(t, secret, now.Add(-30*time.Second)), true},
		{"that code again", carried(t, secret, now.Add(-30*time.Second)), false},
		{"one of two steps before", carried(t, secret, now.Add(-60*time.Second)), false},
		{"the code of the step after", carried(t, secret, now.Add(30*time.Second)), true},
		{"a code of a step before one that was used", carried(t, secret, *now), false},
		{"no code", "", false},
		{"five digits", "12345", false},
		{"letters", "abcdef", false},
		{"a recovery code", recovery[0], true},
		{"that recovery code again", recovery[0], false},
		{"a recovery code in capitals without hyphens", strings.ToUpper(strings.ReplaceAll(recovery[1], "-", "")), true},
		{"a recovery code that is none", "aaaa-aaaa-aaaa-aaaa", false},
		{"a long text", strings.Repeat("a", 1<<16), false},
	} {
		if err := check(c.code); (err == nil) != c.right || err != nil && !errors.Is(err, ErrCode) {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	for _, other := range []string{"nobody", "", "a\x00b"} {
		if err := s.CheckTOTP(ctx, a, other, carried(t, secret, *now), Guesser{}); !errors.Is(err, ErrCode) {
			t.Errorf("a code of %q is right: %v", other, err)
		}
	}
}

func TestWrongCodesAreLimitedAndRecorded(t *testing.T) {
	ctx := t.Context()
	s, a, p, sub, secret, _, now := equipped(t)
	g := &guards{wait: time.Minute}
	r := &recorder{}
	s.Limit, s.Events = g, r
	if err := s.CheckTOTP(ctx, a, sub, "000000", Guesser{"app", "192.0.2.1"}); !errors.Is(err, ErrCode) {
		t.Fatal(err)
	}
	if got := strings.Join(g.fails, ", "); got != "otp "+sub+" 192.0.2.1, otp of client app " {
		t.Error("failed:", got)
	}
	if len(r.events) != 1 || r.events[0].Kind != audit.LoginFailed || r.events[0].ClientID != "app" || r.events[0].Detail["factor"] != "totp" {
		t.Errorf("%+v", r.events)
	}
	g.after = 2
	if err := s.CheckTOTP(ctx, a, sub, carried(t, secret, *now), Guesser{}); !errors.Is(err, oauth.SlowDown("")) || oauth.RetryAfter(err) != time.Minute {
		t.Error("who is blocked is told to wait, whatever is presented:", err)
	}
	g.after, r.events = 0, nil
	if err := s.CheckTOTP(ctx, a, sub, carried(t, secret, *now), Guesser{"app", "192.0.2.1"}); err != nil || len(r.events) != 0 {
		t.Error(err, r.events)
	}
	p.broken = errors.New("away")
	if err := s.CheckTOTP(ctx, a, sub, "000000", Guesser{}); !errors.Is(err, oauth.Unavailable()) || len(g.fails) != 2 {
		t.Error("our fault is a wrong guess:", err, g.fails)
	}
}

func TestOfManyGuessesAtOnceNoMoreCountThanMay(t *testing.T) {
	s, a, _, sub, secret, _, now := equipped(t)
	g := &guards{wait: time.Minute, after: 3}
	s.Limit = g
	right := carried(t, secret, *now)
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			code := strconv.Itoa(100000 + i)
			if code != right {
				_ = s.CheckTOTP(t.Context(), a, sub, code, Guesser{})
			}
		})
	}
	group.Wait()
	if len(g.fails) != 3 {
		t.Errorf("%d guesses counted", len(g.fails))
	}
}

func TestSentCodes(t *testing.T) {
	ctx := t.Context()
	s, a, p, sub, now := secured(t)
	box := &sending{}
	s.Deliver, s.Sent = box.deliver, box
	in := Sending{Exchange: []byte("exchange"), Subject: sub, ClientID: "app", To: "sms"}
	check := func(exchange, sub, code string) error {
		return s.CheckCode(ctx, a, []byte(exchange), sub, code, Guesser{"app", "192.0.2.1"})
	}
	send := func() string {
		if err := s.SendCode(ctx, a, in); err != nil {
			t.Fatal(err)
		}
		d := box.got[len(box.got)-1]
		if d.To != "sms" || d.ExpiresIn > 10*time.Minute || len(d.Code) != 6 {
			t.Errorf("%+v", d)
		}
		return d.Code
	}
	code := send()
	for rule, err := range map[string]error{
		"in another exchange": check("other", sub, code), "of another subject": check("exchange", "bob", code), "of nobody": check("exchange", "", code), "for nothing": check("", sub, code),
	} {
		if !errors.Is(err, ErrCode) {
			t.Errorf("the code is right %s: %v", rule, err)
		}
	}
	if err := check("exchange", sub, code[:3]+" "+code[3:]); err != nil {
		t.Error(err)
	}
	if err := check("exchange", sub, code); !errors.Is(err, ErrCode) {
		t.Error("it is right twice:", err)
	}
	first := send()
	if second := send(); first != second {
		if err := check("exchange", sub, first); !errors.Is(err, ErrCode) {
			t.Error("the code before the last is right:", err)
		}
	}
	code = send()
	*now = now.Add(codeLife)
	if err := check("exchange", sub, code); !errors.Is(err, ErrCode) {
		t.Error("it is right for ever:", err)
	}
	code = send()
	for range codeAttempts {
		_ = check("exchange", sub, "wrong")
	}
	if err := check("exchange", sub, code); !errors.Is(err, ErrCode) {
		t.Error("it is right after too many wrong ones:", err)
	}
	for _, c := range p.codes {
		if bytes.Contains(c.Hash, []byte(code)) {
			t.Error("it is kept as it is")
		}
	}
	box.full = true
	if err := s.SendCode(ctx, a, in); !errors.Is(err, oauth.SlowDown("")) || oauth.RetryAfter(err) != time.Minute {
		t.Error("too many are sent:", err)
	}
	box.full, box.fail = false, oauth.Unavailable()
	if err := s.SendCode(ctx, a, in); !errors.Is(err, oauth.Unavailable()) {
		t.Error("one that could not be sent:", err)
	}
	s.Deliver = nil
	if err := s.SendCode(ctx, a, in); !errors.Is(err, oauth.Unavailable()) {
		t.Error("one that nobody sends:", err)
	}
}

func FuzzRecoveryText(f *testing.F) {
	for _, s := range []string{"abcd-efgh-ijkl-mnop", "ABCDEFGHIJKLMNOP", "123456", "ａｂｃｄ", strings.Repeat("-", 70)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if text := recoveryText(s); text != "" && (len(text) != recoveryChars || recoveryText(spaced(text)) != text) {
			t.Errorf("%q: %q", s, text)
		}
		_ = digits(s)
	})
}
