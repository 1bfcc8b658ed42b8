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
		s := &tenant.Settings{Challenge: tenant.ChallengeSettings{Enabled: on, Lifetime: 60}}
		text, err := json.Marshal(MetadataOf(&tenant.Tenant{Issuer: "https://id.example", Settings: s, Keys: keys.NewSet(nil)}, time.Now()))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(text), `"authorization_challenge_endpoint":"https://id.example/authorize-challenge"`); got != on {
			t.Errorf("on %v: announced %v", on, got)
		}
		if got := strings.Contains(string(text), "authorization_challenge_endpoint"); got != on {
			t.Errorf("on %v: named %v", on, got)
		}
	}
}
