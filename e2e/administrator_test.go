package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// terminal is where a person administers a server from, with a configuration of its own.
type terminal struct {
	config string
	server string
	env    []string
}

func (s *server) terminal(t *testing.T) *terminal {
	return &terminal{filepath.Join(t.TempDir(), "chancery", "config.yaml"), s.url, append(s.environment(), "HOME="+t.TempDir())}
}

func (m *terminal) command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, program, args...)
	c.Env, c.Dir = append(m.env, "CHANCERY_CONFIG="+m.config, "CHANCERY_DATABASE_URL="), filepath.Dir(filepath.Dir(m.config))
	return c
}

// types runs a command, and returns its answer and what it exited with.
func (m *terminal) types(t *testing.T, stdin string, args ...string) (string, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	c := m.command(ctx, args...)
	var out bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &out
	err := c.Run()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		return out.String(), e.ExitCode()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String(), 0
}

// login begins to sign in, and returns what it tells that matches pattern, and what waits for its end.
func (m *terminal) login(t *testing.T, pattern string, flags ...string) (told string, end func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c := m.command(ctx, append([]string{"login", "--server", m.server, "-o", "json"}, flags...)...)
	var out bytes.Buffer
	c.Stdout = &out
	said, err := c.StderrPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	find := regexp.MustCompile(pattern)
	for b := make([]byte, 4096); find.FindSubmatch(all) == nil; {
		n, err := said.Read(b)
		if all = append(all, b[:n]...); err != nil {
			t.Fatalf("%v: %s", err, all)
		}
	}
	return string(find.FindSubmatch(all)[1]), func() string {
		t.Helper()
		rest, _ := io.ReadAll(said)
		if err := c.Wait(); err != nil {
			t.Fatalf("%v: %s%s", err, all, rest)
		}
		return out.String()
	}
}

// tokens are those that the terminal keeps.
func (m *terminal) tokens(t *testing.T) (access, refresh string) {
	t.Helper()
	text, err := os.ReadFile(m.config)
	if err != nil {
		t.Fatal(err)
	}
	member := func(name string) string {
		found := regexp.MustCompile(`(?m)^\s+` + name + `: "?([^"\s]+)`).FindSubmatch(text)
		if found == nil {
			t.Fatalf("no %s in %s", name, text)
		}
		return string(found[1])
	}
	access, refresh = member("token"), member("refresh_token")
	secret(access, refresh)
	return access, refresh
}

