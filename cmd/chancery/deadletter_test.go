package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"github.com/chancery-id/chancery/admin"
	"github.com/chancery-id/chancery/flows/outbox"
	"github.com/chancery-id/chancery/tenant/outbound"
)

// Dead letters are listed without what they carry, and tried again on demand.
func TestDeadLetters(t *testing.T) {
	conf := &config{Data: t.TempDir(), Env: "development", Listen: "127.0.0.1:8080"}
	a, err := newApp(t.Context(), conf, &url.URL{Scheme: "http", Host: "127.0.0.1:8080"}, slog.New(slog.DiscardHandler), false)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	if _, err := a.console.CreateTenant(t.Context(), admin.New{ID: "acme"}, admin.By{}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"dead", "dead too", "waiting"} {
		m := outbox.Message{ID: id, Kind: "test", Target: "https://rp.example/", CreatedAt: time.Now(), Content: outbound.Content{Body: []byte("secret")}}
		if err := a.db.Owe(t.Context(), "acme", m); err != nil {
			t.Fatal(err)
		}
		if id != "waiting" {
			if err := a.db.Bury(t.Context(), "acme", id, 0, time.Now(), "answered with status 410"); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := stdout
	defer func() { stdout = before }()
	list := func(dead bool) (ms []shownMessage) {
		t.Helper()
		var b bytes.Buffer
		stdout = &b
		c := outboxList{Tenant: "acme", Dead: dead, output: output{Output: "json"}}
		if err := c.Run(t.Context(), conf); err != nil || json.Unmarshal(b.Bytes(), &ms) != nil || bytes.Contains(b.Bytes(), []byte("secret")) {
			t.Fatal(err, b.String())
		}
		return ms
	}
	replay := func(c outboxReplay) error {
		stdout = &bytes.Buffer{}
		c.Tenant, c.Output = "acme", "json"
		return c.Run(t.Context(), conf)
	}
	if ms := list(true); len(ms) != 2 || ms[0].ID != "dead" || ms[0].Cause != "answered with status 410" {
		t.Errorf("dead letters: %+v", ms)
	}
	for _, c := range []outboxReplay{{}, {ID: "waiting"}, {ID: "none"}, {ID: "dead", All: true}} {
		if replay(c) == nil {
			t.Errorf("%+v is done", c)
		}
	}
	if err := replay(outboxReplay{ID: "dead"}); err != nil || len(list(true)) != 1 || len(list(false)) != 2 {
		t.Errorf("replaying one: %v, %+v", err, list(true))
	}
	if err := replay(outboxReplay{All: true}); err != nil || len(list(true)) != 0 || len(list(false)) != 3 {
		t.Errorf("replaying all: %v, %+v", err, list(true))
	}
}
