package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// heard is what webhooks were told: of some tenants, by seq of the event.
type heard struct {
	mu      sync.Mutex
	tenants map[string]*tenant // by path of the sink
	since   map[string]int64   // seq of the event that the webhook was created by, which it need not be told
	told    map[string][]event // in the order in which they came, the first time of each
	seen    map[string]map[int64]string
	wrong   []string
}

// event is what happened at a tenant.
type event struct {
	Seq     int64  `json:"seq"`
	Kind    string `json:"kind"`
	Tenant  string `json:"tenant_id"`
	Subject string `json:"sub"`
	Client  string `json:"client_id"`
}

// toldTenants is how many tenants want to be told of everything. What targets of other tenants do is nothing to them.
const toldTenants = 8

// listen gives some tenants webhooks.
func (h *heard) listen(ctx context.Context, d *deployment) error {
	h.tenants, h.since, h.told, h.seen = map[string]*tenant{}, map[string]int64{}, map[string][]event{}, map[string]map[int64]string{}
	for _, x := range d.tenants[tenantCount-toldTenants:] {
		path := "/told/" + x.ID
		h.tenants[path], h.seen[path] = x, map[int64]string{}
		if err := d.subscribe(ctx, x, path, "*"); err != nil {
			return err
		}
		all, err := d.events(ctx, x)
		if err != nil {
			return err
		}
		h.since[path] = all[len(all)-1].Seq
	}
	return nil
}

// subscribe has x told at path of the sink.
func (d *deployment) subscribe(ctx context.Context, x *tenant, path string, events ...string) error {
	a := d.call(ctx, request{method: http.MethodPost, url: d.front.url + "/admin/v1/tenants/" + x.ID + "/webhooks", token: d.adminToken,
		json: map[string]any{"url": d.sink.server.URL + path, "events": events}})
	if !a.ok() {
		return fmt.Errorf("a webhook: %d %s", a.status, a.body)
	}
	return nil
}

// events are all that happened at x, the oldest first.
func (d *deployment) events(ctx context.Context, x *tenant) (all []event, err error) {
	a := d.call(ctx, request{method: http.MethodGet, url: d.front.url + "/admin/v1/tenants/" + x.ID + "/events/export", token: d.adminToken})
	for line := range bytes.Lines(a.body) {
		var e event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	if !a.ok() || len(all) == 0 {
		return nil, fmt.Errorf("the events of %s: %d", x.ID, a.status)
	}
	return all, nil
}

// hear notes what came to the sink.
func (h *heard) hear(path, id string, body []byte) {
	if !strings.HasPrefix(path, "/told/") {
		return
	}
	var m struct{ Data event }
	err := json.Unmarshal(body, &m)
	h.mu.Lock()
	defer h.mu.Unlock()
	before, again := h.seen[path][m.Data.Seq]
	switch {
	case err != nil || m.Data.Seq == 0 || h.tenants[path] == nil || m.Data.Tenant != h.tenants[path].ID:
		h.wrong = append(h.wrong, path+" is told "+string(body))
	case !again:
		h.told[path] = append(h.told[path], m.Data)
		h.seen[path][m.Data.Seq] = id
	case before != id:
		h.wrong = append(h.wrong, fmt.Sprintf("%s is told of event %d as %s and as %s", path, m.Data.Seq, before, id))
	}
}

// judge asks whether each committed event was told at least once, under one id, and those of one subject in their order
// (checklist, I13).
func (h *heard) judge(ctx context.Context, d *deployment) {
	quiet := time.Now()
	for path, x := range h.tenants {
		all, err := d.events(ctx, x)
		if err != nil {
			d.violated("I13", "%v", err)
			continue
		}
		missing := func() (n int) {
			h.mu.Lock()
			defer h.mu.Unlock()
			for _, e := range all {
				if _, told := h.seen[path][e.Seq]; e.Seq > h.since[path] && !told {
					n++
				}
			}
			return n
		}
		for missing() > 0 && time.Since(quiet) < d.machine.Patience(45*time.Second, quiet) {
			time.Sleep(50 * time.Millisecond)
		}
		if n := missing(); n > 0 {
			d.violated("I13", "%s was not told of %d of its %d events", x.ID, n, len(all))
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, w := range h.wrong {
		d.violated("I6", "%s", w)
	}
	for path, told := range h.told {
		last := map[string]int64{}
		for _, e := range told {
			if e.Subject == "" {
				continue
			}
			if e.Seq < last[e.Subject] {
				d.violated("I13", "%s is told of event %d (%s) about %s after event %d", path, e.Seq, e.Kind, e.Subject, last[e.Subject])
			}
			last[e.Subject] = max(last[e.Subject], e.Seq)
		}
	}
}
