package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"

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
	for _, id := range []string{"dead", "dead too", "elsewhere", "waiting"} {
		m := outbox.Message{ID: id, Kind: "test", Target: "https://rp.example/", CreatedAt: time.Now(), Content: outbound.Content{Body: []byte("secret")}}
		if id == "elsewhere" {
			m.Target = "https://other.example/secret"
		}
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
	t.Setenv("CHANCERY_CONFIG", filepath.Join(t.TempDir(), "config.yaml"))
	typed := func(args ...string) (string, error) {
		t.Helper()
		c := cli{Plugins: kong.Plugins{grammar(rows)}}
		parser, err := kong.New(&c, kong.Vars{"version": version})
		if err != nil {
			t.Fatal(err)
		}
		k, err := parser.Parse(append(args, "--data", conf.Data, "-o", "json"))
		if err != nil {
			t.Fatal(err)
		}
		c.settle()
		var b bytes.Buffer
		stdout = &b
		err = run(t.Context(), k, &c.config)
		return b.String(), err
	}
	list := func(flags ...string) (ms []struct{ ID, Target, Cause string }) {
		t.Helper()
		text, err := typed(append([]string{"outbox", "list", "acme"}, flags...)...)
		if err != nil || json.Unmarshal([]byte(text), &ms) != nil || strings.Contains(text, "secret") {
			t.Fatal(err, text)
		}
		return ms
	}
	if ms := list("--dead"); len(ms) != 3 || ms[0].ID != "dead" || ms[0].Cause != "answered with status 410" || ms[0].Target != "https://rp.example" {
		t.Errorf("dead letters: %+v", ms)
	}
	for _, args := range [][]string{{"replay", "acme"}, {"replay", "acme", "waiting"}, {"replay", "acme", "none"}, {"replay", "acme", "dead", "--all"}, {"drop", "acme", "dead"},
		{"drop", "acme", "--yes"}} {
		if _, err := typed(append([]string{"outbox"}, args...)...); err == nil {
			t.Errorf("%v is done", args)
		}
	}
	for _, c := range []struct {
		args          []string
		dead, waiting int
	}{
		{[]string{"replay", "acme", "dead"}, 2, 2},
		{[]string{"drop", "acme", "--target", "https://other.example", "--yes"}, 1, 2},
		{[]string{"replay", "acme", "--all"}, 0, 3},
		{[]string{"drop", "acme", "waiting", "--yes"}, 0, 2},
	} {
		if text, err := typed(append([]string{"outbox"}, c.args...)...); err != nil || len(list("--dead")) != c.dead || len(list()) != c.waiting {
			t.Errorf("%v: %v %s, then %v and %v", c.args, err, text, list("--dead"), list())
		}
	}
}
