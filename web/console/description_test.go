package console_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// description is an OpenAPI document, as far as tests read it.
type description struct {
	OpenAPI    string
	Paths      map[string]map[string]described
	Components struct {
		Schemas   map[string]map[string]any
		Responses map[string]response
	}
}

type described struct {
	OperationID string `json:"operationId"`
	Permission  string `json:"x-permission"`
	Parameters  []struct {
		Name, In string
		Required bool
		Schema   map[string]any
	}
	RequestBody *struct {
		Required bool
		Content  map[string]media
	} `json:"requestBody"`
	Responses map[string]response
}

type response struct {
	Ref     string `json:"$ref"`
	Content map[string]media
}

type media struct {
	Schema  map[string]any
	Example any
}

var theDescription = struct {
	sync.Mutex
	of *description
}{}

// described returns the description that the server gives of itself.
func (h *house) described() *description {
	theDescription.Lock()
	defer theDescription.Unlock()
	if theDescription.of != nil {
		return theDescription.of
	}
	req, _ := http.NewRequest("GET", h.url+"/admin/v1/openapi.json", nil)
	req.Header.Set("Authorization", "Bearer "+h.token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer res.Body.Close()
	d := &description{}
	if err := json.NewDecoder(res.Body).Decode(d); err != nil || res.StatusCode != 200 {
		h.t.Fatalf("the description: %d, %v", res.StatusCode, err)
	}
	theDescription.of = d
	return d
}

// route returns the operation that serves a path below /admin/v1, or nil.
func (d *description) route(method, path string) *described {
	path, _, _ = strings.Cut(path, "?")
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for template, operations := range d.Paths {
		want := strings.Split(strings.Trim(template, "/"), "/")
		same := len(want) == len(parts)
		for i := range want {
			same = same && (strings.HasPrefix(want[i], "{") || want[i] == parts[i])
		}
		if o, ok := operations[strings.ToLower(method)]; same && ok {
			return &o
		}
	}
	return nil
}

// resolve follows a reference.
func (d *description) resolve(schema map[string]any) map[string]any {
	if ref, ok := schema["$ref"].(string); ok {
		return d.Components.Schemas[strings.TrimPrefix(ref, "#/components/schemas/")]
	}
	return schema
}

// check returns what of v is not as the schema says.
func (d *description) check(schema map[string]any, v any, at string) (wrong []string) {
	if ref, ok := schema["$ref"]; ok && d.resolve(schema) == nil {
		return []string{fmt.Sprintf("%s: %v is not there", at, ref)}
	}
	schema = d.resolve(schema)
	is := ""
	switch v := v.(type) {
	case map[string]any:
		is = "object"
		properties, _ := schema["properties"].(map[string]any)
		for name, member := range v {
			if p, ok := properties[name].(map[string]any); ok {
				wrong = append(wrong, d.check(p, member, at+"/"+name)...)
			} else if more, ok := schema["additionalProperties"].(map[string]any); ok {
				wrong = append(wrong, d.check(more, member, at+"/"+name)...)
			} else if schema["additionalProperties"] == false {
				wrong = append(wrong, at+"/"+name+" is not described")
			}
		}
		required, _ := schema["required"].([]any)
		for _, name := range required {
			if _, ok := v[name.(string)]; !ok {
				wrong = append(wrong, fmt.Sprintf("%s/%v is missing", at, name))
			}
		}
	case []any:
		is = "array"
		if items, ok := schema["items"].(map[string]any); ok {
			for i, x := range v {
				wrong = append(wrong, d.check(items, x, at+"/"+strconv.Itoa(i))...)
			}
		}
	case string:
		is = "string"
		if values, ok := schema["enum"].([]any); ok && !slices.Contains(values, any(v)) {
			wrong = append(wrong, fmt.Sprintf("%s: %q is none of its values", at, v))
		}
		if _, err := time.Parse(time.RFC3339Nano, v); schema["format"] == "date-time" && err != nil {
			wrong = append(wrong, at+" is no time")
		}
	case float64:
		if is = "number"; v == float64(int64(v)) {
			is = "integer"
		}
	case bool:
		is = "boolean"
	case nil:
		is = "null"
	}
	if want, ok := schema["type"].(string); ok && want != is {
		wrong = append(wrong, fmt.Sprintf("%s is %s, not %s", at, is, want))
	}
	return wrong
}

// fits fails the test where an answer is not as the description says.
func (h *house) fits(method, path string, a answer) {
	h.t.Helper()
	d := h.described()
	below, ok := strings.CutPrefix(path, "/admin/v1")
	if !ok {
		return
	}
	o := d.route(method, below)
	if o == nil {
		if a.status < 400 {
			h.t.Errorf("%s %s is served and not described", method, path)
		}
		return
	}
	r, ok := o.Responses[strconv.Itoa(a.status)]
	if !ok {
		h.t.Errorf("%s %s: %d is not described: %s", method, path, a.status, a.body)
		return
	}
	if r.Ref != "" {
		r = d.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]
	}
	if len(r.Content) == 0 {
		if len(a.body) > 0 {
			h.t.Errorf("%s %s: %d has a body: %s", method, path, a.status, a.body)
		}
		return
	}
	kind, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	m, ok := r.Content[kind]
	if !ok {
		h.t.Errorf("%s %s: %d is %q", method, path, a.status, kind)
		return
	}
	if kind == "application/jsonl" {
		return
	}
	var v any
	if err := json.Unmarshal(a.body, &v); err != nil {
		h.t.Errorf("%s %s: %d: %v", method, path, a.status, err)
		return
	}
	if wrong := d.check(m.Schema, v, ""); len(wrong) > 0 {
		h.t.Errorf("%s %s: %d: %v: %s", method, path, a.status, wrong, a.body)
	}
}

