package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// What an action means at each endpoint.
func TestActions(t *testing.T) {
	for _, c := range []struct {
		endpoint, path, action, members string
		status                          int
		says                            string // in the body, the Location or the challenge
	}{
		{"/authorize?x=1", authorizing, "LOCATION", toClient, 303, "https://shop.example/cb?code=c&state=s"},
		{"/authorize?x=1", authorizing, "FORM", `"responseContent":"<form>"`, 200, "<form>"},
		{"/authorize?x=1", authorizing, "BAD_REQUEST", refused, 400, "invalid_request &lt;i&gt;no"},
		{"/authorize?x=1", authorizing, "INTERNAL_SERVER_ERROR", refused, 500, "invalid_request"},
		{"/authorize?x=1", authorizing, "DANCE", refused, 503, "try again"},
		{"/authorize?x=1", authorizing, "", `"resultCode":"A001215"`, 400, "unauthorized_client"},
		{"/token", "/auth/token", "", `"resultCode":"A001215"`, 400, "unauthorized_client"},
		{"/token", "/auth/token", "OK", refused, 200, "invalid_request"},
		{"/token", "/auth/token", "ID_TOKEN_REISSUABLE", refused, 200, "invalid_request"},
		{"/token", "/auth/token", "BAD_REQUEST", refused, 400, "invalid_request"},
		{"/token", "/auth/token", "INVALID_CLIENT", refused, 401, "Basic realm"},
		{"/token", "/auth/token", "INTERNAL_SERVER_ERROR", refused, 500, "invalid_request"},
		{"/token", "/auth/token", "TOKEN_EXCHANGE", "", 400, "unsupported_grant_type"},
		{"/token", "/auth/token", "JWT_BEARER", "", 400, "unsupported_grant_type"},
		{"/token", "/auth/token", "DANCE", refused, 503, "temporarily_unavailable"},
		{"/revoke", "/auth/revocation", "OK", "", 200, ""},
		{"/revoke", "/auth/revocation", "BAD_REQUEST", refused, 400, "invalid_request"},
		{"/revoke", "/auth/revocation", "INVALID_CLIENT", refused, 401, "Basic realm"},
		{"/backchannel/authentication", "/backchannel/authentication", "BAD_REQUEST", refused, 400, "invalid_request"},
		{"/backchannel/authentication", "/backchannel/authentication", "UNAUTHORIZED", refused, 401, "Basic realm"},
		{"/backchannel/authentication", "/backchannel/authentication", "INTERNAL_SERVER_ERROR", refused, 500, "invalid_request"},
		{"/userinfo", "/auth/userinfo", "UNAUTHORIZED", `"responseContent":"Bearer error=\"invalid_token\""`, 401, `Bearer error="invalid_token"`},
		{"/userinfo", "/auth/userinfo", "FORBIDDEN", `"responseContent":"Bearer error=\"insufficient_scope\""`, 403, "insufficient_scope"},
		{"/userinfo", "/auth/userinfo", "BAD_REQUEST", `"responseContent":"Bearer error=\"invalid_request\""`, 400, "invalid_request"},
		{"/userinfo", "/auth/userinfo", "INTERNAL_SERVER_ERROR", `"responseContent":"Bearer error=\"server_error\""`, 500, "server_error"},
		{"/introspect", "/auth/introspection", "UNAUTHORIZED", refused, 200, `{"active":false}`},
		{"/introspect", "/auth/introspection", "INTERNAL_SERVER_ERROR", refused, 500, `{"error":"server_error"}`},
	} {
		t.Run(c.endpoint+" "+c.action, func(t *testing.T) {
			members := []string{c.members}
			if c.members == "" {
				members = nil
			}
			b := open(t, c.path, action(c.action, members...))
			method, body, credentials := http.MethodPost, "token=x", "Basic cnM6cnMrc2VjcmV0" // rs:rs+secret
			switch c.path {
			case authorizing:
				method, body = http.MethodGet, ""
			case "/auth/userinfo":
				credentials = "Bearer x"
			}
			res, text := b.send(method, c.endpoint, body, "Authorization", credentials)
			if said := text + res.Header.Get("Location") + res.Header.Get("WWW-Authenticate"); res.StatusCode != c.status || !strings.Contains(said, c.says) {
				t.Errorf("%d %s", res.StatusCode, said)
			}
			if strings.Contains(text, "<i>") && res.Header.Get("Content-Type") != "application/json" {
				t.Error("markup from outside:", text)
			}
			if !strings.HasPrefix(res.Header.Get("Cache-Control"), "no-store") {
				t.Error("may be kept")
			}
			delete(b.api.answers, c.path)
			if res, text := b.send(method, c.endpoint, body, "Authorization", credentials); res.StatusCode != 503 {
				t.Errorf("without the API: %d %s", res.StatusCode, text)
			}
		})
	}
}

