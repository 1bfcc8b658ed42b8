package console_test

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
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

// SECURITY-CHECKLIST: a disabled tenant stops, and starts again when it is enabled.
func TestDisabledTenantIsSilent(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "starter")
	cc := url.Values{"grant_type": {"client_credentials"}}
	for _, tt := range []struct {
		body            string
		token, metadata int
	}{
		{`{"enabled": false}`, 404, 404},
		{`{"enabled": true}`, 200, 200},
	} {
		if a := h.call("PATCH", "/admin/v1/tenants/acme", tt.body); a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", tt.body, a.status, a.body)
		}
		if a := h.form("/t/acme/token", acme.Client.ID, acme.Client.Secret, cc); a.status != tt.token {
			t.Errorf("after %s the token endpoint says %d", tt.body, a.status)
		}
		if a := h.call("GET", "/t/acme/jwks.json", "", "Authorization", ""); a.status != tt.metadata {
			t.Errorf("after %s the keys are %d", tt.body, a.status)
		}
	}
}

// S14: a deleted tenant is dead, and a new one of the same id inherits nothing.
func TestRecreatedTenant(t *testing.T) {
	h := newHouse(t)
	old := h.create("acme", "starter")
	cc := url.Values{"grant_type": {"client_credentials"}}
	issued := h.form("/t/acme/token", old.Client.ID, old.Client.Secret, cc)
	if issued.status != http.StatusOK {
		t.Fatalf("%d %s", issued.status, issued.body)
	}
	oldToken := issued.json(t)["access_token"].(string)
	oldKeys := string(h.call("GET", "/t/acme/jwks.json", "", "Authorization", "").body)

	if a := h.call("DELETE", "/admin/v1/tenants/acme", ""); a.status != http.StatusNoContent {
		t.Fatalf("%d %s", a.status, a.body)
	}
	dead := func(when string) {
		t.Helper()
		if a := h.form("/t/acme/token", old.Client.ID, old.Client.Secret, cc); a.status < 400 || a.status >= 500 {
			t.Errorf("%s the old client gets a token: %d", when, a.status)
		}
		if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+old.APIToken); a.status != http.StatusUnauthorized && a.status != http.StatusNotFound {
			t.Errorf("%s the old API token gets %d", when, a.status)
		}
	}
	dead("after the deletion")
	if a := h.call("GET", "/admin/v1/tenants/acme", ""); a.status != http.StatusNotFound {
		t.Errorf("it is still read: %d", a.status)
	}

	fresh := h.create("acme", "starter")
	dead("in the new tenant")
	if a := h.form("/t/acme/token/introspect", fresh.Client.ID, fresh.Client.Secret, url.Values{"token": {oldToken}}); a.status != http.StatusOK || a.json(t)["active"] != false {
		t.Errorf("an old access token in the new tenant: %d %s", a.status, a.body)
	}
	newKeys := string(h.call("GET", "/t/acme/jwks.json", "", "Authorization", "").body)
	var set struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal([]byte(newKeys), &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%s: %v", newKeys, err)
	}
	for _, k := range set.Keys {
		if strings.Contains(oldKeys, k.Kid) {
			t.Errorf("the key %s is the old tenant's", k.Kid)
		}
	}
	clients := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+fresh.APIToken)
	if strings.Contains(string(clients.body), old.Client.ID) {
		t.Errorf("the new tenant lists the old client: %s", clients.body)
	}
	events := h.call("GET", "/admin/v1/tenants/acme/events", "")
	for _, marker := range []string{old.Client.ID, old.User.Subject, "tenant_deleted"} {
		if strings.Contains(string(events.body), marker) {
			t.Errorf("the new tenant's events know of %s: %s", marker, events.body)
		}
	}
}

