package wire_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	proxy  = "10.1.2.3"
	bearer = "Authorization"
)

func TestPublicTenant(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		rule   string
		method string
		url    string
		header []string
		status int
		tenant string
	}{
		{"the path names the tenant", "POST", "https://id.example/t/acme/token", nil, 200, "acme"},
		{"with a trailing slash, too", "POST", "https://id.example/t/acme/token/", nil, 200, "acme"},
		{"whatever the host", "POST", "https://else.example/t/acme/token", nil, 200, "acme"},
		{"also that of another tenant", "POST", "https://login.own.example/t/acme/token", nil, 200, "acme"},
		{"an id may be an endpoint's word", "POST", "https://id.example/t/token/token", nil, 200, "token"},
		{"the query is not the path's", "POST", "https://id.example/t/acme/token?tenant=globex&issuer=x", nil, 200, "acme"},
		{"nobody is named at the root", "POST", "https://id.example/token", nil, 404, ""},
		{"an unknown tenant", "POST", "https://id.example/t/nobody/token", nil, 404, ""},
		{"a disabled tenant", "POST", "https://id.example/t/off/token", nil, 404, ""},
		{"upper case", "POST", "https://id.example/t/ACME/token", nil, 404, ""},
		{"an upper-case T", "POST", "https://id.example/T/acme/token", nil, 404, ""},
		{"a trailing dot", "POST", "https://id.example/t/acme./token", nil, 404, ""},
		{"an escaped letter of the id", "POST", "https://id.example/t/ac%6de/token", nil, 404, ""},
		{"an escaped letter of the prefix", "POST", "https://id.example/%74/acme/token", nil, 404, ""},
		{"an escaped letter of the endpoint", "POST", "https://id.example/t/acme/t%6fken", nil, 404, ""},
		{"an escaped slash", "POST", "https://id.example/t%2facme/token", nil, 404, ""},
		{"an escaped slash after the id", "POST", "https://id.example/t/acme%2ftoken", nil, 404, ""},
		{"an escaped slash in the endpoint", "POST", "https://id.example/t/acme/token%2fintrospect", nil, 404, ""},
		{"an escaped zero byte", "POST", "https://id.example/t/acme%00/token", nil, 404, ""},
		{"a dot segment", "POST", "https://id.example/t/globex/../acme/token", nil, 404, ""},
		{"an escaped dot segment", "POST", "https://id.example/t/globex/%2e%2e/acme/token", nil, 404, ""},
		{"a dot segment in the endpoint", "POST", "https://id.example/t/acme/./token", nil, 404, ""},
		{"a double slash at the start", "POST", "https://id.example//t/acme/token", nil, 404, ""},
		{"a double slash after t", "POST", "https://id.example/t//acme/token", nil, 404, ""},
		{"a double slash after the id", "POST", "https://id.example/t/acme//token", nil, 404, ""},
		{"a double slash at the end", "POST", "https://id.example/t/acme/token//", nil, 404, ""},
		{"something between id and endpoint", "POST", "https://id.example/t/acme/x/token", nil, 404, ""},
		{"a prefix twice", "POST", "https://id.example/t/globex/t/acme/token", nil, 404, ""},
		{"no endpoint", "GET", "https://id.example/t/acme", nil, 404, ""},
		{"an IDN form", "POST", "https://id.example/t/xn--acme-/token", nil, 404, ""},

		{"a host of its own names the tenant", "POST", "https://login.own.example/token", nil, 200, "own"},
		{"but not with another scheme", "POST", "http://login.own.example/token", nil, 404, ""},
		{"nor with a port", "POST", "https://login.own.example:443/token", nil, 404, ""},
		{"nor in another case", "POST", "https://LOGIN.own.example/token", nil, 404, ""},
		{"nor with a dot", "POST", "https://login.own.example./token", nil, 404, ""},
		{"nor below a path that it lacks", "POST", "https://login.own.example/x/token", nil, 404, ""},
		{"an issuer with host and path", "POST", "https://deep.example/oauth/v2/token", nil, 200, "deep"},
		{"not at the root of its host", "POST", "https://deep.example/token", nil, 404, ""},
		{"not at a part of its path", "POST", "https://deep.example/oauth/token", nil, 404, ""},
		{"not at its path in another case", "POST", "https://deep.example/OAuth/v2/token", nil, 404, ""},
		{"not at its path in escapes", "POST", "https://deep.example/oauth%2fv2/token", nil, 404, ""},
		{"a tenant with a host of its own has no path with us", "POST", "https://id.example/t/own/token", nil, 404, ""},
		{"unless a trusted proxy maps it there", "POST", "https://id.example/t/own/token", []string{"X-Peer", proxy}, 200, "own"},

		{"a Tenant-ID of a stranger is refused", "POST", "https://id.example/t/acme/token", []string{"Tenant-ID", "acme"}, 400, ""},
		{"an Issuer of a stranger is refused", "POST", "https://id.example/t/acme/token", []string{"Issuer", "https://id.example/t/acme"}, 400, ""},
		{"also at the root", "POST", "https://id.example/token", []string{"Tenant-ID", "acme"}, 400, ""},
		{"also for metadata", "GET", "https://id.example/t/acme/.well-known/openid-configuration", []string{"Tenant-ID", "globex"}, 400, ""},
		{"a Tenant-ID of a proxy names the tenant", "POST", "https://id.example/token", []string{"X-Peer", proxy, "Tenant-ID", "acme"}, 200, "acme"},
		{"an Issuer of a proxy names the tenant", "POST", "https://id.example/token", []string{"X-Peer", proxy, "Issuer", "https://id.example/t/acme"}, 200, "acme"},
		{"both, when they agree", "POST", "https://id.example/t/acme/token",
			[]string{"X-Peer", proxy, "Issuer", "https://id.example/t/acme", "Tenant-ID", "acme"}, 200, "acme"},
		{"a proxy's header against the path", "POST", "https://id.example/t/acme/token", []string{"X-Peer", proxy, "Tenant-ID", "globex"}, 400, ""},
		{"a proxy's header against the host", "POST", "https://login.own.example/token", []string{"X-Peer", proxy, "Tenant-ID", "acme"}, 400, ""},
		{"a proxy's unknown tenant", "POST", "https://id.example/token", []string{"X-Peer", proxy, "Tenant-ID", "nobody"}, 404, ""},
		{"a proxy's header twice", "POST", "https://id.example/token", []string{"X-Peer", proxy, "Tenant-ID", "acme", "Tenant-ID", "acme"}, 400, ""},
		{"a proxy that speaks of http", "POST", "http://login.own.example/token", []string{"X-Peer", proxy, "X-Forwarded-Proto", "https"}, 200, "own"},
		{"a proxy that speaks of another host", "POST", "http://10.0.0.9:8080/token",
			[]string{"X-Peer", proxy, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "login.own.example"}, 200, "own"},
		{"of which its own word counts", "POST", "http://10.0.0.9:8080/token",
			[]string{"X-Peer", proxy, "X-Forwarded-Proto", "https", "X-Forwarded-Host", "deep.example, login.own.example"}, 200, "own"},

		{"RFC 8414 metadata, before the path", "GET", "https://id.example/.well-known/oauth-authorization-server/t/acme", nil, 200, "acme"},
		{"RFC 8414 metadata, below the issuer", "GET", "https://id.example/t/acme/.well-known/oauth-authorization-server", nil, 200, "acme"},
		{"OpenID metadata, before the path", "GET", "https://id.example/.well-known/openid-configuration/t/acme", nil, 200, "acme"},
		{"OpenID metadata, below the issuer", "GET", "https://id.example/t/acme/.well-known/openid-configuration", nil, 200, "acme"},
		{"metadata of a host with a path, before it", "GET", "https://deep.example/.well-known/oauth-authorization-server/oauth/v2", nil, 200, "deep"},
		{"metadata of a host with a path, below it", "GET", "https://deep.example/oauth/v2/.well-known/openid-configuration", nil, 200, "deep"},
		{"metadata of a host", "GET", "https://login.own.example/.well-known/openid-configuration", nil, 200, "own"},
		{"metadata with a slash after the issuer", "GET", "https://id.example/.well-known/oauth-authorization-server/t/acme/", nil, 404, ""},
		{"metadata of an id in upper case", "GET", "https://id.example/.well-known/oauth-authorization-server/t/ACME", nil, 404, ""},
		{"metadata of an unknown tenant", "GET", "https://id.example/.well-known/openid-configuration/t/nobody", nil, 404, ""},
		{"metadata of nobody", "GET", "https://id.example/.well-known/openid-configuration", nil, 404, ""},
	} {
		rec := w.do(call(tt.method, tt.url, tt.header...))
		if got := body(t, rec); rec.Code != tt.status || got.Tenant != tt.tenant {
			t.Errorf("%s: %d %q (%s), want %d %q", tt.rule, rec.Code, got.Tenant, rec.Body, tt.status, tt.tenant)
		}
		if l := rec.Header().Get("Location"); l != "" {
			t.Errorf("%s: redirected to %s", tt.rule, l)
		}
	}
}

