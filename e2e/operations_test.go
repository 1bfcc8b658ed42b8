package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// Health, readiness and metrics are at the operations listener and nowhere else (S188); nothing else is there.
func TestOperations(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		x := s.newTenant(t)
		issued(t, x.token(t, x.Client, "grant_type", "client_credentials"))
		x.token(t, &client{ID: x.Client.ID, Secret: "wrong"}, "grant_type", "client_credentials").want(t, "401 invalid_client")
		for _, path := range []string{"/healthz", "/readyz"} {
			if r := call(t, http.MethodGet, s.ops+path); r.StatusCode != http.StatusOK {
				t.Errorf("%s: %d %s", path, r.StatusCode, r.body)
			}
		}
		metrics := string(call(t, http.MethodGet, s.ops+"/metrics").body)
		for _, line := range []string{
			`chancery_tenant_requests_total{outcome="ok",status="200",tenant="` + x.TenantID + `"} 1`,
			`chancery_tenant_requests_total{outcome="refused",status="401",tenant="` + x.TenantID + `"} 1`,
			`chancery_request_duration_seconds_count{flow="token client_credentials",outcome="ok",status="200"}`,
			`chancery_request_duration_seconds_count{flow="token",outcome="refused",status="401"}`,
		} {
			if !strings.Contains(metrics, line) && (!strings.Contains(line, "tenant=") || !strings.Contains(metrics, `tenant="other"`)) {
				t.Errorf("the metrics lack %s", line)
			}
		}
		if found := secretsIn(metrics); len(found) > 0 {
			t.Errorf("S189 the metrics hold %d secrets", len(found))
		}
		for _, path := range []string{"/token", "/admin/v1/tenants", "/t/" + x.TenantID + "/jwks.json", sessionsV1, "/"} {
			if r := call(t, http.MethodGet, s.ops+path, bearer(s.adminToken)); r.StatusCode != http.StatusNotFound {
				t.Errorf("the operations listener serves %s: %d", path, r.StatusCode)
			}
		}
	})
}

// logLine is one line of the log.
type logLine struct {
	Msg       string  `json:"msg"`
	RequestID string  `json:"request_id"`
	Method    string  `json:"method"`
	Route     string  `json:"route"`
	Status    int     `json:"status"`
	Outcome   string  `json:"outcome"`
	MS        float64 `json:"ms"`
	Address   string  `json:"address"`
	Tenant    string  `json:"tenant"`
	Client    string  `json:"client"`
	Flow      string  `json:"flow"`
	Code      string  `json:"code"`
	Cause     string  `json:"cause"`
}