// S16, S6: what a tenant holds does not reach the platform.
func TestPlatformRoutesAreThePlatforms(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "starter")
	narrow := h.call("POST", "/admin/v1/tenants/platform/tokens", `{"apis": ["monitor"]}`).json(t)["token"].(string)
	for _, route := range []string{
		"POST /admin/v1/tenants", "GET /admin/v1/tenants", "GET /admin/v1/tenants/acme", "PATCH /admin/v1/tenants/acme", "DELETE /admin/v1/tenants/acme",
		"POST /admin/v1/tenants/acme/tokens", "GET /admin/v1/tenants/acme/tokens", "DELETE /admin/v1/tenants/acme/tokens/x",
		"POST /admin/v1/tenants/acme/keys", "GET /admin/v1/tenants/acme/keys", "DELETE /admin/v1/tenants/acme/keys/x", "GET /admin/v1/tenants/acme/events",
		"POST /tenants/rest/v1", "GET /tenants/rest/v1", "GET /tenants/rest/v1/acme", "PUT /tenants/rest/v1/acme", "DELETE /tenants/rest/v1/acme",
	} {
		method, path, _ := strings.Cut(route, " ")
		for _, tt := range []struct {
			rule          string
			authorization string
			want          int
		}{
			{"no token", "", 401},
			{"a wrong token", "Bearer chy_" + strings.Repeat("x", 43), 401},
			{"a tenant's API token", "Bearer " + acme.APIToken, 401},
			{"a client's credentials", "Basic " + base64.StdEncoding.EncodeToString([]byte(acme.Client.ID+":"+acme.Client.Secret)), 401},
			{"a platform token for something else", "Bearer " + narrow, 403},
		} {
			a := h.call(method, path, `{}`, "Authorization", tt.authorization)
			if a.status != tt.want || a.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s with %s: %d %s", route, tt.rule, a.status, a.body)
			}
		}
		// Tenant headers are not read here, so they open nothing either; and no tenant has these routes.
		if a := h.call(method, path, `{}`, "Authorization", "Bearer "+acme.APIToken, "Tenant-ID", "acme"); a.status != 401 {
			t.Errorf("%s with a tenant's header and token: %d", route, a.status)
		}
		if a := h.call(method, "/t/acme"+path, `{}`); a.status != 404 {
			t.Errorf("%s below an issuer: %d", route, a.status)
		}
	}
	if a := h.call("GET", "/admin/v1/tenants/acme", ""); a.status != http.StatusOK {
		t.Errorf("the tenant is not as it was: %d", a.status)
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

func TestTokens(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "")
	a := h.call("POST", "/admin/v1/tenants/acme/tokens", `{"label": "ci", "apis": ["clients"]}`)
	made := a.json(t)
	plain, id := made["token"].(string), made["id"].(string)
	if a.status != http.StatusCreated || !strings.HasPrefix(plain, tenant.TokenPrefix) {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+plain); a.status != http.StatusOK {
		t.Errorf("it does not open what it is for: %d %s", a.status, a.body)
	}
	list := h.call("GET", "/admin/v1/tenants/acme/tokens", "")
	if strings.Contains(string(list.body), plain) || strings.Contains(string(list.body), `"token"`) || strings.Contains(string(list.body), acme.APIToken) {
		t.Errorf("a token is shown again: %s", list.body)
	}
	if n := len(list.json(t)["tokens"].([]any)); n != 2 {
		t.Errorf("there are %d", n)
	}
	if a := h.call("DELETE", "/admin/v1/tenants/acme/tokens/"+id, ""); a.status != http.StatusNoContent {
		t.Errorf("revoking: %d %s", a.status, a.body)
	}
	if a := h.call("GET", "/t/acme/clients", "", "Authorization", "Bearer "+plain); a.status != http.StatusUnauthorized {
		t.Errorf("a revoked token gets %d", a.status)
	}
	if a := h.call("DELETE", "/admin/v1/tenants/acme/tokens/"+id, ""); a.status != http.StatusNotFound {
		t.Errorf("revoking again: %d", a.status)
	}
	last := h.call("GET", "/admin/v1/tenants/platform/tokens", "").json(t)["tokens"].([]any)[0].(map[string]any)["id"].(string)
	if a := h.call("DELETE", "/admin/v1/tenants/platform/tokens/"+last, ""); a.status != http.StatusBadRequest {
		t.Errorf("the last token of the administration: %d", a.status)
	}
}