// S1, S12: neither a host nor a forwarding header changes the tenant, or the issuer it calls itself.
func TestForeignHeadersChangeNothing(t *testing.T) {
	w := newWorld(t)
	want := w.do(call("POST", "https://id.example/t/acme/token"))
	for _, h := range [][]string{
		{"X-Forwarded-Host", "evil.example"}, {"X-Forwarded-Proto", "http"}, {"X-Forwarded-Port", "1"}, {"X-Forwarded-Prefix", "/t/globex"},
		{"X-Forwarded-Server", "evil.example"}, {"Forwarded", "host=evil.example;proto=http"}, {"X-Original-URL", "/t/globex/token"},
		{"X-Rewrite-URL", "/t/globex/token"}, {"X-Original-Host", "login.own.example"}, {"X-Host", "login.own.example"},
		{"X-Tenant-ID", "globex"}, {"X-Issuer", "https://id.example/t/globex"},
	} {
		for _, peer := range []string{"192.0.2.1", proxy} {
			got := w.do(call("POST", "https://id.example/t/acme/token", append(h, "X-Peer", peer)...))
			if b := body(t, got); got.Code != 200 || b.Tenant != "acme" || b.Issuer != "https://id.example/t/acme" {
				t.Errorf("%v of %s: %s", h, peer, got.Body)
			}
		}
		got := w.do(call("POST", "https://id.example/t/acme/token", h...))
		if diff := cmp.Diff(want.Body.String(), got.Body.String()); diff != "" {
			t.Errorf("%v: %s", h, diff)
		}
	}
	for _, host := range []string{"evil.example", "login.own.example", "id.example:443", ""} {
		r := call("POST", "https://id.example/t/acme/token")
		r.Host = host
		if b := body(t, w.do(r)); b.Issuer != "https://id.example/t/acme" {
			t.Errorf("Host %q: %+v", host, b)
		}
	}
	r := call("POST", "http://login.own.example/token", "X-Forwarded-Proto", "https") // a stranger's word
	if rec := w.do(r); rec.Code != 404 {
		t.Errorf("a stranger sets the scheme: %s", rec.Body)
	}
}

