package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// admit makes a token of a tenant's administration with those roles, and returns it with its id.
func (h *house) admit(id string, roles ...string) (token, tokenID string) {
	h.t.Helper()
	body, _ := json.Marshal(map[string]any{"apis": []string{"console"}, "roles": roles})
	a := h.call("POST", "/admin/v1/tenants/"+id+"/tokens", string(body))
	if a.status != http.StatusCreated {
		h.t.Fatalf("a token for %v at %s: %d %s", roles, id, a.status, a.body)
	}
	made := a.json(h.t)
	return made["token"].(string), made["id"].(string)
}

func TestTokenOfTheAdministration(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	token, id := h.admit("acme", "developer", "support")
	if !strings.HasPrefix(token, "chy_acme.") {
		t.Errorf("the token does not say whose it is: %.12s…", token)
	}
	bearer := "Bearer " + token
	me := h.call("GET", "/admin/v1/me", "", "Authorization", bearer)
	want := map[string]any{"tenant_id": "acme", "principal": "token:" + id, "roles": []any{"developer", "support"},
		"permissions": []any{"clients:read", "clients:write", "sessions:read", "sessions:write", "users:read", "users:write"}}
	if diff := cmp.Diff(want, me.json(t)); diff != "" {
		t.Error(diff)
	}
	for _, wrong := range []string{token + "x", strings.Replace(token, "acme", "globex", 1), strings.Replace(token, "acme.", "", 1), "chy_.x", "chy_platform." + token} {
		if a := h.call("GET", "/admin/v1/me", "", "Authorization", "Bearer "+wrong); a.status != 401 {
			t.Errorf("%.14s…: %d", wrong, a.status)
		}
	}
	for _, path := range []string{"/t/acme/clients", "/tenants/rest/v1", "/tenants/rest/v1/acme"} {
		if a := h.call("GET", path, "", "Authorization", bearer); a.status != 401 && a.status != 403 {
			t.Errorf("it opens %s: %d", path, a.status)
		}
	}
	operator, _ := h.admit("platform", "operator")
	for _, path := range []string{"/tenants/rest/v1", "/tenants/rest/v1/acme"} {
		if a := h.call("GET", path, "", "Authorization", "Bearer "+operator); a.status != 403 {
			t.Errorf("a role at the platform opens %s: %d", path, a.status)
		}
	}
}

// S7, S16: to an administrator of one tenant any other is as one that does not exist, and each refusal is recorded.
func TestForeignTenantIsUnknown(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("globex", "starter")
	owner, id := h.admit("acme", "owner")
	h.admit("globex", "owner")
	strip := func(a answer, name string) string {
		a.header.Del("Date")
		return fmt.Sprint(a.status, a.header, strings.ReplaceAll(string(a.body), name, "*"))
	}
	kid := h.call("GET", "/admin/v1/tenants/globex/keys", "").json(t)["keys"].([]any)[0].(map[string]any)["kid"].(string)
	refused := 0
	for _, route := range []string{"GET ", "PATCH ", "DELETE ", "GET /keys", "POST /keys", "DELETE /keys/" + kid, "GET /tokens", "POST /tokens", "GET /events",
		"GET /roles", "PUT /roles/x", "GET /administrators", "PUT /administrators/user:x", "POST /service-accounts", "GET /service-accounts"} {
		method, path, _ := strings.Cut(route, " ")
		foreign := h.call(method, "/admin/v1/tenants/globex"+path, `{}`, "Authorization", "Bearer "+owner)
		unknown := h.call(method, "/admin/v1/tenants/nobody"+path, `{}`, "Authorization", "Bearer "+owner)
		if refused += 2; strip(foreign, "globex") != strip(unknown, "nobody") || foreign.status != 404 {
			t.Errorf("%s: %s and %s", route, strip(foreign, "globex"), strip(unknown, "nobody"))
		}
	}
	for _, route := range []string{"GET /tenants", "POST /tenants", "DELETE /tenants/acme"} {
		method, path, _ := strings.Cut(route, " ")
		if a := h.call(method, "/admin/v1"+path, `{}`, "Authorization", "Bearer "+owner); a.status != 403 || a.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%s: %d %s", route, a.status, a.body)
		}
		refused++
	}
	events := h.call("GET", "/admin/v1/tenants/acme/events?limit=1000", "", "Authorization", "Bearer "+owner).json(t)["events"].([]any)
	recorded := 0
	for _, e := range events {
		e := e.(map[string]any)
		if e["kind"] == "admin_refused" && e["actor"] == id && e["address"] == "127.0.0.1" {
			recorded++
		}
	}
	if recorded != refused {
		t.Errorf("%d of %d refusals are recorded", recorded, refused)
	}
	if a := h.call("GET", "/admin/v1/tenants/globex/events", ""); strings.Contains(string(a.body), "refused") {
		t.Errorf("the other tenant has events of it: %s", a.body)
	}
}

