package console_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/chancery-id/chancery/tenant"
)

func TestCreateTenant(t *testing.T) {
	h := newHouse(t)
	a := h.call("POST", "/admin/v1/tenants", `{"tenant_id": "initech", "template": "starter"}`)
	if a.status != http.StatusCreated || a.header.Get("Location") != "/admin/v1/tenants/initech" || a.header.Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
	made := a.json(t)
	for _, name := range []string{"tenant_id", "service_id", "issuer", "api_token", "client", "user"} {
		if made[name] == nil {
			t.Errorf("the answer lacks %s", name)
		}
	}
	if len(made) != 6 || made["issuer"] != h.url+"/t/initech" {
		t.Errorf("got %v", made)
	}
	// What was made works.
	client := made["client"].(map[string]any)
	tokens := h.form("/t/initech/token", client["client_id"].(string), client["client_secret"].(string), url.Values{"grant_type": {"client_credentials"}})
	if tokens.status != http.StatusOK {
		t.Errorf("client credentials: %d %s", tokens.status, tokens.body)
	}
	if l := h.call("GET", "/t/initech/clients", "", "Authorization", "Bearer "+made["api_token"].(string)); l.status != http.StatusOK {
		t.Errorf("the API token as master token: %d %s", l.status, l.body)
	}

	bare := h.call("POST", "/admin/v1/tenants", `{"tenant_id": "bare", "settings": {"name": "Bare"}}`).json(t)
	if len(bare) != 4 || bare["api_token"] == nil {
		t.Errorf("without a template: %v", bare)
	}
	read := h.call("GET", "/admin/v1/tenants/bare", "").json(t)
	if settings := read["settings"].(map[string]any); settings["name"] != "Bare" || read["enabled"] != true {
		t.Errorf("it is read as %v", read)
	}
}

// errorsOf returns the pointers and parameters that a problem names.
func errorsOf(t *testing.T, a answer) []string {
	t.Helper()
	if got := a.header.Get("Content-Type"); got != "application/problem+json" {
		t.Errorf("an error is %s", got)
	}
	var p struct {
		Status int
		Code   string
		Errors []struct{ Pointer, Parameter, Detail string }
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		t.Fatalf("%q: %v", a.body, err)
	}
	if p.Status != a.status || p.Code == "" {
		t.Errorf("the problem says %d and %q, the status is %d", p.Status, p.Code, a.status)
	}
	out := []string{}
	for _, e := range p.Errors {
		if e.Detail == "" {
			t.Error("a member is wrong without saying why")
		}
		out = append(out, e.Pointer+e.Parameter)
	}
	return out
}

