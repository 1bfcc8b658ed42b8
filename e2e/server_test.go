package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// conf is how a server is started.
type conf struct {
	data        string
	databaseURL string   // empty: the embedded database in data
	adminToken  string   // empty: none is set
	demo        bool     // with demo tenants
	publicURL   string   // empty: the listen address
	env         []string // further environment
	faults      bool     // 5xx and error lines are part of the test
	tls         bool     // it speaks TLS, by its environment
}

// server is a running process of the binary.
type server struct {
	conf
	url, ops string
	began    time.Time
	ready    time.Duration // from start until /readyz said 200
	cmd      *exec.Cmd
	out, err output
	once     sync.Once
	ended    error
	done     chan struct{}
}

// output keeps what a process writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// start starts a server and waits until it is ready.
func start(c conf) (*server, error) {
	s := &server{conf: c, done: make(chan struct{})}
	public, ops := freePort(), freePort()
	s.url, s.ops = "http://"+public, "http://"+ops
	if c.tls {
		s.url = "https://" + public
	}
	if s.publicURL == "" {
		s.publicURL = s.url
	}
	s.cmd = exec.Command(program, "serve", "--data", c.data, "--listen", public, "--ops-listen", ops,
		"--public-url", s.publicURL, "--demo="+strconv.FormatBool(c.demo))
	s.cmd.Env = c.environment()
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.err
	s.began = time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		s.ended = s.cmd.Wait()
		close(s.done)
	}()
	client := http.Client{Timeout: time.Second}
	for time.Since(s.began) < 30*time.Second {
		if res, err := client.Get(s.ops + "/readyz"); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				s.ready = time.Since(s.began)
				return s, nil
			}
		}
		select {
		case <-s.done:
			return nil, fmt.Errorf("the server ended before it was ready: %w\n%s", s.ended, s.tail(30))
		case <-time.After(2 * time.Millisecond):
		}
	}
	_ = s.cmd.Process.Kill()
	return nil, fmt.Errorf("the server was not ready within 30 s\n%s", s.tail(30))
}

// environment is the environment of a server, or of a command beside it: ours, without what would configure it.
func (c *conf) environment() []string {
	var env []string
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "CHANCERY_") && !strings.HasPrefix(e, "OTEL_") {
			env = append(env, e)
		}
	}
	if c.databaseURL != "" {
		env = append(env, "CHANCERY_DATABASE_URL="+c.databaseURL)
	}
	if c.adminToken != "" {
		env = append(env, "CHANCERY_ADMIN_TOKEN="+c.adminToken)
	}
	return append(env, c.env...)
}

// run runs another command of the binary beside the server and returns what it printed.
func (c *conf) run(args ...string) (stdout string, err error) { return c.runWith("", args...) }

// runWith is run with that on the standard input.
func (c *conf) runWith(stdin string, args ...string) (stdout string, err error) {
	at := []string{"--data", c.data}
	if c.publicURL != "" {
		at = append(at, "--public-url", c.publicURL)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append(at, args...)...)
	cmd.Env = c.environment()
	var out, complaint bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &complaint
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("chancery %s: %w\n%s", strings.Join(args, " "), err, &complaint)
	}
	return out.String(), nil
}

// freePort returns an address on the loopback, below the range of outgoing connections.
func freePort() string {
	for {
		addr := "127.0.0.1:" + strconv.Itoa(10_000+rand.IntN(20_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			l.Close()
			return addr
		}
	}
}

// stop ends the server by SIGTERM and returns an error unless it exits with 0 soon. A second call does nothing.
func (s *server) stop() error {
	var err error
	s.once.Do(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-s.done:
			err = s.ended
		case <-time.After(30 * time.Second):
			_ = s.cmd.Process.Kill()
			err = errors.New("the server did not stop within 30 s of SIGTERM")
		}
	})
	return err
}

// flaws returns what no server may write, whatever happened: a line that is not JSON, a fault, or a secret. What a
// demo prints for people to paste, on standard error, is not a log.
func (s *server) flaws() error {
	var errs []error
	flaw := func(format string, args ...any) {
		if len(errs) < 5 {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	stdout, stderr := s.out.String(), s.err.String()
	for line := range strings.Lines(stdout) {
		var l struct {
			Level  string `json:"level"`
			Status int    `json:"status"`
		}
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			flaw("a line of the log is not JSON: %s", line)
		} else if !s.faults && (l.Level == "ERROR" || l.Status >= 500) {
			flaw("the server failed: %s", line)
		}
	}
	said := stdout
	if !s.demo {
		said += stderr
	}
	for _, v := range secretsIn(said) {
		flaw("the server wrote a secret: %.8s…", v)
	}
	if strings.Contains(stderr, "panic:") || strings.Contains(stderr, "goroutine ") {
		flaw("the server wrote: %s", stderr)
	}
	return errors.Join(errs...)
}

// tail returns the last lines of what the server wrote.
func (s *server) tail(n int) string {
	lines := strings.Split(strings.TrimSpace(s.err.String()+"\n"+s.out.String()), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
