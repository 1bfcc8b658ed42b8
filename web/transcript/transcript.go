// Package transcript plays what a client of a door sends, and holds what it gets against what is written. It is for tests.
// Lines of a transcript begin with
//
//	#   a remark
//	>   a request: "> METHOD PATH", then "> Header: value", where no value takes a header away
//	<   the answer: "< STATUS", then "< Header: value", where no value says that there is none
//	@   what the test does meanwhile, by the word that follows
//
// and other lines are the body of the request or answer before them. $name stands for a value that is made anew each time:
// the first to come is kept, and others must be equal. A name of a member may hold values that are known. A number is
// written "#$name".
package transcript

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// Step is one part of a transcript.
type Step struct {
	Line    int
	Word    string // first of the first line, without its mark
	Rest    string // of that line
	Headers [][2]string
	Body    string
	mark    byte
}

// Each runs play, as a test of its name, with the steps of each transcript below testdata.
func Each(t *testing.T, play func(t *testing.T, steps []*Step)) {
	t.Helper()
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
			play(t, parse(t, string(text)))
		})
	}
}

func parse(t *testing.T, text string) []*Step {
	t.Helper()
	var steps []*Step
	for i, line := range strings.Split(text, "\n") {
		if strings.TrimSpace(line) == "" || line[0] == '#' {
			continue
		}
		marked := strings.IndexByte("><@", line[0]) >= 0
		if len(steps) == 0 && !marked {
			t.Fatalf("line %d belongs to nothing", i+1)
		}
		if !marked {
			steps[len(steps)-1].Body += line + "\n"
			continue
		}
		rest := strings.TrimSpace(line[1:])
		if name, value, header := strings.Cut(rest, ":"); header && line[0] != '@' && !strings.Contains(name, " ") {
			s := steps[len(steps)-1]
			s.Headers = append(s.Headers, [2]string{name, strings.TrimSpace(value)})
			continue
		}
		s := &Step{Line: i + 1, mark: line[0]}
		s.Word, s.Rest, _ = strings.Cut(rest, " ")
		steps = append(steps, s)
	}
	return steps
}

// Player is a transcript in progress.
type Player struct {
	Call    func(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder
	Does    map[string]func(t *testing.T, s *Step) // by word; "clock" is Move
	Move    func(d time.Duration)
	Headers map[string]string // that each answer has where nothing else is written; its Content-Type belongs to a body
	More    string            // the member of an object that stands for any further ones
	Nested  bool              // where an object is expected and a string is there, the string holds it in JSON

	vars   map[string]string
	answer *httptest.ResponseRecorder
}

// Play carries out the steps until one fails. It knows these values from the beginning.
func (p *Player) Play(t *testing.T, steps []*Step, known map[string]string) {
	t.Helper()
	p.vars = map[string]string{}
	for name, v := range known {
		p.vars[name] = v
	}
	for _, s := range steps {
		switch s.mark {
		case '>':
			p.send(s)
		case '<':
			p.expect(t, s)
		default:
			p.do(t, s)
		}
		if t.Failed() {
			return
		}
	}
}

func (p *Player) do(t *testing.T, s *Step) {
	t.Helper()
	if s.Word == "clock" {
		d, err := time.ParseDuration(s.Rest)
		if err != nil {
			t.Fatalf("line %d: %v", s.Line, err)
		}
		p.Move(d)
		return
	}
	does, ok := p.Does[s.Word]
	if !ok {
		t.Fatalf("line %d: unknown %q", s.Line, s.Word)
	}
	does(t, s)
}

func (p *Player) send(s *Step) {
	p.answer = p.Call(s.Word, p.Fill(s.Rest), strings.TrimSuffix(p.Fill(s.Body), "\n"), func(r *http.Request) {
		for _, h := range s.Headers {
			if r.Header.Del(h[0]); h[1] != "" {
				r.Header.Set(h[0], p.Fill(h[1]))
			}
		}
	})
}

func (p *Player) expect(t *testing.T, s *Step) {
	t.Helper()
	want, err := strconv.Atoi(s.Word)
	if err != nil {
		t.Fatalf("line %d: %v", s.Line, err)
	}
	if p.answer.Code != want {
		t.Fatalf("line %d: got %d %v %s", s.Line, p.answer.Code, p.answer.Header(), p.answer.Body)
	}
	headers := map[string]string{"Content-Type": "application/json"}
	if s.Body == "" {
		headers["Content-Type"] = ""
	}
	for name, v := range p.Headers {
		headers[name] = v
	}
	for _, h := range s.Headers {
		headers[http.CanonicalHeaderKey(h[0])] = h[1]
	}
	for name, value := range headers {
		if got := p.answer.Header().Get(name); !p.match(got, value) {
			t.Errorf("line %d: %s: got %q, want %q", s.Line, name, got, p.Fill(value))
		}
	}
	if s.Body == "" {
		if p.answer.Body.Len() > 0 {
			t.Errorf("line %d: got a body: %s", s.Line, p.answer.Body)
		}
		return
	}
	p.Compare(t, s, p.answer.Body.String(), s.Body)
}

var variable = regexp.MustCompile(`\$[a-z_0-9]+`)

// Fill puts the values of variables into s.
func (p *Player) Fill(s string) string {
	return variable.ReplaceAllStringFunc(s, func(name string) string {
		if v, ok := p.vars[name]; ok {
			return v
		}
		return name
	})
}

// Keep gives a variable a value.
func (p *Player) Keep(name, value string) { p.vars[name] = value }

// match compares a text with a pattern, and keeps the values of variables it sees first.
func (p *Player) match(got, pattern string) bool {
	var expr strings.Builder
	rest := p.Fill(pattern)
	names := variable.FindAllString(rest, -1)
	for i, literal := range variable.Split(rest, -1) {
		if i > 0 {
			expr.WriteString(`([A-Za-z0-9._-]+)`) // a number, a code, a token
		}
		expr.WriteString(regexp.QuoteMeta(literal))
	}
	found := regexp.MustCompile(`^` + expr.String() + `$`).FindStringSubmatch(got)
	if found == nil {
		return false
	}
	for i, name := range names {
		p.vars[name] = found[i+1]
	}
	return true
}
