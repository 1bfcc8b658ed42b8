package account

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

func claims(s string) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(s), &m); err != nil {
		panic(err)
	}
	return m
}

func TestCreateRefuses(t *testing.T) {
	many := map[string]json.RawMessage{}
	for i := range 300 {
		many[fmt.Sprintf("c%d", i)] = json.RawMessage("1")
	}
	with := func(c string) New { return New{Username: "bob", Claims: claims(c)} }
	for _, c := range []struct {
		rule string
		n    New
		ok   bool
	}{
		{"a password of 8 characters", New{Username: "bob", Password: "kw7 pq.x"}, true},
		{"a password of 8 characters that are not ASCII", New{Username: "bob", Password: "пароль∞♞"}, true},
		{"a password of 256 characters", New{Username: "bob", Password: strings.Repeat("é", 256)}, true},
		{"no password", New{Username: "bob"}, true},
		{"a password of 7 characters", New{Username: "bob", Password: "kw7 pq."}, false},
		{"a password of 7 characters in 14 bytes", New{Username: "bob", Password: "пароль∞"}, false},
		{"a password of 257 characters", New{Username: "bob", Password: strings.Repeat("x", 257)}, false},
		{"a password of a megabyte", New{Username: "bob", Password: strings.Repeat("x", 1<<20)}, false},
		{"a password that is not text", New{Username: "bob", Password: "\xff\xfe\xfd\xff\xfe\xfd\xff\xfe"}, false},
		{"a common password", New{Username: "bob", Password: "password123"}, false},
		{"a common password in capitals", New{Username: "bob", Password: "QwertyUiop"}, false},
		{"the user name as password", New{Username: "robert.tables", Password: "Robert.Tables"}, false},
		{"a password and a hash", New{Username: "bob", Password: pass, PasswordHash: decoy}, false},
		{"a hash we cannot check", New{Username: "bob", PasswordHash: "$6$salt$hash"}, false},
		{"an address as user name", New{Username: "bob@example.com"}, true},
		{"a user name with an inner space", New{Username: "Bob Tables"}, true},
		{"an empty user name", New{Username: "  "}, false},
		{"a user name with a line break", New{Username: "bo\nb"}, false},
		{"a user name with a zero-width space", New{Username: "bo\u200bb"}, false},
		{"a user name that turns direction", New{Username: "bob\u202e"}, false},
		{"a user name that is not text", New{Username: "bob\xff"}, false},
		{"a user name of 300 bytes", New{Username: strings.Repeat("b", 300)}, false},
		{"a user name that is taken", New{Username: "ALICE"}, false},
		{"standard claims of the right types", with(`{"name":"Bob","email":"b@example.com","email_verified":true,
			"phone_number":"+1","phone_number_verified":false,"address":{"country":"NL"},"updated_at":1,"website":"https://b.example/"}`), true},
		{"claims in other languages", with(`{"name#ja-Kana-JP":"ボブ","website#fr":"http://b.example/"}`), true},
		{"a claim of the tenant's own", with(`{"https://acme.example/roles":["a",1,null,{}]}`), true},
		{"email is not a string", with(`{"email":["b@example.com"]}`), false},
		{"email is not an address", with(`{"email":"b"}`), false},
		{"email holds a line break", with(`{"email":"b@example.com\nBcc: x@example.com"}`), false},
		{"email_verified is a string", with(`{"email_verified":"true"}`), false},
		{"address is a string", with(`{"address":"Amsterdam"}`), false},
		{"address holds an object", with(`{"address":{"country":{}}}`), false},
		{"updated_at is a string", with(`{"updated_at":"yesterday"}`), false},
		{"updated_at is negative", with(`{"updated_at":-1}`), false},
		{"name is a number", with(`{"name":7}`), false},
		{"a translation of the wrong type", with(`{"name#fr":7}`), false},
		{"picture is a script", with(`{"picture":"javascript:alert(1)"}`), false},
		{"profile is relative", with(`{"profile":"/bob"}`), false},
		{"a claim is null", with(`{"nickname":null}`), false},
		{"sub", with(`{"sub":"alice"}`), false},
		{"iss", with(`{"iss":"https://evil.example"}`), false},
		{"aud with a language", with(`{"aud#en":"x"}`), false},
		{"at_hash", with(`{"at_hash":"x"}`), false},
		{"amr", with(`{"amr":["mfa"]}`), false},
		{"a name that would break out", with(`{"x\":0,\"admin":true}`), false},
		{"an empty name", with(`{"":1}`), false},
		{"a name that is only a tag", with(`{"#en":1}`), false},
		{"two tags", with(`{"name#en#fr":"x"}`), false},
		{"an empty tag", with(`{"name#":"x"}`), false},
		{"not JSON", New{Username: "bob", Claims: map[string]json.RawMessage{"x": json.RawMessage("{")}}, false},
		{"too many", New{Username: "bob", Claims: many}, false},
		{"too large", with(`{"x":"` + strings.Repeat("x", 70_000) + `"}`), false},
	} {
		s, m, _ := house(t)
		if _, err := s.Create(t.Context(), acme(), New{Username: "Alice", Password: pass}); err != nil {
			t.Fatal(err)
		}
		_, err := s.Create(t.Context(), acme(), c.n)
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, oauth.InvalidRequest("")) {
			t.Errorf("%s: got %v", c.rule, err)
		}
		if c.ok != (len(m.accounts) == 2) {
			t.Errorf("%s: there are %d accounts", c.rule, len(m.accounts))
		}
	}
}

