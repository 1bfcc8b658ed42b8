package account

import (
	"errors"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
)

func TestFind(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, m, _ := house(t)
	for _, a := range []Account{{Subject: "1", Username: "Alice"}, {Subject: "2", Username: "1"}, {Subject: "3", Username: "gone", Disabled: true}, {Subject: "same", Username: "same"}} {
		a.CreatedAt, a.UpdatedAt = noon, noon
		m.accounts[a.Subject] = a
	}
	for _, c := range []struct{ rule, hint, want string }{
		{"a user name", "Alice", "1"},
		{"as it is compared", " aLICE ", "1"},
		{"a subject", "2", "2"},
		{"a disabled account too", "gone", "3"},
		{"by its subject too", "3", "3"},
		{"both of one account", "same", "same"},
		{"the subject of one and the name of another is nobody", "1", ""},
		{"nobody", "bob", ""},
		{"nothing", "", ""},
		{"what no store takes", "a\x00b", ""},
		{"what is no subject", "ü", ""},
	} {
		a, err := s.Find(ctx, acme, c.hint)
		if err != nil {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		got := ""
		if a != nil {
			got = a.Subject
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.rule, got, c.want)
		}
	}
	m.broken = errors.New("out of order")
	if _, err := s.Find(ctx, acme, "2"); oauth.ErrorOf(err).Code != "temporarily_unavailable" {
		t.Errorf("a store out of order: %v", err)
	}
}
