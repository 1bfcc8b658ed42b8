package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// A user code is set, shown to be there, and taken away; what is wrong with anything of a user is named by its pointer.
func TestUserCredentials(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "starter")
	h.create("globex", "")
	user := "/admin/v1/tenants/acme/users/" + acme.User.Subject
	has := func() bool { return h.call("GET", user, "").json(t)["has_user_code"].(bool) }
	for _, c := range []struct {
		method, path, body string
		status             int
		has                bool
	}{
		{"PUT", user + "/user-code", `{"user_code": "4711"}`, 204, true},
		{"PUT", user + "/user-code", `{"user_code": ""}`, 204, false},
		{"PUT", user + "/user-code", `{"user_code": "0815"}`, 204, true},
		{"PUT", "/admin/v1/tenants/globex/users/" + acme.User.Subject + "/user-code", `{"user_code": "4711"}`, 404, true},
	} {
		if a := h.call(c.method, c.path, c.body); a.status != c.status || has() != c.has {
			t.Errorf("%s %s %s: %d %s, has one: %v", c.method, c.path, c.body, a.status, a.body, has())
		}
	}
	for _, tt := range []struct {
		rule, method, path, body string
		status                   int
		errors                   []string
	}{
		{"a short user code", "PUT", user + "/user-code", `{"user_code": "1"}`, 400, []string{"#/user_code"}},
		{"a short password", "PUT", user + "/password", `{"password": "x"}`, 400, []string{"#/password"}},
		{"an empty name", "PATCH", user, `{"username": " "}`, 400, []string{"#/username"}},
		{"a claim of the protocol's", "PATCH", user, `{"claims": {"iss": "x", "a/b": null}}`, 400, []string{"#/claims/a~1b", "#/claims/iss"}},
		{"all at once", "POST", "/admin/v1/tenants/acme/users", `{"username": "", "password": "x", "claims": {"email": 1}}`, 400, []string{"#/username", "#/claims/email", "#/password"}},
		{"a hash that is none", "POST", "/admin/v1/tenants/acme/users", `{"username": "bob", "password_hash": "x"}`, 400, []string{"#/password_hash"}},
		{"two passwords", "POST", "/admin/v1/tenants/acme/users", `{"username": "bob", "password": "correct horse", "password_hash": "x"}`, 400, []string{"#/password_hash"}},
		{"a name that is taken", "POST", "/admin/v1/tenants/acme/users", `{"username": "Alice"}`, 409, []string{"#/username"}},
	} {
		a := h.call(tt.method, tt.path, tt.body)
		got := errorsOf(t, a)
		slices.Sort(got)
		slices.Sort(tt.errors)
		if a.status != tt.status || !slices.Equal(got, tt.errors) {
			t.Errorf("%s: %d with %v: %s", tt.rule, a.status, got, a.body)
		}
	}

	link := h.call("POST", user+"/password-link", "")
	if at, _ := link.json(t)["url"].(string); link.status != http.StatusCreated || !strings.HasPrefix(at, acme.Issuer+"/login/password/") {
		t.Errorf("%d %s", link.status, link.body)
	}
	if events := string(h.call("GET", "/admin/v1/tenants/acme/events?limit=1", "").body); !strings.Contains(events, "password link") {
		t.Errorf("it is not recorded: %s", events)
	}
	h.call("PATCH", user, `{"enabled": false}`)
	if a := h.call("POST", user+"/password-link", ""); a.status != http.StatusBadRequest {
		t.Errorf("of one who is disabled: %d %s", a.status, a.body)
	}
	h.call("PATCH", "/admin/v1/tenants/acme/settings", `{"login_url": "https://login.example/"}`)
	h.call("PATCH", user, `{"enabled": true}`)
	if a := h.call("POST", user+"/password-link", ""); a.status != http.StatusBadRequest || !strings.Contains(string(a.body), "login pages of its own") {
		t.Errorf("where there is no page for it: %d %s", a.status, a.body)
	}
}

// The check of a profile is that of the command line.
func TestCheckOfAProfile(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "starter")
	none := h.call("GET", "/admin/v1/tenants/acme/check", "").json(t)
	if none["fulfilled"] != true || len(none["findings"].([]any)) != 0 {
		t.Errorf("no profile: %v", none)
	}
	a := h.call("GET", "/admin/v1/tenants/acme/check?profile=fapi2-security", "")
	if got := a.json(t); a.status != http.StatusOK || got["fulfilled"] != false || got["profile"] != "fapi2-security" || len(got["findings"].([]any)) < 5 {
		t.Errorf("%d %s", a.status, a.body)
	}
	for path, status := range map[string]int{"acme/check?profile=czar": 400, "nobody/check": 404} {
		if a := h.call("GET", "/admin/v1/tenants/"+path, ""); a.status != status {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
