package oauth

import (
	"encoding/json"
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
		{"verified claims", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"name":null}}}}`, true, "", "", false},
		{"several verified claims", `{"id_token":{"verified_claims":[{"verification":{"trust_framework":{"value":"x"}},"claims":{"name":null}},{"verification":{"trust_framework":null},"claims":{"name":{"essential":true,"purpose":"abc"}}}]}}`, true, "", "", false},
		{"no verified claims", `{"userinfo":{"verified_claims":null}}`, true, "", "", false},
		{"verified claims without verification", `{"userinfo":{"verified_claims":{"claims":{"name":null}}}}`, false, "", "", false},
		{"verified claims by nobody", `{"userinfo":{"verified_claims":{"verification":{},"claims":{"name":null}}}}`, false, "", "", false},
		{"verification that is none", `{"userinfo":{"verified_claims":{"verification":null,"claims":{"name":null}}}}`, false, "", "", false},
		{"verified claims without claims", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{}}}}`, false, "", "", false},
		{"verified claims in an empty array", `{"userinfo":{"verified_claims":[]}}`, false, "", "", false},
		{"verified claims that are a word", `{"userinfo":{"verified_claims":"name"}}`, false, "", "", false},
		{"a verified claim with a quote", `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{"a\"b":null}}}}`, false, "", "", false},
		{"too many verified claims", `{"userinfo":{"verified_claims":[` + strings.Repeat(`{"verification":{"trust_framework":null},"claims":{"a":null}},`, 8) + `{"verification":{"trust_framework":null},"claims":{"a":null}}]}}`, false, "", "", false},
		{"a purpose", `{"userinfo":{"email":{"purpose":"` + strings.Repeat("ä", 300) + `"}}}`, true, "", "", false},
		{"a purpose that is too short", `{"userinfo":{"email":{"purpose":"ab"}}}`, false, "", "", false},
		{"a purpose that is too long", `{"userinfo":{"email":{"purpose":"` + strings.Repeat("a", 301) + `"}}}`, false, "", "", false},
		{"a purpose of two lines", `{"userinfo":{"email":{"purpose":"abc\nd"}}}`, false, "", "", false},
		{"a purpose that is a number", `{"userinfo":{"email":{"purpose":500}}}`, false, "", "", false},
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
	f.Add(`{"id_token":{"verified_claims":[{"verification":{"trust_framework":{"value":"x"}},"claims":{"name":{"essential":true,"purpose":"abc"}}}]}}`)
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseClaims(s)
		if err != nil {
			return
		}
		for _, v := range append(c.VerifiedIDToken, c.VerifiedUserInfo...) {
			if len(v.Claims) == 0 || !json.Valid(v.Verification) {
				t.Errorf("verified claims are lost: %s", s)
			}
			for _, claim := range v.Claims {
				if claim != nil && claim.Purpose != "" && !Purpose(claim.Purpose) {
					t.Errorf("a purpose that is none: %q", claim.Purpose)
				}
			}
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
