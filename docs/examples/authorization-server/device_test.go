package main

import (
	"strings"
	"testing"
	"time"
)

func TestPush(t *testing.T) {
	const path = "/pushed_auth_req"
	for _, c := range []struct {
		action string
		status int
	}{{"CREATED", 201}, {"BAD_REQUEST", 400}, {"UNAUTHORIZED", 401}, {"FORBIDDEN", 403}, {"PAYLOAD_TOO_LARGE", 413}, {"INTERNAL_SERVER_ERROR", 500}, {"LOCATION", 503}} {
		b := open(t, path, action(c.action, `"responseContent":"{\"request_uri\":\"urn:x\"}"`))
		res, text := b.send("POST", "/par", "response_type=code", "Authorization", "Basic YTpi")
		if res.StatusCode != c.status || c.status == 201 && text != `{"request_uri":"urn:x"}` || b.api.calls[0] != path+` {"parameters":"response_type=code","clientId":"a","clientSecret":"b"}` {
			t.Error(c.action, res.StatusCode, text, b.api.calls)
		}
	}
}

func TestDevice(t *testing.T) {
	const (
		begin, verify, complete = "/device/authorization", "/device/verification", "/device/complete"
		asks                    = `"clientId":5,"clientName":"<TV","scopes":[{"name":"openid"}],"claimNames":["name"]`
	)
	b := open(t, begin, action("OK", `"responseContent":"{\"device_code\":\"d\"}"`))
	if res, text := b.send("POST", begin[:7]+"_authorization", "scope=openid"); res.StatusCode != 200 || text != `{"device_code":"d"}` {
		t.Error(res.StatusCode, text)
	}
	for answer, want := range map[string]string{
		"allow": complete + ` {"authTime":1772366400,"claims":"{\"name\":\"Carol Example\"}","result":"AUTHORIZED","subject":"u-1001","userCode":"BCDF-GHJK"}`,
		"deny":  complete + ` {"result":"ACCESS_DENIED","userCode":"BCDF-GHJK"}`,
	} {
		b := open(t, verify, action("VALID", asks), complete, action("SUCCESS"))
		b.s.Now = func() time.Time { return time.Unix(1772366400, 0) }
		res, page := b.send("GET", "/device?user_code=BCDF-GHJK", "")
		res, page = b.fill(res, page, "action", "login", "username", "carol", "password", "right")
		if !strings.Contains(page, `value="BCDF-GHJK"`) || len(b.api.calls) != 0 {
			t.Fatal("the page for the code:", page, b.api.calls)
		}
		res, page = b.fill(res, page, "user_code", "BCDF-GHJK")
		if !strings.Contains(page, "&lt;TV") || !strings.Contains(page, "openid") || len(b.api.calls) != 1 {
			t.Fatal("who asks:", page, b.api.calls)
		}
		_, page = b.fill(res, page, "action", answer)
		if n := len(b.api.calls); b.api.calls[n-1] != want || strings.Contains(page, "is connected") != (answer == "allow") {
			t.Error(answer, page, b.api.calls)
		}
	}
	for name, notice := range map[string]string{"NOT_EXIST": "does not work", "EXPIRED": "has expired"} {
		b := open(t, verify, action(name), complete, action("SUCCESS"))
		res, page := b.send("GET", "/device", "")
		res, page = b.fill(res, page, "action", "login", "username", "carol", "password", "right")
		for range maxGuesses {
			if res, page = b.fill(res, page, "user_code", "x"); !strings.Contains(page, notice) {
				t.Fatal(name, page)
			}
		}
		if res, _ = b.fill(res, page, "user_code", "x"); res.StatusCode != 429 || len(b.api.calls) != maxGuesses {
			t.Error("guesses are not limited:", res.StatusCode)
		}
	}
	b = open(t, verify, action("VALID", asks), complete, action("USER_CODE_EXPIRED"))
	res, page := b.send("GET", "/device", "")
	if _, text := b.send("POST", "/device", "user_code=x&action=allow", "Origin", b.base); strings.Contains(text, "connected") || len(b.api.calls) != 0 {
		t.Error("nobody is signed in:", text)
	}
	res, page = b.fill(res, page, "action", "login", "username", "carol", "password", "right")
	if _, text := b.send("POST", "/device", "user_code=x&action=allow", "Origin", "https://evil.example"); strings.Contains(text, "connected") || len(b.api.calls) != 0 {
		t.Error("another site's form:", text)
	}
	if _, text := b.fill(res, page, "action", "allow", "user_code", "x"); !strings.Contains(text, "has expired") {
		t.Error(text)
	}
}
