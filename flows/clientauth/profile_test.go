package clientauth

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// S65, S124: whatever a client registered before, its profile says by which method, algorithm and audience it authenticates.
func TestClientsAuthenticateWithinTheirProfile(t *testing.T) {
	mine := newSigner(t)
	s, x, _ := private(t, nil, tenant.Metadata{JWKS: json.RawMessage(mine.jwks())})
	s.TokenEndpoint = "/token"
	app, err := x.Clients.Client(t.Context(), "app")
	if err != nil {
		t.Fatal(err)
	}
	app.Secrets = secrets(sharedSecret)
	sign := func(jti string, changed map[string]any) Credentials {
		changed["jti"] = jti
		return Credentials{AssertionType: JWTBearer, Assertion: jwt(es256, claims(changed), mine.sign)}
	}
	toEndpoint := map[string]any{"aud": "https://acme.example/token"}
	if _, err := s.Authenticate(t.Context(), x, sign("1", toEndpoint)); err != nil {
		t.Fatal(err)
	}
	app.Demands = tenant.DemandsOf(tenant.FAPI2Security)
	if _, err := s.Authenticate(t.Context(), x, sign("2", toEndpoint)); !errors.Is(err, errAudience) {
		t.Error("the token endpoint as audience:", err)
	}
	if _, err := s.Authenticate(t.Context(), x, sign("3", map[string]any{})); err != nil {
		t.Error(err)
	}
	app.Demands = &tenant.Demands{Algs: []keys.Alg{keys.PS256}}
	if _, err := s.Authenticate(t.Context(), x, sign("4", map[string]any{})); !errors.Is(err, errProfileAlg) {
		t.Error("another algorithm:", err)
	}
	app.TokenEndpointAuthMethod = oauth.AuthBasic
	if _, err := s.Authenticate(t.Context(), x, byBasic("app", sharedSecret)); err != nil {
		t.Fatal(err)
	}
	app.Demands = tenant.DemandsOf(tenant.FAPI2Security)
	if _, err := s.Authenticate(t.Context(), x, byBasic("app", sharedSecret)); !errors.Is(err, ErrFailed) {
		t.Error("a secret:", err)
	}
	app.TokenEndpointAuthMethod = oauth.AuthNone
	if _, err := s.Authenticate(t.Context(), x, byName("app")); !errors.Is(err, ErrFailed) {
		t.Error("none:", err)
	}
}

func TestMethodsOfAProfile(t *testing.T) {
	x := &tenant.Tenant{Settings: &tenant.Settings{Profile: tenant.FAPI2Security, MTLS: tenant.MTLSSettings{Enabled: true}}}
	if got := Methods(x); !slices.Equal(got, []string{oauth.AuthPrivateJWT, oauth.AuthSelfSignedTLS}) {
		t.Error(got)
	}
	if got := AlgsOf(x); !slices.Equal(got, []keys.Alg{keys.PS256, keys.ES256, keys.EdDSA}) {
		t.Error(got)
	}
	x.Settings.Profile = ""
	if got := AlgsOf(x); len(got) != len(keys.ClientAlgs())+len(keys.HMACAlgs()) {
		t.Error(got)
	}
}