func TestDescription(t *testing.T) {
	h := newHouse(t)
	d := h.described()
	if d.OpenAPI != "3.1.0" {
		t.Errorf("it is of %q", d.OpenAPI)
	}
	if a := h.call("GET", "/admin/v1/openapi.json", "", "Authorization", ""); a.status != 401 {
		t.Errorf("without a token it is %d", a.status)
	}
	names := map[string]bool{}
	for path, operations := range d.Paths {
		for method, o := range operations {
			where := method + " " + path
			if o.OperationID == "" || names[o.OperationID] {
				t.Errorf("%s has no name of its own: %q", where, o.OperationID)
			}
			names[o.OperationID] = true
			for _, part := range strings.Split(path, "/") {
				if name, ok := strings.CutPrefix(part, "{"); ok && !slices.ContainsFunc(o.Parameters, func(p struct {
					Name, In string
					Required bool
					Schema   map[string]any
				}) bool {
					return p.Name == strings.TrimSuffix(name, "}") && p.In == "path" && p.Required
				}) {
					t.Errorf("%s does not describe %s", where, part)
				}
			}
			if o.RequestBody != nil {
				for kind, m := range o.RequestBody.Content {
					if m.Example == nil {
						t.Errorf("%s has no example of its body", where)
					} else if wrong := d.check(m.Schema, m.Example, ""); len(wrong) > 0 && method != "patch" {
						t.Errorf("%s, example of %s: %v", where, kind, wrong)
					}
				}
			}
			for status, r := range o.Responses {
				if r.Ref != "" {
					var ok bool
					if r, ok = d.Components.Responses[strings.TrimPrefix(r.Ref, "#/components/responses/")]; !ok {
						t.Errorf("%s, %s: its description is not there", where, status)
					}
				}
				for kind, m := range r.Content {
					if kind == "application/jsonl" || o.OperationID == "describe" || o.OperationID == "settingsSchema" {
						continue
					}
					if m.Example == nil {
						t.Errorf("%s, %s has no example", where, status)
					} else if wrong := d.check(m.Schema, m.Example, ""); len(wrong) > 0 {
						t.Errorf("%s, example of %s: %v", where, status, wrong)
					}
				}
			}
		}
	}
	if len(names) < 30 {
		t.Errorf("only %d operations are described", len(names))
	}
}

