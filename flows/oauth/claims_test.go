package oauth

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParseClaims(t *testing.T) {
	for _, c := range []struct {
		rule, claims string
		ok           bool
		sub, acr     string
		essential    bool
	}{
		{"a value is asked for", `{"id_token":{"sub":{"value":"a"}}}`, true, "a", "", false},
		{"also as the only one of values", `{"userinfo":{"sub":{"values":["a"]}}}`, true, "a", "", false},
		{"null asks voluntarily", `{"userinfo":{"email":null}}`, true, "", "", false},
		{"classes come by preference", `{"id_token":{"acr":{"essential":true,"value":"x","values":["gold","silver"]}}}`, true, "", "x gold silver", true},
		{"essential acr without a class is any", `{"id_token":{"acr":{"essential":true}}}`, true, "", "", true},
		{"names are compared as they are", `{"ID_TOKEN":{"acr":{"essential":true,"values":["gold"]}}}`, true, "", "", false},
		{"unknown members are ignored", `{"x":[{"y":1}],"id_token":{"email":{"z":5}}}`, true, "", "", false},
		{"a place may be null", `{"id_token":null}`, true, "", "", false},
		{"not an object", `[]`, false, "", "", false},
		{"null", `null`, false, "", "", false},
		{"nothing", ``, false, "", "", false},
		{"something behind it", `{} {}`, false, "", "", false},
		{"a name twice", `{"id_token":{"sub":{"value":"a","value":"b"}}}`, false, "", "", false},
		{"a place twice", `{"id_token":{"acr":{"essential":true}},"id_token":{}}`, false, "", "", false},
		{"sub is a number", `{"id_token":{"sub":{"value":5}}}`, false, "", "", false},
		{"two subjects", `{"id_token":{"sub":{"values":["a","b"]}}}`, false, "", "", false},
		{"a subject for each place", `{"id_token":{"sub":{"value":"a"}},"userinfo":{"sub":{"value":"b"}}}`, false, "", "", false},
		{"acr is a number", `{"id_token":{"acr":{"essential":true,"value":5}}}`, false, "", "", false},
		{"none of no classes", `{"id_token":{"acr":{"essential":true,"values":[]}}}`, false, "", "", false},
		{"essential is a string", `{"id_token":{"email":{"essential":"yes"}}}`, false, "", "", false},
		{"a request is a string", `{"id_token":{"email":"yes"}}`, false, "", "", false},
		{"a name with a quote", `{"id_token":{"a\"b":null}}`, false, "", "", false},
		{"deep nesting", `{"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`, false, "", "", false},
		{"too long", `{"x":"` + strings.Repeat("y", MaxClaims) + `"}`, false, "", "", false},
	} {
		got, err := ParseClaims(c.claims)
		if (err == nil) != c.ok || err != nil && !errors.Is(err, InvalidRequest("")) {
			t.Errorf("%s: %v", c.rule, err)
			continue
		}
		if acr, essential := got.ACR(); got.Subject() != c.sub || strings.Join(acr, " ") != c.acr || essential != c.essential {
			t.Errorf("%s: sub %q, acr %q, essential %v", c.rule, got.Subject(), acr, essential)
		}
	}
	if c, _ := ParseClaims(`{"id_token":{"auth_time":{"essential":true}}}`); !c.AuthTime() {
		t.Error("auth_time is asked for")
	}
	c, _ := ParseClaims(`{"userinfo":{"email":{"essential":true},"name":null}}`)
	if essential, voluntary := Names(c.UserInfo); !slices.Equal(essential, []string{"email"}) || !slices.Equal(voluntary, []string{"name"}) {
		t.Error(essential, voluntary)
	}
}

func FuzzParseClaims(f *testing.F) {
	f.Add(`{"id_token":{"acr":{"essential":true,"values":["gold"]},"sub":{"value":"a"}},"userinfo":{"email":null}}`)
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseClaims(s)
		if err != nil {
			return
		}
		c.ACR()
		c.AuthTime()
		for _, sub := range append(c.IDToken["sub"].asked(), c.UserInfo["sub"].asked()...) {
			if !strings.Contains(s, "sub") || len(sub) == 0 || c.Subject() == "" {
				t.Errorf("a subject is lost: %s", s)
			}
		}
	})
}
