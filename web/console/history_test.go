package console_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
)

type changeList struct {
	Changes []struct {
		Version int64
		Actor   string
		Detail  map[string]string
		First   bool
		Changes []struct {
			Pointer  string
			Old, New any
		}
	}
	Next string `json:"next_cursor"`
}

func (h *house) history(t *testing.T, query string) (l changeList) {
	t.Helper()
	a := h.call("GET", "/admin/v1/tenants/acme/settings/history"+query, "")
	if err := json.Unmarshal(a.body, &l); err != nil || a.status != http.StatusOK {
		t.Fatalf("%d %s: %v", a.status, a.body, err)
	}
	return l
}

// Whichever way settings are changed, the history knows who did it and what.
func TestSettingsHistoryByEveryWay(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	for _, call := range []struct{ method, path, body, pointer string }{
		{"PATCH", "/admin/v1/tenants/acme", `{"settings": {"name": "one"}}`, "/name"},
		{"PATCH", "/admin/v1/tenants/acme/settings", `{"tokens": {"id_token_lifetime": 600}}`, "/tokens/id_token_lifetime"},
		{"PUT", "/admin/v1/tenants/acme/settings", `{"name": "two"}`, "/name"},
		{"PUT", "/tenants/rest/v1/acme", `{"props": {"op.authz.advertisedScopes": "openid read"}}`, "/authorization/scopes"},
	} {
		if a := h.call(call.method, call.path, call.body); a.status >= 300 {
			t.Fatalf("%s %s: %d %s", call.method, call.path, a.status, a.body)
		}
		newest := h.history(t, "?limit=1").Changes[0]
		found := false
		for _, c := range newest.Changes {
			found = found || c.Pointer == call.pointer
		}
		if !found || newest.Actor == "" || newest.Detail["change"] != "settings" {
			t.Errorf("%s %s: %+v", call.method, call.path, newest)
		}
	}
	all := h.history(t, "")
	if n := len(all.Changes); n != 5 || !all.Changes[4].First || all.Changes[0].First {
		t.Errorf("the whole history: %+v", all)
	}
	// Page by page it is the same.
	cursor, versions := "", []int64{}
	for {
		page := h.history(t, "?limit=2"+cursor)
		for _, c := range page.Changes {
			versions = append(versions, c.Version)
		}
		if cursor = "&cursor=" + page.Next; page.Next == "" {
			break
		}
	}
	if len(versions) != 5 || versions[0] != all.Changes[0].Version || versions[4] != all.Changes[4].Version {
		t.Errorf("by pages: %v", versions)
	}
	// Of another tenant's history nothing shows, nor does a cursor lead there.
	h.create("globex", "")
	for path, want := range map[string]int{
		"/history?cursor=" + h.history(t, "?limit=1").Next: 400,
		"/history/" + strconv.FormatInt(versions[0], 10):   404,
		"/diff?from=" + strconv.FormatInt(versions[0], 10): 404,
		"/history/0": 404, "/history/x": 404, "/diff?from=x": 400, "/diff": 200,
	} {
		if a := h.call("GET", "/admin/v1/tenants/globex/settings"+path, ""); a.status != want {
			t.Errorf("%s at another tenant: %d %s", path, a.status, a.body)
		}
	}
}

func TestSettingsRollback(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	const settings = "/admin/v1/tenants/acme/settings"
	first := h.history(t, "").Changes[0].Version
	h.call("PUT", settings, `{"name": "second", "tokens": {"id_token_lifetime": 600}}`)
	tag := h.call("GET", settings, "").header.Get("ETag")
	diff := h.call("GET", settings+"/diff?from="+strconv.FormatInt(first, 10), "")
	if !strings.Contains(string(diff.body), `{"pointer":"/tokens/id_token_lifetime","new":600}`) {
		t.Errorf("the difference: %s", diff.body)
	}
	back := `{"to": ` + strconv.FormatInt(first, 10) + `}`
	for _, tt := range []struct {
		rule, body string
		headers    []string
		want       int
	}{
		{"to nowhere", `{}`, nil, 400},
		{"to what never was", `{"to": 1}`, nil, 404},
		{"at another version", back, []string{"If-Match", `"1"`}, 412},
		{"at this version", back, []string{"If-Match", tag, "Idempotency-Key", "back"}, 200},
		{"repeated", back, []string{"If-Match", tag, "Idempotency-Key", "back"}, 200},
	} {
		if a := h.call("POST", settings+"/rollback", tt.body, tt.headers...); a.status != tt.want {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
		}
	}
	if a := h.call("GET", settings, ""); string(a.body) != "{}" {
		t.Errorf("the settings are %s", a.body)
	}
	l := h.history(t, "")
	if len(l.Changes) != 3 || l.Changes[0].Detail["change"] != "rollback" || l.Changes[0].Detail["to"] != strconv.FormatInt(first, 10) {
		t.Errorf("the history: %+v", l)
	}
	if a := h.call("GET", "/admin/v1/tenants/acme/events?kind=tenant_updated", ""); strings.Count(string(a.body), `"rollback"`) != 1 {
		t.Errorf("the events: %s", a.body)
	}
}
