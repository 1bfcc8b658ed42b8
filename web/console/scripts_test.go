package console_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/chancery-id/chancery/flows/script"
	"github.com/chancery-id/chancery/tenant"
)

// trials stand for the workers: a source that begins with bad is no JavaScript, and fails.
type trials struct{}

func (trials) Check(_ context.Context, _ *tenant.Tenant, source string) error {
	if strings.HasPrefix(source, "bad") {
		return fmt.Errorf("%w: SyntaxError", script.ErrScript)
	}
	return nil
}

func (trials) Try(_ context.Context, t *tenant.Tenant, p *script.Program, ev script.Event) (script.Outcome, []script.Line, error) {
	if strings.Contains(p.Source, "fails") {
		return script.Outcome{}, nil, fmt.Errorf("%w: oh", script.ErrScript)
	}
	return script.Outcome{Action: script.Next, Code: "otp_required", Keep: map[string]string{"version": fmt.Sprint(p.Version)}}, []script.Line{{Level: "info", Text: string(t.ID)}}, nil
}

// A script goes from a version to the next and back, and each answer says which one runs.
func TestScriptsOfATenant(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("globex", "")
	const at = "/admin/v1/tenants/acme/scripts"
	for _, c := range []struct {
		rule, call, body string
		status           int
		want             string // part of the answer
	}{
		{"there is none", "GET " + at, "", 200, `{"scripts":[]}`},
		{"the first version", "POST " + at + "/login/versions", `{"source": "one", "note": "the first"}`, 201, `"version":1,"active":false`},
		{"it does not run yet", "POST " + at + "/login/rollback", "", 409, `No version was active before`},
		{"what is no JavaScript", "POST " + at + "/login/versions", `{"source": "bad {"}`, 400, `SyntaxError`},
		{"nothing", "POST " + at + "/login/versions", `{"source": ""}`, 400, `/source`},
		{"too much", "POST " + at + "/login/versions", `{"source": "` + strings.Repeat("x", script.MaxSource+1) + `"}`, 400, `/source`},
		{"what cannot be stored", "POST " + at + "/login/versions", `{"source": "a\u0000b"}`, 400, `zero character`},
		{"a name that is none", "POST " + at + "/Login/versions", `{"source": "x"}`, 400, `/script`},
		{"the name of a step that is built in", "POST " + at + "/otp/versions", `{"source": "x"}`, 400, `/script`},
		{"it runs", "POST " + at + "/login/activate", "", 200, `"version":1,"active":true,"active_version":1`},
		{"the second version", "POST " + at + "/login/versions", `{"source": "two fails"}`, 201, `"version":2,"active":false,"active_version":1`},
		{"a trial of the newest", "POST " + at + "/login/test", `{"event": {"parameters": {}}}`, 200, `"version":2,"failed":"the script failed: oh"`},
		{"a trial of the first", "POST " + at + "/login/test", `{"version": 1, "event": {}}`, 200, `"action":"next","error":"otp_required","keep":{"version":"1"},"lines":[{"level":"info","text":"acme"}]`},
		{"a trial without an event", "POST " + at + "/login/test", `{}`, 400, `/event`},
		{"a trial with what is no event", "POST " + at + "/login/test", `{"event": {"type": "party"}}`, 400, `/event`},
		{"a trial of what there is not", "POST " + at + "/login/test", `{"version": 9, "event": {}}`, 404, ""},
		{"the second runs", "POST " + at + "/login/activate", `{"version": 2}`, 200, `"active_version":2,"previous_version":1`},
		{"and again", "POST " + at + "/login/activate", `{"version": 2}`, 200, `"active_version":2,"previous_version":1`},
		{"a version that there is not", "POST " + at + "/login/activate", `{"version": 7}`, 404, ""},
		{"back to the first", "POST " + at + "/login/rollback", "", 200, `"active_version":1,"previous_version":2`},
		{"and forth", "POST " + at + "/login/rollback", "", 200, `"active_version":2,"previous_version":1`},
		{"the source is read", "GET " + at + "/login/versions/2", "", 200, `"source":"two fails"`},
		{"the newest too", "GET " + at + "/login/versions/newest", "", 200, `"version":2`},
		{"no number", "GET " + at + "/login/versions/x", "", 404, ""},
		{"versions", "GET " + at + "/login/versions?limit=1", "", 200, `"next_cursor"`},
		{"versions of what there is not", "GET " + at + "/other/versions", "", 404, ""},
		{"one that runs stays", "DELETE " + at + "/login", "", 409, `deactivate it first`},
		{"it runs no more", "POST " + at + "/login/deactivate", "", 204, ""},
		{"and goes", "DELETE " + at + "/login", "", 204, ""},
		{"once", "DELETE " + at + "/login", "", 404, ""},
		{"the platform has none", "GET /admin/v1/tenants/platform/scripts", "", 400, ""},
		{"another tenant's are not seen", "GET /admin/v1/tenants/globex/scripts/login/versions", "", 404, ""},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		if a := h.call(method, path, c.body); a.status != c.status || !strings.Contains(string(a.body), c.want) {
			t.Errorf("%s: %d %s", c.rule, a.status, a.body)
		}
	}
	var events struct {
		Events []struct{ Detail map[string]string }
	}
	if err := json.Unmarshal(h.call("GET", "/admin/v1/tenants/acme/events?kind=tenant_updated", "").body, &events); err != nil {
		t.Fatal(err)
	}
	var changes []string
	for _, e := range events.Events {
		changes = append(changes, e.Detail["change"]+" "+e.Detail["version"])
	}
	if got := strings.Join(changes, ", "); !strings.Contains(got, "script activated 2") || !strings.Contains(got, "script rolled back 1") || !strings.Contains(got, "script deactivated 0") {
		t.Errorf("the record: %s", got)
	}
	if a := h.call("GET", "/admin/v1/tenants/acme/events?kind=script_changed", ""); strings.Count(string(a.body), `"script":"login"`) != 3 {
		t.Errorf("the record: %s", a.body)
	}
}