// Each request is one line of the log, with what an operator asks for, whatever the caller wrote: S184, S189, S190. That
// no line holds a secret is checked of every server when it stops.
func TestLogs(t *testing.T) {
	t.Parallel()
	s := fresh(t, sqlite, func(c *conf) { c.env = append(c.env, "CHANCERY_TRUSTED_PROXIES=192.0.2.0/24") })
	x := s.newTenant(t)
	secret("marked-verifier-0123456789", "marked-password-0123456789", "marked-code-0123456789", "marked-token-0123456789", "marked-state-0123456789", "marked-assertion-0123456789")
	forged := "x\r\n{\"level\":\"ERROR\",\"msg\":\"forged\"}\x1b[31m\u2028"
	calls := []struct {
		parts  []part
		method string
		at     string
		want   logLine
	}{
		{[]part{x.Client.auth(), form("grant_type", "client_credentials")}, "POST", x.url("/token"), logLine{Route: "/token", Status: 200, Outcome: "ok", Flow: "token client_credentials", Client: x.Client.ID, Tenant: x.TenantID}},
		{[]part{x.Client.auth(), form("grant_type", forged)}, "POST", x.url("/token"), logLine{Route: "/token", Status: 400, Outcome: "refused", Flow: "token unknown", Code: "unsupported_grant_type", Client: x.Client.ID, Tenant: x.TenantID}},
		{[]part{basic(forged, "marked-password-0123456789"), form("grant_type", "client_credentials")}, "POST", x.url("/token"), logLine{Route: "/token", Status: 401, Outcome: "refused", Code: "invalid_client", Tenant: x.TenantID}},
		{[]part{form("client_id", "x", "code", "marked-code-0123456789", "code_verifier", "marked-verifier-0123456789", "client_assertion", "marked-assertion-0123456789")}, "POST", x.url("/token"), logLine{Route: "/token", Status: 401, Outcome: "refused", Code: "invalid_client", Tenant: x.TenantID}},
		{[]part{bearer("marked-token-0123456789")}, "GET", x.url("/userinfo"), logLine{Route: "/userinfo", Status: 401, Outcome: "refused", Code: "invalid_token", Tenant: x.TenantID}},
		{nil, "GET", x.url("/userinfo?access_token=marked-token-0123456789"), logLine{Route: "/userinfo", Status: 400, Outcome: "refused", Code: "invalid_request", Tenant: x.TenantID}},
		{nil, "GET", x.url("/authorize?client_id=x&state=marked-state-0123456789&client_secret=marked-password-0123456789"), logLine{Route: "/authorize", Status: 400, Outcome: "refused", Tenant: x.TenantID}},
		{[]part{bearer("marked-token-0123456789")}, "GET", s.url + "/admin/v1/tenants", logLine{Route: "/admin/v1/tenants", Status: 401, Outcome: "refused", Code: "invalid_token"}}, // whose it is, nobody knows
		{nil, "GET", s.url + "/no/such/" + url.PathEscape(forged), logLine{Route: "", Status: 404, Outcome: "refused", Code: "not_found"}},
		{[]part{header("X-Forwarded-For", "198.51.100.7"), header("X-Request-ID", "forged"), header("traceparent", strings.Repeat("0", 4000)), header("baggage", strings.Repeat("a=b,", 1000))}, "GET", x.url("/jwks.json"), logLine{Route: "/jwks.json", Status: 200, Outcome: "ok", Flow: "jwks", Tenant: x.TenantID}},
	}
	within(t, 2*time.Second, "the line about the tenant is there", func() bool { return len(s.requests(t)) == 1 })
	before := len(s.requests(t))
	for _, c := range calls {
		call(t, c.method, c.at, c.parts...)
	}
	v := newVisitor(t)
	p := v.open(t, x.url("/authorize?"+x.Client.request().Encode()))
	v.fill(t, p, "action", "login", "username", forged, "password", "marked-password-0123456789")
	var lines []logLine
	within(t, 2*time.Second, "every request is logged", func() bool {
		lines = s.requests(t)[before:]
		return len(lines) == len(calls)+3
	})
	seen := map[string]bool{}
	for i, l := range lines {
		if l.RequestID == "" || seen[l.RequestID] || l.MS <= 0 || l.Address != "127.0.0.1" {
			t.Errorf("S184, S190 line %+v", l)
		}
		seen[l.RequestID] = true
		if i >= len(calls) {
			if flow := map[string]string{"/authorize": "authorize", "/login/i/:handle": "login"}[l.Route]; l.Flow != flow || l.Client != x.Client.ID {
				t.Errorf("line %+v of a sign-in", l)
			}
			continue
		}
		got := l
		got.Msg, got.RequestID, got.MS, got.Address, got.Cause = "", "", 0, "", ""
		want := calls[i].want
		want.Method = calls[i].method
		if want.Client == "" {
			got.Client = ""
		}
		if want.Code == "" && want.Outcome != "ok" {
			got.Code = ""
		}
		if want.Flow == "" {
			got.Flow = ""
		}
		if got != want {
			t.Errorf("line %d: got %+v, want %+v", i, got, want)
		}
	}
	if strings.Contains(s.out.String(), "\x1b") || strings.Contains(s.out.String(), `"msg":"forged"`) {
		t.Error("S190 the log holds what a caller wrote, as it was written")
	}
}

// requests are the lines of the log about requests.
func (s *server) requests(t *testing.T) (lines []logLine) {
	t.Helper()
	for line := range strings.Lines(s.out.String()) {
		var l logLine
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if l.Msg == "request" {
			lines = append(lines, l)
		}
	}
	return lines
}

// wire is a connection to a database that can be cut.
type wire struct {
	net.Listener
	mu    sync.Mutex
	cut   bool
	conns []net.Conn
}

// newWire listens for connections and passes them on to address.
func newWire(t *testing.T, address string) *wire {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l}
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			w.mu.Lock()
			out, err := net.Dial("tcp", address)
			if w.cut || err != nil {
				in.Close()
				w.mu.Unlock()
				continue
			}
			w.conns = append(w.conns, in, out)
			w.mu.Unlock()
			go func() { _, _ = io.Copy(out, in); out.Close() }()
			go func() { _, _ = io.Copy(in, out); in.Close() }()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return w
}

// set cuts the wire, or mends it.
func (w *wire) set(cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut = cut; cut {
		for _, c := range w.conns {
			c.Close()
		}
		w.conns = nil
	}
}