func TestBadBodies(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	before := h.call("GET", "/admin/v1/tenants/acme", "")
	for _, tt := range []struct {
		rule, method, path, body string
		status                   int
		named                    []string
	}{
		{"not JSON", "POST", "/tenants", `tenant_id=x`, 400, nil},
		{"not an object", "POST", "/tenants", `["x"]`, 400, nil},
		{"null", "POST", "/tenants", `null`, 400, nil},
		{"cut off", "POST", "/tenants", `{"tenant_id": "x"`, 400, nil},
		{"a repeated member", "POST", "/tenants", `{"tenant_id": "x", "tenant_id": "y"}`, 400, nil},
		{"no id", "POST", "/tenants", `{}`, 400, []string{"#/tenant_id"}},
		{"an id that is taken", "POST", "/tenants", `{"tenant_id": "acme"}`, 409, nil},
		{"an id in upper case", "POST", "/tenants", `{"tenant_id": "ACME"}`, 400, []string{"#/tenant_id"}},
		{"a member of the wrong type", "POST", "/tenants", `{"tenant_id": 7}`, 400, []string{"#/tenant_id"}},
		{"a name in another case", "POST", "/tenants", `{"Tenant_ID": "x"}`, 400, []string{"#/Tenant_ID"}},
		{"another's tenant", "POST", "/tenants", `{"tenant_id": "x", "owner": "globex", "org": "globex"}`, 400, []string{"#/org", "#/owner"}},
		{"an unknown template", "POST", "/tenants", `{"tenant_id": "x", "template": "deluxe"}`, 400, []string{"#/template"}},
		{"a bad issuer", "POST", "/tenants", `{"tenant_id": "x", "issuer": "http://evil.example"}`, 400, []string{"#/issuer"}},
		{"an unknown setting", "POST", "/tenants", `{"tenant_id": "x", "settings": {"tokens": {"live": 1}}}`, 400, []string{"#/settings/tokens/live"}},
		{"a setting out of range", "POST", "/tenants", `{"tenant_id": "x", "settings": {"tokens": {"access_token_lifetime": 1}}}`, 400, []string{"#/settings/tokens/access_token_lifetime"}},
		{"settings that are no object", "POST", "/tenants", `{"tenant_id": "x", "settings": "none"}`, 400, []string{"#/settings"}},
		{"a patch with another's id", "PATCH", "/tenants/acme", `{"tenant_id": "globex", "settings": {"name": "x"}}`, 400, []string{"#/tenant_id"}},
		{"a patch of the service number", "PATCH", "/tenants/acme", `{"service_id": 1}`, 400, []string{"#/service_id"}},
		{"a patch of the issuer", "PATCH", "/tenants/acme", `{"issuer": "https://evil.example"}`, 400, []string{"#/issuer"}},
		{"a patch with an unknown setting", "PATCH", "/tenants/acme", `{"settings": {"colour": "#ffffff"}}`, 400, []string{"#/settings/colour"}},
		{"a patch with several bad settings", "PATCH", "/tenants/acme", `{"settings": {"color": "red", "login_url": "http://x.example"}}`, 400, []string{"#/settings/color", "#/settings/login_url"}},
		{"a patch that replaces settings by a text", "PATCH", "/tenants/acme", `{"settings": "x"}`, 400, []string{"#/settings"}},
		{"a patch with an algorithm without a key", "PATCH", "/tenants/acme", `{"settings": {"tokens": {"id_token_alg": "EdDSA"}}}`, 400, []string{"#/settings/tokens/id_token_alg"}},
		{"a flag that is a text", "PATCH", "/tenants/acme", `{"enabled": "no"}`, 400, []string{"#/enabled"}},
		{"a token for nothing", "POST", "/tenants/acme/tokens", `{}`, 400, []string{"#/apis"}},
		{"a token for the administration", "POST", "/tenants/acme/tokens", `{"apis": ["admin"]}`, 400, []string{"#/apis"}},
		{"a token with a hash of one's own", "POST", "/tenants/acme/tokens", `{"apis": ["*"], "hash": "x"}`, 400, []string{"#/hash"}},
		{"a time that is none", "POST", "/tenants/acme/tokens", `{"apis": ["*"], "expires_at": "tomorrow"}`, 400, []string{"#/expires_at"}},
		{"keys of an unknown algorithm", "POST", "/tenants/acme/keys", `{"alg": "none"}`, 400, []string{"#/alg"}},
		{"a tenant that is not there", "PATCH", "/tenants/nobody", `{}`, 404, nil},
		{"a limit that is none", "GET", "/tenants?limit=many", ``, 400, []string{"limit"}},
		{"a limit of zero", "GET", "/tenants?limit=0", ``, 400, []string{"limit"}},
		{"a limit beyond all bounds", "GET", "/tenants?limit=1001", ``, 400, []string{"limit"}},
		{"a limit twice", "GET", "/tenants?limit=1&limit=2", ``, 400, nil},
		{"a time in the query that is none", "GET", "/tenants/acme/events?before=now", ``, 400, []string{"before"}},
		{"a body too large", "POST", "/tenants", `{"tenant_id": "` + strings.Repeat("x", tenant.MaxSettings+1<<20) + `"}`, 413, nil},
	} {
		a := h.call(tt.method, "/admin/v1"+tt.path, tt.body)
		if a.status != tt.status {
			t.Errorf("%s: got %d %s, want %d", tt.rule, a.status, a.body, tt.status)
			continue
		}
		if named := errorsOf(t, a); tt.named != nil && !slices.Equal(named, tt.named) {
			t.Errorf("%s: it names %q, want %q", tt.rule, named, tt.named)
		}
	}
	if a := h.call("POST", "/admin/v1/tenants", `tenant_id=x`, "Content-Type", "application/x-www-form-urlencoded"); a.status != http.StatusUnsupportedMediaType {
		t.Errorf("a form: %d %s", a.status, a.body)
	}
	after := h.call("GET", "/admin/v1/tenants/acme", "")
	if diff := cmp.Diff(before.json(t), after.json(t)); diff != "" {
		t.Errorf("something was changed: %s", diff)
	}
	if list := h.call("GET", "/admin/v1/tenants", "").json(t)["tenants"].([]any); len(list) != 1 {
		t.Errorf("something was made: %v", list)
	}
}