func TestPasswordGrant(t *testing.T) {
	for password, want := range map[string]string{
		"right": `/auth/token/issue {"subject":"u-1001","ticket":"T"}`,
		"wrong": `/auth/token/fail {"reason":"INVALID_RESOURCE_OWNER_CREDENTIALS","ticket":"T"}`,
	} {
		b := open(t, "/auth/token", action("PASSWORD", `"ticket":"T","username":"carol","password":"`+password+`"`),
			"/auth/token/issue", action("OK", `"responseContent":"{}"`), "/auth/token/fail", action("BAD_REQUEST", refused))
		res, _ := b.send("POST", "/token", "grant_type=password")
		if b.api.calls[1] != want || (res.StatusCode == 200) != (password == "right") {
			t.Error(res.StatusCode, b.api.calls)
		}
	}
}

func TestClientCredentials(t *testing.T) {
	b := open(t, "/auth/token", action("OK", `"responseContent":"{}"`))
	b.send("POST", "/token", "grant_type=x&a=%26", "Authorization", "Basic YSUzQWI6cyUyQnM=") // a%3Ab:s%2Bs
	if got, want := b.api.calls[0], `/auth/token {"parameters":"grant_type=x\u0026a=%26","clientId":"a:b","clientSecret":"s+s"}`; got != want {
		t.Error(got)
	}
	for rule, header := range map[string][]string{
		"a header that cannot be read":  {"Authorization", "Basic !"},
		"credentials that are not text": {"Authorization", "Basic JTp4"}, // %:x
		"a body that is no form":        {"Content-Type", "application/json"},
	} {
		if res, text := b.send("POST", "/token", "{}", header...); res.StatusCode != 400 || !strings.Contains(text, "invalid_request") || len(b.api.calls) != 1 {
			t.Error(rule, res.StatusCode, text)
		}
	}
	for rule, header := range map[string]string{"no credentials": "", "wrong ones": "Basic cnM6eA==", "a token": "Bearer x"} {
		if res, _ := b.send("POST", "/introspect", "token=x", "Authorization", header); res.StatusCode != 401 || len(b.api.calls) != 1 {
			t.Error("introspection with", rule, res.StatusCode)
		}
	}
}

func TestUserInfo(t *testing.T) {
	b := open(t, "/auth/userinfo", action("OK", `"subject":"u-1002","claims":["name","phone_number"]`), "/auth/userinfo/issue", action("JSON", `"responseContent":"{\"sub\":\"x\"}"`))
	res, text := b.send("GET", "/userinfo", "", "Authorization", "bearer x")
	if res.StatusCode != 200 || text != `{"sub":"x"}` || b.api.calls[1] != `/auth/userinfo/issue {"claims":"{\"name\":\"Dave Example\"}","token":"x"}` {
		t.Error(res.StatusCode, text, b.api.calls)
	}
	if res, _ := b.send("GET", "/userinfo", ""); res.StatusCode != 401 || res.Header.Get("WWW-Authenticate") != "Bearer" || len(b.api.calls) != 2 {
		t.Error("without a token:", res.StatusCode, res.Header)
	}
}

func TestMetadata(t *testing.T) {
	b := open(t, "/service/configuration", `{"issuer":"https://other.example"}`, "/service/jwks/get", `{"keys":[]}`)
	if err := b.s.check(t.Context()); err == nil || !strings.Contains(err.Error(), "https://other.example") {
		t.Error("another issuer:", err)
	}
	var in struct{ Patch string }
	var ops []operation
	if err := json.Unmarshal([]byte(strings.TrimPrefix(b.api.calls[0], "/service/configuration ")), &in); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(in.Patch), &ops); err != nil || ops[2] != (operation{"add", "/token_endpoint", b.base + "/token"}) {
		t.Error(err, in.Patch)
	}
	if res, text := b.send("GET", "/jwks", ""); res.StatusCode != 200 || text != `{"keys":[]}` || res.Header.Get("Content-Type") != "application/json" {
		t.Error(res.StatusCode, text)
	}
}
