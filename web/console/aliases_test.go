package console_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// at is the path below an issuer on the loopback, as call takes it, with the Host header that belongs to it.
func (h *house) at(t *testing.T, issuer, path string) answer {
	t.Helper()
	u, err := url.Parse(issuer + path)
	if err != nil {
		t.Fatal(err)
	}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", h.url+u.Path, nil)
	req.Host = u.Host
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var doc json.RawMessage
	_ = json.NewDecoder(res.Body).Decode(&doc)
	return answer{res.StatusCode, res.Header, doc}
}

func (h *house) issuerAt(t *testing.T, issuer string) string {
	t.Helper()
	var m struct {
		Issuer string
	}
	_ = json.Unmarshal(h.at(t, issuer, "/.well-known/openid-configuration").body, &m)
	return m.Issuer
}

func TestAliases(t *testing.T) {
	h := newHouse(t)
	acme := h.create("acme", "starter")
	h.create("globex", "")
	there := newReplica(t, h.db)
	host := strings.TrimPrefix(h.url, "http://127.0.0.1")
	alias := "http://localhost" + host + "/former"
	const path = "/admin/v1/tenants/acme/aliases"
	add := func(tenant, issuer string) answer {
		return h.call("POST", "/admin/v1/tenants/"+tenant+"/aliases", `{"issuer": "`+issuer+`"}`)
	}
	made := add("acme", alias)
	if made.status != http.StatusCreated {
		t.Fatalf("%d %s", made.status, made.body)
	}
	for _, tt := range []struct {
		rule, tenant, issuer string
		want                 int
	}{
		{"again", "acme", alias, 409},
		{"of another tenant", "globex", alias, 409},
		{"the issuer of another", "globex", acme.Issuer, 400},
		{"its own issuer", "acme", acme.Issuer, 409},
		{"a reserved path", "acme", "https://x.example/admin", 400},
		{"at the platform", "platform", "https://x.example", 400},
	} {
		if a := add(tt.tenant, tt.issuer); a.status != tt.want {
			t.Errorf("%s: %d %s", tt.rule, a.status, a.body)
		}
	}
	if a := h.call("POST", "/admin/v1/tenants", `{"tenant_id": "late", "issuer": "`+alias+`"}`); a.status != http.StatusConflict {
		t.Errorf("a new tenant with an alias as its issuer: %d %s", a.status, a.body)
	}
	// Discovery says the issuer that was asked, and each knows its own host only.
	for _, issuer := range []string{alias, acme.Issuer} {
		if got := h.issuerAt(t, issuer); got != issuer {
			t.Errorf("%s says it is %s", issuer, got)
		}
	}
	for _, unknown := range []string{alias + "er", "http://elsewhere" + host + "/former", "http://localhost" + host} {
		if a := h.at(t, unknown, "/.well-known/openid-configuration"); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", unknown, a.status)
		}
	}
	eventually(t, "the alias at another replica", func() bool { return there.issuerAt(t, alias) == alias })
	var created struct{ ID string }
	_ = json.Unmarshal(made.body, &created)
	for _, tt := range []struct {
		rule, path string
		want       int
	}{{"by another tenant", "/admin/v1/tenants/globex/aliases/" + created.ID, 404}, {"once", path + "/" + created.ID, 204}, {"twice", path + "/" + created.ID, 404}} {
		if a := h.call("DELETE", tt.path, ""); a.status != tt.want {
			t.Errorf("removed %s: %d %s", tt.rule, a.status, a.body)
		}
	}
	if got := h.issuerAt(t, alias); got != "" {
		t.Errorf("here it is still %s", got)
	}
	eventually(t, "its removal at another replica", func() bool { return there.issuerAt(t, alias) == "" })
	if a := add("globex", alias); a.status != http.StatusCreated {
		t.Errorf("another tenant, then: %d %s", a.status, a.body)
	}
	if a := h.call("DELETE", "/admin/v1/tenants/globex?now=true", ""); a.status != http.StatusNoContent {
		t.Errorf("%d %s", a.status, a.body)
	}
	if a := add("acme", alias); a.status != http.StatusCreated {
		t.Errorf("back, once that tenant is gone: %d %s", a.status, a.body)
	}
	if a := h.call("GET", "/admin/v1/tenants/acme/events?kind=alias_added", ""); strings.Count(string(a.body), `"kind":"alias_added"`) != 2 {
		t.Errorf("the events: %s", a.body)
	}
}

// A tenant whose issuer is a host of its own may have its path at the server as an alias.
func TestAliasOfItsOwnPath(t *testing.T) {
	h := newHouse(t)
	own := strings.Replace(h.url, "127.0.0.1", "localhost", 1)
	if a := h.call("POST", "/admin/v1/tenants", `{"tenant_id": "acme", "issuer": "`+own+`"}`); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	path := h.url + "/t/acme"
	if got := h.issuerAt(t, path); got != own { // the test's own address counts as a proxy
		t.Errorf("before it says %q", got)
	}
	if a := h.call("POST", "/admin/v1/tenants/acme/aliases", `{"issuer": "`+path+`"}`); a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	for _, issuer := range []string{own, path} {
		if got := h.issuerAt(t, issuer); got != issuer {
			t.Errorf("%s says it is %s", issuer, got)
		}
	}
}

// eventually waits as long as a change may take to be felt everywhere.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}
