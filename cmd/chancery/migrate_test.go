package main

import (
	"strings"
	"testing"
)

func TestMigrate(t *testing.T) {
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			p := &program{t, append(open(t, dir), "--env", "production")}
			for range 2 {
				if r := p.run("", "migrate"); r.code != 0 || !strings.Contains(r.stdout, "is migrated") {
					t.Fatalf("%+v", r)
				}
			}
			p.flags = append(p.flags[:len(p.flags)-1], "development")
			if r := p.run("", "tenant", "list"); r.code != 0 {
				t.Errorf("a command on the migrated database: %+v", r)
			}
		})
	}
	p := &program{t, []string{"--database-url", "postgres://nobody@127.0.0.1:1/none", "--env", "production"}}
	if r := p.run("", "migrate"); r.code != 1 || r.stdout != "" || r.err == "" {
		t.Errorf("without a database: %+v", r)
	}
}
