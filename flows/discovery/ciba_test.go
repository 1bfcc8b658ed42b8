package discovery

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestBackchannelAuthenticationIsAnnouncedWhereItIsOn(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		settings tenant.CIBASettings
		on, code bool
		modes    string
	}{
		{"off", tenant.CIBASettings{UserCode: true, Push: true}, false, false, "[]"},
		{"on", tenant.CIBASettings{Enabled: true}, true, false, "[poll ping]"},
		{"with user codes", tenant.CIBASettings{Enabled: true, UserCode: true}, true, true, "[poll ping]"},
		{"with push", tenant.CIBASettings{Enabled: true, Push: true}, true, false, "[poll ping push]"},
	} {
		m := MetadataOf(&tenant.Tenant{Issuer: "https://id.example", Settings: &tenant.Settings{CIBA: tt.settings}, Keys: keys.NewSet(nil)}, time.Now())
		if on := m.CIBA == "https://id.example/ciba"; on != tt.on || !on && m.CIBA != "" {
			t.Errorf("%s: the endpoint is %q", tt.rule, m.CIBA)
		}
		if fmt.Sprint(m.CIBAModes) != tt.modes || m.CIBAUserCode != tt.code {
			t.Errorf("%s: modes %q, user code %v", tt.rule, m.CIBAModes, m.CIBAUserCode)
		}
		if slices.Contains(m.GrantTypes, oauth.CIBA) != tt.on || !strings.HasPrefix(strings.Join(m.GrantTypes, " "), "authorization_code refresh_token") {
			t.Errorf("%s: grants %q", tt.rule, m.GrantTypes)
		}
	}
}

func TestDevicesAreAnnouncedWhereTheyAreServed(t *testing.T) {
	for _, tt := range []struct {
		rule     string
		settings tenant.Settings
		on       bool
	}{
		{"off", tenant.Settings{}, false},
		{"on", tenant.Settings{Device: tenant.DeviceSettings{Enabled: true}}, true},
		{"on, but without our pages", tenant.Settings{Device: tenant.DeviceSettings{Enabled: true}, LoginURL: "https://login.example"}, false},
	} {
		m := MetadataOf(&tenant.Tenant{Issuer: "https://id.example", Settings: &tt.settings, Keys: keys.NewSet(nil)}, time.Now())
		if on := m.Device == "https://id.example/device_authorization"; on != tt.on || !on && m.Device != "" || slices.Contains(m.GrantTypes, oauth.DeviceCode) != tt.on {
			t.Errorf("%s: the endpoint is %q, grants %q", tt.rule, m.Device, m.GrantTypes)
		}
	}
}
