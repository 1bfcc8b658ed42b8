package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUsage(t *testing.T) {
	h := newHouse(t)
	acme, globex := h.create("acme", "starter"), h.create("globex", "starter")
	issue := func(tenant string, id, secret string, n int) {
		for range n {
			if a := h.form("/t/"+tenant+"/token", id, secret, url.Values{"grant_type": {"client_credentials"}}); a.status != http.StatusOK {
				t.Fatalf("%d %s", a.status, a.body)
			}
		}
	}
	issue("acme", acme.Client.ID, acme.Client.Secret, 3)
	issue("globex", globex.Client.ID, globex.Client.Secret, 2)
	if err := h.usage.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	issue("acme", acme.Client.ID, acme.Client.Secret, 1)
	if err := h.usage.Write(t.Context()); err != nil {
		t.Fatal(err)
	}
	type row struct {
		Day, TenantID, ClientID, Kind string
		Tokens                        int64
	}
	today := time.Now().UTC().Format(time.DateOnly)
	list := func(path string) (rows []row) {
		t.Helper()
		a := h.call("GET", "/admin/v1"+path, "")
		var page struct {
			Usage []struct {
				Day, Kind string
				TenantID  string `json:"tenant_id"`
				ClientID  string `json:"client_id"`
				Tokens    int64
			}
		}
		if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		for _, r := range page.Usage {
			rows = append(rows, row{r.Day, r.TenantID, r.ClientID, r.Kind, r.Tokens})
		}
		return rows
	}
	for path, want := range map[string][]row{
		"/tenants/acme/usage":                                  {{Day: today, Tokens: 4}},
		"/tenants/acme/usage?group_by=client":                  {{Day: today, ClientID: acme.Client.ID, Tokens: 4}},
		"/tenants/acme/usage?group_by=kind":                    {{Day: today, Kind: "access_token", Tokens: 4}},
		"/tenants/globex/usage?from=" + today + "&to=" + today: {{Day: today, Tokens: 2}},
		"/tenants/acme/usage?from=2020-01-01&to=2020-12-31":    nil,
		"/usage":                 {{Day: today, Tokens: 6}},
		"/usage?group_by=tenant": {{Day: today, TenantID: "acme", Tokens: 4}, {Day: today, TenantID: "globex", Tokens: 2}},
	} {
		if d := cmp.Diff(want, list(path)); d != "" {
			t.Errorf("%s: %s", path, d)
		}
	}
	var first struct {
		Next string `json:"next_cursor"`
	}
	_ = json.Unmarshal(h.call("GET", "/admin/v1/usage?group_by=tenant&limit=1", "").body, &first)
	if rest := list("/usage?group_by=tenant&limit=1&cursor=" + first.Next); len(rest) != 1 || rest[0].TenantID != "globex" {
		t.Errorf("the second page: %+v", rest)
	}
	for path, want := range map[string]int{
		"/usage?group_by=kind&limit=1&cursor=" + first.Next: 400, "/tenants/acme/usage?group_by=tenant": 400, "/tenants/acme/usage?from=x": 400,
		"/tenants/acme/usage?from=2026-02-01&to=2026-01-01": 400, "/tenants/acme/usage?from=1000-01-01": 400, "/tenants/nobody/usage": 404, "/tenants/acme/usage/users": 200,
	} {
		if a := h.call("GET", "/admin/v1"+path, ""); a.status != want {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
}
