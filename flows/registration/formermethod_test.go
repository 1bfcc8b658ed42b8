package registration

import (
	"fmt"
	"testing"
	"time"

	"github.com/chancery-id/chancery/tenant"
)

// migrating is a registration that changes from one method to another until a while from now.
func migrating(from, to string, length time.Duration, more string) string {
	return with(fmt.Sprintf(`"token_endpoint_auth_method":%q,"former_token_endpoint_auth_method":%q,"former_token_endpoint_auth_method_expires_at":%d%s`, to, from, noon.Add(length).Unix(), more))
}

func TestAFormerMethodIsRegisteredForAWhile(t *testing.T) {
	const day, jwks = 24 * time.Hour, `,"jwks":{"keys":[` + publicKey + `]}`
	for rule, c := range map[string]struct {
		body       string
		fine, kept bool
		secret     bool
	}{
		"from a secret to keys":                 {migrating("client_secret_basic", "private_key_jwt", day, jwks), true, true, true},
		"from keys to a secret":                 {migrating("private_key_jwt", "client_secret_basic", day, jwks), true, true, true},
		"between two without secret":            {migrating("private_key_jwt", "self_signed_tls_client_auth", day, jwks), true, true, false},
		"as long as may be":                     {migrating("client_secret_basic", "client_secret_post", 180*day, ""), true, true, true},
		"longer":                                {migrating("client_secret_basic", "client_secret_post", 180*day+time.Second, ""), false, false, false},
		"over already":                          {migrating("client_secret_basic", "client_secret_post", 0, ""), true, false, true},
		"to the same":                           {migrating("client_secret_basic", "client_secret_basic", day, ""), true, false, true},
		"from none":                             {migrating("none", "client_secret_basic", day, ""), false, false, false},
		"to none":                               {migrating("client_secret_basic", "none", day, ""), false, false, false},
		"from what there is not":                {migrating("spiffe", "client_secret_basic", day, ""), false, false, false},
		"from keys that are not there":          {migrating("private_key_jwt", "client_secret_basic", day, ""), false, false, false},
		"from a certificate that nothing names": {migrating("tls_client_auth", "client_secret_basic", day, ""), false, false, false},
		"from a certificate":                    {migrating("tls_client_auth", "client_secret_basic", day, `,"tls_client_auth_san_dns":"app.example"`), true, true, true},
		"without an end":                        {with(`"former_token_endpoint_auth_method":"client_secret_post"`), false, false, false},
		"an end of nothing":                     {with(`"former_token_endpoint_auth_method_expires_at":1900000000`), false, false, false},
		"an end that is a fraction":             {with(`"former_token_endpoint_auth_method":"client_secret_post","former_token_endpoint_auth_method_expires_at":1.5`), false, false, false},
	} {
		t.Run(rule, func(t *testing.T) {
			s, acme, _ := house(t)
			acme.Settings.MTLS = tenant.MTLSSettings{Enabled: true, Authorities: []string{"x"}}
			var r Response
			in, err := Parse([]byte(c.body))
			if in.By = administrator; err == nil {
				r, err = s.Register(t.Context(), acme, in)
			}
			if !c.fine {
				if err == nil || said(err) != "invalid_client_metadata" {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if kept := r.Client.FormerMethod != "" && r.Client.FormerMethodUntil != 0; kept != c.kept || (r.Secret != "") != c.secret {
				t.Errorf("kept %v, secret %q", kept, r.Secret)
			}
		})
	}
}

func TestOnlyTheMasterGivesAFormerMethod(t *testing.T) {
	s, acme, _ := house(t)
	in := request(t, migrating("client_secret_basic", "client_secret_post", time.Hour, ""), Open("192.0.2.1"))
	if _, err := s.Register(t.Context(), acme, in); said(err) != "invalid_client_metadata" {
		t.Errorf("open registration: %v", err)
	}
	in.By = administrator
	r, err := s.Register(t.Context(), acme, in)
	if err != nil {
		t.Fatal(err)
	}
	by := Own(r.RegistrationToken, "192.0.2.1")
	r, err = s.Update(t.Context(), acme, r.Client.ID, request(t, with(`"token_endpoint_auth_method":"client_secret_post"`), by))
	if err != nil || r.Client.FormerMethod != "client_secret_basic" {
		t.Errorf("the client forgot it: %q, %v", r.Client.FormerMethod, err)
	}
	if _, err := s.Update(t.Context(), acme, r.Client.ID, request(t, migrating("client_secret_basic", "client_secret_post", 2*time.Hour, ""), by)); said(err) != "invalid_client_metadata" {
		t.Errorf("the client made it longer: %v", err)
	}
}

// A secret that signs is as long as the hash of the algorithm that the client registered (RFC 7518 §3.2).
func TestSecretsToSignWithAreLongEnough(t *testing.T) {
	s, acme, m := house(t)
	now := noon
	s.Now = func() time.Time { return now }
	const by = `"token_endpoint_auth_method":"client_secret_jwt"`
	short := `,"preferred_client_secret":"` + fmt.Sprintf("%032d", 7) + `"`
	for alg, fine := range map[string]bool{"HS256": true, "HS384": false, "HS512": false} {
		if _, err := s.Register(t.Context(), acme, request(t, with(by+`,"token_endpoint_auth_signing_alg":"`+alg+`"`+short), administrator)); (err == nil) != fine {
			t.Errorf("32 characters for %s: %v", alg, err)
		}
		r, err := s.Register(t.Context(), acme, request(t, with(by+`,"token_endpoint_auth_signing_alg":"`+alg+`"`), administrator))
		if err != nil || len(r.Secret) != map[bool]int{true: 43, false: 64}[fine] {
			t.Errorf("a secret for %s has %d characters, %v", alg, len(r.Secret), err)
		}
	}
	r, err := s.Register(t.Context(), acme, request(t, with(by+short), administrator))
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	r, err = s.Update(t.Context(), acme, r.Client.ID, request(t, with(by+`,"token_endpoint_auth_signing_alg":"HS512"`), administrator))
	if err != nil || len(r.Secret) != 64 || len(m.clients[r.Client.ID].Secrets) != 2 {
		t.Errorf("a client that moves to HS512 keeps a short secret: %q, %v", r.Secret, err)
	}
}