// The API is driven by random calls made from its own description: nothing is our fault, and every answer is as described.
func TestRandomCallsFromTheDescription(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "starter")
	d := h.described()
	seed := time.Now().UnixNano()
	g := &generator{Rand: rand.New(rand.NewPCG(uint64(seed), 7)), d: d}
	type target struct{ method, path string }
	var all []target
	for path, operations := range d.Paths {
		for method := range operations {
			all = append(all, target{strings.ToUpper(method), path})
		}
	}
	slices.SortFunc(all, func(a, b target) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	rounds := 1200
	if testing.Short() {
		rounds = 200
	}
	rounds = max(rounds, 2*len(all))
	for n := range rounds {
		if n%len(all) == 0 { // each in its turn, in another order each time
			g.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		}
		x := all[n%len(all)]
		o := d.Paths[x.path][strings.ToLower(x.method)]
		path := x.path
		query := url.Values{}
		var headers []string
		for _, p := range o.Parameters {
			switch {
			case p.In == "path":
				path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(g.part(p.Name)))
			case p.In == "query" && g.IntN(3) == 0:
				query.Set(p.Name, fmt.Sprint(g.value(p.Schema, 0)))
			case p.In == "header" && g.IntN(3) == 0:
				headers = append(headers, p.Name, g.header())
			}
		}
		body := ""
		if o.RequestBody != nil && g.IntN(12) > 0 {
			b, err := json.Marshal(g.value(o.RequestBody.Content["application/json"].Schema, 0))
			if err != nil {
				t.Fatal(err)
			}
			body = string(b)
		}
		if q := query.Encode(); q != "" {
			path += "?" + q
		}
		a := h.call(x.method, "/admin/v1"+path, body, headers...)
		if a.status >= 500 {
			t.Errorf("seed %d: %s %s %s: %d %s", seed, x.method, path, body, a.status, a.body)
		}
		if a.status == http.StatusNoContent && x.method == "DELETE" && (path == "/tenants/acme" || strings.HasPrefix(path, "/tenants/acme?")) {
			h.create("acme", "starter")
		}
	}
	// Whatever was done, it is known who did it.
	for _, id := range []string{"acme", "platform"} {
		var page struct {
			Events []struct{ Kind, Actor string }
		}
		if err := json.Unmarshal(h.call("GET", "/admin/v1/tenants/"+id+"/events?limit=1000", "").body, &page); err != nil || len(page.Events) == 0 {
			t.Errorf("the events of %s: %d, %v", id, len(page.Events), err)
		}
		for _, e := range page.Events {
			if e.Actor == "" {
				t.Errorf("nobody did %s at %s", e.Kind, id)
			}
		}
	}
}

// generator makes values that a schema allows, and some that it does not.
type generator struct {
	*rand.Rand
	d *description
}

func (g *generator) of(options ...string) string { return options[g.IntN(len(options))] }

func (g *generator) part(name string) string {
	switch name {
	case "scope":
		return g.of("openid", "email", "read", "a b", "\x00", "é", "..", strings.Repeat("l", 300))
	case "version":
		return g.of("1", "0", "-1", "9223372036854775807", "9223372036854775808", "1e3", "x")
	case "id":
		return g.of("acme", "acme", "acme", "acme", "nobody", "platform", "a\x00b", "ACME", "..", "é")
	}
	return g.of("x", "owner", "own-role", "user:alice", "service:x", "token:x", "a/b", "%", "\x00", "é", strings.Repeat("l", 300))
}

func (g *generator) header() string { return g.of(`"1"`, `*`, `W/"1"`, `"`, "0123456789abcdef", "x y") }

func (g *generator) text() string {
	return g.of("", "x", "acme", "starter", "owner", "developer", "é", "\u0000", "two\nlines", strings.Repeat("l", 2000), "https://x.example", "'; DROP TABLE tenants; --",
		"2030-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "x"+strconv.Itoa(g.IntN(50)))
}

func (g *generator) value(schema map[string]any, depth int) any {
	schema = g.d.resolve(schema)
	if g.IntN(25) == 0 {
		return []any{nil, true, "x", 1.5, -1e9, []any{}, map[string]any{}}[g.IntN(7)]
	}
	switch schema["type"] {
	case "object":
		out := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		required, _ := schema["required"].([]any)
		for name, p := range properties {
			if slices.Contains(required, any(name)) || g.IntN(3+2*depth) == 0 {
				out[name] = g.value(p.(map[string]any), depth+1)
			}
		}
		if more, ok := schema["additionalProperties"].(map[string]any); ok && g.IntN(2) == 0 {
			out[g.text()] = g.value(more, depth+1)
		}
		if g.IntN(30) == 0 {
			out["unknown"] = 1
		}
		return out
	case "array":
		out := []any{}
		for range g.IntN(4) {
			out = append(out, g.value(schema["items"].(map[string]any), depth+1))
		}
		return out
	case "string":
		if values, ok := schema["enum"].([]any); ok && g.IntN(10) > 0 {
			return values[g.IntN(len(values))]
		}
		if schema["format"] == "date-time" && g.IntN(5) > 0 {
			return "2030-01-01T00:00:00Z"
		}
		return g.text()
	case "integer":
		return []int64{0, 1, -1, 60, 600, 86400, 1 << 40}[g.IntN(7)]
	case "boolean":
		return g.IntN(2) == 0
	}
	return g.text()
}
