package tenant_test

import (
	"slices"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func TestCheckCIBA(t *testing.T) {
	for _, tt := range []struct {
		rule, document string
		wrong          []string // pointers
	}{
		{"everything may be set", `{"ciba": {"enabled": true, "lifetime": 60, "interval": 1, "binding_message": "[0-9]{4}", "user_code": true,
			"unknown_users": "pass_on"}}`, nil},
		{"a request waits at least a minute", `{"ciba": {"lifetime": 59}}`, []string{"/ciba/lifetime"}},
		{"a request does not wait for ever", `{"ciba": {"lifetime": 86401}}`, []string{"/ciba/lifetime"}},
		{"polls are apart", `{"ciba": {"interval": -1}}`, []string{"/ciba/interval"}},
		{"polls are not too far apart", `{"ciba": {"interval": 301}}`, []string{"/ciba/interval"}},
		{"a pattern can be read", `{"ciba": {"binding_message": "[a"}}`, []string{"/ciba/binding_message"}},
		{"unknown users have one of three fates", `{"ciba": {"unknown_users": "create"}}`, []string{"/ciba/unknown_users"}},
	} {
		s, err := tenant.ParseSettings([]byte(tt.document))
		if err != nil {
			t.Errorf("%s: %v", tt.rule, err)
			continue
		}
		var got []string
		for _, e := range s.Check() {
			got = append(got, e.Pointer)
		}
		if !slices.Equal(got, tt.wrong) {
			t.Errorf("%s: wrong at %q, want %q", tt.rule, got, tt.wrong)
		}
	}
}

func TestCIBALifetime(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		of       int64
		asked    int64
		lifetime time.Duration
	}{
		{"ten minutes by default", 0, 0, 10 * time.Minute},
		{"what the tenant says", 120, 0, 2 * time.Minute},
		{"what the client asks for", 0, 30, 30 * time.Second},
		{"also if it is longer", 60, 3600, time.Hour},
		{"but at most an hour", 0, 1 << 62, time.Hour},
		{"unless the tenant's own is longer", 7200, 1 << 62, 2 * time.Hour},
	} {
		s := tenant.Settings{CIBA: tenant.CIBASettings{Lifetime: tt.of}}
		if got := s.CIBALifetime(tt.asked); got != tt.lifetime {
			t.Errorf("%s: %v, want %v", tt.rule, got, tt.lifetime)
		}
	}
	if got := new(tenant.Settings).CIBAInterval(); got != 5*time.Second {
		t.Errorf("interval %v", got)
	}
}
