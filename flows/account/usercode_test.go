package account

import (
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/limit"
	"github.com/chancery-id/chancery/flows/oauth"
)

func TestUserCode(t *testing.T) {
	s, _, _ := house(t)
	s.Limit = nil
	made, err := s.Create(t.Context(), acme(), New{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	sub := made.Subject
	for _, c := range []struct {
		code string
		ok   bool
	}{{"123", false}, {strings.Repeat("1", 65), false}, {"12\n34", false}, {"\xff\xff\xff\xff", false}, {"1234", true}, {"überlang", true}} {
		if err := s.SetUserCode(t.Context(), acme(), sub, c.code, By{}); (err == nil) != c.ok {
			t.Errorf("%q: %v", c.code, err)
		}
	}
	a, err := s.Get(t.Context(), acme(), sub)
	if err != nil || strings.Contains(a.UserCodeHash, "lang") {
		t.Fatal(a.UserCodeHash, err)
	}
	none, disabled := a, a
	none.UserCodeHash, disabled.Disabled = "", true
	for _, c := range []struct {
		rule string
		a    *Account
		code string
		ok   bool
	}{
		{"the right one", &a, "überlang", true},
		{"written otherwise", &a, "u\u0308berlang", true},
		{"a wrong one", &a, "1234", false},
		{"none", &a, "", false},
		{"of an account that has none", &none, "überlang", false},
		{"of a disabled account", &disabled, "überlang", false},
		{"of nobody", nil, "überlang", false},
	} {
		if err := s.CheckUserCode(t.Context(), acme(), c.a, "alice", c.code, "bank"); (err == nil) != c.ok || err != nil && err != ErrUserCode {
			t.Errorf("%s: %v", c.rule, err)
		}
	}
	if err := s.SetUserCode(t.Context(), acme(), sub, "", By{}); err != nil {
		t.Fatal(err)
	}
	if a, err = s.Get(t.Context(), acme(), sub); err != nil || a.UserCodeHash != "" {
		t.Errorf("it was not taken away: %v", err)
	}
}

func TestUserCodesAreLimited(t *testing.T) {
	s, _, _ := house(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	s.Limit = limit.New(func() time.Time { return now }, nil, limit.Guesses())
	made, err := s.Create(t.Context(), acme(), New{Username: "alice"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetUserCode(t.Context(), acme(), made.Subject, "1234", By{}); err != nil {
		t.Fatal(err)
	}
	a, err := s.Get(t.Context(), acme(), made.Subject)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []*Account{&a, nil} {
		n := 0
		var err error
		for ; n < 20; n++ {
			if err = s.CheckUserCode(t.Context(), acme(), who, "alice", "4321", "bank"); err != ErrUserCode {
				break
			}
		}
		if n != 6 || oauth.ErrorOf(err).Code != "slow_down" || oauth.RetryAfter(err) <= 0 {
			t.Errorf("after %d: %v", n, err)
		}
	}
	if err := s.CheckUserCode(t.Context(), acme(), &a, "alice", "1234", "bank"); oauth.ErrorOf(err).Code != "slow_down" {
		t.Errorf("the right one is told from a wrong one: %v", err)
	}
	if err := s.CheckUserCode(t.Context(), acme(), &a, "alice", "1234", "other"); err != nil {
		t.Errorf("another client is kept out: %v", err)
	}
}
