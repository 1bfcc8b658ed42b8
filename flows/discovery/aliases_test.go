package discovery

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestCertificatesAreAnnouncedWhereTheyAreOn(t *testing.T) {
	const here, there = "https://id.example", "https://mtls.id.example:8443"
	for _, tt := range []struct {
		rule    string
		aliases Aliases
		issuer  string
		on      bool
		want    string // alias of the token endpoint
	}{
		{"off", Aliases{here, there}, here + "/t/acme", false, ""},
		{"on, at another place", Aliases{here, there}, here + "/t/acme", true, there + "/t/acme/token"},
		{"on, at the same place", Aliases{Public: here}, here + "/t/acme", true, ""},
		{"at the same place after all", Aliases{here, here}, here + "/t/acme", true, ""},
		{"a tenant with a host of its own", Aliases{here, there}, "https://login.acme.example", true, ""},
		{"a host that begins like ours", Aliases{here, there}, "https://id.example.org/t/acme", true, ""},
	} {
		x := &tenant.Tenant{Issuer: tt.issuer, Settings: &tenant.Settings{MTLS: tenant.MTLSSettings{Enabled: tt.on}}, Keys: keys.NewSet(nil)}
		m := tt.aliases.MetadataOf(x, time.Now())
		if m.CertificateBound != tt.on || slices.Contains(m.AuthMethods, oauth.AuthSelfSignedTLS) != tt.on || slices.Contains(m.AuthMethods, oauth.AuthTLS) {
			t.Errorf("%s: %v, %v", tt.rule, m.CertificateBound, m.AuthMethods)
		}
		if m.Aliases["token_endpoint"] != tt.want || tt.want == "" && m.Aliases != nil || tt.aliases.Of(x, Token) != tt.want {
			t.Errorf("%s: aliases %v", tt.rule, m.Aliases)
		}
	}
}

// Each alias is an endpoint that is there, by the name of its own member (RFC 8705 §5).
func TestAliasesAreOfEndpoints(t *testing.T) {
	x := &tenant.Tenant{Issuer: "https://id.example/t/acme", Settings: &tenant.Settings{MTLS: tenant.MTLSSettings{Enabled: true}}, Keys: keys.NewSet(nil)}
	x.Settings.CIBA.Enabled, x.Settings.Device.Enabled = true, true
	x.Settings.Challenge.Enabled = true
	b, err := json.Marshal(Aliases{"https://id.example", "https://mtls.example"}.MetadataOf(x, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Aliases map[string]string `json:"mtls_endpoint_aliases"`
	}
	var members map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &members); err != nil {
		t.Fatal(err)
	}
	if len(m.Aliases) != len(aliased) {
		t.Errorf("%d aliases: %v", len(m.Aliases), m.Aliases)
	}
	for member, alias := range m.Aliases {
		if diff := cmp.Diff(members[member], any(strings.Replace(alias, "mtls.example", "id.example", 1))); diff != "" {
			t.Errorf("%s: %s", member, diff)
		}
	}
	x.Settings.CIBA.Enabled = false
	if m := (Aliases{"https://id.example", "https://mtls.example"}).MetadataOf(x, time.Now()); m.Aliases["backchannel_authentication_endpoint"] != "" {
		t.Error("an endpoint that is off has an alias")
	}
}
