package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/chancery-id/chancery/web/console"
)

// A token goes to the one server that is named, and to it in secret.
func TestRemoteServers(t *testing.T) {
	for server, want := range map[string]string{
		"https://id.example.com":         "",
		"https://id.example.com/prefix/": "",
		"http://127.0.0.1:8080":          "",
		"http://[::1]:8080":              "",
		"http://localhost:8080":          "",
		"http://id.example.com":          "plain text",
		"http://127.0.0.1.example.com":   "plain text",
		"http://localhost.example.com":   "plain text",
		"http://10.0.0.1":                "plain text",
		"ftp://id.example.com":           "not an http or https URL",
		"id.example.com":                 "not an http or https URL",
		"https://me@id.example.com":      "not an http or https URL",
		"https://id.example.com?x=y":     "not an http or https URL",
		"":                               "not an http or https URL",
	} {
		_, err := newRemote(server, "token", "")
		if (err == nil) != (want == "") || err != nil && (!strings.Contains(err.Error(), want) || exitCode(err) != exitUsage) {
			t.Errorf("%q: got %v, want %q", server, err, want)
		}
	}
}

func TestAPI(t *testing.T) {
	look := &console.Operation{Name: "look", Method: http.MethodGet, Path: "/admin/v1/tenants/:id/things/:thing"}
	create := &console.Operation{Name: "create", Method: http.MethodPost, Path: "/admin/v1/tenants/:id/things"}
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("somebody else is asked for %s with %q", r.URL, r.Header.Get("Authorization"))
	}))
	defer elsewhere.Close()
	type answer struct {
		status int
		header map[string]string
		body   string
	}
	problemKind := map[string]string{"Content-Type": "application/problem+json"}
	retry := func(after string) map[string]string {
		return map[string]string{"Content-Type": "application/problem+json", "Retry-After": after}
	}
	for _, tt := range []struct {
		rule    string
		of      *console.Operation
		thing   string
		answers []answer // the last is repeated
		calls   int
		want    string // of the answer or the error
		code    int
	}{
		{"an answer is JSON", look, "x", []answer{{200, nil, `{"a": 1}`}}, 1, `{"a": 1}`, 0},
		{"and nothing else", look, "x", []answer{{200, nil, `<html>`}}, 1, "no JSON", exitFailed},
		{"who only looks waits while the server is busy", look, "x", []answer{{429, retry("0"), `{}`}, {503, retry("0"), `{}`}, {200, nil, `{}`}}, 3, `{}`, 0},
		{"but not for ever", look, "x", []answer{{503, retry("0"), `{"detail": "Busy"}`}}, maxTries, "Busy", exitFailed},
		{"nor for long", look, "x", []answer{{429, retry("3600"), `{"detail": "Too many requests"}`}}, 1, "Too many requests", exitFailed},
		{"nor unless it is told how long", look, "x", []answer{{503, problemKind, `{"detail": "Down"}`}}, 1, "Down", exitFailed},
		{"a change is not made twice", create, "", []answer{{429, retry("0"), `{"detail": "Too many requests"}`}}, 1, "Too many requests", exitFailed},
		{"what is not there is told", look, "x", []answer{{404, problemKind, `{"detail": "There is no such thing"}`}}, 1, "There is no such thing", exitNotFound},
		{"who is refused is told", look, "x", []answer{{403, problemKind, `{"detail": "Your roles do not allow this"}`}}, 1, "Your roles", exitRefused},
		{"who is not known is told", look, "x", []answer{{401, problemKind, `{"detail": "The token is not valid"}`}}, 1, "not valid", exitRefused},
		{"each fault has its place", look, "x", []answer{{400, problemKind, `{"detail": "No", "errors": [{"pointer": "#/a/b", "detail": "is wrong"}, {"parameter": "limit", "detail": "is wrong"}]}`}}, 1,
			"No\n  #/a/b is wrong\n  ?limit is wrong", exitFailed},
		{"what it says cannot steer the terminal", look, "x", []answer{{400, problemKind, `{"detail": "\u001b[31mred"}`}}, 1, "\uFFFD[31mred", exitFailed},
		{"a proxy is no administration", look, "x", []answer{{502, map[string]string{"Content-Type": "text/html"}, `<html>secret</html>`}}, 1, "not as the administration does", exitFailed},
		{"nobody is followed elsewhere", look, "x", []answer{{307, map[string]string{"Location": elsewhere.URL}, ``}}, 1, "307", exitFailed},
		{"an id is one part of the path", look, "a/../b?c#d", []answer{{200, nil, `{}`}}, 1, `{}`, 0},
		{"an id is not empty", look, "", nil, 0, "empty", exitUsage},
		{"nor a step upwards", look, "..", nil, 0, "no id", exitUsage},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			calls := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				a := tt.answers[min(calls, len(tt.answers)-1)]
				calls++
				if r.Header.Get("Authorization") != "Bearer chy_x" || r.Method == http.MethodPost && r.Header.Get("Idempotency-Key") == "" {
					t.Errorf("the headers are %v", r.Header)
				}
				if parts := strings.Split(r.URL.EscapedPath(), "/"); tt.of == look && len(parts) != 7 {
					t.Errorf("the path is %s", r.URL.EscapedPath())
				}
				for name, value := range a.header {
					w.Header().Set(name, value)
				}
				w.WriteHeader(a.status)
				_, _ = io.WriteString(w, a.body)
			}))
			defer s.Close()
			a, err := newRemote(s.URL, "chy_x", "")
			if err != nil {
				t.Fatal(err)
			}
			got, err := a.ask(context.Background(), &performed{of: tt.of, path: map[string]string{"id": "acme", "thing": tt.thing}})
			said := string(got)
			if err != nil {
				said = err.Error()
				if exitCode(err) != tt.code {
					t.Errorf("it exits with %d", exitCode(err))
				}
			}
			if (err == nil) != (tt.code == 0) || !strings.Contains(said, tt.want) || strings.Contains(said, "secret") {
				t.Errorf("got %q and %v, want %q", got, err, tt.want)
			}
			if calls != tt.calls {
				t.Errorf("it called %d times, want %d", calls, tt.calls)
			}
		})
	}
}

