package registration

import (
	"strings"
	"testing"
)

// What a client may register is what its tenant has turned on, with the grant types that belong to it (RFC 7591 §2.1).
func TestResponseTypes(t *testing.T) {
	for _, c := range []struct{ rule, on, members, want string }{
		{"the implicit types are off", "", `{"grant_types":["implicit"],"response_types":["id_token"]}`, badMeta},
		{"and so is the grant type", "", `{"grant_types":["authorization_code","implicit"]}`, badMeta},
		{"none is too", "", `{"response_types":["code","none"]}`, badMeta},
		{"id_token where it is on", "id_token", `{"grant_types":["implicit"],"response_types":["id_token"]}`, ""},
		{"but not another", "id_token", `{"grant_types":["implicit"],"response_types":["token"]}`, badMeta},
		{"in any order", "id_token token", `{"grant_types":["implicit"],"response_types":["token id_token"]}`, ""},
		{"a hybrid needs both grant types", "code id_token", `{"grant_types":["authorization_code"],"response_types":["code id_token"]}`, badMeta},
		{"the one as the other", "code id_token", `{"grant_types":["implicit"],"response_types":["code id_token"]}`, badMeta},
		{"a hybrid with both", "code id_token", `{"grant_types":["authorization_code","implicit"],"response_types":["code id_token"]}`, ""},
		{"none beside code", "none", `{"response_types":["none","code"]}`, ""},
		{"the implicit grant needs a redirect URI", "id_token", `{"grant_types":["implicit"],"response_types":["id_token"],"redirect_uris":[]}`, badURI},
		{"a value twice", "id_token", `{"grant_types":["implicit"],"response_types":["id_token id_token"]}`, badMeta},
	} {
		s, acme, _ := house(t)
		s.ResponseTypes = []string{"code", "none", "id_token", "token", "id_token token", "code id_token"}
		if c.on != "" {
			acme.Settings.Authorization.ResponseTypes = []string{c.on}
		}
		if !strings.Contains(c.members, "redirect_uris") {
			c.members = `{"redirect_uris":["https://a.example/cb"],` + c.members[1:]
		}
		if _, err := s.Register(t.Context(), acme, request(t, c.members, administrator)); said(err) != c.want {
			t.Errorf("%s: %v, want %q", c.rule, err, c.want)
		}
	}
}
