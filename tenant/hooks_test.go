package tenant

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant/keys"
)

func TestCheckHooks(t *testing.T) {
	for _, c := range []struct {
		rule string
		name string
		hook Hook
		want []string // pointers
	}{
		{"https", HookPassword, Hook{URL: "https://hooks.example/p?x=1"}, nil},
		{"http to the loopback", HookJWTBearer, Hook{URL: "http://127.0.0.1:9000/"}, nil},
		{"with all", HookTokenExchange, Hook{URL: "https://hooks.example/", Timeout: 5000, Secret: 2}, nil},
		{"http", HookPassword, Hook{URL: "http://hooks.example/"}, []string{"/hooks/password/url"}},
		{"no URL", HookPassword, Hook{}, []string{"/hooks/password/url"}},
		{"a user in it", HookPassword, Hook{URL: "https://a:b@hooks.example/"}, []string{"/hooks/password/url"}},
		{"one that there is not", "pass/word", Hook{URL: "https://hooks.example/"}, []string{"/hooks/pass~1word"}},
		{"too long a time", HookPassword, Hook{URL: "https://hooks.example/", Timeout: 5001}, []string{"/hooks/password/timeout"}},
		{"a negative time", HookPassword, Hook{URL: "https://hooks.example/", Timeout: -1}, []string{"/hooks/password/timeout"}},
		{"a negative secret", HookPassword, Hook{URL: "https://hooks.example/", Secret: -1}, []string{"/hooks/password/secret"}},
	} {
		s := Settings{Hooks: map[string]Hook{c.name: c.hook}}
		var got []string
		for _, e := range s.Check() {
			got = append(got, e.Pointer)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.rule, d)
		}
	}
}

func TestHookDeadline(t *testing.T) {
	for timeout, want := range map[int64]time.Duration{0: time.Second, 200: 200 * time.Millisecond, 5000: 5 * time.Second, 1 << 40: 5 * time.Second} {
		if got := (&Hook{Timeout: timeout}).Deadline(); got != want {
			t.Errorf("%d: %v", timeout, got)
		}
	}
}

func TestEachHookHasSecretsOfItsOwn(t *testing.T) {
	seen := map[string]bool{}
	for tenant := range 2 {
		s, err := keys.NewSecret(bytes.Repeat([]byte{byte(tenant)}, 32))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range hookNames {
			for number := range int64(3) {
				seen[string(HookKey(s, name, number))] = true
			}
		}
		x := Tenant{Secret: s}
		if got := x.HookKeys(HookPassword, &Hook{}); len(got) != 1 {
			t.Error(len(got), "secrets before the first change")
		}
		if got := x.HookKeys(HookPassword, &Hook{Secret: 2}); len(got) != 2 || !bytes.Equal(got[1], HookKey(s, HookPassword, 1)) {
			t.Error("the secret before it does not sign")
		}
	}
	if len(seen) != 2*len(hookNames)*3 {
		t.Error(len(seen))
	}
}
