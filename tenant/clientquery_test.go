package tenant

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestWhichClientsSignInAnew(t *testing.T) {
	c := &Client{ID: "app", Secrets: []ClientSecret{{Hash: []byte("x")}}, Metadata: Metadata{SoftwareID: "portal", GrantTypes: []string{"authorization_code", "refresh_token"}, RequireAuthTime: true,
		Data: json.RawMessage(`{"tier":"gold","level":3,"none":null}`)}}
	for _, tt := range []struct {
		rule, query string
		want        bool
	}{
		{"no query", ``, false},
		{"null", `null`, false},
		{"a value", `{"software_id":"portal"}`, true},
		{"another value", `{"software_id":"shop"}`, false},
		{"the id", `{"client_id":"app"}`, true},
		{"a member that is not there", `{"logo_uri":"portal"}`, false},
		{"an element of an array", `{"grant_types":"refresh_token"}`, true},
		{"an array as a whole", `{"grant_types":{"$in":[["authorization_code","refresh_token"]]}}`, true},
		{"a nested member", `{"data.tier":"gold"}`, true},
		{"a number", `{"data.level":3}`, true},
		{"a number is no text", `{"data.level":"3"}`, false},
		{"a flag", `{"require_auth_time":true}`, true},
		{"all of several", `{"software_id":"portal","data.tier":"silver"}`, false},
		{"one of a list", `{"data.tier":{"$in":["silver","gold"]}}`, true},
		{"none of a list", `{"data.tier":{"$nin":["silver"]}}`, true},
		{"what is not there is none of a list", `{"logo_uri":{"$nin":["x"]}}`, true},
		{"not that", `{"data.tier":{"$ne":"gold"}}`, false},
		{"it is there", `{"data.tier":{"$exists":true}}`, true},
		{"it is not", `{"data.color":{"$exists":false}}`, true},
		{"null is not there", `{"data.none":{"$exists":false}}`, true},
		{"two operators", `{"data.tier":{"$exists":true,"$ne":"gold"}}`, false},
		{"secrets are no metadata", `{"secrets":{"$exists":true}}`, false},
		{"through a text", `{"software_id.x":{"$exists":true}}`, false},
	} {
		s := &Settings{Authorization: AuthorizationSettings{NoSingleSignOn: json.RawMessage(tt.query)}}
		if got := s.SignsInAnew(c); got != tt.want || len(s.Check()) > 0 {
			t.Errorf("%s: got %v, %v", tt.rule, got, s.Check())
		}
		if s.SignsInAnew(nil) {
			t.Errorf("%s: nobody does", tt.rule)
		}
	}
	for _, query := range []string{`{}`, `[]`, `true`, `"x"`, `{"a":{}}`, `{"a":{"$gt":1}}`, `{"a":{"b":1}}`, `{"a":[1]}`, `{"a":{"$in":1}}`, `{"a":{"$exists":1}}`, `{"a":null}`, `{"$or":[]}`, `{"a..b":1}`, `{"":1}`,
		`{"a":"` + strings.Repeat("x", maxQuery) + `"}`} {
		s := &Settings{Authorization: AuthorizationSettings{NoSingleSignOn: json.RawMessage(query)}}
		if found := s.Check(); len(found) != 1 || found[0].Pointer != "/authorization/no_single_sign_on" || s.SignsInAnew(c) {
			t.Errorf("%.40s: %v", query, found)
		}
	}
}