// The first administrator sets a password by a link, signs in with a real browser, and lets another in, who signs in with a
// code: each does what their roles allow, until they are taken away.
func TestAdministratorsSignIn(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		t.Run(string(e), func(t *testing.T) {
			t.Parallel()
			s := fresh(t, e, nil)
			var link struct{ URL, Username, Principal string }
			out, err := s.run("admin", "bootstrap", "--username", "root", "-o", "json")
			if err != nil || json.Unmarshal([]byte(out), &link) != nil || !strings.HasPrefix(link.URL, s.url+"/t/platform/login/password/") {
				t.Fatalf("%v: %s", err, out)
			}
			secret(link.URL[strings.LastIndexByte(link.URL, '/')+1:])
			const password = "nineteen turtles under a kettle"
			w := openWindow(t, string(e)+" administrator", 1000, false)
			w.do(t, chromedp.Navigate(link.URL), seen("#password"))
			w.shoot(t, "1-password")
			w.do(t, typed("password", password), typed("again", "another password"), press("set"), saying("not the same"))
			w.shoot(t, "2-differ")
			w.do(t, typed("password", "password"), typed("again", "password"), press("set"), saying("too common"))
			w.do(t, typed("password", password), typed("again", password), press("set"), chromedp.WaitNotPresent("#password", chromedp.ByQuery))
			w.shoot(t, "3-set")
			call(t, http.MethodGet, link.URL).want(t, "404")

			mine := s.terminal(t)
			at, end := mine.login(t, `(http://\S+/authorize\S+)`, "--no-browser")
			w.do(t, chromedp.Navigate(at), seen("#username"))
			w.shoot(t, "4-sign-in")
			w.do(t, typed("username", "root"), typed("password", password), press("login"), seen(`button[value="allow"]`))
			w.shoot(t, "5-consent")
			w.do(t, press("allow"), chromedp.WaitNotPresent(`button[value="allow"]`, chromedp.ByQuery))
			w.shoot(t, "6-back")
			if me := end(); !strings.Contains(me, link.Principal) || !strings.Contains(me, `"owner"`) {
				t.Errorf("who am I? %s", me)
			}
			if complaints := w.complaints(); len(complaints) > 0 {
				t.Errorf("the browser says %q", complaints)
			}
			if i, err := os.Stat(mine.config); err != nil || i.Mode().Perm() != 0o600 {
				t.Errorf("tokens lie in %v, %v", i.Mode(), err)
			}
			access, _ := mine.tokens(t)
			types := func(m *terminal, code int, args ...string) string {
				t.Helper()
				out, got := m.types(t, password+"\n", args...)
				if got != code {
					t.Errorf("%v: exit code %d, want %d: %s", args, got, code, out)
				}
				return out
			}
			types(mine, 0, "tenant", "create", "initech")
			var anna struct{ Sub string }
			if out := types(mine, 0, "user", "create", "platform", "anna", "-o", "json"); json.Unmarshal([]byte(out), &anna) != nil {
				t.Fatal(out)
			}
			call(t, http.MethodGet, s.url+"/admin/v1/tenants/initech", bearer(access)).want(t, "200")

			hers := s.terminal(t)
			code, end := hers.login(t, `enter the code\s+(\S+)`, "--device")
			other := openWindow(t, string(e)+" device administrator", 390, true)
			other.do(t, chromedp.Navigate(s.url+"/t/platform/device"), typed("user_code", code), press("verify"), seen("#username"),
				typed("username", "anna"), typed("password", password), press("login"), seen(`button[value="allow"]`))
			other.shoot(t, "1-confirm")
			other.do(t, press("allow"), chromedp.WaitNotPresent(`button[value="allow"]`, chromedp.ByQuery))
			if me := end(); !strings.Contains(me, "user:"+anna.Sub) || strings.Contains(me, "owner") {
				t.Errorf("who is she? %s", me)
			}
			access, _ = hers.tokens(t)
			if out := types(hers, 4, "tenant", "list"); !strings.Contains(out, "ask an owner") {
				t.Errorf("without a role: %s", out)
			}
			types(mine, 0, "administrator", "set", "platform", "user:"+anna.Sub, "--role", "auditor")
			types(hers, 0, "tenant", "list")
			types(hers, 4, "tenant", "create", "hooli")
			var keys []struct{ ID string }
			if out := types(mine, 0, "token", "list", "platform", "-o", "json"); json.Unmarshal([]byte(out), &keys) != nil {
				t.Fatal(out)
			}
			for _, k := range keys {
				types(mine, 0, "token", "revoke", "platform", k.ID)
			}
			if out := types(mine, 1, "user", "disable", "platform", "root"); !strings.Contains(out, "last owner") {
				t.Errorf("the last owner: %s", out)
			}
			types(mine, 0, "user", "disable", "platform", "anna")
			within(t, 5*time.Second, "her token is worth nothing", func() bool {
				return call(t, http.MethodGet, s.url+"/admin/v1/me", bearer(access)).StatusCode == http.StatusUnauthorized
			})
			if out := types(hers, 4, "tenant", "list"); !strings.Contains(out, "chancery login") {
				t.Errorf("once she is locked out: %s", out)
			}

			access, _ = mine.tokens(t)
			types(mine, 0, "logout")
			within(t, 5*time.Second, "what was signed in for has ended", func() bool {
				return call(t, http.MethodGet, s.url+"/admin/v1/me", bearer(access)).StatusCode == http.StatusUnauthorized
			})
		})
	}
}