func TestAPI(t *testing.T) {
	w := newWorld(t)
	const (
		root = "https://id.example/authz-sessions/rest/v1"
		keys = "https://id.example/key-store/rest/v1/1"
	)
	for _, tt := range []struct {
		rule   string
		url    string
		header []string
		status int
		code   string
		tenant string
	}{
		{"Tenant-ID and token", root, []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-all"}, 200, "", "acme"},
		{"Issuer and token", root, []string{"Issuer", "https://id.example/t/acme", bearer, "Bearer chy_acme-all"}, 200, "", "acme"},
		{"the scheme in any case", root, []string{"Tenant-ID", "acme", bearer, "bEARER chy_acme-all"}, 200, "", "acme"},
		{"the path and token", "https://id.example/t/acme/authz-sessions/rest/v1", []string{bearer, "Bearer chy_acme-all"}, 200, "", "acme"},
		{"a trailing slash", root + "/", []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-all"}, 200, "", "acme"},
		{"the tenant's own host and token", "https://login.own.example/authz-sessions/rest/v1", []string{bearer, "Bearer chy_own-all"}, 200, "", "own"},
		{"everything at once", "https://id.example/t/acme/authz-sessions/rest/v1",
			[]string{"Tenant-ID", "acme", "Issuer", "https://id.example/t/acme", bearer, "Bearer chy_acme-all"}, 200, "", "acme"},
		{"a token for that API only", keys, []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-keys"}, 200, "", "acme"},

		{"nobody named", root, []string{bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"nobody named, no token", root, nil, 400, "invalid_request", ""},
		{"an empty header", root, []string{"Tenant-ID", "", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"a header twice", root, []string{"Tenant-ID", "acme", "Tenant-ID", "acme", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"a list", root, []string{"Tenant-ID", "acme,globex", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"a list of issuers", root, []string{"Issuer", "https://id.example/t/acme, https://id.example/t/globex", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"two tenants", root, []string{"Tenant-ID", "globex", "Issuer", "https://id.example/t/acme", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"two tenants, the token of the other", root, []string{"Tenant-ID", "globex", "Issuer", "https://id.example/t/acme", bearer, "Bearer chy_globex-all"}, 400, "invalid_request", ""},
		{"two tenants, no token", root, []string{"Tenant-ID", "globex", "Issuer", "https://id.example/t/acme"}, 400, "invalid_request", ""},
		{"path against header", "https://id.example/t/acme/authz-sessions/rest/v1", []string{"Tenant-ID", "globex", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"host against header", "https://login.own.example/authz-sessions/rest/v1", []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"host against an unknown header", "https://login.own.example/authz-sessions/rest/v1", []string{"Tenant-ID", "nobody", bearer, "Bearer chy_acme-all"}, 400, "invalid_request", ""},
		{"two Authorization headers", root, []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-all", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},

		{"no token", root, []string{"Tenant-ID", "acme"}, 401, "missing_token", ""},
		{"no token for nobody", root, []string{"Tenant-ID", "nobody"}, 401, "missing_token", ""},
		{"a wrong token", root, []string{"Tenant-ID", "acme", bearer, "Bearer chy_nope"}, 401, "invalid_token", ""},
		{"another tenant's token", root, []string{"Tenant-ID", "acme", bearer, "Bearer chy_globex-all"}, 401, "invalid_token", ""},
		{"the platform's token", root, []string{"Tenant-ID", "acme", bearer, "Bearer chy_admin"}, 401, "invalid_token", ""},
		{"another scheme", root, []string{"Tenant-ID", "acme", bearer, "Basic Y2h5X2FjbWUtYWxs"}, 401, "invalid_token", ""},
		{"a token with a space", root, []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-all x"}, 401, "invalid_token", ""},
		{"a scheme alone", root, []string{"Tenant-ID", "acme", bearer, "Bearer"}, 401, "invalid_token", ""},
		{"an unknown tenant", root, []string{"Tenant-ID", "nobody", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"a disabled tenant with its own token", root, []string{"Tenant-ID", "off", bearer, "Bearer chy_off-all"}, 401, "invalid_token", ""},
		{"a disabled tenant by its path", "https://id.example/t/off/authz-sessions/rest/v1", []string{bearer, "Bearer chy_off-all"}, 401, "invalid_token", ""},
		{"a malformed tenant", root, []string{"Tenant-ID", "AC ME", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"an oversize tenant", root, []string{"Tenant-ID", strings.Repeat("a", 10_000), bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"an issuer with a slash", root, []string{"Issuer", "https://id.example/t/acme/", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"an issuer in another case", root, []string{"Issuer", "https://ID.example/t/acme", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"an issuer with its port", root, []string{"Issuer", "https://id.example:443/t/acme", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"an issuer with an escape", root, []string{"Issuer", "https://id.example/t/%61cme", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"an issuer with a dot segment", root, []string{"Issuer", "https://id.example/t/x/../acme", bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"a path in upper case", "https://id.example/t/ACME/authz-sessions/rest/v1", []string{bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"a path with an escape", "https://id.example/t/%61cme/authz-sessions/rest/v1", []string{bearer, "Bearer chy_acme-all"}, 401, "invalid_token", ""},
		{"a token for another API", root, []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-keys"}, 403, "insufficient_scope", ""},
	} {
		rec := w.do(call("GET", tt.url, tt.header...))
		got := body(t, rec)
		if rec.Code != tt.status || got.Error != tt.code || got.Tenant != tt.tenant {
			t.Errorf("%s: %d %s", tt.rule, rec.Code, rec.Body)
		}
		challenge := rec.Header().Get("WWW-Authenticate")
		switch {
		case tt.code == "missing_token" && challenge != "Bearer":
			t.Errorf("%s: WWW-Authenticate %q, want Bearer alone", tt.rule, challenge)
		case (tt.code == "invalid_token" || tt.code == "insufficient_scope") && !strings.HasPrefix(challenge, `Bearer error="`+tt.code+`"`):
			t.Errorf("%s: WWW-Authenticate %q", tt.rule, challenge)
		case tt.status < 401 && challenge != "":
			t.Errorf("%s: WWW-Authenticate %q", tt.rule, challenge)
		}
	}
}

// S3: whoever shows a token of a registry learns no more of a tenant that does not exist than of a wrong token, also behind a proxy.
func TestUnknownTenantsOfARegistry(t *testing.T) {
	w := newWorld(t)
	for _, peer := range []string{"192.0.2.1", proxy} {
		ask := func(path string, header ...string) *httptest.ResponseRecorder {
			return w.do(call("GET", "https://id.example"+path, append(header, "X-Peer", peer)...))
		}
		wrong := ask("/clients", "Tenant-ID", "acme", bearer, "Bearer chy_nope")
		if got := ask("/clients", "Tenant-ID", "acme", bearer, "Bearer chy_acme-all"); got.Code != 200 || wrong.Code != 401 {
			t.Fatalf("%s: the right token: %d %s; a wrong one: %d", peer, got.Code, got.Body, wrong.Code)
		}
		for _, c := range []struct {
			path   string
			header []string
		}{
			{"/clients", []string{"Tenant-ID", "nobody"}}, {"/clients", []string{"Tenant-ID", "off"}}, {"/clients", []string{"Tenant-ID", "A_"}},
			{"/clients", []string{"Issuer", "https://id.example/t/off"}}, {"/clients", []string{"Issuer", "nonsense"}},
			{"/t/nobody/clients", nil}, {"/t/off/clients", nil},
		} {
			got := ask(c.path, append(c.header, bearer, "Bearer chy_off-all")...)
			if got.Code != wrong.Code || got.Body.String() != wrong.Body.String() {
				t.Errorf("%s, %s %v: %d %s", peer, c.path, c.header, got.Code, got.Body)
			}
			if diff := cmp.Diff(wrong.Header(), got.Header()); diff != "" {
				t.Errorf("%s, %s %v: %s", peer, c.path, c.header, diff)
			}
		}
		if got := ask("/clients", bearer, "Bearer chy_acme-all"); got.Code != 400 || body(t, got).Error != "invalid_request" {
			t.Errorf("%s, nobody named: %d %s", peer, got.Code, got.Body)
		}
		if got := ask("/t/nobody/clients"); got.Code != 404 {
			t.Errorf("%s, without a token: %d %s", peer, got.Code, got.Body)
		}
	}
}

// S3, S22: nothing tells a tenant that does not exist from one whose token the caller lacks.
func TestUnknownTenantsAnswerLikeWrongTokens(t *testing.T) {
	w := newWorld(t)
	const root = "https://id.example/authz-sessions/rest/v1"
	wrong := w.do(call("GET", root, "Tenant-ID", "acme", bearer, "Bearer chy_nope"))
	for _, header := range [][]string{
		{"Tenant-ID", "nobody"}, {"Tenant-ID", "off"}, {"Tenant-ID", "A_"}, {"Tenant-ID", strings.Repeat("x", 5000)},
		{"Issuer", "https://id.example/t/nobody"}, {"Issuer", "https://id.example/t/off"}, {"Issuer", "nonsense"},
		{"Issuer", "https://id.example/t/nobody", "Tenant-ID", "nobody"}, // as an existing one with both headers
		{"Issuer", "https://id.example/t/off", "Tenant-ID", "off"},
		{"Issuer", "https://id.example/t/acme", "Tenant-ID", "acme"},
		{"Tenant-ID", "globex"},
	} {
		got := w.do(call("GET", root, append(header, bearer, "Bearer chy_nope")...))
		if got.Code != wrong.Code || got.Body.String() != wrong.Body.String() {
			t.Errorf("%.60v: %d %s", header, got.Code, got.Body)
		}
		if diff := cmp.Diff(wrong.Header(), got.Header()); diff != "" {
			t.Errorf("%.60v: %s", header, diff)
		}
	}
	for _, path := range []string{"nobody", "off", "acme", "ACME"} {
		got := w.do(call("GET", "https://id.example/t/"+path+"/authz-sessions/rest/v1", bearer, "Bearer chy_nope"))
		if got.Code != wrong.Code || got.Body.String() != wrong.Body.String() {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
	for _, id := range []string{"acme", "nobody"} { // no wish for a token is no oracle either
		got := w.do(call("GET", root, "Tenant-ID", id, "Issuer", "https://id.example/t/"+id))
		if got.Code != 401 || body(t, got).Error != "missing_token" {
			t.Errorf("%s without a token: %d %s", id, got.Code, got.Body)
		}
	}
	public := w.do(call("POST", "https://id.example/t/nobody/token"))
	for _, path := range []string{"off", "A_", strings.Repeat("x", 5000)} {
		if got := w.do(call("POST", "https://id.example/t/"+path+"/token")); got.Code != 404 || got.Body.String() != public.Body.String() {
			t.Errorf("public, %.10s: %d %s", path, got.Code, got.Body)
		}
	}
}

func TestRefusalsTakeTheirTime(t *testing.T) {
	w := newWorld(t)
	w.gate.Floor = 150 * time.Millisecond
	for _, tt := range []struct {
		rule   string
		header []string
		slow   bool
	}{
		{"a wrong token", []string{"Tenant-ID", "acme", bearer, "Bearer chy_nope"}, true},
		{"an unknown tenant", []string{"Tenant-ID", "nobody", bearer, "Bearer chy_nope"}, true},
		{"no token", []string{"Tenant-ID", "acme"}, true},
		{"a contradiction", []string{"Tenant-ID", "acme", "Issuer", "https://id.example/t/globex"}, true},
		{"the right token", []string{"Tenant-ID", "acme", bearer, "Bearer chy_acme-all"}, false},
	} {
		start := time.Now()
		w.do(call("GET", "https://id.example/authz-sessions/rest/v1", tt.header...))
		if took := time.Since(start); tt.slow && took < w.gate.Floor || !tt.slow && took > w.gate.Floor {
			t.Errorf("%s took %v, the floor is %v", tt.rule, took, w.gate.Floor)
		}
	}
}

func TestPlatform(t *testing.T) {
	w := newWorld(t)
	const admin, metrics = "https://id.example/admin/v1/tenants", "https://id.example/monitor/v1/metrics"
	for _, tt := range []struct {
		rule   string
		url    string
		header []string
		status int
		code   string
	}{
		{"the operator", admin, []string{bearer, "Bearer chy_admin"}, 200, ""},
		{"the operator reaches everything", metrics, []string{bearer, "Bearer chy_admin"}, 200, ""},
		{"a token for one thing", metrics, []string{bearer, "Bearer chy_monitor"}, 200, ""},
		{"which is not everything", admin, []string{bearer, "Bearer chy_monitor"}, 403, "insufficient_scope"},
		{"a tenant's token of the platform", admin, []string{bearer, "Bearer chy_platform-all"}, 403, "insufficient_scope"},
		{"tenant headers are not read", admin, []string{bearer, "Bearer chy_admin", "Tenant-ID", "acme", "Tenant-ID", "x,y", "Issuer", ""}, 200, ""},
		{"nor do they help", admin, []string{bearer, "Bearer chy_acme-all", "Tenant-ID", "acme"}, 401, "invalid_token"},
		{"a tenant's token", admin, []string{bearer, "Bearer chy_acme-all"}, 401, "invalid_token"},
		{"no token", admin, nil, 401, "missing_token"},
		{"another scheme", admin, []string{bearer, "Basic YTpi"}, 401, "invalid_token"},
		{"below an issuer there is no platform", "https://id.example/t/acme/admin/v1/tenants", []string{bearer, "Bearer chy_admin"}, 404, "not_found"},
		{"not even below its own", "https://id.example/t/platform/admin/v1/tenants", []string{bearer, "Bearer chy_admin"}, 404, "not_found"},
	} {
		rec := w.do(call("GET", tt.url, tt.header...))
		if got := body(t, rec); rec.Code != tt.status || got.Error != tt.code || tt.status == 200 && got.Tenant != "platform" {
			t.Errorf("%s: %d %s", tt.rule, rec.Code, rec.Body)
		}
	}
	delete(w.directory.records, "platform")
	if rec := newWorldOf(t, w).do(call("GET", admin, bearer, "Bearer chy_admin")); rec.Code != 401 {
		t.Errorf("without a platform tenant: %d %s", rec.Code, rec.Body)
	}
}

func TestClientAddress(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		rule, peer string
		header     []string
		want       string
	}{
		{"the peer", "192.0.2.1", nil, "192.0.2.1"},
		{"a stranger's header is not read", "192.0.2.1", []string{"X-Forwarded-For", "198.51.100.7"}, "192.0.2.1"},
		{"a proxy's is", proxy, []string{"X-Forwarded-For", "198.51.100.7"}, "198.51.100.7"},
		{"the last entry that is no proxy", proxy, []string{"X-Forwarded-For", "6.6.6.6, 198.51.100.7, 10.0.0.1"}, "198.51.100.7"},
		{"over several lines", proxy, []string{"X-Forwarded-For", "6.6.6.6", "X-Forwarded-For", "198.51.100.7"}, "198.51.100.7"},
		{"proxies only", proxy, []string{"X-Forwarded-For", "10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
		{"what is no address ends the search", proxy, []string{"X-Forwarded-For", "198.51.100.7, unknown, 10.0.0.2"}, "10.0.0.2"},
		{"nor is another header", proxy, []string{"X-Real-IP", "6.6.6.6", "Forwarded", "for=6.6.6.6", "CF-Connecting-IP", "6.6.6.6"}, proxy},
		{"IPv6", "[2001:db8::1]", nil, "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.1]", nil, "192.0.2.1"},
		{"a proxy in IPv6 form", "[::ffff:10.1.2.3]", []string{"X-Forwarded-For", "198.51.100.7"}, "198.51.100.7"},
	} {
		got := body(t, w.do(call("POST", "https://id.example/t/acme/token", append(tt.header, "X-Peer", tt.peer)...)))
		if got.Address != tt.want || w.sink.last(t).Address.String() != tt.want {
			t.Errorf("%s: %s, recorded as %s, want %s", tt.rule, got.Address, w.sink.last(t).Address, tt.want)
		}
	}
}

func TestPathParameters(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		rule, path string
		status     int
		want       string
	}{
		{"as it is", "/clients/abc", 200, "abc"},
		{"a plus is a plus", "/clients/a+b%2Fc", 200, "a+b/c"},
		{"decoded once", "/clients/a%252Fb", 200, "a%2Fb"},
		{"an escaped slash stays inside", "/clients/..%2F..%2Ftoken", 200, "../../token"},
		{"a URL as an id", "/clients/https%3A%2F%2Fapp.example%2F", 200, "https://app.example/"},
		{"a zero byte names nothing", "/clients/a%00", 404, ""},
		{"nor does what is not UTF-8", "/clients/a%ff", 404, ""},
		{"a real slash is another path", "/clients/a/b", 404, ""},
	} {
		rec := w.do(call("GET", "https://id.example/t/acme"+tt.path))
		if got := body(t, rec); rec.Code != tt.status || got.Param != tt.want {
			t.Errorf("%s: %d %q, want %d %q", tt.rule, rec.Code, got.Param, tt.status, tt.want)
		}
	}
}

func TestLimits(t *testing.T) {
	w := newWorld(t)
	w.do(call("POST", "https://id.example/t/acme/token/"))
	w.do(call("GET", "https://id.example/t/acme/.well-known/openid-configuration"))
	w.do(call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "acme", bearer, "Bearer chy_acme-all"))
	w.do(call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "acme", bearer, "Bearer chy_nope"))
	want := []string{"acme  192.0.2.1 /token", "acme   /authz-sessions/rest/v1"}
	if diff := cmp.Diff(want, w.limiter.seen); diff != "" {
		t.Errorf("what is counted: %s", diff)
	}
	w.limiter.full = map[string]bool{"/token": true, "/login/start": true}
	rec := w.do(call("POST", "https://id.example/t/acme/token"))
	if h := rec.Header(); rec.Code != 429 || h.Get("Retry-After") != "2" || h.Get("RateLimit") != `"few";r=0;t=2` || h.Get("RateLimit-Policy") != `"few";q=100;w=20` ||
		body(t, rec).Error != "slow_down" {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	if rec := w.do(call("GET", "https://id.example/t/acme/login/start")); rec.Code != 429 || rec.Body.String() != "<p>slow_down" {
		t.Errorf("a page: %d %s", rec.Code, rec.Body)
	}
}

// I5, I7, I15: what cannot be known is 503, and what needs no knowledge is served.
func TestWithoutTheDatabase(t *testing.T) {
	w := newWorld(t)
	api := func() *http.Request {
		return call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "acme", bearer, "Bearer chy_acme-all")
	}
	metadata := call("GET", "https://id.example/t/acme/.well-known/openid-configuration")
	if rec := w.do(api()); rec.Code != 200 {
		t.Fatal(rec.Body)
	}
	w.directory.away(true)
	cold := w.do(call("POST", "https://id.example/t/globex/token"))
	if cold.Code != 503 || cold.Header().Get("Retry-After") == "" || body(t, cold).Error != "temporarily_unavailable" {
		t.Errorf("a cold tenant: %d %s", cold.Code, cold.Body)
	}
	if rec := w.do(call("GET", "https://id.example/authz-sessions/rest/v1", "Tenant-ID", "globex", bearer, "Bearer chy_globex-all")); rec.Code != 503 {
		t.Errorf("a cold tenant's API: %d %s", rec.Code, rec.Body)
	}
	w.advance(25 * time.Second)
	if rec := w.do(api()); rec.Code != 200 {
		t.Errorf("a warm tenant after 25 s: %d %s", rec.Code, rec.Body)
	}
	w.advance(6 * time.Second)
	for rule, r := range map[string]*http.Request{
		"an API": api(), "a public endpoint": call("POST", "https://id.example/t/acme/token"),
	} {
		if rec := w.do(r); rec.Code != 503 || rec.Header().Get("Retry-After") == "" {
			t.Errorf("%s after 31 s: %d %s", rule, rec.Code, rec.Body)
		}
	}
	w.advance(4 * time.Minute)
	if rec := w.do(metadata); rec.Code != 200 {
		t.Errorf("metadata after 4 min: %d %s", rec.Code, rec.Body)
	}
	w.directory.away(false)
	w.advance(5 * time.Second)
	if rec := w.do(api()); rec.Code != 200 {
		t.Errorf("once the database is back: %d %s", rec.Code, rec.Body)
	}
}
