package discovery

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestTheChallengeIsAnnouncedWhereItIsOn(t *testing.T) {
	for _, on := range []bool{false, true} {
		s := &tenant.Settings{Challenge: tenant.ChallengeSettings{Enabled: on, Lifetime: 60,
			DefaultACR: "urn:acme:otp", Steps: map[string]string{"urn:acme:otp": "otp", "urn:acme:card": "card", "1": "password"}}}
		s.Authorization.ACRValues = []string{"1"}
		text, err := json.Marshal(MetadataOf(&tenant.Tenant{Issuer: "https://id.example", Settings: s, Keys: keys.NewSet(nil)}, time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(text), `"authorization_challenge_endpoint":"https://id.example/authorize-challenge"`); got != on {
			t.Errorf("on %v: announced %v", on, got)
		}
		if want := map[bool]string{false: `"acr_values_supported":["1"]`, true: `"acr_values_supported":["1","urn:acme:card","urn:acme:otp"]`}[on]; !strings.Contains(string(text), want) {
			t.Errorf("on %v: not announced: %s", on, want)
		}
		if got := strings.Contains(string(text), "authorization_challenge_endpoint"); got != on {
			t.Errorf("on %v: named %v", on, got)
		}
	}
}