func TestSubjectsAreRandom(t *testing.T) {
	s, _, _ := house(t)
	seen := map[string]bool{}
	for i := range 100 {
		a, err := s.Create(t.Context(), acme(), New{Username: fmt.Sprint("user", i)})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := base64.RawURLEncoding.DecodeString(a.Subject); err != nil || len(b) != 16 || seen[a.Subject] {
			t.Errorf("subject %q", a.Subject)
		}
		seen[a.Subject] = true
	}
}

func TestTheLifeOfAnAccount(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, m, _ := house(t)
	by := By{Actor: "admin", Address: "192.0.2.7"}
	a, err := s.Create(ctx, acme, New{Username: "Alice", Password: pass, By: by})
	if err != nil {
		t.Fatal(err)
	}
	opens := func(username, password string) bool {
		_, err := s.Verify(ctx, acme, username, password, "")
		return err == nil
	}
	issued := tenant.Issued{Subject: a.Subject, At: noon}
	name := "Alice Cooper"
	for _, step := range []struct {
		what string
		do   func() error
		then func() bool
	}{
		{"a new name opens and the old one does not",
			func() error { _, err := s.Update(ctx, acme, a.Subject, Change{Username: &name}, by); return err },
			func() bool { return opens("alice cooper", pass) && !opens("alice", pass) }},
		{"claims are replaced and nothing else",
			func() error {
				_, err := s.Update(ctx, acme, a.Subject, Change{Claims: claims(`{"nickname":"Al"}`)}, by)
				return err
			},
			func() bool { return len(m.accounts[a.Subject].Claims) == 1 && opens("alice cooper", pass) }},
		{"a new password opens and the old one does not",
			func() error { return s.SetPassword(ctx, acme, a.Subject, "another sentence", by) },
			func() bool { return opens("alice cooper", "another sentence") && !opens("alice cooper", pass) }},
		{"disabled, it opens no more and its tokens are dead",
			func() error { return s.Disable(ctx, acme, a.Subject, time.Hour, by) },
			func() bool { return !opens("alice cooper", "another sentence") && acme.Revoked.Revoked(issued) }},
		{"enabled, it opens again and its old tokens stay dead",
			func() error { return s.Enable(ctx, acme, a.Subject, by) },
			func() bool { return opens("alice cooper", "another sentence") && acme.Revoked.Revoked(issued) }},
		{"deleted, it is gone",
			func() error { return s.Delete(ctx, acme, a.Subject, time.Hour, by) },
			func() bool { return !opens("alice cooper", "another sentence") && len(m.accounts) == 0 }},
	} {
		if err := step.do(); err != nil {
			t.Error(step.what, err)
		}
		if !step.then() {
			t.Error("it does not hold that", step.what)
		}
	}
	for _, r := range m.revoked {
		if r.Subject != a.Subject || !r.At.Equal(noon) || !r.ExpiresAt.Equal(noon.Add(time.Hour)) {
			t.Errorf("revoked %+v", r)
		}
	}
	var told []string
	for _, e := range m.events {
		if e.Actor != "admin" || e.Address != "192.0.2.7" || e.Subject != a.Subject || !e.At.Equal(noon) {
			t.Errorf("recorded %+v", e)
		}
		told = append(told, string(e.Kind)+"/"+e.Detail["change"])
	}
	want := []audit.Kind{audit.UserCreated + "/created", audit.UserUpdated + "/updated", audit.UserUpdated + "/updated",
		audit.UserUpdated + "/password", audit.UserUpdated + "/disabled", audit.UserUpdated + "/enabled", audit.UserDeleted + "/deleted"}
	if fmt.Sprint(told) != fmt.Sprint(want) {
		t.Errorf("recorded %v, want %v", told, want)
	}
}

