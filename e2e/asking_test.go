package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"os/exec"
	"testing"
	"time"
)

// converse runs a relying party in Node that prints an authorization URL, is told where the browser came back to, and prints
// what it learned. back sees the URL on its way, and may be nil.
func converse(t *testing.T, script string, with map[string]any, x *tenant, in signIn, back func(*url.URL)) (asked *url.URL, learned map[string]any) {
	t.Helper()
	needs(t, "node", "e2e/node/node_modules/openid-client")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", script, string(mustJSON(with)))
	cmd.Dir, cmd.Stderr = "node", os.Stderr
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	lines := bufio.NewScanner(stdout)
	lines.Buffer(nil, 1<<20)
	hear := func(to any) {
		t.Helper()
		if !lines.Scan() {
			t.Fatal("the relying party ended:", cmd.Wait())
		}
		if err := json.Unmarshal(lines.Bytes(), to); err != nil {
			t.Fatalf("the relying party said %s: %v", lines.Bytes(), err)
		}
	}
	var says struct {
		URL string `json:"authorization_url"`
	}
	hear(&says)
	asked, err := url.Parse(says.URL)
	if err != nil {
		t.Fatal(err)
	}
	came := in(t, x, says.URL)
	if back != nil {
		back(came)
	}
	if _, err := io.WriteString(stdin, came.String()+"\n"); err != nil {
		t.Fatal(err)
	}
	hear(&learned)
	return asked, learned
}
