package main

import (
	"strings"
	"testing"
)

func TestMigrate(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := &program{t: t, flags: append(open(t, dir), "--env", "production")}
			planned := p.run("", "migrate", "--plan")
			if planned.code != 0 || !strings.Contains(planned.stdout, "CREATE TABLE grants") || strings.Contains(planned.stdout, "+goose") || strings.Contains(planned.stdout, "stop all programs") {
				t.Fatalf("%+v", planned)
			}
			if again := p.run("", "migrate", "--plan"); again.stdout != planned.stdout {
				t.Error("a plan changes the database")
			}
			for range 2 {
				if r := p.run("", "migrate"); r.code != 0 || !strings.Contains(r.stdout, "is migrated") {
					t.Fatalf("%+v", r)
				}
			}
			if r := p.run("", "migrate", "--plan"); r.code != 0 || r.stdout != "-- nothing is to be done\n" {
				t.Errorf("the plan of a migrated database: %+v", r)
			}
			p.flags = append(p.flags[:len(p.flags)-1], "development")
			if r := p.run("", "tenant", "list"); r.code != 0 {
				t.Errorf("a command on the migrated database: %+v", r)
			}
		})
	}
	p := &program{t: t, flags: []string{"--database-url", "postgres://nobody@127.0.0.1:1/none", "--env", "production"}}
	if r := p.run("", "migrate"); r.code != 1 || r.stdout != "" || r.err == "" {
		t.Errorf("without a database: %+v", r)
	}
}
