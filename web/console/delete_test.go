package console_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestADeletedTenantIsUnknownUntilItIsRestored(t *testing.T) {
	h := newHouse(t)
	h.console.Grace = time.Hour
	acme := h.create("acme", "starter")
	own, _ := h.admit("acme", "owner")
	before := h.call("GET", "/admin/v1/tenants/acme", "").json(t)
	if a := h.call("DELETE", "/admin/v1/tenants/acme", ""); a.status != http.StatusNoContent {
		t.Fatalf("deleting: %d %s", a.status, a.body)
	}
	for _, call := range []string{"GET ", "PATCH ", "DELETE ", "GET /clients", "GET /users", "GET /keys", "GET /jwks", "GET /tokens", "GET /roles", "GET /events", "GET /sessions",
		"GET /grants", "GET /settings", "GET /administrators"} {
		method, path, _ := strings.Cut(call, " ")
		body := ""
		if method == "PATCH" {
			body = "{}"
		}
		d, u := h.call(method, "/admin/v1/tenants/acme"+path, body), h.call(method, "/admin/v1/tenants/nobody"+path, body)
		if d.status != http.StatusNotFound || !bytes.Equal(d.body, u.body) {
			t.Errorf("%s of a deleted tenant is %d %s, of an unknown one %d %s", call, d.status, d.body, u.status, u.body)
		}
	}
	if a := h.call("GET", "/t/acme/.well-known/openid-configuration", "", "Authorization", ""); a.status != http.StatusNotFound {
		t.Errorf("its metadata: %d", a.status)
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+acme.APIToken); a.status != http.StatusNotFound && a.status != http.StatusUnauthorized {
		t.Errorf("its API token: %d", a.status)
	}
	if a := h.call("POST", "/admin/v1/tenants/acme/restore", "", "Authorization", "Bearer "+own); a.status != http.StatusUnauthorized {
		t.Errorf("its own administrator: %d", a.status)
	}
	if a := h.call("GET", "/admin/v1/tenants", ""); strings.Contains(string(a.body), `"acme"`) {
		t.Errorf("it is listed: %s", a.body)
	}
	gone := h.call("GET", "/admin/v1/tenants?deleted=true", "").json(t)["tenants"].([]any)
	if len(gone) != 1 || gone[0].(map[string]any)["tenant_id"] != "acme" || gone[0].(map[string]any)["purge_at"] == nil {
		t.Errorf("the deleted are %v", gone)
	}

	a := h.call("POST", "/admin/v1/tenants/acme/restore", "")
	if a.status != http.StatusOK || a.header.Get("ETag") == "" {
		t.Fatalf("restoring: %d %s", a.status, a.body)
	}
	after := a.json(t)
	for _, member := range []string{"tenant_id", "service_id", "issuer", "enabled", "settings", "created_at"} {
		if fmt.Sprint(after[member]) != fmt.Sprint(before[member]) {
			t.Errorf("%s was %v and is %v", member, before[member], after[member])
		}
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+acme.APIToken); a.status != http.StatusOK {
		t.Errorf("its API token afterwards: %d", a.status)
	}
	if a := h.call("GET", "/admin/v1/me", "", "Authorization", "Bearer "+own); a.status != http.StatusOK {
		t.Errorf("its administrator afterwards: %d", a.status)
	}
	if a := h.call("POST", "/admin/v1/tenants/acme/restore", ""); a.status != http.StatusNotFound {
		t.Errorf("restoring again: %d", a.status)
	}
	h.call("DELETE", "/admin/v1/tenants/acme", "")
	if a := h.call("POST", "/admin/v1/tenants", `{"tenant_id": "acme"}`); a.status != http.StatusCreated || a.json(t)["service_id"] == after["service_id"] {
		t.Errorf("its id is taken anew: %d %s", a.status, a.body)
	}
	if a := h.call("POST", "/admin/v1/tenants/acme/restore", ""); a.status != http.StatusNotFound {
		t.Errorf("restoring what a new tenant has the id of: %d", a.status)
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+acme.APIToken); a.status != http.StatusUnauthorized {
		t.Errorf("its API token at the new one: %d", a.status)
	}
	for range 2 { // a tenant, and a deleted one
		if a := h.call("DELETE", "/admin/v1/tenants/acme?now=true", ""); a.status != http.StatusNoContent {
			t.Errorf("removing at once: %d %s", a.status, a.body)
		}
		if a := h.call("POST", "/admin/v1/tenants/acme/restore", ""); a.status != http.StatusNotFound {
			t.Errorf("restoring what was removed: %d", a.status)
		}
		h.create("acme", "")
		h.call("DELETE", "/admin/v1/tenants/acme", "")
	}
	if a := h.call("POST", "/admin/v1/tenants/platform/restore", ""); a.status != http.StatusBadRequest {
		t.Errorf("restoring the platform: %d", a.status)
	}
}
