package check

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
)

// scratch is a directory of this run's own.
var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "chancery-helm-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// program builds the server, once, as the image does.
var program = sync.OnceValues(func() (string, error) {
	file := filepath.Join(scratch, "chancery")
	build := exec.Command("go", "build", "-tags", "nomsgpack", "-trimpath", "-ldflags", "-s -w", "-o", file, "./cmd/chancery")
	build.Dir, build.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return file, nil
})

func built(t *testing.T) string {
	t.Helper()
	file, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// The server knows every variable that the chart sets for it, and what either container runs is a command of it.
func TestServerKnowsTheChartsVariables(t *testing.T) {
	help, err := exec.Command(built(t), "serve", "--help").Output()
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, name := range regexp.MustCompile(`\$(CHANCERY_\w+)`).FindAllStringSubmatch(string(help), -1) {
		known[name[1]] = true
	}
	for _, file := range valuesFiles(t) {
		for _, p := range rendered(t, file).pods() {
			k := p.Spec.Containers[0]
			for _, e := range k.Env {
				if strings.HasPrefix(e.Name, "CHANCERY_") && !known[e.Name] {
					t.Errorf("%s: nobody reads %s", file, e.Name)
				}
			}
			if err := exec.Command(built(t), k.Args[0], "--help").Run(); err != nil {
				t.Errorf("%s: %s is no command: %v", file, k.Args[0], err)
			}
		}
	}
}

// as returns the environment that a container gets, with secrets and ports of this machine.
func as(t *testing.T, c *core.Container, secrets map[string]string, ports map[string]string) []string {
	t.Helper()
	var all []string
	for _, e := range c.Env {
		value := e.Value
		if e.ValueFrom != nil {
			if e.ValueFrom.SecretKeyRef == nil {
				continue
			}
			value = secrets[e.Name]
		}
		if at, ok := ports[e.Name]; ok {
			value = at
		}
		all = append(all, e.Name+"="+value)
	}
	return all
}

// What the chart starts migrates, serves, gives the first administrator a way in, has the metrics that alerts and dashboard
// ask for, and ends in time.
func TestServerStartsAsTheChartSays(t *testing.T) {
	dsn := newDatabase(t)
	o := rendered(t, valuesFiles(t)["minimal"])
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	file := filepath.Join(t.TempDir(), "kek")
	if err := os.WriteFile(file, []byte(base64.StdEncoding.EncodeToString(key)), 0o600); err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{"CHANCERY_DATABASE_URL": dsn}
	at, ops := free(t), free(t)
	ports := map[string]string{"CHANCERY_LISTEN": at, "CHANCERY_OPS_LISTEN": ops, "CHANCERY_KEK_FILE": file}
	run := func(env []string, args ...string) (string, error) {
		cmd := exec.Command(built(t), args...)
		cmd.Env, cmd.Dir = env, "/"
		text, err := cmd.CombinedOutput()
		return string(text), err
	}

	migration := &o.migration.Spec.Template.Spec.Containers[0]
	if text, err := run(as(t, migration, secrets, nil), migration.Args...); err != nil {
		t.Fatalf("the migration: %v: %s", err, text)
	}
	env := as(t, o.server(), secrets, ports)
	server := exec.Command(built(t), o.server().Args...)
	var log bytes.Buffer
	server.Env, server.Dir, server.Stdout, server.Stderr = env, "/", &log, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	t.Cleanup(func() { _ = server.Process.Kill() })

	probe := o.server().ReadinessProbe.HTTPGet.Path
	for deadline := time.Now().Add(30 * time.Second); get(ops, probe).status != http.StatusOK; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it is never ready: %s", log.String())
		}
	}
	if got := get(ops, o.server().LivenessProbe.HTTPGet.Path); got.status != http.StatusOK {
		t.Errorf("it is not alive: %+v", got)
	}
	for _, args := range [][]string{{"token", "create", "platform", "--label", "first administrator", "--expires", "24h"}, {"tenant", "create", "acme", "--template", "starter"}} {
		if text, err := run(env, args...); err != nil {
			t.Errorf("%v: %v: %s", args, err, text)
		}
	}
	get(at, "/t/acme/jwks.json") // so that there is a request to count
	metrics := get(ops, "/metrics").body
	has := func(name string) bool {
		return name == "up" || regexp.MustCompile(`(?m)^`+regexp.QuoteMeta(name)+`[{ ]`).MatchString(metrics)
	}
	for _, a := range alerts(t) {
		for _, name := range names(t, a.Expr.String()) {
			if !has(name) {
				t.Errorf("%s asks for %s, which is not there", a.Alert, name)
			}
		}
	}
	for _, p := range board(t).Panels {
		for _, target := range p.Targets {
			for _, name := range names(t, filled(target.Expr)) {
				if !has(name) {
					t.Errorf("%s asks for %s, which is not there", p.Title, name)
				}
			}
		}
	}
	if !regexp.MustCompile(`(?m)^chancery_tenant_requests_total\{[^}]*tenant="`).MatchString(metrics) || has("chancery_request") {
		t.Errorf("metrics are looked for wrongly:\n%s", metrics)
	}

	_ = server.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("it ends with %v: %s", err, log.String())
		}
	case <-time.After(stopping * time.Second):
		t.Error("it does not end in the time it is given")
	}
}

// answer is what a call got; its status is 0 where nobody answered.
type answer struct {
	status int
	body   string
}

func get(address, path string) answer {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return answer{}
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer{}
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return answer{res.StatusCode, string(body)}
}

// free is an address nobody listens at.
func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
