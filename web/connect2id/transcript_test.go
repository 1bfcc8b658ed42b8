package connect2id

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chancery-id/chancery/flows/account"
	"github.com/chancery-id/chancery/flows/audit"
	"github.com/chancery-id/chancery/tenant"
)

// A transcript is what a login UI sends and what it gets. Lines of a transcript begin with
//
//	#   a remark
//	>   a request: "> METHOD PATH", then "> Header: value", where no value takes a header away
//	<   the answer: "< STATUS", then "< Header: value", where no value says that there is none
//	@   what the test does meanwhile: "@settings JSON", "@clock DURATION", "@account JSON" (sub, claims, disabled),
//	    "@grant CODE", and then the grant behind it, "@jwt TYPE TOKEN", and then its payload, "@hook STATUS", and then
//	    how a hook answers from now on, "@asked", and then the data of what a hook was asked last
//
// and other lines are the body of the request or answer before them. $name stands for a value that is made anew each
// time: the first to come is kept, and others must be equal. A name of a member may hold values that are known. An object with a
// member "*" may have others too.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			steps := parse(t, string(text))
			each(t, func(t *testing.T, w *world) {
				r := &replay{world: w, vars: map[string]string{}}
				for _, s := range steps {
					s.act(r, t, s)
					if t.Failed() {
						return
					}
				}
			})
		})
	}
}

// step is one part of a transcript.
type step struct {
	line    int
	word    string // first of the first line, without its mark
	rest    string // of that line
	headers [][2]string
	body    string
	act     func(*replay, *testing.T, *step)
}

// acts are what to do for a mark.
var acts = map[byte]func(*replay, *testing.T, *step){'>': (*replay).send, '<': (*replay).expect, '@': (*replay).do}

func parse(t *testing.T, text string) []*step {
	t.Helper()
	var steps []*step
	for i, line := range strings.Split(text, "\n") {
		switch {
		case strings.TrimSpace(line) == "" || line[0] == '#':
		case acts[line[0]] == nil:
			if len(steps) == 0 {
				t.Fatalf("line %d belongs to nothing", i+1)
			}
			steps[len(steps)-1].body += line + "\n"
		default:
			rest := strings.TrimSpace(line[1:])
			name, value, isHeader := strings.Cut(rest, ":")
			if isHeader && line[0] != '@' && !strings.Contains(name, " ") {
				s := steps[len(steps)-1]
				s.headers = append(s.headers, [2]string{name, strings.TrimSpace(value)})
				continue
			}
			s := &step{line: i + 1, act: acts[line[0]]}
			s.word, s.rest, _ = strings.Cut(rest, " ")
			steps = append(steps, s)
		}
	}
	return steps
}

// replay is a transcript in progress.
type replay struct {
	*world
	vars   map[string]string
	answer *httptest.ResponseRecorder
}

var variable = regexp.MustCompile(`\$[a-z_0-9]+`)

// fill puts the values of variables into s.
func (r *replay) fill(s string) string {
	return variable.ReplaceAllStringFunc(s, func(name string) string {
		if v, ok := r.vars[name]; ok {
			return v
		}
		return name
	})
}

func (r *replay) send(t *testing.T, s *step) {
	r.answer = r.call(s.word, r.fill(s.rest), r.fill(strings.TrimSuffix(s.body, "\n")), func(req *http.Request) {
		for _, h := range s.headers {
			if req.Header.Del(h[0]); h[1] != "" {
				req.Header.Set(h[0], r.fill(h[1]))
			}
		}
	})
}

func (r *replay) do(t *testing.T, s *step) {
	switch s.word {
	case "settings":
		set := new(tenant.Settings)
		if err := json.Unmarshal([]byte(s.rest+s.body), set); err != nil {
			t.Fatalf("line %d: %v", s.line, err)
		}
		*r.tenants["acme"].Settings = *set
	case "clock":
		d, err := time.ParseDuration(s.rest)
		if err != nil {
			t.Fatalf("line %d: %v", s.line, err)
		}
		r.move(d)
	case "account":
		var a struct {
			Sub      string
			Claims   map[string]json.RawMessage
			Disabled bool
		}
		if err := json.Unmarshal([]byte(s.rest+s.body), &a); err != nil {
			t.Fatalf("line %d: %v", s.line, err)
		}
		if err := r.db.CreateAccount(t.Context(), r.tenants["acme"].ID, account.Account{Subject: a.Sub, Username: a.Sub, Claims: a.Claims, Disabled: a.Disabled,
			CreatedAt: r.clock(), UpdatedAt: r.clock()}, audit.Event{}); err != nil {
			t.Fatalf("line %d: %v", s.line, err)
		}
	case "hook":
		status, err := strconv.Atoi(s.rest)
		if err != nil {
			t.Fatalf("line %d: %v", s.line, err)
		}
		r.site.status, r.site.answer, r.site.asked = status, s.body, []byte(`{"data":"nothing was asked"}`)
	case "asked":
		var ev struct{ Data json.RawMessage }
		if err := json.Unmarshal(r.site.asked, &ev); err != nil {
			t.Fatalf("line %d: %v", s.line, err)
		}
		r.compare(t, s, string(ev.Data), s.body)
	case "jwt":
		typ, token, _ := strings.Cut(s.rest, " ")
		r.compare(t, s, r.payload(t, s, typ, r.fill(token)), s.body)
	case "grant":
		g := r.grantOf(t, r.fill(s.rest))
		terms, _ := json.Marshal(g.Terms)
		got := fmt.Sprintf(`{"subject":%q,"actor":%q,"client":%q,"terms":%s}`, g.Subject, g.Actor, g.ClientID, terms)
		r.compare(t, s, got, s.body)
	default:
		t.Fatalf("line %d: unknown %q", s.line, s.word)
	}
}

