package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/chancery-id/chancery/flows/script"
)

// asProgram makes the test's own binary the program, so that tests can run it in processes of its own.
const asProgram = "CHANCERY_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" || len(os.Args) == 2 && os.Args[1] == script.WorkerCommand {
		main()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// program runs the program with flags that say which database it uses.
type program struct {
	t     *testing.T
	flags []string
	env   []string
}

// result is what a command left behind.
type result struct {
	code        int
	stdout, err string
}

// command prepares the program with these arguments.
func (p *program) command(args ...string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.Command(self, append(args, p.flags...)...)
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CHANCERY_") {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, asProgram+"=1", "CHANCERY_CONFIG="+filepath.Join(p.t.TempDir(), "config.yaml"))
	cmd.Env = append(cmd.Env, p.env...)
	return cmd
}

// run runs a command with that standard input to its end.
func (p *program) run(stdin string, args ...string) result {
	p.t.Helper()
	cmd := p.command(args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		p.t.Fatal(err)
	}
	return result{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// json runs a command that must succeed, and decodes its answer.
func (p *program) json(into any, stdin string, args ...string) {
	p.t.Helper()
	r := p.run(stdin, append(args, "-o", "json")...)
	if r.code != 0 {
		p.t.Errorf("%v: exit code %d: %s", args, r.code, r.err)
		return
	}
	if err := json.Unmarshal([]byte(r.stdout), into); err != nil {
		p.t.Errorf("%v: %v in %q", args, err, r.stdout)
	}
}

// serve starts a server process beside which commands run, and returns what its first start left.
func (p *program) serve(dir string) bootstrap {
	p.t.Helper()
	ops := free(p.t)
	cmd := p.command("serve", "--listen", free(p.t), "--ops-listen", ops)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			p.t.Errorf("the server stopped with %v: %s", err, log.String())
		}
	})
	eventually(p.t, "the server is ready", func() bool { return status("GET", "http://"+ops+"/readyz", "", "") == http.StatusOK })
	var b bootstrap
	text, err := os.ReadFile(filepath.Join(dir, "bootstrap.json"))
	if err == nil {
		err = json.Unmarshal(text, &b)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return b
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

// status calls a URL and returns the status, or zero where nobody answers.
func status(method, url, bearer, body string) int {
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0
	}
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	return res.StatusCode
}

// eventually waits until what is true, within the bound that changes have.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it never happens that %s", what)
		}
	}
}

// engines are the databases to run the program on, by name, each new and empty.
var engines = map[string]func(t *testing.T, dir string) []string{
	"SQLite": func(_ *testing.T, dir string) []string { return []string{"--data", dir} },
	"PostgreSQL": func(t *testing.T, dir string) []string {
		return []string{"--data", dir, "--database-url", newDatabase(t)}
	},
}

// newDatabase makes an empty database on the server that tests are given.
func newDatabase(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("CHANCERY_TEST_DATABASE_URL")
	if dsn == "" {
		t.Skip("CHANCERY_TEST_DATABASE_URL is not set")
	}
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	var b [6]byte
	_, _ = rand.Read(b[:])
	name := "commands_" + hex.EncodeToString(b[:])
	statement := func(sql string) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(ctx)
		if _, err := conn.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
	statement("CREATE DATABASE " + name)
	t.Cleanup(func() { statement("DROP DATABASE " + name + " WITH (FORCE)") })
	u.Path = "/" + name
	return u.String()
}
