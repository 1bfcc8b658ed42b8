package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A start that fails ends what goes on in the background before it closes the database.
func TestAStartThatFailsLeavesTheHouseTidy(t *testing.T) {
	dir, demo := t.TempDir(), false
	if err := os.Mkdir(filepath.Join(dir, "bootstrap.json"), 0o700); err != nil { // which cannot be read then
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	said, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = said
	err = (&serve{OpsListen: "127.0.0.1:0", MaxRequests: 8, Demo: &demo}).Run(t.Context(), &config{Data: dir, Env: "development", Listen: "127.0.0.1:0"})
	os.Stdout = stdout
	stacks := make([]byte, 1<<20)
	if stacks = stacks[:runtime.Stack(stacks, true)]; strings.Contains(string(stacks), "keepHouse") {
		t.Error("the house is still kept")
	}
	if err == nil {
		t.Fatal("it did not fail")
	}
	if said, rerr := os.ReadFile(log); rerr != nil || strings.Contains(string(said), "WARN") || strings.Contains(err.Error(), "closed") {
		t.Errorf("%v, %v: %s", err, rerr, said)
	}
}
