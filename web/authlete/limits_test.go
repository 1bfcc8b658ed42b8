package authlete

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/web/wire"
)

// much is a JSON object in a text that no token holds.
var much = `{"x":"` + strings.Repeat("x", 12000) + `"}`

// bankTicket opens a backchannel authentication of a client that asks for bob, and acknowledges it.
func (w *world) bankTicket(t *testing.T) string {
	t.Helper()
	w.tenants["acme"].Settings.CIBA.Enabled = true
	rec := w.call("POST", w.api("acme", "/client/create"), `{"clientIdAlias":"bank","tokenAuthMethod":"CLIENT_SECRET_POST","grantTypes":["CIBA"],"bcDeliveryMode":"POLL"}`, nil)
	secret, ok := members(rec.Body.Bytes())["clientSecret"].(string)
	if !ok {
		t.Fatal(rec.Body)
	}
	a := w.post(t, "/backchannel/authentication", map[string]any{"parameters": "scope=openid&login_hint=bob&client_id=bank&client_secret=" + url.QueryEscape(secret)})
	ticket, ok := a["ticket"].(string)
	if !ok {
		t.Fatal(a)
	}
	w.post(t, "/backchannel/authentication/issue", map[string]any{"ticket": ticket})
	return ticket
}

// What cannot become a token is a wrong call, which changes nothing.
func TestMoreThanTokensHold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		wrong := func(rule, path string, body map[string]any, code, more string) {
			t.Helper()
			if a := w.post(t, path, body); a["resultCode"] != code || !strings.Contains(a["resultMessage"].(string), more) {
				t.Errorf("%s: %v", rule, a)
			}
		}
		ticket := w.ticket(t, "&max_age=60")
		for rule, change := range map[string]string{"claims": much, "jwtAtClaims": much} {
			wrong(rule, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice", "authTime": 7, rule: change}, "A040201", "more than fits")
		}
		wrong("no authTime", "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice"}, "A040201", "authTime is missing")
		a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice", "authTime": 7})
		code, _ := a["authorizationCode"].(string)
		redeem := redeeming(code)
		redeem["jwtAtClaims"] = much
		wrong("the wish of one call", "/auth/token", redeem, "A050201", "jwtAtClaims")
		delete(redeem, "jwtAtClaims")
		if a := w.post(t, "/auth/token", redeem); a["action"] != "OK" {
			t.Errorf("the code did not stay: %v", a)
		}

		ticket = w.bankTicket(t)
		const complete = "/backchannel/authentication/complete"
		for rule, tt := range map[string]struct{ member, value, more string }{
			"claims":                    {"claims", much, "more than fits"},
			"claims of access tokens":   {"jwtAtClaims", much, "more than fits"},
			"a subject of any script":   {"subject", "боб", "subject must have 1 to 100 printable ASCII characters"},
			"too long a subject":        {"subject", strings.Repeat("b", 101), "subject must"},
			"another sub of any script": {"sub", "боб", "sub must have"},
		} {
			body := map[string]any{"ticket": ticket, "result": "AUTHORIZED", "subject": "bob"}
			body[tt.member] = tt.value
			wrong(rule, complete, body, "A198201", tt.more)
		}
		wrong("a time to come", complete, map[string]any{"ticket": ticket, "result": "AUTHORIZED", "subject": "bob", "authTime": noon.Unix() + 3600}, "A198201", "authTime must not")
		if a := w.post(t, complete, map[string]any{"ticket": ticket, "result": "AUTHORIZED", "subject": "bob"}); a["action"] != "NO_ACTION" {
			t.Errorf("the ticket did not stay: %v", a)
		}
	})
}

// What stands in a text of the body is read as strictly as the body.
func TestTextsOfJSON(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ticket := w.ticket(t, "")
		for _, text := range []string{`{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, `{"a\u0000":1}`, `{} {}`, strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65)} {
			for _, member := range []string{"claims", "jwtAtClaims"} {
				if a := w.post(t, "/auth/authorization/issue", map[string]any{"ticket": ticket, "subject": "alice", member: text}); a["resultCode"] != "A040201" {
					t.Errorf("%s %s: %v", member, text, a)
				}
			}
		}
		redeem := redeeming(w.code(t, ""))
		redeem["properties"] = `[{"key":"k","value":"v","key":"l"}]`
		if a := w.post(t, "/auth/token", redeem); a["resultCode"] != "A050201" {
			t.Error(a)
		}
		rec := w.call("POST", w.api("acme", "/auth/token"), `{"parameters":"x=y","clientId":5}`, nil)
		if !strings.Contains(rec.Body.String(), "The JSON member clientId has the wrong type") {
			t.Error(rec.Body)
		}
	})
}

// sink keeps the last record.
type sink struct{ last wire.Record }

func (s *sink) Request(_ context.Context, r *wire.Record) { s.last = *r }

// What the authorization server does wrong, or has us tell its client, is no failure of ours.
func TestWhoseFaultItIs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var records sink
		gate := &wire.Gate{Resolver: w, Now: w.clock, PublicURL: &url.URL{Scheme: "https", Host: "id.example"}, Sink: &records}
		w.Handler = gate.Handler(w.door)
		for _, tt := range []struct {
			path string
			body map[string]any
			code string
		}{
			{"/backchannel/authentication/issue", map[string]any{"ticket": "unknown"}, "invalid_request"},
			{"/backchannel/authentication/fail", map[string]any{"ticket": "unknown", "reason": "SERVER_ERROR"}, "server_error"},
			{"/auth/authorization/fail", map[string]any{"ticket": w.ticket(t, ""), "reason": "SERVER_ERROR"}, "server_error"},
			{"/auth/authorization/fail", map[string]any{"ticket": w.ticket(t, ""), "reason": "TEMPORARILY_UNAVAILABLE"}, "temporarily_unavailable"},
		} {
			w.post(t, tt.path, tt.body)
			if records.last.Outcome != wire.Refused || records.last.Code != tt.code {
				t.Errorf("%s: recorded %+v", tt.path, records.last)
			}
		}
	})
}

// members are those of an answer; none where it is no object.
func members(body []byte) map[string]any {
	var out map[string]any
	_ = json.Unmarshal(body, &out)
	return out
}