// S18: what is set as a secret is never shown.
func TestSecretsOfScriptsAreNotShown(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	const at = "/admin/v1/tenants/acme/script-secrets"
	for _, c := range []struct {
		rule, call, body string
		status           int
	}{
		{"it is set", "PUT " + at + "/sms-key", `{"value": "hush-hush"}`, 204},
		{"and replaced", "PUT " + at + "/sms-key", `{"value": "hush-hush-2"}`, 204},
		{"it has a value", "PUT " + at + "/sms-key", `{"value": ""}`, 400},
		{"and a name", "PUT " + at + "/a%20b", `{"value": "x"}`, 400},
		{"it is listed", "GET " + at, "", 200},
		{"it goes", "DELETE " + at + "/other", "", 404},
	} {
		method, path, _ := strings.Cut(c.call, " ")
		if a := h.call(method, path, c.body); a.status != c.status || strings.Contains(string(a.body), "hush") {
			t.Errorf("%s: %d %s", c.rule, a.status, a.body)
		}
	}
	if a := h.call("GET", at, ""); !strings.Contains(string(a.body), `"secret":"sms-key"`) {
		t.Errorf("%s", a.body)
	}
	for _, path := range []string{"/events", "/settings", "/settings/history", ""} {
		if a := h.call("GET", "/admin/v1/tenants/acme"+path, ""); strings.Contains(string(a.body), "hush") {
			t.Errorf("%s: %s", path, a.body)
		}
	}
}

func TestTheLogOfScripts(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	var xs []script.Entry
	for i := range 5 {
		xs = append(xs, script.Entry{Script: []string{"login", "other"}[i%2], Version: 1, Line: script.Line{Level: "info", Text: fmt.Sprint("line ", i)}})
	}
	if err := h.db.Log(t.Context(), "acme", xs); err != nil {
		t.Fatal(err)
	}
	var texts []string
	for cursor := ""; ; {
		var page struct {
			Lines []struct{ Text string }
			Next  string `json:"next_cursor"`
		}
		a := h.call("GET", "/admin/v1/tenants/acme/script-log?script=login&limit=2"+cursor, "")
		if err := json.Unmarshal(a.body, &page); err != nil || a.status != 200 {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for _, l := range page.Lines {
			texts = append(texts, l.Text)
		}
		if page.Next == "" {
			break
		}
		cursor = "&cursor=" + page.Next
	}
	if got := strings.Join(texts, ", "); got != "line 4, line 2, line 0" {
		t.Error(got)
	}
}