// An answer in this process is read while it is written, and one that breaks off is no whole one.
func TestInProcess(t *testing.T) {
	for _, tt := range []struct {
		rule    string
		handler http.HandlerFunc
		status  int
		body    string
		breaks  bool
	}{
		{"an answer comes over", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Host", r.Host)
			w.WriteHeader(http.StatusCreated)
			_, _ = io.Copy(w, r.Body)
		}, 201, "sent", false},
		{"nothing said is OK", func(http.ResponseWriter, *http.Request) {}, 200, "", false},
		{"what is cut is not whole", func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "begun")
			panic(http.ErrAbortHandler)
		}, 200, "begun", true},
		{"a panic is no answer", func(http.ResponseWriter, *http.Request) { panic("no") }, 500, "", true},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			c := http.Client{Transport: inProcess{tt.handler}}
			res, err := c.Post("http://localhost/x", "text/plain", strings.NewReader("sent"))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(res.Body)
			if res.StatusCode != tt.status || string(body) != tt.body || errors.Is(err, errBroken) != tt.breaks {
				t.Errorf("got %d, %q, %v", res.StatusCode, body, err)
			}
		})
	}
}

// login keeps a server and a token for the user alone, and later commands use them until others are named.
func TestContexts(t *testing.T) {
	dir := t.TempDir()
	b := (&program{t: t, flags: []string{"--data", dir}}).serve(dir)
	file := filepath.Join(t.TempDir(), "sub", "config.yaml")
	p := &program{t: t, env: []string{"CHANCERY_CONFIG=" + file}}
	says := func(rule, stdin string, code int, want string, args ...string) {
		t.Helper()
		r := p.run(stdin, args...)
		if r.code != code || !strings.Contains(r.stdout+r.err, want) || strings.Contains(r.stdout+r.err, b.AdminToken) {
			t.Errorf("%s: %+v, want %d and %q", rule, r, code, want)
		}
	}
	says("without a token there is none", "", exitUsage, "no token", "tenant", "list", "--server", b.PublicURL)
	says("nor is one without a server", b.AdminToken, exitUsage, "--server", "tenant", "list", "--token-file", "-")
	says("a token that nobody knows is not kept", "chy_wrong\n", exitRefused, "not valid", "login", "--server", b.PublicURL, "--token-file", "-")
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a file: %v", err)
	}
	says("one that is known is", b.AdminToken+"\n", 0, "owner", "login", "--server", b.PublicURL, "--token-file", "-")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it lies in %v, %v", info, err)
	}
	says("later commands use it", "", 0, "globex", "tenant", "list")
	says("a database that is named comes first", "", exitFailed, "no database", "tenant", "list", "--data", t.TempDir())
	says("so does a server", "", exitUsage, "no token", "tenant", "list", "--server", b.PublicURL)
	says("and another context", "", exitUsage, "no context", "tenant", "list", "--context", "other")
	says("it is forgotten", "", 0, "", "logout")
	says("then it is not used", "", exitFailed, "no database", "tenant", "list")
	if text, err := os.ReadFile(file); err != nil || strings.Contains(string(text), b.AdminToken) {
		t.Errorf("the token is still kept, %v", err)
	}
	if err := os.WriteFile(file, []byte("contexts:\n  default:\n    servr: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	says("what is not understood is told", "", exitFailed, "servr", "tenant", "list")
}

// What is written as YAML reads as the JSON does.
func TestYAML(t *testing.T) {
	before := stdout
	defer func() { stdout = before }()
	var out bytes.Buffer
	stdout = &out
	doc := json.RawMessage(`{"version": 1763625600000001, "text": "no", "number like": "0123", "time": "2026-11-20T08:00:00Z", "multi": "a\nb: c", "red": "\u001b[31m", "turned": "\u202egnp", "far": "\udb40\udc01", "name\u001b": "x", "smile": "🙂", "list": [], "none": null, "big": 9007199254740993, "half": 0.5}`)
	if err := (output{"json"}).document(doc); err != nil || strings.ContainsAny(out.String(), "\x1b\u202e\U000e0001") || !json.Valid(out.Bytes()) {
		t.Errorf("JSON steers the terminal: %q, %v", out.String(), err)
	}
	var same, as any
	if json.Unmarshal(out.Bytes(), &same) != nil || json.Unmarshal(doc, &as) != nil || !reflect.DeepEqual(same, as) {
		t.Errorf("JSON is not what it was: %s", out.String())
	}
	out.Reset()
	if err := (output{"yaml"}).document(doc); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b\u202e\U000e0001") {
		t.Errorf("YAML steers the terminal: %q", out.String())
	}
	var got, want any
	if err := yaml.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	e := json.NewDecoder(bytes.NewReader(doc))
	e.UseNumber()
	if e.Decode(&want) != nil {
		t.Fatal("not JSON")
	}
	want.(map[string]any)["name\uFFFD"] = "x" // names cannot be escaped
	delete(want.(map[string]any), "name\x1b")
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if string(a) != string(b) {
		t.Errorf("got  %s\nwant %s\nfrom %s", a, b, out.String())
	}
}