func TestNoSuchAccount(t *testing.T) {
	ctx, acme := t.Context(), acme()
	for _, sub := range []string{"nobody", "", "a\x00b", "ü", strings.Repeat("a", 256)} {
		s, m, _ := house(t)
		for what, do := range map[string]func() error{
			"Get":         func() error { _, err := s.Get(ctx, acme, sub); return err },
			"Update":      func() error { _, err := s.Update(ctx, acme, sub, Change{}, By{}); return err },
			"SetPassword": func() error { return s.SetPassword(ctx, acme, sub, pass, By{}) },
			"Disable":     func() error { return s.Disable(ctx, acme, sub, time.Hour, By{}) },
			"Enable":      func() error { return s.Enable(ctx, acme, sub, By{}) },
			"Delete":      func() error { return s.Delete(ctx, acme, sub, time.Hour, By{}) },
		} {
			if err := do(); !errors.Is(err, oauth.NotFound("")) {
				t.Errorf("%s of %q: %v", what, sub, err)
			}
		}
		if acme.Revoked.Revoked(tenant.Issued{Subject: sub, At: noon}) || len(m.events) != 0 {
			t.Errorf("something happened to %q", sub)
		}
		if cs, err := s.Claims(ctx, acme, sub, []string{"name"}, nil); err != nil || len(cs) != 0 {
			t.Errorf("claims of %q: %v, %v", sub, cs, err)
		}
	}
}

func TestClaims(t *testing.T) {
	ctx, acme := t.Context(), acme()
	s, m, _ := house(t)
	a, err := s.Create(ctx, acme, New{Username: "Alice", Claims: claims(`{"name":"Alice","name#fr":"Alice F","name#ja-Kana-JP":"アリス",
		"name#zh-Hant":"愛","email":"a@example.com","nickname#fr":"Lili"}`)})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rule           string
		names, locales string
		want           string
	}{
		{"a claim by its name", "name", "", `{"name":"Alice"}`},
		{"only what is asked for", "email", "", `{"email":"a@example.com"}`},
		{"nothing", "", "", `null`},
		{"what the account lacks is left out", "email birthdate", "", `{"email":"a@example.com"}`},
		{"a preferred language is added", "name", "fr", `{"name":"Alice","name#fr":"Alice F"}`},
		{"languages are compared without case", "name", "FR", `{"name":"Alice","name#fr":"Alice F"}`},
		{"a region falls back to its language", "name", "fr-CA", `{"name":"Alice","name#fr":"Alice F"}`},
		{"an extension is cut", "name", "zh-Hant-u-co", `{"name":"Alice","name#zh-Hant":"愛"}`},
		{"a language does not become more specific", "name", "ja", `{"name":"Alice"}`},
		{"several languages", "name", "de fr ja-Kana-JP", `{"name":"Alice","name#fr":"Alice F","name#ja-Kana-JP":"アリス"}`},
		{"a tag in the name stands for itself", "name#ja-kana-jp", "fr", `{"name#ja-Kana-JP":"アリス"}`},
		{"a tag that is not there", "name#de", "", `{}`},
		{"no untagged member", "nickname", "fr", `{"nickname#fr":"Lili"}`},
		{"derived from the account", "preferred_username updated_at", "", `{"preferred_username":"Alice","updated_at":1772366400}`},
		{"never the subject", "sub", "", `{}`},
	} {
		got, err := s.Claims(ctx, acme, a.Subject, strings.Fields(c.names), strings.Fields(c.locales))
		b, _ := json.Marshal(got)
		if err != nil || string(b) != c.want {
			t.Errorf("%s: got %s, %v, want %s", c.rule, b, err, c.want)
		}
	}
	m.broken = errors.New("the disk is full")
	if _, err := s.Claims(ctx, acme, a.Subject, []string{"name"}, nil); !errors.Is(err, oauth.Unavailable()) {
		t.Error("a store that fails:", err)
	}
	m.broken = nil
	if err := s.Disable(ctx, acme, a.Subject, time.Hour, By{}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Claims(ctx, acme, a.Subject, []string{"name"}, nil); err != nil || len(got) != 0 {
		t.Error("a disabled account has claims:", got, err)
	}
}

func TestCommonPasswords(t *testing.T) {
	words := common()
	if len(words) < 300 {
		t.Errorf("only %d are known", len(words))
	}
	for w := range words {
		if len(w) < minPassword || strings.ContainsFunc(w, unseen) {
			t.Errorf("%q is of no use on the list", w)
		}
	}
}
