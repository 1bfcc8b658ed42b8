package faults

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chancery-id/chancery/e2e/machine"
)

// replica is one process of the deployment. It keeps its addresses over restarts.
type replica struct {
	name     string
	url, ops string
	line     []string
	env      []string
	log      *os.File
	cmd      *exec.Cmd
	done     chan struct{}
}

func newReplica(t *testing.T, program, name, publicURL string, env []string) *replica {
	t.Helper()
	public, ops := fmt.Sprintf("127.0.0.1:%d", freePort(t)), fmt.Sprintf("127.0.0.1:%d", freePort(t))
	dir := t.TempDir()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{name: name, url: "http://" + public, ops: "http://" + ops, env: env, log: log,
		line: []string{program, "serve", "--data", dir, "--listen", public, "--ops-listen", ops, "--public-url", publicURL, "--demo=false"}}
	t.Cleanup(func() {
		r.kill()
		if t.Failed() {
			t.Logf("%s said at the end:\n%s", r.name, r.tail(15))
		}
		log.Close()
	})
	return r
}

// start starts the process; it need not be ready then.
func (r *replica) start() error {
	r.cmd = exec.Command(r.line[0], r.line[1:]...)
	r.cmd.Env, r.cmd.Stdout, r.cmd.Stderr = r.env, r.log, r.log
	if err := r.cmd.Start(); err != nil {
		return err
	}
	r.done = make(chan struct{})
	go func() {
		_ = r.cmd.Wait() // a killed process ends with an error
		close(r.done)
	}()
	return nil
}

// kill ends the process at once.
func (r *replica) kill() {
	if r.cmd == nil {
		return
	}
	_ = r.cmd.Process.Kill() // it may have ended by itself
	<-r.done
}

// stop asks the process to end and returns how long that took.
func (r *replica) stop() (time.Duration, error) {
	began := time.Now()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	select {
	case <-r.done:
		return time.Since(began), nil
	case <-time.After(35 * time.Second):
		return 0, fmt.Errorf("%s does not stop", r.name)
	}
}

func (r *replica) signal(s syscall.Signal) error { return r.cmd.Process.Signal(s) }

// ready reports whether the replica says that it is.
func (r *replica) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.ops+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := ask.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusOK
}

// ask asks replicas how they are.
var ask = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4}}

// waitReady waits until the replica is ready, on an idle machine so long.
func (r *replica) waitReady(ctx context.Context, m *machine.Machine, limit time.Duration) error {
	for began := time.Now(); time.Since(began) < m.Patience(limit, began) && ctx.Err() == nil; time.Sleep(20 * time.Millisecond) {
		if r.ready(ctx) {
			return nil
		}
	}
	return fmt.Errorf("%s was not ready within %v:\n%s", r.name, limit, r.tail(10))
}

// gauge reads a metric of the process.
func (r *replica) gauge(name string) (float64, error) {
	resp, err := ask.Get(r.ops + "/metrics")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			var v float64
			_, err := fmt.Sscan(rest, &v)
			return v, err
		}
	}
	return 0, fmt.Errorf("%s has no %s", r.name, name)
}

// tail is the end of what the replica said, but for what it answered as it should.
func (r *replica) tail(n int) string {
	b, err := os.ReadFile(r.log.Name())
	if err != nil {
		return err.Error()
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(b)), "\n"), func(l string) bool { return strings.Contains(l, `"outcome":"ok"`) || strings.Contains(l, `"status":4`) })
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
