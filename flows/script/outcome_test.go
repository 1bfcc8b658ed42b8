package script

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/flows/oauth"
)

func TestOutcomes(t *testing.T) {
	yes, no := true, false
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	for _, c := range []struct {
		rule, answer string
		want         Outcome
	}{
		{"allowed as asked", `{"action":"allow"}`, Outcome{Action: Allow}},
		{"denied", `{"action":"deny","error":"invalid_grant","error_description":"no such user"}`, Outcome{Action: Deny, Code: "invalid_grant", Description: "no such user"}},
		{"a step", `{"action":"next","error":"otp_required","keep":{"user":"alice"}}`, Outcome{Action: Next, Code: "otp_required", Keep: map[string]string{"user": "alice"}}},
		{"all there is", ` {"action":"allow","subject":"alice","acr":"2","amr":["pwd","otp"],"auth_time":7,"scope":["a","b","a"],"audience":["urn:x"],
			"claims":{"email":"a@x"},"data":{"d":1},"access_token":{"lifetime":60,"claims":{"role":"r"}},"refresh_token":true,"id_token":false} `,
			Outcome{Action: Allow, Subject: "alice", ACR: "2", AMR: []string{"pwd", "otp"}, AuthTime: 7, Scope: oauth.Scope{"a", "b"}, Rescoped: true,
				Audience: []string{"urn:x"}, Claims: map[string]json.RawMessage{"email": raw(`"a@x"`)}, Data: raw(`{"d":1}`),
				AccessToken: AccessToken{Lifetime: 60, Claims: map[string]json.RawMessage{"role": raw(`"r"`)}}, RefreshToken: &yes, IDToken: &no}},
		{"scope as text", `{"action":"allow","scope":"a  b a"}`, Outcome{Action: Allow, Scope: oauth.Scope{"a", "b"}, Rescoped: true}},
		{"no scope", `{"action":"allow","scope":[]}`, Outcome{Action: Allow, Rescoped: true}},
		{"no audience", `{"action":"allow","audience":[]}`, Outcome{Action: Allow, Audience: []string{}}},
	} {
		got, err := ParseOutcome([]byte(c.answer))
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", c.rule, err, d)
		}
	}
}

func TestNonsense(t *testing.T) {
	long := strings.Repeat("x", 1025)
	for _, c := range []struct{ rule, answer string }{
		{"nothing", ``},
		{"text", `allow`},
		{"null", `null`},
		{"an array", `[{"action":"allow"}]`},
		{"two objects", `{"action":"allow"}{"action":"allow"}`},
		{"half of one", `{"action":"allow"`},
		{"no action", `{"subject":"alice"}`},
		{"an unknown action", `{"action":"Allow"}`},
		{"a null action", `{"action":null}`},
		{"an action in capitals", `{"ACTION":"allow"}`},
		{"an action twice", `{"action":"deny","error":"x","action":"allow"}`},
		{"an action twice, escaped", `{"action":"deny","error":"x","\u0061ction":"allow"}`},
		{"a member twice inside", `{"action":"allow","claims":{"a":1,"a":2}}`},
		{"a mistyped restriction", `{"action":"allow","scopes":["a"]}`},
		{"a mistyped restriction inside", `{"action":"allow","access_token":{"lifetme":1}}`},
		{"a null restriction", `{"action":"allow","scope":null}`},
		{"scope that cannot be", `{"action":"allow","scope":["a b"]}`},
		{"scope of numbers", `{"action":"allow","scope":[1]}`},
		{"scope with null", `{"action":"allow","scope":["a",null]}`},
		{"an empty audience in a list", `{"action":"allow","audience":[""]}`},
		{"a subject that is a number", `{"action":"allow","subject":7}`},
		{"a long subject", `{"action":"allow","subject":"` + long + `"}`},
		{"a negative time", `{"action":"allow","auth_time":-1}`},
		{"a time that is none", `{"action":"allow","auth_time":1e30}`},
		{"a negative life", `{"action":"allow","access_token":{"lifetime":-1}}`},
		{"data that is no object", `{"action":"allow","data":[1]}`},
		{"claims that are no object", `{"action":"allow","claims":"x"}`},
		{"denied for no reason", `{"action":"deny"}`},
		{"denied for one that is no code", `{"action":"deny","error":"invalid grant"}`},
		{"denied with a quote", `{"action":"deny","error":"x","error_description":"a \"b\""}`},
		{"denied with another script", `{"action":"deny","error":"x","error_description":"café"}`},
		{"allowed with an error", `{"action":"allow","error":"x"}`},
		{"deep", `{"action":"allow","claims":{"a":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}}`},
		{"large", `{"action":"allow","claims":{"a":"` + strings.Repeat("x", MaxAnswer) + `"}}`},
		{"not UTF-8", "{\"action\":\"allow\",\"subject\":\"\xff\""},
	} {
		if got, err := ParseOutcome([]byte(c.answer)); !errors.Is(err, ErrAnswer) || !cmp.Equal(got, Outcome{}) {
			t.Errorf("%s: %+v, %v", c.rule, got, err)
		}
	}
}

func FuzzParseOutcome(f *testing.F) {
	for _, s := range []string{`{"action":"allow","subject":"a","scope":"a b","access_token":{"lifetime":1,"claims":{}}}`,
		`{"action":"deny","error":"x","error_description":"y"}`, `{"action":"next","error":"x","keep":{"a":"b"}}`, `[]`, `{"action":null}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := ParseOutcome(b)
		if err != nil {
			return
		}
		if o.Action == Allow && o.Code != "" || o.Action != Allow && !code(o.Code) || !described(o.Description) {
			t.Errorf("%+v", o)
		}
		for _, v := range o.Scope {
			if !oauth.ScopeValue(v) {
				t.Errorf("scope %q", v)
			}
		}
	})
}
