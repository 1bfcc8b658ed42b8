package discovery

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

func TestATenantAddsToItsMetadata(t *testing.T) {
	s := &tenant.Settings{LoginURL: "https://login.example", Authorization: tenant.AuthorizationSettings{Claims: []string{"sub", "email"}, DisplayValues: []string{"page"}},
		MetadataOverlay: tenant.Overlay{"op_policy_uri": json.RawMessage(`"https://acme.example/policy"`), "x_acme": json.RawMessage(`{"a":[1]}`), "acr_values_supported": json.RawMessage(`["loa1"]`),
			"end_session_endpoint": json.RawMessage(`"https://login.example/out"`), "jwks_uri": json.RawMessage(`"https://evil.example"`)}}
	text, err := json.Marshal(MetadataOf(&tenant.Tenant{Issuer: "https://id.example", Settings: s, Keys: keys.NewSet(nil)}, time.Now()))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"op_policy_uri":"https://acme.example/policy"`, `"x_acme":{"a":[1]}`, `"acr_values_supported":["loa1"]`, `"end_session_endpoint":"https://login.example/out"`,
		`"claims_supported":["sub","email"]`, `"display_values_supported":["page"]`, `"jwks_uri":"https://id.example/jwks.json"`} {
		if strings.Count(string(text), part) != 1 {
			t.Errorf("%s is not there once: %s", part, text)
		}
	}
	if strings.Contains(string(text), "evil") {
		t.Errorf("what is ours was said otherwise: %s", text)
	}
	var again map[string]any
	if err := json.Unmarshal(text, &again); err != nil {
		t.Error(err)
	}
}

// Whatever a client may rely on is the server's to say.
func TestNoMemberOfOursCanBeSaidOtherwise(t *testing.T) {
	var members []string
	var collect func(reflect.Type)
	collect = func(typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			if f.Anonymous {
				collect(f.Type)
			} else if name != "" {
				members = append(members, name)
			}
		}
	}
	collect(reflect.TypeFor[Metadata]())
	if len(members) < 60 {
		t.Fatalf("only %d members", len(members))
	}
	for _, m := range members {
		if tenant.MayOverlay(m) != slices.Contains(tenant.OverlaidLists, m) {
			t.Errorf("%s can be said otherwise: %v", m, tenant.MayOverlay(m))
		}
		s := &tenant.Settings{MetadataOverlay: tenant.Overlay{m: json.RawMessage(`["x"]`)}}
		if refused := len(s.Check()) > 0; refused == slices.Contains(tenant.OverlaidLists, m) {
			t.Errorf("%s: %v", m, s.Check())
		}
	}
	for _, m := range []string{"jwks", "signed_metadata", "signed_jwks_uri", "revocation_endpoint", "federation_registration_endpoint", "dpop_anything"} {
		if tenant.MayOverlay(m) {
			t.Errorf("%s can be said", m)
		}
	}
}

func TestWhatAnOverlayMayHold(t *testing.T) {
	for _, tt := range []struct {
		rule, login, member, value string
		ok                         bool
	}{
		{"a text", "", "op_tos_uri", `"https://acme.example"`, true},
		{"null", "", "op_tos_uri", `null`, false},
		{"a list of texts", "", "claims_supported", `["a"]`, true},
		{"something else in its place", "", "claims_supported", `"a"`, false},
		{"a place to sign out", "https://login.example", "end_session_endpoint", `"https://login.example/out"`, true},
		{"which our own pages have", "", "end_session_endpoint", `"https://login.example/out"`, false},
		{"without TLS", "https://login.example", "end_session_endpoint", `"http://login.example/out"`, false},
		{"a name with a space", "", "a b", `1`, false},
		{"too much", "", "x", `"` + strings.Repeat("x", 16<<10) + `"`, false},
	} {
		s := &tenant.Settings{LoginURL: tt.login, MetadataOverlay: tenant.Overlay{tt.member: json.RawMessage(tt.value)}}
		if found := s.Check(); (len(found) == 0) != tt.ok {
			t.Errorf("%s: %v", tt.rule, found)
		}
	}
}
