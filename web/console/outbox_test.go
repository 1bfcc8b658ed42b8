package console_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// What is owed is listed without what it says, tried again and dropped, at its own tenant alone, and it is known who did it.
func TestOutbox(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("globex", "")
	for id, target := range map[string]string{"a": "https://rp.example/logout?key=secret", "b": "https://rp.example/logout", "c": "https://other.example/", "d": "https://rp.example/"} {
		m := outbox.Message{ID: id, Kind: "test", Target: target, CreatedAt: time.Now(), Detail: []byte(`{"sub":"secret"}`),
			Content: outbound.Content{Authorization: "Bearer secret", Body: []byte("secret")}}
		if err := h.db.Owe(t.Context(), "acme", m); err != nil {
			t.Fatal(err)
		}
		if id != "d" {
			if err := h.db.Bury(t.Context(), "acme", id, 0, time.Now(), "answered with status 410"); err != nil {
				t.Fatal(err)
			}
		}
	}
	list := func(id, query string) (ids []string) {
		t.Helper()
		a := h.call("GET", "/admin/v1/tenants/"+id+"/outbox"+query, "")
		if a.status != http.StatusOK || strings.Contains(string(a.body), "secret") {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for _, m := range a.json(t)["messages"].([]any) {
			ids = append(ids, m.(map[string]any)["id"].(string))
		}
		return ids
	}
	is := func(when string, got []string, want ...string) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	is("waiting", list("acme", ""), "d")
	is("dead", list("acme", "?state=dead"), "a", "b", "c")
	is("another tenant's", list("globex", "?state=dead"))
	first := h.call("GET", "/admin/v1/tenants/acme/outbox?state=dead&limit=2", "").json(t)
	is("the second page", list("acme", "?state=dead&limit=2&cursor="+first["next_cursor"].(string)), "c")
	for _, c := range []struct {
		rule, method, path string
		status             int
		says               string
	}{
		{"another tenant's message is not there", "POST", "globex/outbox/a/replay", 404, ""},
		{"nor can it be dropped", "DELETE", "globex/outbox/a", 404, ""},
		{"one that waits is not tried again", "POST", "acme/outbox/d/replay", 404, ""},
		{"a target is scheme and host", "POST", "acme/outbox/replay?target=https://rp.example/logout", 400, "target"},
		{"and is named where something is dropped", "DELETE", "acme/outbox", 400, "target"},
		{"a state that there is not", "GET", "acme/outbox?state=lost", 400, "state"},
		{"nobody's messages", "POST", "acme/outbox/replay?target=https://nobody.example", 200, `{"replayed":0}`},
		{"one is tried again", "POST", "acme/outbox/a/replay", 200, `{"replayed":1}`},
		{"which it is once", "POST", "acme/outbox/a/replay", 404, ""},
		{"all of a target", "POST", "acme/outbox/replay?target=https://rp.example", 200, `{"replayed":1}`},
		{"one that waits is dropped", "DELETE", "acme/outbox/d", 204, ""},
		{"which it is once", "DELETE", "acme/outbox/d", 404, ""},
		{"the dead ones of a target", "DELETE", "acme/outbox?target=https://other.example", 200, `{"dropped":1}`},
	} {
		if a := h.call(c.method, "/admin/v1/tenants/"+c.path, ""); a.status != c.status || !strings.Contains(string(a.body), c.says) {
			t.Errorf("%s: %d %s", c.rule, a.status, a.body)
		}
	}
	is("in the end", list("acme", ""), "a", "b")
	is("in the end, dead", list("acme", "?state=dead"))
	events := string(h.call("GET", "/admin/v1/tenants/acme/events", "").body)
	if strings.Count(events, "outbox_replayed") != 2 || strings.Count(events, "outbox_dropped") != 2 || !strings.Contains(events, `"target":"https://rp.example"`) {
		t.Errorf("events: %s", events)
	}
}
