package authlete

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/oauth"
)

// shownOf returns the members of an answer that tell how it went.
func shownOf(t *testing.T, body []byte) (code, action string) {
	t.Helper()
	var r struct{ ResultCode, ResultMessage, Action string }
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if !strings.HasPrefix(r.ResultMessage, "["+r.ResultCode+"] ") {
		t.Errorf("resultMessage %q does not begin with resultCode %q", r.ResultMessage, r.ResultCode)
	}
	return r.ResultCode, r.Action
}

// malformed are bodies that are no request to any call.
var malformed = map[string]string{
	"no JSON":                   `{"ticket":`,
	"nothing":                   ``,
	"not an object":             `[]`,
	"a member twice":            `{"ticket":"a","ticket":"b","token":"a","token":"b","parameters":"a","parameters":"b","clientName":"a","clientName":"b"}`,
	"members of the wrong type": `{"ticket":1,"token":1,"parameters":1,"clientName":1}`,
	"a zero character":          `{"ticket":"\u0000","token":"\u0000","parameters":"\u0000","clientName":"\u0000"}`,
	"too deep":                  strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
	"no UTF-8":                  "{\"ticket\":\"\xff\",\"clientName\":\"\xff\"}",
}

func TestMalformedBodies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ticket := w.ticket(t, "")
		for i := range runtime {
			e := &runtime[i]
			for rule, body := range malformed {
				rec := w.call("POST", w.api("acme", e.path), body, nil)
				code, action := shownOf(t, rec.Body.Bytes())
				want := string(e.misused)
				for _, a := range []string{string(e.failed), "INTERNAL_SERVER_ERROR"} {
					if want == "" && !e.plain {
						want = a
					}
				}
				if rec.Code != 200 || action != want || code != e.codes+misuse {
					t.Errorf("%s, %s: %d %s %s", e.path, rule, rec.Code, code, action)
				}
			}
		}
		for _, path := range []string{"/client/create", "/client/update/app"} {
			for rule, body := range malformed {
				rec := w.call("POST", w.api("acme", path), body, nil)
				if code, action := shownOf(t, rec.Body.Bytes()); rec.Code != 400 || action != "" || code[4] != '2' {
					t.Errorf("%s, %s: %d %s", path, rule, rec.Code, rec.Body)
				}
			}
		}
		if a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"}); a["action"] != "LOCATION" {
			t.Errorf("the ticket did not stay: %v", a)
		}
	})
}

func TestWrongVerdictsLeaveTheTicket(t *testing.T) {
	long := strings.Repeat("a", 101)
	each(t, func(t *testing.T, w *world) {
		ticket := w.ticket(t, "")
		for _, tt := range []struct {
			rule   string
			change map[string]any
		}{
			{"no subject", map[string]any{"subject": ""}},
			{"a subject of more than 100 characters", map[string]any{"subject": long}},
			{"a subject that is not ASCII", map[string]any{"subject": "ålice"}},
			{"a subject with a control character", map[string]any{"subject": "a\nb"}},
			{"the client as subject", map[string]any{"subject": "app"}},
			{"the client as sub", map[string]any{"sub": "app"}},
			{"a sub of more than 100 characters", map[string]any{"sub": long}},
			{"a scope value with a space", map[string]any{"scopes": []string{"a b"}}},
			{"a scope value that is empty", map[string]any{"scopes": []string{""}}},
			{"claims that are no object", map[string]any{"claims": "[1]"}},
			{"claims that are no JSON", map[string]any{"claims": "{"}},
			{"jwtAtClaims that are no object", map[string]any{"jwtAtClaims": "1"}},
			{"header parameters, which cannot be honoured", map[string]any{"idtHeaderParams": `{"x":1}`}},
			{"authorization details without a type", map[string]any{"authorizationDetails": map[string]any{"elements": []any{map[string]any{"identifier": "x"}}}}},
			{"authorization details whose other fields are no object", map[string]any{"authorizationDetails": map[string]any{"elements": []any{map[string]any{"type": "x", "otherFields": "1"}}}}},
			{"an unknown form of aud", map[string]any{"idTokenAudType": "set"}},
			{"a property without a key", map[string]any{"properties": []any{map[string]any{"value": "v"}}}},
			{"an authTime in milliseconds", map[string]any{"authTime": noon.UnixMilli()}},
			{"an acr with a control character", map[string]any{"acr": "a\x01"}},
			{"a duration beyond all", map[string]any{"accessTokenDuration": int64(1) << 62}},
			{"scopes of the wrong type", map[string]any{"scopes": "openid"}},
		} {
			body := map[string]any{"ticket": ticket, "subject": "alice"}
			for k, v := range tt.change {
				body[k] = v
			}
			if a := w.post(t, "/auth/authorization/issue", body); a["action"] != "INTERNAL_SERVER_ERROR" || a["resultCode"] != "A040201" {
				t.Errorf("%s: %v", tt.rule, a)
			}
		}
		if a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"}); a["action"] != "LOCATION" {
			t.Errorf("the ticket did not stay: %v", a)
		}
	})
}

