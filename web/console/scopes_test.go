package console_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestScopes(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	const path = "/admin/v1/tenants/acme/scopes"
	var all struct{ Scopes []struct{ Name string } }
	_ = json.Unmarshal(h.call("GET", path, "").body, &all)
	if len(all.Scopes) != 6 {
		t.Errorf("at first there are %+v", all)
	}
	const invoices = `{"description": "Read your invoices", "descriptions": {"de": "Ihre Rechnungen lesen"}, "claims": ["customer_number"], "default": true, "advertised": true}`
	tag := h.call("GET", path, "").header.Get("ETag")
	for _, tt := range []struct {
		rule, method, at, body, header string
		want                           int
		says                           string
	}{
		{"at another version", "PUT", "/invoices:read", invoices, `"1"`, 412, ""},
		{"made", "PUT", "/invoices:read", invoices, tag, 200, `"claims":["customer_number"]`},
		{"the same again", "PUT", "/invoices:read", invoices, "", 200, `"advertised":true`},
		{"read", "GET", "/invoices:read", "", "", 200, "Ihre Rechnungen lesen"},
		{"another, that is not advertised", "PUT", "/quiet", `{"description": "Hush"}`, "", 200, `"advertised":false`},
		{"a standard one, described", "PUT", "/email", `{"description": "See your address", "claims": ["email", "email_verified"], "advertised": true}`, "", 200, `"standard":true`},
		{"its claims are fixed", "PUT", "/email", `{"claims": ["x"], "advertised": true}`, "", 400, `"pointer":"#/claims"`},
		{"a claim that only we set", "PUT", "/x", `{"claims": ["iss"]}`, "", 400, `"pointer":"#/claims/0"`},
		{"a description with a line break", "PUT", "/x", `{"description": "a\nb"}`, "", 400, `"pointer":"#/description"`},
		{"no language", "PUT", "/x", `{"descriptions": {"not a tag": "x"}}`, "", 400, `"pointer":"#/descriptions/not a tag"`},
		{"no scope value", "PUT", "/a%20b", `{"description": "x"}`, "", 400, ""},
		{"nothing said", "PUT", "/x", `{}`, "", 400, `"pointer":"#/advertised"`},
		{"unknown", "GET", "/nothing", "", "", 404, ""},
		{"unknown, removed", "DELETE", "/nothing", "", "", 404, ""},
	} {
		a := h.call(tt.method, path+tt.at, tt.body, "If-Match", tt.header)
		if a.status != tt.want || !strings.Contains(string(a.body), tt.says) {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
		}
	}
	var metadata struct {
		Scopes []string `json:"scopes_supported"`
		Claims []string `json:"claims_supported"`
	}
	_ = json.Unmarshal(h.call("GET", "/t/acme/.well-known/openid-configuration", "", "Authorization", "").body, &metadata)
	if !slices.Contains(metadata.Scopes, "invoices:read") || !slices.Contains(metadata.Scopes, "openid") || slices.Contains(metadata.Scopes, "quiet") || !slices.Contains(metadata.Claims, "customer_number") {
		t.Errorf("metadata: %+v", metadata)
	}
	// It is a setting like any other: in the document, its history and the record.
	if a := h.call("GET", "/admin/v1/tenants/acme/settings", ""); !strings.Contains(string(a.body), `"scope_details"`) {
		t.Errorf("the settings: %s", a.body)
	}
	if a := h.call("GET", "/admin/v1/tenants/acme/settings/history?limit=10", ""); !strings.Contains(string(a.body), `"scope":"invoices:read"`) {
		t.Errorf("the history: %s", a.body)
	}
	client := h.call("POST", "/admin/v1/tenants/acme/clients", `{"redirect_uris": ["https://app.example/cb"], "scope": "openid invoices:read"}`).json(t)["client_id"].(string)
	if a := h.call("DELETE", path+"/invoices:read", ""); a.status != http.StatusConflict || !strings.Contains(string(a.body), client) {
		t.Errorf("removed while a client has it: %d %s", a.status, a.body)
	}
	for at, want := range map[string]int{"/quiet": 204, "/invoices:read?force=true": 204} {
		if a := h.call("DELETE", path+at, ""); a.status != want {
			t.Errorf("%s removed: %d %s", at, a.status, a.body)
		}
	}
	if a := h.call("GET", path+"/invoices:read", ""); a.status != http.StatusNotFound {
		t.Errorf("after it was removed: %d %s", a.status, a.body)
	}
	for _, name := range []string{"openid", "profile", "email", "address", "phone", "offline_access"} {
		want := http.StatusNoContent
		if name == "offline_access" {
			want = http.StatusBadRequest // the last one
		}
		if a := h.call("DELETE", path+"/"+name+"?force=true", ""); a.status != want {
			t.Errorf("%s removed: %d %s", name, a.status, a.body)
		}
	}
}
