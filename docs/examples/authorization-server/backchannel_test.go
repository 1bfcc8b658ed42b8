package main

import (
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"
)

func TestBackchannel(t *testing.T) {
	const (
		begin, issue, fail, complete = "/backchannel/authentication", "/backchannel/authentication/issue", "/backchannel/authentication/fail", "/backchannel/authentication/complete"
		asks                         = `"ticket":"T","clientId":5,"clientName":"Bank","bindingMessage":"<4711","scopes":[{"name":"openid"}],"claimNames":["name"]`
		acknowledged                 = `"responseContent":"{\"auth_req_id\":\"id\"}","expiresIn":60`
	)
	for _, c := range []struct{ rule, members, reason string }{
		{"a user name", `"hintType":"LOGIN_HINT","hint":"Carol"`, ""},
		{"a proven address", `"hintType":"LOGIN_HINT","hint":"carol@example.com"`, ""},
		{"an address that is not proven", `"hintType":"LOGIN_HINT","hint":"dave@example.com"`, "UNKNOWN_USER_ID"},
		{"an empty hint", `"hintType":"LOGIN_HINT"`, "UNKNOWN_USER_ID"},
		{"an ID token", `"hintType":"ID_TOKEN_HINT","sub":"u-1001"`, ""},
		{"an ID token of nobody", `"hintType":"ID_TOKEN_HINT","sub":"u-9"`, "UNKNOWN_USER_ID"},
		{"a hint token", `"hintType":"LOGIN_HINT_TOKEN","hint":"carol"`, "UNKNOWN_USER_ID"},
		{"a user code", `"hintType":"LOGIN_HINT","hint":"carol","userCode":"1"`, "INVALID_USER_CODE"},
	} {
		t.Run(c.rule, func(t *testing.T) {
			b := open(t, begin, action("USER_IDENTIFICATION", asks, c.members), issue, action("OK", acknowledged), fail, action("BAD_REQUEST", refused))
			res, text := b.send("POST", begin, "scope=openid")
			want := issue + ` {"ticket":"T"}`
			if c.reason != "" {
				want = fail + ` {"reason":"` + c.reason + `","ticket":"T"}`
			}
			if len(b.api.calls) != 2 || b.api.calls[1] != want || (res.StatusCode == 200) != (c.reason == "") {
				t.Error(res.StatusCode, text, b.api.calls)
			}
		})
	}
	for answer, want := range map[string]string{
		"allow": complete + ` {"authTime":1772366400,"claims":"{\"name\":\"Carol Example\"}","result":"AUTHORIZED","subject":"u-1001","ticket":"T"}`,
		"deny":  complete + ` {"result":"ACCESS_DENIED","subject":"u-1001","ticket":"T"}`,
	} {
		b := open(t, begin, action("USER_IDENTIFICATION", asks, `"hintType":"LOGIN_HINT","hint":"carol"`), issue, action("OK", acknowledged), complete, action("NO_ACTION"))
		b.s.Now = func() time.Time { return time.Unix(1772366400, 0) }
		if res, text := b.send("POST", begin, "scope=openid"); text != `{"auth_req_id":"id"}` {
			t.Error(res.StatusCode, text)
		}
		res, page := b.send("GET", "/requests", "")
		res, page = b.fill(res, page, "action", "login", "username", "dave", "password", "right")
		if strings.Contains(page, "4711") {
			t.Error("another user sees it")
		}
		b.http.Jar, _ = cookiejar.New(nil)
		res, page = b.fill(res, page, "action", "login", "username", "carol", "password", "right")
		if !strings.Contains(page, "&lt;4711") || !strings.Contains(page, "Bank") {
			t.Error("the page:", page)
		}
		calls := len(b.api.calls)
		if _, after := b.fill(res, page, "action", answer); !strings.Contains(after, "Nothing waits") || len(b.api.calls) != calls+1 || b.api.calls[calls] != want {
			t.Error(answer, b.api.calls[calls:], after)
		}
		if b.fill(res, page, "action", answer); len(b.api.calls) != calls+1 {
			t.Error("answered twice")
		}
	}
	b := open(t, begin, action("USER_IDENTIFICATION", asks, `"hintType":"LOGIN_HINT","hint":"carol"`), issue, action("INVALID_TICKET", refused))
	if res, text := b.send("POST", begin, "scope=openid"); res.StatusCode != 500 {
		t.Error("a ticket that is gone:", res.StatusCode, text)
	}
}
