package account

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
)

func TestImport(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, m, _ := house(t)
	as, err := s.Import(ctx, acme, []Imported{
		{Username: " alice ", PasswordHash: imported[0].hash, Claims: map[string]json.RawMessage{"email": json.RawMessage(`"a@example.com"`)}},
		{Username: "bob", PasswordHash: imported[0].hash, Disabled: true}, {Username: "carol"},
	}, By{Actor: "token", Address: "192.0.2.1"})
	if err != nil || len(as) != 3 || len(m.accounts) != 3 {
		t.Fatalf("%+v, %v", as, err)
	}
	if as[0].Username != "alice" || as[0].Subject == as[1].Subject || len(as[0].Subject) != 22 || !as[0].CreatedAt.Equal(noon) {
		t.Errorf("%+v", as)
	}
	want := audit.Event{At: noon, Kind: audit.UsersImported, Actor: "token", Address: "192.0.2.1", Detail: map[string]string{"change": "imported", "users": "3"}}
	if d := cmp.Diff([]audit.Event{want}, m.events); d != "" {
		t.Error(d)
	}
	for name, opens := range map[string]bool{"alice": true, "bob": false, "carol": false} {
		if _, err := s.Verify(ctx, acme, name, pass, ""); (err == nil) != opens {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImportNamesEveryFault(t *testing.T) {
	ctx, acme := t.Context(), acme()
	many := make([]Imported, MaxImport+1)
	for i := range many {
		many[i].Username = "user " + strconv.Itoa(i)
	}
	claim := func(name, value string) map[string]json.RawMessage {
		return map[string]json.RawMessage{"name": json.RawMessage(`"ok"`), name: json.RawMessage(value)}
	}
	for _, c := range []struct {
		rule string
		of   []Imported
		at   []string
	}{
		{"nobody", nil, []string{"/users"}},
		{"too many", many, []string{"/users"}},
		{"each of several", []Imported{{Username: "ok"}, {Username: "", PasswordHash: "md5"}, {Username: "ALICE", Claims: claim("sub", `"x"`)}},
			[]string{"/users/1/username", "/users/1/password_hash", "/users/2/username", "/users/2/claims/sub"}},
		{"one name twice, in other case", []Imported{{Username: "bob"}, {Username: "carol"}, {Username: "BOB"}}, []string{"/users/2/username"}},
		{"a hash that would burn the processor", []Imported{{Username: "bob", PasswordHash: "pbkdf2:sha256:999999999$sixteen byte sal$" + strings.Repeat("ab", 32)}}, []string{"/users/0/password_hash"}},
		{"a claim of the wrong type", []Imported{{Username: "bob", Claims: claim("email", `1`)}}, []string{"/users/0/claims/email"}},
		{"a claim with a name that a pointer escapes", []Imported{{Username: "bob", Claims: claim("a/~b", `null`)}}, []string{"/users/0/claims/a~1~0b"}},
		{"claims that are too large", []Imported{{Username: "bob", Claims: claim("x", `"`+strings.Repeat("x", maxClaimBytes)+`"`)}}, []string{"/users/0/claims"}},
	} {
		s, m, _ := house(t)
		if _, err := s.Create(ctx, acme, New{Username: "alice"}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Import(ctx, acme, c.of, By{})
		faults, ok := errors.AsType[*Faults](err)
		if !ok || !errors.Is(err, errFaults) {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		var at []string
		for _, f := range faults.Fields {
			at = append(at, f.Pointer)
		}
		if d := cmp.Diff(c.at, at); d != "" {
			t.Errorf("%s: -want +got\n%s", c.rule, d)
		}
		if len(m.accounts) != 1 || len(m.events) != 1 {
			t.Errorf("%s: something is left: %+v", c.rule, m.accounts)
		}
	}
	if _, err := try(t, many[:MaxImport], nil); err != nil {
		t.Errorf("as many as may be: %v", err)
	}
}

func TestImportMeetsOthers(t *testing.T) {
	m, err := try(t, []Imported{{Username: "alice"}, {Username: "bob"}}, &Account{Subject: "other", Username: "Bob"})
	if faults, ok := errors.AsType[*Faults](err); !ok || len(faults.Fields) != 1 || faults.Fields[0].Pointer != "/users/1/username" {
		t.Errorf("a name was taken meanwhile: %v", err)
	}
	if len(m.accounts) != 1 {
		t.Errorf("%+v", m.accounts)
	}
	if _, err = try(t, []Imported{{Username: "alice"}}, &Account{Subject: "other", Username: "Bob"}); !errors.Is(err, ErrExists) {
		t.Errorf("a subject was taken: %v", err)
	}
	s, m, _ := house(t)
	m.broken = errors.New("away")
	if _, err := s.Import(t.Context(), acme(), []Imported{{Username: "alice"}}, By{}); !errors.Is(err, oauth.Unavailable()) {
		t.Errorf("a store that fails: %v", err)
	}
}

// try imports into an empty house, where another account may come in first.
func try(t *testing.T, ns []Imported, raced *Account) (*memory, error) {
	t.Helper()
	s, m, _ := house(t)
	m.raced = raced
	_, err := s.Import(t.Context(), acme(), ns, By{})
	return m, err
}
