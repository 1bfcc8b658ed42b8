package registration

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/tenant"
)

func TestClientsMayHaveCertificates(t *testing.T) {
	const by, own, jwks = `"token_endpoint_auth_method":"tls_client_auth"`, `"token_endpoint_auth_method":"self_signed_tls_client_auth"`, `"jwks":{"keys":[` + publicKey + `]}`
	const bound = `"tls_client_certificate_bound_access_tokens":true`
	all := tenant.MTLSSettings{Enabled: true, Authorities: []string{"x"}}
	for rule, c := range map[string]struct {
		members  string
		settings tenant.MTLSSettings
		fine     bool
	}{
		"a subject":                         {by + `,"tls_client_auth_subject_dn":"CN=app,O=Bank\\, Inc."`, all, true},
		"a host":                            {by + `,"tls_client_auth_san_dns":"app.example"`, all, true},
		"a URI":                             {by + `,"tls_client_auth_san_uri":"spiffe://a.example/app"`, all, true},
		"an address":                        {by + `,"tls_client_auth_san_ip":"2001:db8::1"`, all, true},
		"a mail address":                    {by + `,"tls_client_auth_san_email":"app@a.example"`, all, true},
		"with bound tokens":                 {by + `,"tls_client_auth_san_dns":"app.example",` + bound, all, true},
		"none":                              {by, all, false},
		"two":                               {by + `,"tls_client_auth_san_dns":"app.example","tls_client_auth_san_ip":"192.0.2.1"`, all, false},
		"two of which one is empty":         {by + `,"tls_client_auth_san_dns":"app.example","tls_client_auth_san_ip":""`, all, true},
		"no name":                           {by + `,"tls_client_auth_subject_dn":"app"`, all, false},
		"a host with a space":               {by + `,"tls_client_auth_san_dns":"app example"`, all, false},
		"no URI":                            {by + `,"tls_client_auth_san_uri":"app"`, all, false},
		"no address":                        {by + `,"tls_client_auth_san_ip":"192.0.2.300"`, all, false},
		"an address of a zone":              {by + `,"tls_client_auth_san_ip":"fe80::1%eth0"`, all, false},
		"no mail address":                   {by + `,"tls_client_auth_san_email":"app"`, all, false},
		"too long":                          {by + `,"tls_client_auth_san_dns":"` + strings.Repeat("a", 3000) + `"`, all, false},
		"a subject for another method":      {`"tls_client_auth_san_dns":"app.example"`, all, false},
		"a tenant without authorities":      {by + `,"tls_client_auth_san_dns":"app.example"`, tenant.MTLSSettings{Enabled: true}, false},
		"a tenant without certificates":     {by + `,"tls_client_auth_san_dns":"app.example"`, tenant.MTLSSettings{}, false},
		"its own":                           {own + "," + jwks, tenant.MTLSSettings{Enabled: true}, true},
		"its own without keys":              {own, all, false},
		"its own, of a tenant without":      {own + "," + jwks, tenant.MTLSSettings{}, false},
		"bound tokens alone":                {bound, tenant.MTLSSettings{Enabled: true}, true},
		"bound tokens, of a tenant without": {bound, tenant.MTLSSettings{}, false},
		"unbound tokens":                    {strings.Replace(bound, "true", "false", 1), tenant.MTLSSettings{}, true},
	} {
		t.Run(rule, func(t *testing.T) {
			s, acme, m := house(t)
			acme.Settings.MTLS = c.settings
			r, err := s.Register(t.Context(), acme, request(t, with(c.members), Open("192.0.2.1")))
			if !c.fine {
				if said(err) != "invalid_client_metadata" || len(m.clients) != 0 {
					t.Errorf("got %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if secret := r.Client.Secretive(); secret != (r.Secret != "") || secret == strings.Contains(c.members, "tls_client_auth\"") {
				t.Error("secret:", r.Secret)
			}
			b, err := MarshalMetadata(r.Client.Metadata)
			if err != nil {
				t.Fatal(err)
			}
			back, err := UnmarshalMetadata(b)
			if err != nil || back.CertificateMetadata != r.Client.CertificateMetadata {
				t.Errorf("%+v, %v", back.CertificateMetadata, err)
			}
			if members := strings.Split(c.members, ","); !json.Valid(b) || !strings.Contains(string(b), "false") && strings.HasPrefix(members[len(members)-1], `"tls`) &&
				!strings.HasSuffix(c.members, `""`) && !strings.HasSuffix(c.members, "false") && !strings.Contains(string(b), members[len(members)-1]) {
				t.Errorf("the answer lacks what was registered: %s", b)
			}
		})
	}
}

// S123: whoever may not rule a client's policy may bind its tokens, and not set them free.
func TestOnlyTheMasterSetsTokensFree(t *testing.T) {
	s, acme, _ := house(t)
	acme.Settings.MTLS.Enabled = true
	r, err := s.Register(t.Context(), acme, request(t, with(`"tls_client_certificate_bound_access_tokens":true`), administrator))
	if err != nil {
		t.Fatal(err)
	}
	r, err = s.Update(t.Context(), acme, r.Client.ID, request(t, simple, Own(r.RegistrationToken, "192.0.2.1")))
	if err != nil || !r.Client.CertificateBound {
		t.Errorf("the client set its tokens free: %v", err)
	}
	r, err = s.Update(t.Context(), acme, r.Client.ID, request(t, simple, administrator))
	if err != nil || r.Client.CertificateBound {
		t.Errorf("the master cannot set them free: %v", err)
	}
}