// S20: a change of roles holds on every replica within five seconds, and never again otherwise.
func TestRoleChangeReachesReplicas(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	other := newReplica(t, h.db)
	token, id := h.admit("acme", "developer")
	put := func(roles string) {
		t.Helper()
		if a := h.call("PUT", "/admin/v1/tenants/acme/administrators/token:"+id, `{"roles": `+roles+`}`); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	reads := func(x *house) int {
		return x.call("GET", "/admin/v1/tenants/acme/keys", "", "Authorization", "Bearer "+token).status
	}
	holds := func(want int) {
		t.Helper()
		if got := reads(h); got != want {
			t.Errorf("the replica that answered says %d, want %d", got, want)
		}
		end := time.Now().Add(5 * time.Second)
		for reads(other) != want {
			if time.Now().After(end) {
				t.Fatalf("after five seconds the other replica does not say %d", want)
			}
			time.Sleep(20 * time.Millisecond)
		}
		for range 20 {
			if got := reads(other); got != want {
				t.Fatalf("the other replica goes back to %d", got)
			}
		}
	}
	holds(403)
	put(`["admin"]`)
	holds(200)
	put(`["support"]`)
	holds(403)
	put(`[]`)
	holds(403)
}

func TestRolesAndAccounts(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	role := h.call("PUT", "/admin/v1/tenants/acme/roles/help-desk", `{"permissions": ["users:write", "users:read"], "description": "Helps"}`)
	if got := role.json(t); role.status != 200 || got["built_in"] != false || !slices.Equal(got["permissions"].([]any), []any{"users:read", "users:write"}) {
		t.Fatalf("%d %s", role.status, role.body)
	}
	if again := h.call("GET", "/admin/v1/tenants/acme/roles/help-desk", ""); string(again.body) != string(role.body) {
		t.Errorf("it is read as %s, was written as %s", again.body, role.body)
	}
	made := h.call("POST", "/admin/v1/tenants/acme/service-accounts", `{"name": "CI", "roles": ["help-desk"]}`)
	account := made.json(t)
	path := "/admin/v1/tenants/acme/service-accounts/" + account["id"].(string)
	if again := h.call("GET", path, ""); made.status != 201 || string(again.body) != string(made.body) {
		t.Errorf("%d %s, read as %s", made.status, made.body, again.body)
	}
	token := h.call("POST", "/admin/v1/tenants/acme/tokens", `{"apis": ["console"], "service_account": "`+account["id"].(string)+`"}`).json(t)["token"].(string)
	me := func() (principal any, permissions int) {
		got := h.call("GET", "/admin/v1/me", "", "Authorization", "Bearer "+token).json(t)
		ps, _ := got["permissions"].([]any)
		return got["principal"], len(ps)
	}
	if p, n := me(); p != "service:"+account["id"].(string) || n != 2 {
		t.Errorf("the account's token is %v with %d permissions", p, n)
	}
	if a := h.call("PATCH", path, `{"disabled": true}`, "Content-Type", "application/merge-patch+json"); a.status != 200 || a.json(t)["disabled"] != true {
		t.Errorf("disabling: %d %s", a.status, a.body)
	}
	if a := h.call("GET", "/admin/v1/tenants/acme/roles", "", "Authorization", "Bearer "+token); a.status != 403 {
		t.Errorf("a disabled account's token: %d", a.status)
	}
	if a := h.call("DELETE", path, ""); a.status != 204 {
		t.Errorf("deleting: %d %s", a.status, a.body)
	}
	if a := h.call("GET", "/admin/v1/me", "", "Authorization", "Bearer "+token); a.status != 401 {
		t.Errorf("the token of a deleted account: %d", a.status)
	}
	if a := h.call("GET", path, ""); a.status != 404 {
		t.Errorf("reading it then: %d", a.status)
	}
	for _, tt := range []struct {
		rule, method, path, body string
		status                   int
		errors                   []string
	}{
		{"no permission", "PUT", "/roles/x", `{"permissions": []}`, 400, []string{"#/permissions"}},
		{"an unknown permission", "PUT", "/roles/x", `{"permissions": ["users:read", "moon:walk"]}`, 400, []string{"#/permissions/1"}},
		{"a built-in role", "PUT", "/roles/owner", `{"permissions": ["users:read"]}`, 400, []string{"#/name"}},
		{"removing a built-in role", "DELETE", "/roles/owner", ``, 400, nil},
		{"an unknown role", "GET", "/roles/x", ``, 404, nil},
		{"roles for nobody", "PUT", "/administrators/service:x", `{"roles": ["owner"]}`, 404, nil},
		{"an unknown role for somebody", "PUT", "/administrators/user:alice", `{"roles": ["owner", "czar"]}`, 400, []string{"#/roles/1"}},
		{"a principal of no kind", "PUT", "/administrators/alice", `{"roles": ["owner"]}`, 404, nil},
		{"who has no roles", "DELETE", "/administrators/user:alice", ``, 404, nil},
		{"an account without a name", "POST", "/service-accounts", `{}`, 400, []string{"#/name"}},
		{"an account with an unknown role", "POST", "/service-accounts", `{"name": "x", "roles": ["czar"]}`, 400, []string{"#/roles/0"}},
		{"a console token without a role", "POST", "/tokens", `{"apis": ["console"]}`, 400, []string{"#/roles"}},
		{"a console token that reaches more", "POST", "/tokens", `{"apis": ["console", "clients"], "roles": ["owner"]}`, 400, []string{"#/apis"}},
		{"roles for another token", "POST", "/tokens", `{"apis": ["clients"], "roles": ["owner"]}`, 400, []string{"#/roles"}},
		{"a token of an account that there is not", "POST", "/tokens", `{"apis": ["console"], "service_account": "x"}`, 400, []string{"#/service_account"}},
		{"an unknown parameter", "GET", "/roles?owner=globex", ``, 400, []string{"owner"}},
	} {
		a := h.call(tt.method, "/admin/v1/tenants/acme"+tt.path, tt.body)
		if got := errorsOf(t, a); a.status != tt.status || !slices.Equal(got, tt.errors) {
			t.Errorf("%s: %d with %v: %s", tt.rule, a.status, got, a.body)
		}
	}
}
