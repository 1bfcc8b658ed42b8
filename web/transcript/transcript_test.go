package transcript

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// A player sends what is written, and finds whatever differs.
func TestPlayer(t *testing.T) {
	var at time.Duration
	p := &Player{More: "…", Nested: true, Headers: map[string]string{"X-Kind": "echo"}, Move: func(d time.Duration) { at += d }, Does: map[string]func(*testing.T, *Step){},
		Call: func(method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
			r, w := httptest.NewRequest(method, path, strings.NewReader(body)), httptest.NewRecorder()
			change(r)
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Kind", "echo")
			w.Header().Set("X-Name", r.Header.Get("Name"))
			_, _ = io.WriteString(w, body)
			return w
		}}
	text := `# a remark
@clock 3s
> POST /x
> Name: $name
{"id": 7, "of": {"id": "a-b", "text": "{\"a\": 1}"}}
< 200
< X-Name: alice
{"id": "#$id", "…": ""}
`
	p.Play(t, parse(t, text), map[string]string{"$name": "alice"})
	if at != 3*time.Second || p.Fill("$id of $name, $unknown") != "7 of alice, $unknown" {
		t.Errorf("%v, %s", at, p.Fill("$id of $name, $unknown"))
	}
	for _, tt := range []struct {
		rule, got, want string
		differences     int
	}{
		{"the same", `{"a": [1, "x"]}`, `{"a": [1, "x"]}`, 0},
		{"another number", `{"a": 1}`, `{"a": 2}`, 1},
		{"one is missing, another is there", `{"a": 1}`, `{"b": 1}`, 2},
		{"others are free", `{"a": 1, "b": 2}`, `{"a": 1, "…": ""}`, 0},
		{"but not what is named", `{"b": 2}`, `{"a": 1, "…": ""}`, 1},
		{"a list is as long as is written", `[1, 2]`, `[1]`, 1},
		{"what is known must be equal", `{"a": "8"}`, `{"a": "$id"}`, 1},
		{"what is new is kept", `{"a": "x-1", "b": "x-1"}`, `{"a": "$x", "b": "$x"}`, 0},
		{"a name may be known", `{"alice": 1}`, `{"$name": 1}`, 0},
		{"a string holds an object", `{"a": "{\"b\": 1}"}`, `{"a": {"b": 1}}`, 0},
	} {
		got, _ := decode(tt.got)
		want, _ := decode(tt.want)
		if ds := p.diff("", got, want); len(ds) != tt.differences {
			t.Errorf("%s: %v", tt.rule, ds)
		}
	}
}