// Without its database the server says so, issues nothing and calls nothing invalid (S192); it comes back by itself.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	if maintenance == "" {
		t.Skip("needs PostgreSQL")
	}
	var w *wire
	s := fresh(t, postgres, func(c *conf) {
		u, err := url.Parse(c.databaseURL)
		if err != nil {
			t.Fatal(err)
		}
		w = newWire(t, u.Host)
		u.Host = w.Addr().String()
		c.databaseURL, c.faults = u.String(), true
	})
	x := s.newTenant(t)
	k := x.tokens(t, x.Client)
	code := x.code(t, x.Client)
	ready := func() int { return call(t, http.MethodGet, s.ops+"/readyz").StatusCode }
	w.set(true)
	within(t, 5*time.Second, "not ready without the database", func() bool { return ready() == http.StatusServiceUnavailable })
	if r := call(t, http.MethodGet, s.ops+"/healthz"); r.StatusCode != http.StatusOK {
		t.Error("the process is alive, but says", r.StatusCode)
	}
	for _, r := range []reply{
		x.redeem(t, x.Client, code), x.refresh(t, x.Client, k.Refresh), x.start(t, x.Client.request(), ""),
		call(t, http.MethodPost, x.url("/token/revoke"), x.Client.auth(), form("token", k.Refresh)),
		call(t, http.MethodGet, x.url("/userinfo"), bearer(k.Access)),
		call(t, http.MethodPost, x.url("/token"), basic("unknown", "x"), form("grant_type", "client_credentials")),
		call(t, http.MethodPost, s.url+"/admin/v1/tenants", bearer(s.adminToken), object(map[string]string{"tenant_id": "late"})),
		call(t, http.MethodGet, x.url("/authorize?"+x.Client.request().Encode())),
	} {
		if r.StatusCode != http.StatusServiceUnavailable || r.Header.Get("Retry-After") == "" {
			t.Errorf("S192 %s %s: %s, Retry-After %q\n%s", r.Request.Method, r.Request.URL.Path, r.outcome(), r.Header.Get("Retry-After"), r.body)
		}
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/jwks.json"} {
		call(t, http.MethodGet, x.url(path)).want(t, "200")
	}
	w.set(false)
	within(t, 10*time.Second, "ready again", func() bool { return ready() == http.StatusOK })
	within(t, 5*time.Second, "the code is as good as before", func() bool {
		r := x.redeem(t, x.Client, code)
		if r.is("400 *") {
			t.Fatal(r.outcome())
		}
		return r.StatusCode == http.StatusOK
	})
	issued(t, x.refresh(t, x.Client, k.Refresh))
}

// The operator's commands work beside a running server, on either engine, and it feels them.
func TestCommands(t *testing.T) {
	onEach(t, func(t *testing.T, s *server) {
		run := func(v any, args ...string) {
			t.Helper()
			out, err := s.run(append(args, "-o", "json")...)
			if err != nil {
				t.Fatal(err)
			}
			if v != nil {
				if err := json.Unmarshal([]byte(out), v); err != nil {
					t.Fatalf("chancery %v printed %s: %v", args, out, err)
				}
			}
		}
		x := &tenant{at: s}
		run(x, "tenant", "create", fmt.Sprintf("by-hand-%d", tenants.Add(1)), "--template", "starter", "--username", "ann")
		x.mark()
		within(t, aboutASecond, "the tenant is there", func() bool { return call(t, http.MethodGet, x.url("/jwks.json")).StatusCode == http.StatusOK })
		x.tokens(t, x.Client)
		run(nil, "tenant", "set", x.TenantID, "name=By hand", "tokens.access_token_lifetime=120")
		within(t, aboutASecond, "a setting", func() bool {
			return issued(t, x.token(t, x.Client, "grant_type", "client_credentials")).ExpiresIn == 120
		})
		c := &client{}
		run(c, "client", "create", x.TenantID, "--name", "App", "--redirect-uri", callback, "--grant", "authorization_code,client_credentials")
		secret(c.Secret)
		within(t, aboutASecond, "a client", func() bool { return x.token(t, c, "grant_type", "client_credentials").is("200") })
		var k struct{ Token, ID string }
		run(&k, "token", "create", x.TenantID, "--label", "by hand", "--api", "authz-sessions")
		secret(k.Token)
		ask := func() reply {
			return call(t, http.MethodGet, s.url+sessionsV1+"/x", bearer(k.Token), header("Tenant-ID", x.TenantID))
		}
		within(t, aboutASecond, "an API token", func() bool { return ask().is("404 *") })
		run(nil, "token", "revoke", x.TenantID, k.ID)
		within(t, theBound, "the API token's end", func() bool { return ask().is("401 invalid_token") })
		jwks := func() string { return string(call(t, http.MethodGet, x.url("/jwks.json")).body) }
		old := jwks()
		run(nil, "key", "rotate", x.TenantID)
		within(t, aboutASecond, "new keys are published", func() bool { return jwks() != old })
		var before struct{ Kid string }
		head, _ := claims(t, issued(t, x.token(t, c, "grant_type", "client_credentials")).Access)
		before.Kid, _ = head["kid"].(string)
		if !strings.Contains(old, before.Kid) {
			t.Error("S178 a new key signs before it was published for a while")
		}
		run(nil, "tenant", "disable", x.TenantID)
		within(t, theBound, "the tenant's end", func() bool { return call(t, http.MethodGet, x.url("/jwks.json")).StatusCode == http.StatusNotFound })
		run(nil, "tenant", "enable", x.TenantID)
		within(t, theBound, "its return", func() bool { return call(t, http.MethodGet, x.url("/jwks.json")).StatusCode == http.StatusOK })
		var list any
		run(&list, "tenant", "list")
		run(&list, "client", "list", x.TenantID)
		run(&list, "user", "list", x.TenantID)
		if found := secretsIn(fmt.Sprint(list)); len(found) > 0 {
			t.Error("a list shows secrets")
		}
		if _, err := s.run("tenant", "show", "no-such-tenant"); err == nil {
			t.Error("a tenant that is not there is shown")
		}
	})
}
