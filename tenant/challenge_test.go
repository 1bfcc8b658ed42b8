package tenant_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

func TestCheckChallenge(t *testing.T) {
	for _, tt := range []struct {
		rule, document string
		wrong          []string // pointers
	}{
		{"everything may be set", `{"challenge": {"enabled": true, "lifetime": 600, "default_acr": "urn:acme:app", "distinguish_users": true,
			"create_session": true, "require_response_type": true}}`, nil},
		{"an exchange lasts at least a minute", `{"challenge": {"lifetime": 59}}`, []string{"/challenge/lifetime"}},
		{"an exchange ends", `{"challenge": {"lifetime": -1}}`, []string{"/challenge/lifetime"}},
		{"within 30 days", `{"challenge": {"lifetime": 2592001}}`, []string{"/challenge/lifetime"}},
		{"an acr is one word", `{"challenge": {"default_acr": "a b"}}`, []string{"/challenge/default_acr"}},
		{"an acr has an end", `{"challenge": {"default_acr": "` + strings.Repeat("a", 256) + `"}}`, []string{"/challenge/default_acr"}},
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

func TestChallengeDefaults(t *testing.T) {
	s := new(tenant.Settings)
	if s.ChallengeLifetime() != 24*time.Hour || s.ChallengeACR() != "default_challenge" {
		t.Errorf("got %v, %q", s.ChallengeLifetime(), s.ChallengeACR())
	}
	s.Challenge = tenant.ChallengeSettings{Lifetime: 600, DefaultACR: "app"}
	if s.ChallengeLifetime() != 10*time.Minute || s.ChallengeACR() != "app" {
		t.Errorf("got %v, %q", s.ChallengeLifetime(), s.ChallengeACR())
	}
}
