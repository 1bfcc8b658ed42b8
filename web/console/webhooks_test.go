package console_test

import (
	"fmt"
	"strings"
	"testing"
)

// A webhook from its creation to its end, as an administrator sees it.
func TestWebhookAdministration(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	const base = "/admin/v1/tenants/acme/webhooks"
	for _, c := range []struct {
		rule, body, pointer string
	}{
		{"a URL is needed", `{"events": ["*"]}`, "#/url"},
		{"it is https", `{"url": "http://hooks.example/", "events": ["*"]}`, "#/url"},
		{"it leads to the public", `{"url": "https://127.0.0.1/", "events": ["*"]}`, "#/url"},
		{"events are needed", `{"url": "https://hooks.example/"}`, "#/events"},
		{"which there are", `{"url": "https://hooks.example/", "events": ["login", "webhook_test"]}`, "#/events/1"},
		{"and once each", `{"url": "https://hooks.example/", "events": ["login", "login"]}`, "#/events/1"},
		{"a description is short", `{"url": "https://hooks.example/", "events": ["*"], "description": "` + strings.Repeat("x", 129) + `"}`, "#/description"},
		{"members are known", `{"url": "https://hooks.example/", "events": ["*"], "secret": "mine"}`, "#/secret"},
	} {
		if a := h.call("POST", base, c.body); a.status != 400 || !strings.Contains(string(a.body), `"`+c.pointer+`"`) {
			t.Errorf("%s: %d %s", c.rule, a.status, a.body)
		}
	}
	made := h.call("POST", base, `{"url": "https://hooks.example/?key=private", "events": ["login"], "description": "CRM"}`, "Idempotency-Key", "one")
	again := h.call("POST", base, `{"url": "https://hooks.example/?key=private", "events": ["login"], "description": "CRM"}`, "Idempotency-Key", "one")
	m := made.json(t)
	if made.status != 201 || string(made.body) != string(again.body) || !strings.HasPrefix(fmt.Sprint(m["secret"]), "whsec_") || m["enabled"] != true {
		t.Fatalf("%d %s, then %s", made.status, made.body, again.body)
	}
	at := base + "/" + fmt.Sprint(m["id"])
	read := h.call("GET", at, "")
	if r := read.json(t); r["secret"] != nil || r["url"] != m["url"] {
		t.Errorf("%s", read.body)
	}
	tag := read.header.Get("ETag")
	if a := h.call("PATCH", at, `{"enabled": false, "events": ["*"]}`, "If-Match", tag); a.status != 200 || a.json(t)["enabled"] != false {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := h.call("PATCH", at, `{"enabled": true}`, "If-Match", tag); a.status != 412 || strings.Contains(string(a.body), "tenant") {
		t.Errorf("a stale version: %d %s", a.status, a.body)
	}
	if a := h.call("PATCH", at, `{"events": []}`); a.status != 400 {
		t.Errorf("no events: %d %s", a.status, a.body)
	}
	for _, path := range []string{"/test", "/replay", "/messages/none/replay"} {
		if a := h.call("POST", at+path, ""); a.status != 409 {
			t.Errorf("%s of a disabled one: %d %s", path, a.status, a.body)
		}
	}
	first := m["secret"]
	for _, c := range []struct {
		body   string
		status int
	}{{"", 200}, {`{"overlap": 60}`, 200}, {`{"overlap": 0}`, 200}, {`{"overlap": -1}`, 400}, {`{"overlap": 604801}`, 400}, {`{"overlap": 9223372036854775807}`, 400}} {
		a := h.call("POST", at+"/secret", c.body)
		if a.status != c.status || a.status == 200 && (a.json(t)["secret"] == first || a.json(t)["previous_secret_until"] == nil) {
			t.Errorf("%s: %d %s", c.body, a.status, a.body)
		}
	}
	h.call("PATCH", at, `{"enabled": true}`)
	if a := h.call("POST", at+"/test", ""); a.status != 202 || a.json(t)["kind"] != "webhook_test" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := h.call("GET", at+"/messages", ""); !strings.Contains(string(a.body), `"webhook_test"`) {
		t.Errorf("%s", a.body)
	}
	if a := h.call("GET", at+"/messages?state=lost", ""); a.status != 400 {
		t.Errorf("%d", a.status)
	}
	for i := range 20 {
		want := 201
		if i == 19 {
			want = 409
		}
		if a := h.call("POST", base, `{"url": "https://hooks.example/", "events": ["login"]}`); a.status != want {
			t.Errorf("the %dth: %d %s", i+2, a.status, a.body)
		}
	}
	if a := h.call("POST", "/admin/v1/tenants/platform/webhooks", `{"url": "https://hooks.example/", "events": ["*"]}`); a.status != 400 {
		t.Errorf("the platform's: %d", a.status)
	}
	if a := h.call("DELETE", at, ""); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := h.call("GET", "/admin/v1/tenants/acme/events", ""); strings.Contains(string(a.body), "private") || !strings.Contains(string(a.body), "webhook_secret_rotated") {
		t.Errorf("what is recorded: %s", a.body)
	}
}
