package firstparty

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
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
)

// A transcript is what an app sends and what it gets. Lines of a transcript begin with
//
//	#   a remark
//	>   a request: "> METHOD PATH", then "> Header: value", where no value takes a header away; "> Client: ID SECRET"
//	    is HTTP Basic
//	<   the answer: "< STATUS", then "< Header: value", where no value says that there is none
//	@   what the test does meanwhile: "@settings JSON" (a merge patch), "@clock DURATION", "@otp CODE" (from here on the
//	    step is that of codes for one use), "@secure USER" (who has a TOTP from here on), "@code $name" (the
//	    next code of that, or the last that was sent), "@idtoken TOKEN" and then its claims
//
// and other lines are the body of the request or answer before them. $name stands for a value that is made anew each
// time: the first to come is kept, and others must be equal. An object that has a member "..." may have others besides.
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
			each(t, func(t *testing.T, w *world) {
				r := &replay{world: w, vars: map[string]string{
					"$acme": string(w.acme.TenantID), "$token": w.acme.APIToken, "$globex": string(w.globex.TenantID), "$globex_token": w.globex.APIToken,
					"$starter": w.acme.Client.ID, "$starter_secret": w.acme.Client.Secret}}
				for _, p := range parse(t, string(text)) {
					acts[p.mark](r, t, p)
					if t.Failed() {
						return
					}
				}
			})
		})
	}
}

// part is a request, an answer, or what the test does.
type part struct {
	mark    byte
	line    int
	word    string // first of the first line
	rest    string // of that line
	headers [][2]string
	body    []string
}

var acts = map[byte]func(*replay, *testing.T, *part){'>': (*replay).send, '<': (*replay).expect, '@': (*replay).do}

func parse(t *testing.T, text string) (parts []*part) {
	t.Helper()
	header := regexp.MustCompile(`^([A-Za-z-]+):\s*(.*)$`)
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		rest := strings.TrimSpace(line[1:])
		switch h := header.FindStringSubmatch(rest); {
		case acts[line[0]] == nil:
			parts[len(parts)-1].body = append(parts[len(parts)-1].body, strings.TrimSpace(line))
		case h != nil && line[0] != '@':
			p := parts[len(parts)-1]
			p.headers = append(p.headers, [2]string{h[1], h[2]})
		default:
			p := &part{mark: line[0], line: i + 1}
			p.word, p.rest, _ = strings.Cut(rest, " ")
			parts = append(parts, p)
		}
	}
	return parts
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

func (r *replay) send(t *testing.T, p *part) {
	body := r.fill(strings.Join(p.body, ""))
	r.answer = r.call(p.word, r.fill(p.rest), body, func(req *http.Request) {
		if req.Header.Set("Content-Type", "application/x-www-form-urlencoded"); strings.HasPrefix(body, "{") {
			req.Header.Set("Content-Type", "application/json")
		}
		for _, h := range p.headers {
			if h[0] == "Client" {
				id, secret, _ := strings.Cut(r.fill(h[1]), " ")
				req.SetBasicAuth(id, secret)
				continue
			}
			if req.Header.Del(h[0]); h[1] != "" {
				req.Header.Set(h[0], r.fill(h[1]))
			}
		}
	})
}

func (r *replay) do(t *testing.T, p *part) {
	switch p.word {
	case "settings":
		r.set(t, p.rest+strings.Join(p.body, ""))
	case "clock":
		d, err := time.ParseDuration(p.rest)
		if err != nil {
			t.Fatalf("line %d: %v", p.line, err)
		}
		r.move(t, d)
	case "otp":
		r.challenge.Decider = oneTime(p.rest)
	case "secure":
		r.secure(t, p.rest)
	case "code": // of the authenticator app, or that was sent
		r.vars[p.rest] = r.newCode(t)
	case "idtoken":
		segments := strings.Split(r.fill(p.rest), ".")
		payload, err := base64.RawURLEncoding.DecodeString(segments[1])
		if err != nil {
			t.Fatalf("line %d: %v", p.line, err)
		}
		r.compare(t, p, string(payload))
	default:
		t.Fatalf("line %d: unknown %q", p.line, p.word)
	}
}

func (r *replay) expect(t *testing.T, p *part) {
	if want, err := strconv.Atoi(p.word); err != nil || r.answer.Code != want {
		t.Fatalf("line %d: got %d %v %s", p.line, r.answer.Code, r.answer.Header(), r.answer.Body)
	}
	headers := map[string]string{"Cache-Control": "no-store", "Set-Cookie": "", "Access-Control-Allow-Origin": "", "Www-Authenticate": "", "Retry-After": "",
		"Content-Type": "application/json"}
	for _, h := range p.headers {
		headers[http.CanonicalHeaderKey(h[0])] = h[1]
	}
	for name, value := range headers {
		if got := r.answer.Header().Get(name); !r.match(got, value) {
			t.Errorf("line %d: %s: got %q, want %q", p.line, name, got, r.fill(value))
		}
	}
	r.compare(t, p, r.answer.Body.String())
}

// match compares a text with a pattern, and keeps the values of variables it sees first.
func (r *replay) match(got, pattern string) bool {
	rest, expr := r.fill(pattern), strings.Builder{}
	names := variable.FindAllString(rest, -1)
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
func (r *replay) compare(t *testing.T, p *part, got string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("line %d: got %s: %v", p.line, got, err)
	}
	if err := json.Unmarshal([]byte(strings.Join(p.body, "\n")), &w); err != nil {
		t.Fatalf("line %d: %v", p.line, err)
	}
	for _, d := range r.diff("", g, w) {
		t.Errorf("line %d: %s", p.line, d)
	}
	if t.Failed() {
		t.Logf("line %d: got %s", p.line, got)
	}
}

func (r *replay) diff(at string, got, want any) (ds []string) {
	switch want := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			break
		}
		for name := range g {
			if _, more := want["..."]; want[name] == nil && !more {
				ds = append(ds, fmt.Sprintf("%s.%s is there: %v", at, name, g[name]))
			}
		}
		for name, w := range want {
			if v, ok := g[name]; ok {
				ds = append(ds, r.diff(at+"."+name, v, w)...)
			} else if name != "..." {
				ds = append(ds, at+"."+name+" is missing")
			}
		}
		slices.Sort(ds)
		return ds
	case string:
		if g, ok := got.(string); ok && r.match(g, want) {
			return nil
		}
	default:
		if fmt.Sprint(got) == fmt.Sprint(want) {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: got %v, want %v", at, got, want)}
}
