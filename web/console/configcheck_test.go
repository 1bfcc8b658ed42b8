package console_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

func TestConfigCheck(t *testing.T) {
	h := newHouse(t)
	h.create("acme", "")
	type wrong struct {
		Line              int
		Property, Message string
	}
	check := func(text string, header ...string) (a answer, e struct {
		Error       string
		Description string `json:"error_description"`
		Errors      []wrong
	}) {
		a = h.call("POST", "/config/check", text, append([]string{"Content-Type", "text/plain; charset=utf-8"}, header...)...)
		_ = json.Unmarshal(a.body, &e)
		return a, e
	}
	const issuer = "op.issuer=https://id.acme.example\n"
	for _, tt := range []struct {
		rule, text string
		want       []wrong // of each message the beginning
		says       string
	}{
		{"a file that is fine", "# acme\n" + issuer + "op.idToken.lifetime = 60\nop.authz.apiAccessTokenSHA256=" + sha("x") + "\nsqlStore.host=db", nil, ""},
		{"the file of a tenant that there is", "op.issuer=" + h.url + "/t/acme", nil, ""},
		{"nothing", "", []wrong{{0, "op.issuer", "is missing"}}, "op.issuer is missing"},
		{"two lines that are wrong", issuer + "\nop.idToken.lifetime=5m\nop.authz.telepathy=true", []wrong{{3, "op.idToken.lifetime", "must be a whole number"}, {4, "op.authz.telepathy", "is unknown"}}, "Line 3: op.idToken.lifetime must be a whole number"},
		{"a value out of range", issuer + "authzStore.code.lifetime=3600", []wrong{{2, "authzStore.code.lifetime", "must be from"}}, "Line 2: authzStore.code.lifetime must be from"},
		{"a line that goes on", issuer + "op.authz.responseModes=query, \\\n  pigeon", []wrong{{2, "op.authz.responseModes", ""}}, "Line 2: op.authz.responseModes"},
		{"a name that cannot be said", issuer + "op.\\u00e9=1", []wrong{{2, "op.é", "is unknown"}}, "Line 2: A property is unknown"},
		{"an escape that is none", issuer + `op.authz.endpoint=\u12`, []wrong{{2, "op.authz.endpoint", "has a"}}, "Line 2: op.authz.endpoint has a u that"},
		{"an issuer that is none", "op.issuer=http://id.acme.example", []wrong{{1, "op.issuer", "must be https"}}, "Line 1: op.issuer must be https"},
	} {
		a, e := check(tt.text)
		if tt.want == nil {
			if a.status != http.StatusNoContent || len(a.body) > 0 {
				t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
			}
			continue
		}
		if a.status != http.StatusBadRequest || e.Error != "invalid_config" || !strings.HasPrefix(e.Description, tt.says) || len(e.Errors) != len(tt.want) {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
			continue
		}
		for i, w := range tt.want {
			if got := e.Errors[i]; got.Line != w.Line || got.Property != w.Property || !strings.HasPrefix(got.Message, w.Message) {
				t.Errorf("%s: got %+v, want %+v", tt.rule, got, w)
			}
		}
	}
	if rs, err := h.console.Tenants(t.Context(), "", 10); err != nil || len(rs) != 1 {
		t.Errorf("something was made: %v, %v", rs, err)
	}
	for rule, tt := range map[string]struct {
		header []string
		status int
	}{
		"without a token":       {[]string{"Authorization", ""}, 401},
		"with a tenant's token": {[]string{"Authorization", "Bearer chy_wrong"}, 401},
		"as JSON":               {[]string{"Content-Type", "application/json"}, 415},
	} {
		if a, _ := check(issuer, tt.header...); a.status != tt.status {
			t.Errorf("%s: %d %s", rule, a.status, a.body)
		}
	}
}
