package console_test

import "testing"

func TestWhatNoRouteServesIsAProblemToo(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	for _, tt := range []struct {
		method, path string
		status       float64
	}{
		{"GET", "/admin/v1/nowhere", 404},
		{"GET", "/admin/v1/tenants//acme", 404},
		{"PUT", "/admin/v1/tenants/acme", 405},
		{"DELETE", "/admin/v1/tenants/acme/users/", 405},
	} {
		a := h.call(tt.method, tt.path, "")
		if got := a.json(t)["status"]; a.header.Get("Content-Type") != "application/problem+json" || got != tt.status {
			t.Errorf("%s %s: %d %s", tt.method, tt.path, a.status, a.body)
		}
	}
	if a := h.call("GET", "/nowhere", ""); a.header.Get("Content-Type") == "application/problem+json" {
		t.Errorf("outside of the administration: %s", a.body)
	}
}