// payload returns what a JWT of acme says.
func (r *replay) payload(t *testing.T, s *step, typ, token string) string {
	ten := r.tenants["acme"]
	if strings.Count(token, ".") == 4 {
		signed, err := ten.Secret.Decrypt("access token encryption", typ, token)
		if err != nil {
			t.Fatalf("line %d: %v", s.line, err)
		}
		token = signed
	}
	b, err := ten.Keys.Verify(r.clock(), typ, token)
	if err != nil {
		t.Fatalf("line %d: %v", s.line, err)
	}
	return string(b)
}

func (r *replay) expect(t *testing.T, s *step) {
	want, err := strconv.Atoi(s.word)
	if err != nil {
		t.Fatalf("line %d: %v", s.line, err)
	}
	if r.answer.Code != want {
		t.Fatalf("line %d: got %d %v %s", s.line, r.answer.Code, r.answer.Header(), r.answer.Body)
	}
	headers := map[string]string{"Cache-Control": "no-store", "Location": "", "Subject-Session-Id": "", "Set-Cookie": "", "Content-Type": "application/json"}
	if s.body == "" {
		headers["Content-Type"] = ""
	}
	for _, h := range s.headers {
		headers[http.CanonicalHeaderKey(h[0])] = h[1]
	}
	for name, value := range headers {
		if got := r.answer.Header().Get(name); !r.match(got, value) {
			t.Errorf("line %d: %s: got %q, want %q", s.line, name, got, r.fill(value))
		}
	}
	if s.body == "" {
		if r.answer.Body.Len() > 0 {
			t.Errorf("line %d: got a body: %s", s.line, r.answer.Body)
		}
		return
	}
	r.compare(t, s, r.answer.Body.String(), s.body)
}

// match compares a text with a pattern, and keeps the values of variables it sees first.
func (r *replay) match(got, pattern string) bool {
	var expr strings.Builder
	var names []string
	rest := r.fill(pattern)
	for _, at := range variable.FindAllStringIndex(rest, -1) {
		names = append(names, rest[at[0]:at[1]])
	}
	for i, literal := range variable.Split(rest, -1) {
		if i > 0 {
			expr.WriteString(`([A-Za-z0-9._-]+)`)
		}
		expr.WriteString(regexp.QuoteMeta(literal))
	}
	found := regexp.MustCompile(`^` + expr.String() + `$`).FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		r.vars[name] = found[i+1]
	}
	return true
}

// compare compares JSON texts; the order of members is free.
func (r *replay) compare(t *testing.T, s *step, got, want string) {
	t.Helper()
	g, err := decode(got)
	if err != nil {
		t.Fatalf("line %d: got %s: %v", s.line, got, err)
	}
	w, err := decode(want)
	if err != nil {
		t.Fatalf("line %d: want %s: %v", s.line, want, err)
	}
	for _, d := range r.diff("", g, w) {
		t.Errorf("line %d: %s", s.line, d)
	}
	if t.Failed() {
		t.Logf("line %d: got %s", s.line, got)
	}
}

func decode(s string) (v any, err error) {
	d := json.NewDecoder(bytes.NewBufferString(s))
	d.UseNumber()
	if err = d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more")
	}
	return v, nil
}

func (r *replay) diff(at string, got, want any) []string {
	switch want := want.(type) {
	case map[string]any:
		for name, w := range maps.Clone(want) {
			delete(want, name)
			want[r.fill(name)] = w
		}
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		var ds []string
		_, more := want["*"] // there may be others
		delete(want, "*")
		for name := range g {
			if _, ok := want[name]; !ok && !more {
				ds = append(ds, fmt.Sprintf("%s.%s is there: %v", at, name, g[name]))
			}
		}
		for name, w := range want {
			if v, ok := g[name]; ok {
				ds = append(ds, r.diff(at+"."+name, v, w)...)
			} else {
				ds = append(ds, at+"."+name+" is missing")
			}
		}
		slices.Sort(ds)
		return ds
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(want) {
			break
		}
		var ds []string
		for i := range want {
			ds = append(ds, r.diff(fmt.Sprintf("%s[%d]", at, i), g[i], want[i])...)
		}
		return ds
	case string:
		if g, ok := got.(string); ok && r.match(g, want) {
			return nil
		}
	default:
		if got == want {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: got %v, want %v", at, got, want)}
}
