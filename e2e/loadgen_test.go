package e2e

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Every operation of the load generator works against a server, over several tenants, and none fails.
func TestLoadgen(t *testing.T) {
	t.Parallel()
	loadgen := built(t, "cmd/loadgen")
	engines := engines()
	s := fresh(t, engines[len(engines)-1], func(c *conf) { c.demo = true })
	cmd := exec.Command(loadgen, "--bootstrap", filepath.Join(s.data, "bootstrap.json"), "--tenants", "3", "-c", "4", "-d", busy.Patience(time.Second, time.Now()).String(), "--warmup", "100ms", "-o", "json")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, &complaint, &out)
	}
	dec, n := json.NewDecoder(&out), 0
	for dec.More() {
		var line struct {
			Operation string  `json:"operation"`
			PerSecond float64 `json:"per_second"`
			P99       float64 `json:"p99_ms"`
			Failed    int     `json:"failed"`
		}
		if err := dec.Decode(&line); err != nil {
			t.Fatal(err)
		}
		if n++; line.PerSecond <= 0 || line.P99 <= 0 || line.Failed != 0 {
			t.Errorf("%+v", line)
		}
	}
	if n < 10 {
		t.Errorf("%d operations were driven", n)
	}
}
