package account

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

const pass = "correct horse battery"

func TestVerify(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, m, _ := house(t)
	long := strings.Repeat("a long sentence ", 15) // 240 characters: more than bcrypt reads
	for _, n := range []New{
		{Username: "Alice", Password: pass},
		{Username: "Straße", Password: "grüße aus köln"},
		{Username: "long", Password: long},
		{Username: "nul", Password: "before\x00after"},
		{Username: "gone", Password: pass},
		{Username: "keyless"},
	} {
		if _, err := s.Create(ctx, acme, n); err != nil {
			t.Fatal(n.Username, err)
		}
	}
	for sub, a := range m.accounts {
		if a.Username == "gone" {
			if err := s.Disable(ctx, acme, sub, time.Hour, By{}); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct{ rule, username, password, want string }{
		{"the right password opens", "Alice", pass, "Alice"},
		{"user names are compared without case and white space", " aLICE\t", pass, "Alice"},
		{"full-width letters are the same letters", "ａｌｉｃｅ", pass, "Alice"},
		{"sharp s and ss are one", "STRASSE", "grüße aus köln", "Straße"},
		{"composed and decomposed characters are one in a password", "Straße", "gru\u0308ße aus ko\u0308ln", "Straße"},
		{"a wrong password does not", "Alice", pass + "!", ""},
		{"case counts in a password", "Alice", strings.ToUpper(pass), ""},
		{"white space counts in a password", "Alice", pass + " ", ""},
		{"an empty password does not", "Alice", "", ""},
		{"an unknown user does not", "bob", pass, ""},
		{"an empty user name does not", "", pass, ""},
		{"a user name with NUL does not reach the store", "al\x00ice", pass, ""},
		{"a very long user name does not", strings.Repeat("a", 1<<20), pass, ""},
		{"a very long password does not", "Alice", strings.Repeat("a", 1<<20), ""},
		{"a disabled account does not", "gone", pass, ""},
		{"an account without a password does not", "keyless", "", ""},
		{"every byte of a long password counts", "long", long[:len(long)-2] + "x ", ""},
		{"a long password opens", "long", long, "long"},
		{"what follows NUL counts", "nul", "before\x00other", ""},
		{"a password may hold NUL", "nul", "before\x00after", "nul"},
	} {
		a, err := s.Verify(ctx, acme, c.username, c.password, "192.0.2.1")
		switch {
		case c.want == "" && !(errors.Is(err, ErrDenied) && a == nil && err.Error() == ErrDenied.Error()):
			t.Errorf("%s: got %v, %v", c.rule, a, err)
		case c.want != "" && (err != nil || a.Username != c.want):
			t.Errorf("%s: got %v, %v", c.rule, a, err)
		}
	}
}

func TestVerifyTellsTheLimiter(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, _, g := house(t)
	if _, err := s.Create(ctx, acme, New{Username: "Alice", Password: pass}); err != nil {
		t.Fatal(err)
	}
	for _, username := range []string{"ALICE", "nobody"} {
		if _, err := s.Verify(ctx, acme, username, "wrong guess", "192.0.2.1"); !errors.Is(err, ErrDenied) {
			t.Error(username, err)
		}
	}
	if _, err := s.Verify(ctx, acme, "alice", pass, "192.0.2.1"); err != nil {
		t.Error(err)
	}
	if got := strings.Join(g.fails, ", "); got != "password alice 192.0.2.1, password nobody 192.0.2.1" {
		t.Error("failed:", got)
	}
	if got := strings.Join(g.succeeds, ", "); got != "password alice 192.0.2.1" {
		t.Error("succeeded:", got)
	}
	g.after = 2
	for _, c := range []struct{ username, password string }{{"alice", pass}, {"alice", "wrong guess"}, {"nobody", pass}} {
		_, err := s.Verify(ctx, acme, c.username, c.password, "192.0.2.1")
		if !errors.Is(err, oauth.SlowDown("")) || oauth.RetryAfter(err) != time.Minute {
			t.Error("a blocked source is told to wait, whatever it presents:", c.username, err)
		}
	}
	if len(g.fails) != 2 {
		t.Error("what was not tried counts as failed:", g.fails)
	}
}

func TestVerifyChecksTheLimitAgainAfterWaiting(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, _, g := house(t)
	s.Hasher.Parallel, g.after = 1, 3
	if _, err := s.Create(ctx, acme, New{Username: "Alice", Password: pass}); err != nil {
		t.Fatal(err)
	}
	answers := make(chan error)
	for range 12 {
		go func() {
			_, err := s.Verify(ctx, acme, "alice", "wrong guess", "192.0.2.1")
			answers <- err
		}()
	}
	denied := 0
	for range 12 {
		if err := <-answers; errors.Is(err, ErrDenied) {
			denied++
		}
	}
	if denied != 3 {
		t.Errorf("%d of 12 guesses at once were tried, want 3", denied)
	}
}

func TestVerifyWithoutItsStore(t *testing.T) {
	s, m, g := house(t)
	m.broken = errors.New("the disk is full")
	_, err := s.Verify(t.Context(), acme(), "alice", pass, "192.0.2.1")
	if !errors.Is(err, oauth.Unavailable()) || !errors.Is(err, m.broken) {
		t.Error("got", err)
	}
	if len(g.fails) != 0 {
		t.Error("our fault counts as a guess")
	}
	if d := oauth.ErrorOf(err).Description; strings.Contains(d, "disk") {
		t.Error("the client is told:", d)
	}
}

// recorder keeps what is recorded.
type recorder struct {
	events []audit.Event
	broken error
}

func (r *recorder) Record(_ context.Context, _ tenant.ID, ev audit.Event) error {
	r.events = append(r.events, ev)
	return r.broken
}

func TestFailedSignInsAreRecorded(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, _, _ := house(t)
	r := &recorder{}
	s.Events = r
	alice, err := s.Create(ctx, acme, New{Username: "alice", Password: pass})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ rule, username, password, subject string }{
		{"a wrong password is recorded with the account", "alice", "wrong guess", alice.Subject},
		{"an unknown name, without the name", "hunter2", "wrong guess", ""},
	} {
		r.events = nil
		if _, err := s.Verify(ctx, acme, c.username, c.password, "192.0.2.1"); !errors.Is(err, ErrDenied) {
			t.Errorf("%s: got %v", c.rule, err)
		}
		if len(r.events) != 1 || r.events[0].Kind != audit.LoginFailed || r.events[0].Subject != c.subject || r.events[0].Address != "192.0.2.1" || r.events[0].Detail != nil {
			t.Errorf("%s: recorded %+v", c.rule, r.events)
		}
	}
	r.events = nil
	if _, err := s.Verify(ctx, acme, "alice", pass, ""); err != nil || len(r.events) != 0 {
		t.Errorf("a right password is no failure: %v, %+v", err, r.events)
	}
	r.broken = errors.New("away")
	if _, err := s.Verify(ctx, acme, "alice", "wrong guess", ""); !errors.Is(err, oauth.Unavailable()) {
		t.Errorf("what cannot be recorded is unavailable: %v", err)
	}
}

func TestVerifyImported(t *testing.T) {
	ctx, acme := t.Context(), acme()
	long := strings.Repeat("x", 72)
	bc := func(p string) string {
		h, err := bcrypt.GenerateFromPassword([]byte(p), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		return string(h)
	}
	other := cost{memory: 64, time: 1, lanes: 2}.hash(pass, []byte("some salt")).String()
	for _, c := range []struct {
		rule, hash, password string
		opens                bool
	}{
		{"argon2id with other parameters", other, pass, true},
		{"argon2id with other parameters, wrong password", other, pass + ".", false},
		{"bcrypt", bc(pass), pass, true},
		{"bcrypt of PHP", "$2y$" + bc(pass)[4:], pass, true},
		{"bcrypt, wrong password", bc(pass), pass + ".", false},
		{"bcrypt, 72 bytes", bc(long), long, true},
		{"bcrypt, beyond 72 bytes nothing would count", bc(long), long + "y", false},
	} {
		s, m, _ := house(t)
		a, err := s.Create(ctx, acme, New{Username: "alice", PasswordHash: c.hash})
		if err != nil {
			t.Error(c.rule, err)
			continue
		}
		if _, err := s.Verify(ctx, acme, "alice", c.password, ""); (err == nil) != c.opens {
			t.Errorf("%s: got %v", c.rule, err)
		}
		if now := m.accounts[a.Subject].PasswordHash; NeedsRehash(now) == c.opens {
			t.Errorf("%s: afterwards the hash is %q", c.rule, now)
		}
		if _, err := s.Verify(ctx, acme, "alice", c.password, ""); (err == nil) != c.opens {
			t.Errorf("%s: the second time, got %v", c.rule, err)
		}
	}
}

func TestVerifyTakesTheSameTime(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, _, _ := house(t)
	s.Hasher.Parallel = 1
	if _, err := s.Create(ctx, acme, New{Username: "alice", Password: pass}); err != nil {
		t.Fatal(err)
	}
	known, unknown := time.Hour, time.Hour
	for range 12 { // in turn, so that a machine that is busy for a while is so for both
		for username, least := range map[string]*time.Duration{"alice": &known, "nobody": &unknown} {
			start := time.Now()
			_, _ = s.Verify(ctx, acme, username, "wrong guess", "")
			*least = min(*least, time.Since(start))
		}
	}
	if unknown < known/2 || known < unknown/2 {
		t.Errorf("a known user is refused after %v, an unknown one after %v", known, unknown)
	}
}

func BenchmarkVerify(b *testing.B) {
	ctx, acme := context.Background(), acme()
	s, _, _ := house(b)
	if _, err := s.Create(ctx, acme, New{Username: "alice", Password: pass}); err != nil {
		b.Fatal(err)
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := s.Verify(ctx, acme, "alice", pass, "192.0.2.1"); err != nil {
				b.Error(err)
			}
		}
	})
}
