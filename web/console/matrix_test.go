package console_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// S6, S7, S16: each route by each role, at the caller's own tenant, at another, and at one that does not exist. What a
// role may is said here once more, so that a slip in the tables of the code shows.
func TestMatrix(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("globex", "")
	h.create("victim", "")
	all := []string{"tenant:read", "tenant:write", "keys:read", "keys:write", "clients:read", "clients:write", "users:read", "users:write", "sessions:read",
		"sessions:write", "tokens:read", "tokens:write", "access:read", "access:write", "audit:read", "usage:read", "webhooks:read", "webhooks:write",
		"scripts:read", "scripts:write"}
	platform := append([]string{"tenants:list", "tenants:create", "tenants:enable", "tenants:delete"}, all...)
	var reads []string
	for _, p := range all {
		if strings.HasSuffix(p, ":read") {
			reads = append(reads, p)
		}
	}
	if a := h.call("PUT", "/admin/v1/tenants/acme/roles/own", `{"permissions": ["audit:read", "keys:write"]}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := h.call("PUT", "/admin/v1/tenants/platform/roles/own", `{"permissions": ["tenants:list", "users:read"]}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	roles := []struct {
		home, role       string
		onHome, onOthers []string
	}{
		{"platform", "owner", platform, platform},
		{"platform", "operator", []string{"tenants:list", "tenants:create", "tenant:read", "usage:read"}, platform},
		{"platform", "auditor", append([]string{"tenants:list"}, reads...), reads},
		{"platform", "own", []string{"tenants:list"}, []string{"users:read"}},
		{"acme", "owner", all, nil},
		{"acme", "admin", slices.DeleteFunc(slices.Clone(all), func(p string) bool { return p == "access:write" }), nil},
		{"acme", "developer", []string{"clients:read", "clients:write"}, nil},
		{"acme", "support", []string{"users:read", "users:write", "sessions:read", "sessions:write"}, nil},
		{"acme", "auditor", reads, nil},
		{"acme", "own", []string{"audit:read", "keys:write"}, nil},
	}
	calls := 0
	for _, r := range roles {
		token, _ := h.admit(r.home, r.role)
		for template, operations := range h.described().Paths {
			for method, o := range operations {
				method = strings.ToUpper(method)
				body := map[string]string{"rotateKeys": `{"alg": "ES256"}`}[o.OperationID]
				if body == "" && method != "GET" && method != "DELETE" {
					body = `{}`
				}
				call := func(id string) answer {
					calls++
					path := strings.ReplaceAll(template, "{id}", id)
					for _, part := range strings.Split(path, "/") {
						if strings.HasPrefix(part, "{") {
							path = strings.ReplaceAll(path, part, "none-such")
						}
					}
					return h.call(method, "/admin/v1"+path, body, "Authorization", "Bearer "+token)
				}
				where := fmt.Sprintf("%s %s of %s", o.OperationID, r.role, r.home)
				may := func(ps []string) bool { return o.Permission == "" || slices.Contains(ps, o.Permission) }
				expect := func(a answer, allowed bool) {
					t.Helper()
					if refused := a.status == http.StatusForbidden; refused == allowed || a.status == 401 || a.status >= 500 {
						t.Errorf("%s: %d %s", where, a.status, a.body)
					}
				}
				if !strings.Contains(template, "{id}") {
					expect(call(""), may(r.onHome))
					continue
				}
				own, foreign := r.home, "globex"
				if o.OperationID == "deleteTenant" {
					foreign = "victim"
				}
				if r.home == "platform" {
					expect(call(foreign), may(r.onOthers))
					if o.OperationID == "deleteTenant" {
						h.call("POST", "/admin/v1/tenants", `{"tenant_id": "victim"}`)
						continue // the platform itself is tried below, by who may not
					}
					expect(call(own), may(r.onHome))
					continue
				}
				expect(call(own), may(r.onHome))
				f, u := call(foreign), call("nobody")
				f.header.Del("Date")
				u.header.Del("Date")
				if f.status != http.StatusNotFound || fmt.Sprint(f) != fmt.Sprint(u) {
					t.Errorf("%s: another tenant is %v, an unknown one %v", where, f, u)
				}
			}
		}
	}
	if a := h.call("DELETE", "/admin/v1/tenants/platform", ""); a.status != http.StatusBadRequest {
		t.Errorf("deleting the platform: %d", a.status)
	}
	if calls < 400 {
		t.Errorf("only %d calls were made", calls)
	}
}
