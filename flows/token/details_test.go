package token

import (
	"encoding/json"
	"testing"

	"github.com/chancery-id/chancery/flows/grant"
	"github.com/chancery-id/chancery/flows/oauth"
	"github.com/chancery-id/chancery/tenant"
)

const (
	exceeds = "invalid_authorization_details: authorization_details exceeds what was granted"
	noArray = "invalid_authorization_details: authorization_details is not a JSON array of objects that each have a type"
	both    = `{"type":"account","actions":["read","write"]}`
	less    = `{"type":"account","actions":["read"]}`
)

// detailed are the authorization details of a JWT access token, and those that the response tells.
func (w *world) detailed(k grant.Tokens) (inToken, told string) {
	b, _ := json.Marshal(w.claims("at+jwt", k.AccessToken)["authorization_details"])
	c, _ := json.Marshal(k.Details)
	return string(b), string(c)
}

// A token request may ask for less than was granted, for this one access token (RFC 9396 §6.1).
func TestDetailsMayBeNarrowed(t *testing.T) {
	for _, tt := range []struct{ rule, asked, want, err string }{
		{"as granted", "", `[{"actions":["read","write"],"type":"account"}]`, ""},
		{"an empty array asks for nothing in particular", "[]", `[{"actions":["read","write"],"type":"account"}]`, ""},
		{"less", "[" + less + "]", `[{"actions":["read"],"type":"account"}]`, ""},
		{"more", `[{"type":"account","actions":["read","write","delete"]}]`, "", exceeds},
		{"another type", `[{"type":"payment"}]`, "", exceeds},
		{"nonsense", `{}`, "", noArray},
	} {
		for _, refresh := range []bool{false, true} {
			w := newWorld(t)
			agreed := func(g *grant.Grant) { g.Terms.Details = oauth.Details{json.RawMessage(both)} }
			var k grant.Tokens
			var err error
			if refresh {
				line, _ := w.line("shop", agreed)
				if k, err = w.refresh("shop", line, "authorization_details", tt.asked); err == nil {
					if again, err := w.refresh("shop", k.RefreshToken); err != nil || len(again.Details) != 1 || string(again.Details[0]) != both {
						t.Errorf("%s: the next refresh gets %s, %v", tt.rule, again.Details, err)
					}
				}
			} else {
				code, _ := w.agree("shop", agreed)
				k, err = w.ask("shop", "grant_type", "authorization_code", "code", code, "redirect_uri", callback, "authorization_details", tt.asked)
			}
			if got := said(err); got != tt.err {
				t.Errorf("%s, refreshed %v: %s", tt.rule, refresh, got)
			}
			if err != nil {
				continue
			}
			if inToken, _ := w.detailed(k); inToken != tt.want {
				t.Errorf("%s, refreshed %v: the token says %s", tt.rule, refresh, inToken)
			}
			if len(k.Details) != 1 {
				t.Errorf("%s, refreshed %v: the response says %s", tt.rule, refresh, k.Details)
			}
		}
	}
}

// A client may ask for details in its own name, of the types that it registered (RFC 9396 §6).
func TestAClientAsksForDetails(t *testing.T) {
	for _, tt := range []struct{ rule, asked, want, err string }{
		{"none", "", "null", ""},
		{"what it registered", "[" + less + "]", "[" + less + "]", ""},
		{"what it did not", `[{"type":"payment"}]`, "", "invalid_authorization_details: the client may not ask for this type of authorization_details"},
		{"nonsense", `1`, "", noArray},
	} {
		w := newWorld(t)
		w.tenant.Settings.Authorization.DetailsTypes = []tenant.DetailsType{{Type: "account"}, {Type: "payment"}}
		w.clients["shop"].DetailsTypes = []string{"account"}
		w.clients["shop"].GrantTypes = append(w.clients["shop"].GrantTypes, oauth.ClientCredentials)
		k, err := w.ask("shop", "grant_type", "client_credentials", "authorization_details", tt.asked)
		if got := said(err); got != tt.err {
			t.Errorf("%s: %s", tt.rule, got)
		}
		if err == nil {
			if _, told := w.detailed(k); told != tt.want {
				t.Errorf("%s: %s", tt.rule, told)
			}
		}
	}
}