func TestPatchTenant(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	a := h.call("PATCH", "/admin/v1/tenants/acme", `{"settings": {"name": "Acme", "tokens": {"access_token_lifetime": 300}}}`)
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	tag := a.header.Get("ETag")
	if tag == "" || tag != h.call("GET", "/admin/v1/tenants/acme", "").header.Get("ETag") {
		t.Errorf("the tag after the change is %s", tag)
	}
	// A merge patch: what it does not name stays, null gives the default back.
	a = h.call("PATCH", "/admin/v1/tenants/acme", `{"settings": {"color": "#0b6e4f", "tokens": {"access_token_lifetime": null}}}`, "If-Match", tag)
	if got := a.json(t)["settings"]; !cmp.Equal(got, map[string]any{"name": "Acme", "color": "#0b6e4f"}) {
		t.Errorf("settings are %v", got)
	}
	if a := h.call("PATCH", "/admin/v1/tenants/acme", `{"settings": {"name": "Late"}}`, "If-Match", tag); a.status != http.StatusPreconditionFailed {
		t.Errorf("a change to a version that is gone: %d %s", a.status, a.body)
	}
	if name := h.call("GET", "/admin/v1/tenants/acme", "").json(t)["settings"].(map[string]any)["name"]; name != "Acme" {
		t.Errorf("it changed the name to %v", name)
	}
}

func TestPages(t *testing.T) {
	h := newHouse(t)
	for i := range 5 {
		h.create(fmt.Sprintf("t%d", i), "")
	}
	for _, limit := range []int{1, 2, 5, 10} {
		var got []string
		next := ""
		for pages := 0; ; pages++ {
			a := h.call("GET", fmt.Sprintf("/admin/v1/tenants?limit=%d&cursor=%s", limit, next), "").json(t)
			for _, e := range a["tenants"].([]any) {
				got = append(got, e.(map[string]any)["tenant_id"].(string))
			}
			if next, _ = a["next_cursor"].(string); next == "" || pages > 10 {
				break
			}
		}
		if !slices.Equal(got, []string{"t0", "t1", "t2", "t3", "t4"}) {
			t.Errorf("%d at a time: %v", limit, got)
		}
	}
}

// S18: a cursor is taken back as it was given, or not at all.
func TestCursorsAreValidated(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("globex", "")
	good := h.call("GET", "/admin/v1/tenants?limit=1", "").json(t)["next_cursor"].(string)
	if a := h.call("GET", "/admin/v1/tenants?cursor="+good, ""); a.status != http.StatusOK {
		t.Fatalf("as it was given: %d %s", a.status, a.body)
	}
	bad := []string{"x", "AAAA", good + "A", good[:len(good)-1], "acme", "'; DROP TABLE tenants; --", "%00", strings.Repeat("A", 10000), good + "="}
	for i := range len(good) {
		for _, bit := range []byte{1, 2, 4, 8, 16, 32, 64} {
			b := []byte(good)
			b[i] ^= bit
			bad = append(bad, string(b))
		}
	}
	for _, c := range bad {
		a := h.call("GET", "/admin/v1/tenants?cursor="+url.QueryEscape(c), "")
		if a.status != http.StatusBadRequest {
			t.Errorf("the cursor %.60q: %d %s", c, a.status, a.body)
		}
	}
}

func TestEvents(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	h.create("globex", "")
	h.call("PATCH", "/admin/v1/tenants/acme", `{"settings": {"name": "Acme"}}`)
	var list struct {
		Events []struct {
			At     string
			Kind   string
			Actor  string
			Detail map[string]string
		}
	}
	if err := json.Unmarshal(h.call("GET", "/admin/v1/tenants/acme/events", "").body, &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Events) != 2 || list.Events[0].Kind != "tenant_updated" || list.Events[1].Kind != "tenant_created" || list.Events[0].Actor == "" {
		t.Fatalf("got %+v", list.Events)
	}
	older := h.call("GET", "/admin/v1/tenants/acme/events?before="+url.QueryEscape(list.Events[0].At), "").json(t)["events"].([]any)
	if len(older) != 1 {
		t.Errorf("before the last there are %v", older)
	}
}