func TestForeignTickets(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ticket := w.ticket(t, "")
		for _, tt := range []struct{ rule, service, ticket string }{
			{"another service's", "globex", ticket},
			{"an unknown one", "acme", "x"},
			{"one with more behind it", "acme", ticket + "A"},
			{"a very long one", "acme", strings.Repeat("x", 100_000)},
		} {
			for path, body := range map[string]map[string]string{
				"/auth/authorization/issue": {"subject": "alice"}, "/auth/authorization/fail": {"reason": "DENIED"},
			} {
				body["ticket"] = tt.ticket
				b, _ := json.Marshal(body)
				rec := w.call("POST", w.api(tt.service, path), string(b), func(r *http.Request) {
					r.Header.Set("Authorization", "Bearer chy_"+tt.service+"_api")
				})
				if code, action := shownOf(t, rec.Body.Bytes()); rec.Code != 200 || action != "BAD_REQUEST" || code != "A041201" {
					t.Errorf("%s, %s: %d %s", path, tt.rule, rec.Code, rec.Body)
				}
			}
		}
		if a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"}); a["action"] != "LOCATION" {
			t.Errorf("the ticket did not stay: %v", a)
		}
	})
}

// A ticket opens nothing of another dialect, as it may stand in a browser's address bar.
func TestATicketIsNoOtherHandle(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ticket := w.ticket(t, "")
		acme := w.tenants["acme"]
		for _, binding := range []string{"", ticket, "ticket"} {
			if _, err := w.door.Authorize.Load(t.Context(), acme, ticket, binding); err == nil {
				t.Errorf("the ticket opens with %q", binding)
			}
		}
	})
}

func TestReasons(t *testing.T) {
	want := map[string]string{
		"UNKNOWN": "server_error", "SERVER_ERROR": "server_error", "NOT_LOGGED_IN": "login_required", "MAX_AGE_NOT_SUPPORTED": "login_required",
		"EXCEEDS_MAX_AGE": "login_required", "DIFFERENT_SUBJECT": "login_required", "NOT_AUTHENTICATED": "login_required",
		"ACR_NOT_SATISFIED": "unmet_authentication_requirements", "DENIED": "access_denied", "ACCOUNT_SELECTION_REQUIRED": "account_selection_required",
		"CONSENT_REQUIRED": "consent_required", "INTERACTION_REQUIRED": "interaction_required", "INVALID_TARGET": "invalid_target",
		"INVALID_SCOPE": "invalid_scope", "UNAUTHORIZED_CLIENT": "unauthorized_client", "TEMPORARILY_UNAVAILABLE": "temporarily_unavailable",
	}
	each(t, func(t *testing.T, w *world) {
		if len(failReasons) != len(want) {
			t.Errorf("there are %d reasons", len(failReasons))
		}
		for reason, code := range want {
			a := w.post(t, "/auth/authorization/fail", map[string]any{"ticket": w.ticket(t, ""), "reason": reason})
			content, _ := a["responseContent"].(string)
			if a["action"] != "LOCATION" || !strings.HasPrefix(content, "https://client.example.org/cb?error="+code+"&error_description=%5BA0603") || !strings.Contains(content, "&state=s1&iss=") {
				t.Errorf("%s: %v", reason, a)
			}
		}
	})
}

func TestOurFault(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ticket := w.ticket(t, "")
		for _, err := range []error{errors.New("the database is away: secret words"), oauth.Unavailable()} {
			w.store.err.Store(&err)
			a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"})
			if a["action"] != "INTERNAL_SERVER_ERROR" || a["resultCode"] != "A040101" || a["resultMessage"] != "[A040101] The server failed." ||
				a["responseContent"] != `{"error":"server_error","error_description":"[A040101] The server failed."}` {
				t.Errorf("%v: %v", err, a)
			}
		}
		w.store.err.Store(nil)
		if a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"}); a["action"] != "LOCATION" {
			t.Errorf("the ticket did not stay: %v", a)
		}
	})
}

func TestADeletedClientTakesAllWithIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		a := w.post(t, "/auth/token", redeeming(w.code(t, "")))
		ticket, code := w.ticket(t, ""), w.code(t, "")
		w.move(time.Second)
		if rec := w.call("DELETE", w.api("acme", "/client/delete/app"), "", nil); rec.Code != http.StatusNoContent {
			t.Fatal(rec.Code, rec.Body)
		}
		for _, tt := range []struct {
			path   string
			body   map[string]any
			action string
		}{
			{"/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"}, "BAD_REQUEST"},
			{"/auth/token", redeeming(code), "INVALID_CLIENT"},
			{"/auth/introspection", map[string]any{"token": a["accessToken"]}, "UNAUTHORIZED"},
			{"/auth/introspection", map[string]any{"token": a["jwtAccessToken"]}, "UNAUTHORIZED"},
			{"/auth/authorization", map[string]any{"parameters": asked("")}, "BAD_REQUEST"},
		} {
			if got := w.post(t, tt.path, tt.body); got["action"] != tt.action {
				t.Errorf("%s: %v", tt.path, got)
			}
		}
	})
}
