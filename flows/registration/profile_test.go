package registration

import (
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

func TestClientsAreRegisteredWithinTheirProfile(t *testing.T) {
	const by = `"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[` + publicKey + `]}`
	const own = `,"profile":"fapi2-security"`
	for rule, c := range map[string]struct {
		tenant, members string
		who             Authority
		fine            bool
	}{
		"what fits, at a tenant with a profile":     {tenant.FAPI2Security, by, Open("192.0.2.1"), true},
		"what does not":                             {tenant.FAPI2Security, `"client_name":"App"`, Open("192.0.2.1"), false},
		"an algorithm that does not":                {tenant.FAPI2Security, by + `,"token_endpoint_auth_signing_alg":"RS256"`, administrator, false},
		"a profile of its own":                      {"", by + own, administrator, true},
		"a profile of its own that it does not fit": {"", `"client_name":"App"` + own, administrator, false},
		"a profile of its own without the right":    {"", by + own, Open("192.0.2.1"), false},
		"a profile that there is not":               {"", by + `,"profile":"fapi3"`, administrator, false},
		"certificates, where there are none":        {"", by + `,"profile":"fapi1-advanced"`, administrator, false},
	} {
		s, acme, _ := house(t)
		acme.Settings.Profile, acme.Settings.Tokens.AccessTokenAlg, acme.Settings.Tokens.IDTokenAlg = c.tenant, "ES256", "ES256"
		r, err := s.Register(t.Context(), acme, request(t, with(c.members), c.who))
		if !c.fine {
			if said(err) != "invalid_client_metadata" {
				t.Errorf("%s: %v", rule, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(rule, err)
		}
		if !r.Client.RequirePAR || !r.Client.RequirePKCE || r.Client.RefreshRotation == nil || *r.Client.RefreshRotation {
			t.Errorf("%s: the answer does not say what is demanded: %+v", rule, r.Client.Metadata)
		}
	}
}

func TestOnlyTheMasterTakesAProfileAway(t *testing.T) {
	s, acme, _ := house(t)
	acme.Settings.Tokens.AccessTokenAlg, acme.Settings.Tokens.IDTokenAlg = "ES256", "ES256"
	const by = `"token_endpoint_auth_method":"private_key_jwt","jwks":{"keys":[` + publicKey + `]}`
	r, err := s.Register(t.Context(), acme, request(t, with(by+`,"profile":"fapi2-security"`), administrator))
	if err != nil {
		t.Fatal(err)
	}
	client := Own(r.RegistrationToken, "192.0.2.1")
	if r, err = s.Update(t.Context(), acme, r.Client.ID, request(t, with(by), client)); err != nil || r.Client.Profile != tenant.FAPI2Security {
		t.Errorf("left out by the client: %q, %v", r.Client.Profile, err)
	}
	if _, err = s.Update(t.Context(), acme, r.Client.ID, request(t, simple, client)); said(err) != "invalid_client_metadata" {
		t.Errorf("a method that does not fit: %v", err)
	}
	if r, err = s.Update(t.Context(), acme, r.Client.ID, request(t, simple, administrator)); err != nil || r.Client.Profile != "" {
		t.Errorf("taken away by the master: %q, %v", r.Client.Profile, err)
	}
}
