package console_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestClients(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	developer, _ := h.admit("acme", "developer")
	call := func(method, path, body string, headers ...string) answer {
		t.Helper()
		return h.call(method, "/admin/v1/tenants/acme/clients"+path, body, append([]string{"Authorization", "Bearer " + developer}, headers...)...)
	}
	cc := url.Values{"grant_type": {"client_credentials"}}
	made := call("POST", "", `{"client_name": "Batch", "client_name#de": "Stapel", "grant_types": ["client_credentials"]}`, "Idempotency-Key", "a")
	if again := call("POST", "", `{"client_name": "Batch", "client_name#de": "Stapel", "grant_types": ["client_credentials"]}`, "Idempotency-Key", "a"); string(again.body) != string(made.body) {
		t.Errorf("a repetition: %s, then %s", made.body, again.body)
	}
	client := made.json(t)
	id, secret := client["client_id"].(string), client["client_secret"].(string)
	if a := h.form("/t/acme/token", id, secret, cc); a.status != 200 {
		t.Errorf("the client gets no token: %d %s", a.status, a.body)
	}
	read := call("GET", "/"+id, "")
	if shown := read.json(t); shown["client_secret"] != nil || shown["client_name#de"] != "Stapel" || shown["enabled"] != true {
		t.Errorf("it is read as %s", read.body)
	}
	// What is read can be written back, at its version.
	put := call("PUT", "/"+id, strings.Replace(string(read.body), "Batch", "Nightly", 1), "If-Match", read.header.Get("ETag"))
	if put.status != 200 || put.json(t)["client_name"] != "Nightly" || put.json(t)["client_name#de"] != "Stapel" {
		t.Errorf("%d %s", put.status, put.body)
	}
	if stale := call("PUT", "/"+id, string(read.body), "If-Match", read.header.Get("ETag")); stale.status != 412 {
		t.Errorf("at an old version: %d", stale.status)
	}
	rotated := call("POST", "/"+id+"/secret", "").json(t)["client_secret"].(string)
	for _, s := range []string{rotated, secret} { // the old one lives on for a while
		if a := h.form("/t/acme/token", id, s, cc); a.status != 200 {
			t.Errorf("after the rotation: %d %s", a.status, a.body)
		}
	}
	for _, enabled := range []bool{false, true} {
		body := map[bool]string{true: `{"enabled": true}`, false: `{"enabled": false}`}[enabled]
		if a := call("PATCH", "/"+id, body); a.status != 200 || a.json(t)["enabled"] != enabled {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
		if a := h.form("/t/acme/token", id, rotated, cc); (a.status == 200) != enabled {
			t.Errorf("after %s: %d", body, a.status)
		}
	}
	call("POST", "", `{"client_name": "Second", "grant_types": ["client_credentials"]}`)
	page := call("GET", "?limit=1", "").json(t)
	rest := call("GET", "?limit=1&cursor="+page["next_cursor"].(string), "").json(t)
	if len(page["clients"].([]any)) != 1 || len(rest["clients"].([]any)) != 1 || rest["next_cursor"] != nil {
		t.Errorf("%v, then %v", page, rest)
	}
	if a := call("DELETE", "/"+id, ""); a.status != 204 {
		t.Errorf("deleting: %d", a.status)
	}
	for _, tt := range []struct {
		rule, method, path, body string
		status                   int
	}{
		{"a client that is gone", "GET", "/" + id, ``, 404},
		{"changing one that is gone", "PUT", "/" + id, `{}`, 404},
		{"deleting one that is gone", "DELETE", "/" + id, ``, 404},
		{"a redirect URI with a fragment", "POST", "", `{"redirect_uris": ["https://x.example/#f"]}`, 400},
		{"a member twice", "POST", "", `{"scope": "a", "scope": "b"}`, 400},
	} {
		if a := call(tt.method, tt.path, tt.body); a.status != tt.status {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
		}
	}
	if a := h.call("GET", "/admin/v1/tenants/platform/clients", ""); a.status != 400 {
		t.Errorf("the platform's clients: %d", a.status)
	}
	if h.call("PATCH", "/admin/v1/tenants/acme", `{"enabled": false}`); h.call("GET", "/admin/v1/tenants/acme/clients", "").status != 409 {
		t.Error("a disabled tenant's clients are listed")
	}
}

func TestUsers(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	support, _ := h.admit("acme", "support")
	call := func(method, path, body string) answer {
		t.Helper()
		return h.call(method, "/admin/v1/tenants/acme/users"+path, body, "Authorization", "Bearer "+support)
	}
	bob := call("POST", "", `{"username": "bob", "password": "a long enough sentence", "claims": {"email": "bob@example.com"}}`)
	sub := bob.json(t)["sub"].(string)
	if strings.Contains(string(bob.body), "sentence") || strings.Contains(string(bob.body), "argon2") {
		t.Errorf("the password shows: %s", bob.body)
	}
	if read := call("GET", "/"+sub, ""); string(read.body) != string(bob.body) {
		t.Errorf("written %s, read %s", bob.body, read.body)
	}
	imported := call("POST", "", `{"username": "carol", "password_hash": "$2a$04$vXC1sjuBb5pPzuPHMvFEuO7xUOwWXs4kOdrlSSPAg7T7pPQSfvi5C"}`)
	if imported.status != 201 || imported.json(t)["has_password"] != true {
		t.Errorf("%d %s", imported.status, imported.body)
	}
	if a := call("PATCH", "/"+sub, `{"enabled": false, "claims": {"name": "Bob"}}`); a.status != 200 || a.json(t)["enabled"] != false || a.json(t)["claims"].(map[string]any)["name"] != "Bob" {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := call("PATCH", "/"+sub, `{"enabled": true}`); a.json(t)["enabled"] != true {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := call("PUT", "/"+sub+"/password", `{"password": "another long sentence"}`); a.status != 204 {
		t.Errorf("%d %s", a.status, a.body)
	}
	page := call("GET", "?limit=1", "").json(t)
	rest := call("GET", "?limit=9&cursor="+page["next_cursor"].(string), "").json(t)
	if len(page["users"].([]any))+len(rest["users"].([]any)) != 2 {
		t.Errorf("%v, then %v", page, rest)
	}
	for _, tt := range []struct {
		rule, method, path, body string
		status                   int
	}{
		{"a name that is taken", "POST", "", `{"username": "BOB"}`, 409},
		{"a common password", "POST", "", `{"username": "dave", "password": "password"}`, 400},
		{"a hash of no known kind", "POST", "", `{"username": "dave", "password_hash": "md5:x"}`, 400},
		{"a claim that the server sets", "POST", "", `{"username": "dave", "claims": {"sub": "x"}}`, 400},
		{"an internal member", "POST", "", `{"username": "dave", "sub": "x"}`, 400},
		{"nobody", "GET", "/nobody", ``, 404},
		{"changing nobody", "PATCH", "/nobody", `{"enabled": false}`, 404},
		{"deleting", "DELETE", "/" + sub, ``, 204},
		{"deleting again", "DELETE", "/" + sub, ``, 404},
	} {
		if a := call(tt.method, tt.path, tt.body); a.status != tt.status {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
		}
	}
	events := string(h.call("GET", "/admin/v1/tenants/acme/events", "").body)
	for _, kind := range []string{"user_created", "user_updated", "user_deleted"} {
		if !slices.Contains(strings.Split(events, `"`), kind) {
			t.Errorf("there is no event %s", kind)
		}
	}
}