func TestKeys(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	before := h.call("GET", "/admin/v1/tenants/acme/keys", "").json(t)["keys"].([]any)
	if len(before) != 2 {
		t.Fatalf("there are %v", before)
	}
	if a := h.call("POST", "/admin/v1/tenants/acme/keys", ""); a.status != http.StatusOK || len(a.json(t)["keys"].([]any)) != 4 {
		t.Errorf("rotating all: %d %s", a.status, a.body)
	}
	if a := h.call("POST", "/admin/v1/tenants/acme/keys", `{"alg": "EdDSA"}`); a.status != http.StatusOK || len(a.json(t)["keys"].([]any)) != 5 {
		t.Errorf("a further algorithm: %d %s", a.status, a.body)
	}
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(h.call("GET", "/t/acme/jwks.json", "", "Authorization", "").body, &set); err != nil || len(set.Keys) != 5 {
		t.Errorf("%d keys are published, and %v", len(set.Keys), err)
	}
	kid := before[0].(map[string]any)["kid"].(string)
	if a := h.call("DELETE", "/admin/v1/tenants/acme/keys/"+kid, ""); a.status != http.StatusOK || strings.Contains(string(a.body), kid) {
		t.Errorf("revoking: %d %s", a.status, a.body)
	}
	if a := h.call("GET", "/t/acme/jwks.json", "", "Authorization", ""); strings.Contains(string(a.body), kid) {
		t.Error("a revoked key is still published")
	}
	if a := h.call("DELETE", "/admin/v1/tenants/acme/keys/"+kid, ""); a.status != http.StatusNotFound {
		t.Errorf("revoking again: %d", a.status)
	}
}

// S202: no answer of these routes holds a private key, a tenant's secret or a hash.
func TestSecretsStayInside(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "starter")
	r, err := h.console.Tenant(t.Context(), "acme")
	if err != nil {
		t.Fatal(err)
	}
	h.answers = nil // what shows secrets once is over
	for _, route := range []string{
		"GET /admin/v1/tenants", "GET /admin/v1/tenants/acme", "GET /admin/v1/tenants/acme/tokens", "GET /admin/v1/tenants/acme/keys",
		"POST /admin/v1/tenants/acme/keys", "GET /admin/v1/tenants/acme/events", "PATCH /admin/v1/tenants/acme", "GET /admin/v1/tenants/platform",
		"GET /admin/v1/tenants/platform/tokens", "GET /admin/v1/tenants/platform/events", "GET /tenants/rest/v1", "GET /tenants/rest/v1/acme",
	} {
		method, path, _ := strings.Cut(route, " ")
		body := ""
		if method != "GET" {
			body = `{}`
		}
		if a := h.call(method, path, body); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", route, a.status, a.body)
		}
	}
	secrets := map[string][]byte{"the tenant's secret": r.Secret.Bytes(), "the API token's hash": r.Tokens[0].Hash, "the API token": []byte(acme.APIToken),
		"the client secret": []byte(acme.Client.Secret), "the password": []byte(acme.User.Password), "the platform's token": []byte(h.token)}
	for _, k := range r.Keys {
		der, err := k.PrivateDER()
		if err != nil {
			t.Fatal(err)
		}
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			t.Fatal(err)
		}
		switch private := private.(type) {
		case *ecdsa.PrivateKey:
			if secrets["a private EC key"], err = private.Bytes(); err != nil {
				t.Fatal(err)
			}
		case *rsa.PrivateKey:
			secrets["a prime of a private RSA key"] = private.Primes[0].Bytes()
		}
	}
	if len(secrets) != 8 {
		t.Fatalf("there are %d secrets to look for", len(secrets))
	}
	for _, body := range h.answers {
		for what, secret := range secrets {
			for _, form := range []string{string(secret), base64.RawURLEncoding.EncodeToString(secret), base64.RawStdEncoding.EncodeToString(secret), fmt.Sprintf("%x", secret)} {
				if strings.Contains(body, form) {
					t.Errorf("%s is in %.80s", what, body)
				}
			}
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
