package script

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
)

// A webhook and a script that answer alike come to the same.
func TestOneContract(t *testing.T) {
	s, acme := newStage(t), acme(t)
	acme.Settings.Hooks[tenant.HookChallenge] = tenant.Hook{URL: "https://hooks.acme.example/c"}
	for _, answer := range []string{
		`{"action":"allow","subject":"alice"}`,
		`{"action":"allow","subject":"alice","acr":"2","amr":["pwd","otp"],"auth_time":7,"scope":["a","b","a"],"audience":["urn:x"],"claims":{"email":"a@x"},"data":{"d":1},"access_token":{"lifetime":60,"claims":{"role":"r"}},"refresh_token":true,"id_token":false}`,
		`{"action":"allow","scope":"a  b a"}`,
		`{"action":"allow","scope":[]}`,
		`{"action":"deny","error":"access_denied","error_description":"not today"}`,
		`{"action":"next","error":"otp_required","keep":{"username":"alice"},"wrong":true,"data":{"digits":6}}`,
		`{}`, `[]`, `"allow"`, `7`, `{"action":"maybe"}`, `{"action":"allow","admin":true}`, `{"action":"allow","subject":null}`, `{"action":"allow","subject":{}}`,
		`{"action":"deny"}`, `{"action":"allow","error":"x"}`, `{"action":"next","error":"a b"}`, `{"action":"deny","error":"x","error_description":"\u0001"}`,
		`{"action":"allow","claims":{"a":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}}`, `{"action":"allow","access_token":{"lifetime":-1}}`, `{"action":"allow","amr":[""]}`,
	} {
		r := &receiver{answers: []func(context.Context) (string, string, error){says(answer)}}
		both := &Runner{Webhook: newHook(r), JavaScript: &s.JavaScript, Library: nil}
		ev := Event{Hook: tenant.HookChallenge}
		byHook, hookErr := both.Run(t.Context(), acme, ev)
		byScript, scriptErr := s.Run(t.Context(), acme, of(handler(`return `+answer)), ev)
		if d := cmp.Diff(byHook, byScript); d != "" || (hookErr == nil) != (scriptErr == nil) {
			t.Errorf("%s: %v, %v %s", answer, hookErr, scriptErr, d)
		}
	}
}
