package console_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestEventsAreFoundExportedAndSealed(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("globex", "")
	owner, id := h.admit("acme", "owner")
	for _, body := range []string{`{"label": "marked-a", "apis": ["clients"]}`, `{"label": "marked-b", "apis": ["clients"]}`, `{"label": "marked-c", "apis": ["clients"]}`} {
		if a := h.call("POST", "/admin/v1/tenants/acme/tokens", body, "Authorization", "Bearer "+owner); a.status != 201 {
			t.Fatalf("%d %s", a.status, a.body)
		}
	}
	type page struct {
		Events []struct {
			Kind, Actor string
			Seq         int64
			Detail      map[string]string
		}
		Next string `json:"next_cursor"`
	}
	list := func(query string) (p page) {
		t.Helper()
		a := h.call("GET", "/admin/v1/tenants/acme/events?"+query, "")
		if err := json.Unmarshal(a.body, &p); err != nil || a.status != 200 {
			t.Fatalf("%s: %d %s", query, a.status, a.body)
		}
		return p
	}
	var labels []string
	for p := list("limit=2&actor=" + id); ; p = list("limit=2&actor=" + id + "&cursor=" + p.Next) {
		for _, e := range p.Events {
			if e.Actor != id {
				t.Errorf("an event of %s", e.Actor)
			}
			labels = append(labels, e.Detail["label"])
		}
		if p.Next == "" {
			break
		}
	}
	if got := strings.Join(labels, " "); got != "marked-c marked-b marked-a" {
		t.Errorf("the owner's acts are %s", got)
	}
	if p := list("kind=tenant_created&since=2020-01-01T00:00:00Z&before=2100-01-01T00:00:00Z"); len(p.Events) != 1 {
		t.Errorf("the creation: %+v", p)
	}
	next := list("limit=1").Next
	for _, query := range []string{"kind=x&cursor=" + next, "cursor=x", "since=yesterday", "before=1", "limit=0", "sort=kind"} {
		if a := h.call("GET", "/admin/v1/tenants/acme/events?"+query, ""); a.status != 400 {
			t.Errorf("%s: %d", query, a.status)
		}
	}
	if a := h.call("GET", "/admin/v1/tenants/globex/events?limit=1&cursor="+next, ""); a.status != 400 {
		t.Errorf("another tenant's cursor: %d", a.status)
	}

	export := h.call("GET", "/admin/v1/tenants/acme/events/export", "")
	rows := bytes.Split(bytes.TrimSpace(export.body), []byte("\n"))
	var first, last struct {
		Kind, Cursor string
		Detail       map[string]string
	}
	if err := json.Unmarshal(rows[0], &first); err != nil || first.Kind != "tenant_created" || export.header.Get("Content-Type") != "application/jsonl" {
		t.Errorf("the export begins with %s: %v", rows[0], err)
	}
	if err := json.Unmarshal(rows[len(rows)-1], &last); err != nil || last.Detail["label"] != "marked-c" || len(rows) != 5 {
		t.Errorf("the export ends with %s after %d: %v", rows[len(rows)-1], len(rows), err)
	}
	if rest := h.call("GET", "/admin/v1/tenants/acme/events/export?cursor="+last.Cursor, ""); rest.status != 200 || len(rest.body) != 0 {
		t.Errorf("after the last there is %d %s", rest.status, rest.body)
	}
	if rest := h.call("GET", "/admin/v1/tenants/acme/events/export?cursor="+first.Cursor, ""); bytes.Count(rest.body, []byte("\n")) != 4 {
		t.Errorf("after the first there is %s", rest.body)
	}

	now := time.Now()
	if _, err := h.db.SealEvents(t.Context(), "test", now, now.Add(time.Minute), 1000); err != nil {
		t.Fatal(err)
	}
	verdict := h.call("GET", "/admin/v1/tenants/acme/events/verify", "", "Authorization", "Bearer "+owner).json(t)
	if verdict["intact"] != true || verdict["events"] != 5.0 || verdict["seals"] != 1.0 {
		t.Errorf("the chain: %v", verdict)
	}
	if again := h.call("GET", "/admin/v1/tenants/acme/events/verify?head="+verdict["head"].(string), "").json(t); again["intact"] != true {
		t.Errorf("the chain since: %v", again)
	}
	if other := h.call("GET", "/admin/v1/tenants/globex/events/verify?head="+verdict["head"].(string), "").json(t); other["intact"] != false {
		t.Errorf("another tenant's head: %v", other)
	}
}
