package registration

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
	"github.com/chancery-id/chancery/tenant/keys"
)

// Software statements: RFC 7591 §2.3, §3.2.2.
func TestSoftwareStatements(t *testing.T) {
	set := func() *keys.Set {
		k, err := keys.Generate(keys.ES256, rand.Reader, noon.Add(-time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return keys.NewSet([]keys.Key{k})
	}
	federation, stranger := set(), set()
	statement := func(by *keys.Set, claims string) string {
		j, err := by.Sign(t.Context(), noon, keys.ES256, "JWT", []byte(claims))
		if err != nil {
			t.Fatal(err)
		}
		return j
	}
	const iss = `"iss":"https://federation.example"`
	past, later := fmt.Sprint(noon.Add(-time.Minute).Unix()), fmt.Sprint(noon.Add(time.Hour).Unix())
	for _, tt := range []struct {
		rule, body, statement string
		uses                  []string
		by                    Authority
		want                  string // an error's code, or client name and URI
	}{
		{"its claims have precedence", `"client_name":"Mine","client_uri":"https://a.example/"`, statement(federation, `{`+iss+`,"client_name":"Theirs","exp":`+later+`}`),
			[]string{tenant.UseSoftware}, administrator, "Theirs https://a.example/"},
		{"for anybody", `"client_name":"Mine"`, statement(federation, `{`+iss+`,"client_name":"Theirs","software_id":"s"}`), []string{tenant.UseSoftware}, Authority{}, "Theirs "},
		{"it gives nobody what only the tenant gives", `"client_name":"Mine"`, statement(federation, `{`+iss+`,"access_token_lifetime":86400}`), []string{tenant.UseSoftware}, Authority{}, "invalid_client_metadata"},
		{"it holds no credentials", `"client_name":"Mine"`, statement(federation, `{`+iss+`,"preferred_client_id":"taken","client_secret":"x"}`), []string{tenant.UseSoftware}, administrator, "Mine "},
		{"one that has expired", ``, statement(federation, `{`+iss+`,"exp":`+past+`}`), []string{tenant.UseSoftware}, administrator, "invalid_software_statement"},
		{"one that is not valid yet", ``, statement(federation, `{`+iss+`,"nbf":`+later+`}`), []string{tenant.UseSoftware}, administrator, "invalid_software_statement"},
		{"signed by another", ``, statement(stranger, `{`+iss+`}`), []string{tenant.UseSoftware}, administrator, "invalid_software_statement"},
		{"with a claim of the wrong type", ``, statement(federation, `{`+iss+`,"redirect_uris":"x"}`), []string{tenant.UseSoftware}, administrator, "invalid_software_statement"},
		{"without an issuer", ``, statement(federation, `{}`), []string{tenant.UseSoftware}, administrator, "invalid_software_statement"},
		{"of an issuer that nobody knows", ``, statement(stranger, `{"iss":"https://stranger.example"}`), []string{tenant.UseSoftware}, administrator, "unapproved_software_statement"},
		{"of one that is trusted with something else", ``, statement(federation, `{`+iss+`}`), []string{tenant.UseBearer}, administrator, "unapproved_software_statement"},
		{"of one whose uses are not named", ``, statement(federation, `{`+iss+`}`), nil, administrator, "unapproved_software_statement"},
		{"that is none", ``, "x.y", []string{tenant.UseSoftware}, administrator, "invalid_software_statement"},
	} {
		s, acme, m := house(t)
		s.Keys = tenant.NewClientKeys(s.Now, nil)
		acme.Settings.Grants.Issuers = []tenant.TrustedIssuer{{Issuer: "https://federation.example", JWKS: json.RawMessage(federation.JWKS(noon)), Uses: tt.uses}}
		body := `{"redirect_uris":["https://a.example/cb"],"software_statement":"` + tt.statement + `"`
		if tt.body != "" {
			body += "," + tt.body
		}
		r, err := s.Register(t.Context(), acme, request(t, body+"}", tt.by))
		if err != nil {
			var o *oauth.Error
			if !errors.As(err, &o) || o.Code != tt.want || len(m.clients) > 0 {
				t.Errorf("%s: %v", tt.rule, err)
			}
			continue
		}
		if got := r.Client.Name + " " + r.Client.URI; got != tt.want {
			t.Errorf("%s: %q", tt.rule, got)
		}
		if told := asObject(t, r); told["software_statement"] != tt.statement || strings.Contains(fmt.Sprint(told["client_id"]), "taken") || r.Secret == "x" {
			t.Errorf("%s: told %v", tt.rule, told)
		}
	}
}
